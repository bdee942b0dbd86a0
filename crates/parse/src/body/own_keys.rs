//! Which of many texts stand in a line, letters in either case. Four bytes of each text are marked in a table of bits that stays in
//! the processor's cache; where the line has bytes that are marked, the text is compared. Knows no message.

use crate::needle::frequency;

/// Bytes of a text that are marked.
const MARK_BYTES: usize = 4;
/// Places of a line that are looked at together.
const PLACES: usize = 8 - MARK_BYTES + 1;
/// Bits of a mark's number.
const NUMBER_BITS: u32 = 15;
const NUMBERS: usize = 1 << NUMBER_BITS;

/// A text, and where its mark stands in it.
#[derive(Debug)]
struct Key {
    number: u16,
    id: u16,
    before: usize,
    /// Up to eight bytes of the text from its mark on, letters of either case as one, and which of the eight they are.
    ahead: u64,
    ahead_mask: u64,
    /// In small letters.
    text: Box<[u8]>,
    /// For each of its bytes, which bit letters of the other case lack.
    cases: Box<[u8]>,
}

/// Texts that lines are searched for.
#[derive(Debug)]
pub(super) struct Keys {
    /// A bit for each number, set where a mark has it.
    marked: Box<[u64; NUMBERS / 64]>,
    /// In the order of their numbers.
    keys: Vec<Key>,
    /// For each number, which key is the first that has it.
    first: Box<[u16; NUMBERS]>,
}

/// Letters of either case become one, and so do some other bytes.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// The number of four bytes; those of letters of either case are equal.
#[inline]
fn number(bytes: [u8; MARK_BYTES]) -> u16 {
    number_of(u32::from_le_bytes(bytes) | FOLD as u32)
}

/// As [`number`], of bytes that are folded.
#[inline]
fn number_of(folded: u32) -> u16 {
    (folded.wrapping_mul(0x9E37_79B1) >> (u32::BITS - NUMBER_BITS)) as u16
}

impl Key {
    fn new(text: &[u8], (before, number): (usize, u16), id: u16) -> Self {
        let text = text.to_ascii_lowercase();
        let cases = text.iter().map(|byte| if byte.is_ascii_lowercase() { 0x20 } else { 0 }).collect();
        let (mut ahead, mut ahead_mask) = ([0; 8], [0; 8]);
        for (at, byte) in text[before..].iter().take(8).enumerate() {
            (ahead[at], ahead_mask[at]) = (*byte, 0xFF);
        }
        let (ahead, ahead_mask) = (u64::from_le_bytes(ahead), u64::from_le_bytes(ahead_mask));
        Key { number, id, before, ahead: (ahead | FOLD) & ahead_mask, ahead_mask, text: text.into(), cases }
    }

    /// Whether the text stands here: eight bytes at a time, the last of them once more. Mostly the first ones tell.
    #[inline]
    fn stands_at(&self, line: &[u8], at: usize) -> bool {
        let Some(found) = line.get(at..).and_then(|rest| rest.get(..self.text.len())) else { return false };
        let is_same = |found: &[u8; 8], cases: &[u8; 8], text: &[u8; 8]| {
            u64::from_le_bytes(*found) | u64::from_le_bytes(*cases) == u64::from_le_bytes(*text)
        };
        let (Some(last), Some(last_cases), Some(last_text)) =
            (found.last_chunk(), self.cases.last_chunk(), self.text.last_chunk())
        else {
            return self.stands_in_short(found);
        };
        let parts = found.as_chunks().0.iter().zip(self.cases.as_chunks().0).zip(self.text.as_chunks().0);
        parts.into_iter().all(|((found, cases), text)| is_same(found, cases, text))
            && is_same(last, last_cases, last_text)
    }

    /// As [`Self::stands_at`], for a text of four to seven bytes.
    #[inline]
    fn stands_in_short(&self, found: &[u8]) -> bool {
        let part = |text: &[u8]| {
            let (first, last) = (text.first_chunk::<4>()?, text.last_chunk::<4>()?);
            Some(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
        };
        match (part(found), part(&self.cases), part(&self.text)) {
            (Some(found), Some(cases), Some(text)) => found | cases == text,
            _ => found.eq_ignore_ascii_case(&self.text),
        }
    }
}

/// Where the four bytes of a text stand that the fewest of the texts have, and of those the rarest; and their number. `None` for a
/// shorter text.
fn mark(text: &[u8], shared: &[u16]) -> Option<(usize, u16)> {
    let weight = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(frequency(byte.to_ascii_lowercase()))).sum::<u32>();
    let marks = text.windows(MARK_BYTES).enumerate().filter_map(|(at, bytes)| {
        let number = number(*bytes.first_chunk()?);
        Some((shared[usize::from(number)], weight(bytes), at, number))
    });
    marks.min().map(|(_, _, at, number)| (at, number))
}

/// How many times each number stands in the texts.
fn counted<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<u16> {
    let mut counts = vec![0_u16; NUMBERS];
    for bytes in texts.flat_map(|text| text.windows(MARK_BYTES)).filter_map(|bytes| bytes.first_chunk()) {
        let count = &mut counts[usize::from(number(*bytes))];
        *count = count.saturating_add(1);
    }
    counts
}

impl Keys {
    /// `None` where a text is too short to be marked. A text is told by its place among those that are given.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Self> {
        let shared = counted(texts.clone());
        let mut keys = Vec::new();
        let mut marked = Box::new([0_u64; NUMBERS / 64]);
        for (id, text) in texts.enumerate() {
            let mark = mark(text, &shared)?;
            marked[usize::from(mark.1) / 64] |= 1 << (mark.1 % 64);
            keys.push(Key::new(text, mark, u16::try_from(id).ok()?));
        }
        keys.sort_by_key(|key| key.number);
        let mut first = Box::new([0; NUMBERS]);
        for (at, key) in keys.iter().enumerate().rev() {
            first[usize::from(key.number)] = at as u16;
        }
        Some(Keys { marked, keys, first })
    }

    /// Goes through the texts that stand in the line; one that stands there twice may come twice.
    #[inline]
    pub(super) fn each_in(&self, line: &[u8], mut take: impl FnMut(u16)) {
        let mut at = 0;
        // The marks at five places are in eight bytes.
        while let Some(bytes) = line.get(at..).and_then(<[u8]>::first_chunk) {
            let folded = u64::from_le_bytes(*bytes) | FOLD;
            for place in 0..PLACES {
                self.each_marked(line, at + place, number_of((folded >> (8 * place)) as u32), &mut take);
            }
            at += PLACES;
        }
        for (place, bytes) in line[at..].windows(MARK_BYTES).enumerate() {
            if let Some(bytes) = bytes.first_chunk() {
                self.each_marked(line, at + place, number(*bytes), &mut take);
            }
        }
    }

    #[inline]
    fn each_marked(&self, line: &[u8], at: usize, number: u16, take: &mut impl FnMut(u16)) {
        let at_number = usize::from(number) % NUMBERS;
        if self.marked[at_number / 64] & (1 << (at_number % 64)) != 0 {
            self.each_at(line, at, number, take);
        }
    }

    /// As [`Self::each_in`], for texts whose mark has this number and stands here.
    #[inline(never)]
    fn each_at(&self, line: &[u8], at: usize, number: u16, take: &mut impl FnMut(u16)) {
        let first = usize::from(self.first[usize::from(number) % NUMBERS]);
        let ahead = line[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes) | FOLD);
        for key in self.keys[first..].iter().take_while(|key| key.number == number) {
            // Most texts that share a mark go on otherwise.
            if ahead.is_some_and(|ahead| ahead & key.ahead_mask != key.ahead) {
                continue;
            }
            if at.checked_sub(key.before).is_some_and(|start| key.stands_at(line, start)) {
                take(key.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            texts in prop::collection::vec("[abAB@`{\\[]{4,7}", 1..8),
            line in "[abAB@`{\\[é]{0,60}",
            kept in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4),
        ) {
            let mut line = line.into_bytes();
            for (at, is_upper) in kept {
                let text = at.get(&texts);
                line.extend(if is_upper { text.to_ascii_uppercase() } else { text.clone() }.into_bytes());
            }
            let keys = Keys::new(texts.iter().map(String::as_bytes)).unwrap();
            let mut found = BTreeSet::new();
            keys.each_in(&line, |id| {
                found.insert(usize::from(id));
            });
            let stands = |text: &String| line.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
            let expected: BTreeSet<usize> = (0..texts.len()).filter(|id| stands(&texts[*id])).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn short_texts_are_refused() {
        assert!(Keys::new([&b"abc"[..]].into_iter()).is_none());
        assert!(Keys::new([&b"abcd"[..]].into_iter()).is_some());
    }
}
