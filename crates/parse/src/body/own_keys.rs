//! Which of many texts stand in a line, letters in either case. Four bytes of each text are marked in a table of bits that stays in
//! the processor's cache; where the line has bytes that are marked, the text is compared. Knows no message.

use crate::needle::frequency;

/// Bytes of a text that are marked.
const MARK_BYTES: usize = 4;
/// Bits of a mark's number.
const NUMBER_BITS: u32 = 15;

/// A text, and where its mark stands in it.
#[derive(Debug)]
struct Key {
    number: u16,
    text: Box<[u8]>,
    before: usize,
    id: u16,
}

/// Texts that lines are searched for.
#[derive(Debug)]
pub(super) struct Keys {
    /// A bit for each number, set where a mark has it.
    marked: Box<[u64]>,
    /// In the order of their numbers.
    keys: Vec<Key>,
    /// For each number, which key is the first that has it.
    first: Box<[u16]>,
}

/// The number of four bytes; those of letters of either case are equal.
#[inline]
fn number(bytes: [u8; MARK_BYTES]) -> u16 {
    let folded = u32::from_le_bytes(bytes) | 0x2020_2020;
    (folded.wrapping_mul(0x9E37_79B1) >> (u32::BITS - NUMBER_BITS)) as u16
}

/// Whether two texts of one length differ in the case of letters alone. Mostly the first bytes differ.
#[inline]
fn is_same(found: &[u8], text: &[u8]) -> bool {
    found.first().map(u8::to_ascii_lowercase) == text.first().map(u8::to_ascii_lowercase)
        && found.eq_ignore_ascii_case(text)
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
    let mut counts = vec![0_u16; 1 << NUMBER_BITS];
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
        let mut marked = vec![0_u64; (1 << NUMBER_BITS) / 64].into_boxed_slice();
        for (id, text) in texts.enumerate() {
            let (before, number) = mark(text, &shared)?;
            marked[usize::from(number) / 64] |= 1 << (number % 64);
            keys.push(Key { number, text: text.into(), before, id: u16::try_from(id).ok()? });
        }
        keys.sort_by_key(|key| key.number);
        let mut first = vec![0; 1 << NUMBER_BITS].into_boxed_slice();
        for (at, key) in keys.iter().enumerate().rev() {
            first[usize::from(key.number)] = at as u16;
        }
        Some(Keys { marked, keys, first })
    }

    /// Goes through the texts that stand in the line; one that stands there twice may come twice.
    #[inline]
    pub(super) fn each_in(&self, line: &[u8], mut take: impl FnMut(u16)) {
        for (at, bytes) in line.windows(MARK_BYTES).enumerate() {
            let Some(bytes) = bytes.first_chunk() else { continue };
            let number = number(*bytes);
            if self.marked[usize::from(number) / 64] & (1 << (number % 64)) != 0 {
                self.each_at(line, at, number, &mut take);
            }
        }
    }

    /// As [`Self::each_in`], for texts whose mark has this number and stands here.
    #[inline(never)]
    fn each_at(&self, line: &[u8], at: usize, number: u16, take: &mut impl FnMut(u16)) {
        let first = usize::from(self.first[usize::from(number)]);
        for key in self.keys[first..].iter().take_while(|key| key.number == number) {
            let start = at.checked_sub(key.before);
            let found = start.and_then(|start| line.get(start..start + key.text.len()));
            if found.is_some_and(|found| is_same(found, &key.text)) {
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
