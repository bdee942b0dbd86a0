//! Fixed words looked for in short texts. A message is shorter than what it costs to set up a general search: the word's
//! rarest byte is looked for instead, and the rest is compared.

use memchr::{memchr, memchr2, memrchr_iter};

use crate::wide::{WIDE_BYTES, which_are};

/// A word, and which of its bytes log messages have least often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needle<'w> {
    text: &'w [u8],
    rarest: usize,
}

/// Letters, blanks and the marks between names and values, frequent ones first. What is not here is rarer.
const FREQUENT: &[u8] = b" e0123456789.toairsnldcumpfhgwvbykxjqz=\"-:,/_";

const FREQUENCIES: [u8; 256] = {
    let (mut table, mut at) = ([0; 256], 0);
    while at < FREQUENT.len() {
        table[FREQUENT[at] as usize] = (FREQUENT.len() - at) as u8;
        at += 1;
    }
    table
};

/// How frequent a byte is; 0 for the rarest.
#[inline]
pub(crate) const fn frequency(byte: u8) -> u8 {
    FREQUENCIES[byte as usize]
}

/// Where a word that is known when this is compiled stands first.
macro_rules! find {
    ($text:expr, $word:expr) => {
        const { $crate::needle::Needle::new($word) }.find($text)
    };
}

/// Where a word that is known when this is compiled stands last.
macro_rules! rfind {
    ($text:expr, $word:expr) => {
        const { $crate::needle::Needle::new($word) }.rfind($text)
    };
}

pub(crate) use {find, rfind};

impl<'w> Needle<'w> {
    #[inline]
    pub(crate) const fn new(text: &'w [u8]) -> Self {
        let (mut rarest, mut at) = (0, 1);
        while at < text.len() {
            if frequency(text[at]) < frequency(text[rarest]) {
                rarest = at;
            }
            at += 1;
        }
        Needle { text, rarest }
    }

    pub(crate) const fn len(self) -> usize {
        self.text.len()
    }

    #[inline]
    fn stands_around(self, text: &[u8], at: usize) -> Option<usize> {
        let start = at.checked_sub(self.rarest)?;
        text[start..].starts_with(self.text).then_some(start)
    }

    /// Offsets, the first one first.
    #[inline]
    pub(crate) fn find_iter(self, text: &[u8]) -> impl Iterator<Item = usize> {
        let (byte, mut from) = (self.text[self.rarest], self.rarest);
        std::iter::from_fn(move || {
            loop {
                let at = from + find_byte(byte, text.get(from..)?)?;
                from = at + 1;
                if let Some(start) = self.stands_around(text, at) {
                    return Some(start);
                }
            }
        })
    }

    /// Offset of the first one.
    #[inline]
    pub(crate) fn find(self, text: &[u8]) -> Option<usize> {
        self.find_iter(text).next()
    }

    /// Offsets, the last one first.
    #[inline]
    pub(crate) fn rfind_iter(self, text: &[u8]) -> impl Iterator<Item = usize> {
        memrchr_iter(self.text[self.rarest], text).filter_map(move |at| self.stands_around(text, at))
    }

    /// Offset of the last one.
    #[inline]
    pub(crate) fn rfind(self, text: &[u8]) -> Option<usize> {
        self.rfind_iter(text).next()
    }

    #[inline]
    pub(crate) fn is_in(self, text: &[u8]) -> bool {
        self.find(text).is_some()
    }
}

/// Which bytes are among those of the text, or letters and digits where those count.
pub(crate) const fn bytes_of(text: &[u8], alphanumeric: bool) -> [bool; 256] {
    let (mut table, mut at) = ([false; 256], 0);
    while at < 256 {
        table[at] = alphanumeric && (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    at = 0;
    while at < text.len() {
        table[text[at] as usize] = true;
        at += 1;
    }
    table
}

/// Longest name of a pair in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// Bytes of which names of pairs are made.
#[inline]
pub(crate) fn is_name_byte(byte: u8) -> bool {
    const NAMES: [bool; 256] = bytes_of(b"_-.@[]/%:", true);
    NAMES[usize::from(byte)]
}

/// Whether the text is the name of a pair as key=value and CEF write it.
pub(crate) fn is_pair_name(text: &[u8]) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.iter().all(|byte| is_name_byte(*byte))
}

/// Bytes that are looked at without setting up a search.
const NEAR_BYTES: usize = 3 * WIDE_BYTES;

/// Where a byte stands first. It mostly stands near: to look there costs less than a general search.
#[inline]
pub(crate) fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    let at = match near(byte, byte, text) {
        Ok(found) => return Some(found),
        Err(at) => at,
    };
    let rest = text.get(at..)?;
    let found = if rest.len() < WIDE_BYTES { rest.iter().position(|it| *it == byte) } else { memchr(byte, rest) };
    found.map(|found| at + found)
}

/// Where one of two bytes stands first, looked for near the start; `Err`: how far there is none.
#[inline]
fn near(one: u8, other: u8, text: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    while at < NEAR_BYTES {
        let Some(bytes) = text.get(at..).and_then(|rest| rest.first_chunk()) else {
            return match text.last_chunk() {
                Some(last) => behind(which_are(last, one, other), text.len() - WIDE_BYTES).ok_or(text.len()),
                None => Err(at),
            };
        };
        if let Some(found) = behind(which_are(bytes, one, other), at) {
            return Ok(found);
        }
        at += WIDE_BYTES;
    }
    Err(at)
}

/// Where the first of the bytes that are marked stands, which begin at `from`.
#[inline]
fn behind(marks: u32, from: usize) -> Option<usize> {
    (marks != 0).then(|| from + marks.trailing_zeros() as usize)
}

/// Where the first quote or backslash stands.
#[inline]
pub(crate) fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    find_either(b'"', b'\\', text)
}

/// Where one of two bytes stands first. Most texts between them are short.
#[inline]
pub(crate) fn find_either(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    let at = match near(one, other, text) {
        Ok(found) => return Some(found),
        Err(at) => at,
    };
    let rest = text.get(at..)?;
    let found = match rest.len() {
        0..WIDE_BYTES => rest.iter().position(|byte| *byte == one || *byte == other),
        _ => memchr2(one, other, rest),
    };
    found.map(|found| at + found)
}

/// A text of which the first bytes are compared as one number.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    text: Box<[u8]>,
    bytes: u64,
    mask: u64,
}

impl Head {
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; 8];
        let length = text.len().min(8);
        bytes[..length].copy_from_slice(&text[..length]);
        let mask = if length == 8 { u64::MAX } else { (1 << (8 * length)) - 1 };
        Head { text: text.into(), bytes: u64::from_le_bytes(bytes), mask }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the text begins with this one.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<8>() {
            Some(chunk) => {
                u64::from_le_bytes(*chunk) & self.mask == self.bytes
                    && (self.text.len() <= 8 || begins_behind(text, &self.text))
            }
            None => text.starts_with(&self.text),
        }
    }
}

/// Whether a text begins with another one of more than eight bytes, of which those are known to be the same. Eight bytes at a time,
/// the last of them once more: for short texts a call costs more.
#[inline]
pub(crate) fn begins_behind(text: &[u8], start: &[u8]) -> bool {
    let Some(head) = text.get(..start.len()) else { return false };
    let (own, others) = (start[8..].as_chunks::<8>().0, head[8..].as_chunks::<8>().0);
    let are_same = own.iter().zip(others).all(|(own, other)| u64::from_le_bytes(*own) == u64::from_le_bytes(*other));
    are_same
        && start.last_chunk().copied().map(u64::from_le_bytes) == head.last_chunk().copied().map(u64::from_le_bytes)
}

/// Where a word stands first.
#[inline]
pub(crate) fn find_word(text: &[u8], word: &[u8]) -> Option<usize> {
    if word.is_empty() { Some(0) } else { Needle::new(word).find(text) }
}

/// Where a word stands last.
#[inline]
pub(crate) fn rfind_word(text: &[u8], word: &[u8]) -> Option<usize> {
    if word.is_empty() { Some(text.len()) } else { Needle::new(word).rfind(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: [Needle<'static>; 4] =
        [Needle::new(b"aa"), Needle::new(b" from "), Needle::new(b"b: "), Needle::new(b"a")];

    proptest! {
        #[test]
        fn finds_what_a_general_search_finds(text in "[abfrom :]{0,90}") {
            for word in WORDS {
                let text = text.as_bytes();
                prop_assert_eq!(word.find(text), memchr::memmem::find(text, word.text));
                prop_assert_eq!(word.rfind(text), memchr::memmem::rfind(text, word.text));
                prop_assert_eq!(find_byte(word.text[0], text), memchr(word.text[0], text));
                let quoted: Vec<u8> = text.iter().map(|byte| if *byte == b'f' { b'"' } else { *byte }).collect();
                prop_assert_eq!(quote_or_backslash(&quoted), memchr2(b'"', b'\\', &quoted));
                for start in [&text[..text.len() / 2], &text[text.len() / 3..]] {
                    prop_assert_eq!(Head::new(start).begins(text), text.starts_with(start));
                }
                prop_assert_eq!(Head::new(word.text).begins(text), text.starts_with(word.text));
                prop_assert_eq!(find_word(text, word.text), memchr::memmem::find(text, word.text));
            }
        }
    }
}
