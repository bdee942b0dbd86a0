//! Finds which of many literals stand in a text, wherever they do. Short ones are found by an automaton; of each longer
//! one four bytes are looked for that few others share, through a table of bits that fits the processor's cache, and what
//! is found there is compared. Thousands of literals cost little more than a hundred.
//!
//! Texts and literals are folded by the caller. **Absent on purpose:** no first or longest match; all of them count.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use hashbrown::HashMap;

/// Bytes that are looked up at once.
const GRAM: usize = 4;
/// Bits of the table for each gram, at least; few of them lead to a comparison in vain.
const BITS_PER_GRAM: usize = 64;
/// Sizes of the table, as powers of two: 512 bytes to 256 KiB.
const TABLE_POWER_MIN: u32 = 12;
const TABLE_POWER_MAX: u32 = 21;

/// A literal that a gram may be part of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    literal: u32,
    /// Where the gram stands in it.
    offset: u32,
}

#[derive(Debug)]
pub(super) struct Literals {
    texts: Vec<Box<[u8]>>,
    /// Literals shorter than a gram, by their number in the automaton.
    short: Option<(AhoCorasick, Vec<u32>)>,
    /// One bit for each hash of a gram that some literal is known by.
    table: Vec<u64>,
    shift: u32,
    /// Part of `candidates` for each gram.
    grams: HashMap<u32, (u32, u32)>,
    candidates: Vec<Candidate>,
}

fn gram(bytes: &[u8]) -> u32 {
    bytes.iter().take(GRAM).rev().fold(0, |gram, byte| gram << 8 | u32::from(*byte))
}

fn grams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.windows(GRAM).map(gram)
}

impl Literals {
    /// None of the texts is empty.
    pub(super) fn new(texts: Vec<Box<[u8]>>) -> Self {
        // A gram that few literals have is rare in what they are looked for in, too.
        let mut frequency: HashMap<u32, u32> = HashMap::new();
        for text in &texts {
            grams(text).for_each(|gram| *frequency.entry(gram).or_insert(0) += 1);
        }
        let mut by_gram: BTreeMap<u32, Vec<Candidate>> = BTreeMap::new();
        let mut short: Vec<u32> = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let rarest = grams(text).enumerate().min_by_key(|(offset, gram)| (frequency[gram], usize::MAX - offset));
            match rarest {
                Some((offset, gram)) => {
                    let candidate = Candidate { literal: at as u32, offset: offset as u32 };
                    by_gram.entry(gram).or_default().push(candidate);
                }
                None => short.push(at as u32),
            }
        }
        let wanted = (by_gram.len() * BITS_PER_GRAM).next_power_of_two().trailing_zeros();
        let power = wanted.clamp(TABLE_POWER_MIN, TABLE_POWER_MAX);
        let mut found = Literals {
            texts,
            short: None,
            table: Vec::new(),
            shift: 32 - power,
            grams: HashMap::new(),
            candidates: Vec::new(),
        };
        found.short = found.automaton(short);
        if !by_gram.is_empty() {
            found.table = vec![0; (1 << power) / 64];
        }
        for (gram, candidates) in by_gram {
            let hash = found.hash(gram);
            found.table[hash / 64] |= 1 << (hash % 64);
            found.grams.insert(gram, (found.candidates.len() as u32, candidates.len() as u32));
            found.candidates.extend(candidates);
        }
        found
    }

    fn automaton(&self, short: Vec<u32>) -> Option<(AhoCorasick, Vec<u32>)> {
        let texts = short.iter().map(|at| &*self.texts[*at as usize]);
        let kind = Some(AhoCorasickKind::DFA);
        // So few states always fit.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(kind).build(texts).ok()?;
        (!short.is_empty()).then_some((automaton, short))
    }

    #[inline]
    fn hash(&self, gram: u32) -> usize {
        (gram.wrapping_mul(0x9E37_79B1) >> self.shift) as usize
    }

    /// Calls back with number, start and end of every literal in the folded text. A literal that stands there twice is
    /// told twice.
    #[inline]
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
        if let Some((automaton, numbers)) = &self.short {
            for hit in automaton.find_overlapping_iter(text) {
                found(numbers[hit.pattern().as_usize()] as usize, hit.start(), hit.end());
            }
        }
        if self.table.is_empty() || text.len() < GRAM {
            return;
        }
        let mut gram = gram(&text[..GRAM - 1]) << 8;
        for (at, byte) in text[GRAM - 1..].iter().enumerate() {
            gram = gram >> 8 | u32::from(*byte) << 24;
            let hash = self.hash(gram);
            if self.table[hash / 64] >> (hash % 64) & 1 == 1 {
                self.compare(gram, at, text, &mut found);
            }
        }
    }

    fn compare(&self, gram: u32, at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let Some((first, count)) = self.grams.get(&gram) else { return };
        for candidate in &self.candidates[*first as usize..(*first + *count) as usize] {
            let literal = &self.texts[candidate.literal as usize];
            let Some(start) = at.checked_sub(candidate.offset as usize) else { continue };
            if text.get(start..start + literal.len()) == Some(&**literal) {
                found(candidate.literal as usize, start, start + literal.len());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn every_place_of_every_literal_is_found(
            literals in prop::collection::btree_set("[ab.é]{1,7}", 1..20),
            text in "[abc.é]{0,40}",
        ) {
            let texts: Vec<Box<[u8]>> = literals.iter().map(|literal| literal.as_bytes().into()).collect();
            let mut expected: Vec<(usize, usize, usize)> = Vec::new();
            for (at, literal) in texts.iter().enumerate() {
                let places = text.as_bytes().windows(literal.len()).enumerate();
                let places = places.filter(|(_, window)| *window == &**literal);
                expected.extend(places.map(|(start, _)| (at, start, start + literal.len())));
            }
            let mut found = Vec::new();
            Literals::new(texts).find(text.as_bytes(), |literal, start, end| found.push((literal, start, end)));
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
