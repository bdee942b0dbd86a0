//! Finds which of many literals stand in a text, wherever they do. Few are found by an automaton. Of each of many four bytes are looked for that few
//! others share, through a table of bits that fits the processor's cache, and what is found there is compared; short ones
//! are looked up whole. Thousands of literals cost little more than a hundred.
//!
//! Literals are folded by the caller, and so are texts, unless the automaton does without. **Absent on purpose:** no first or longest match; all of them count.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use hashbrown::{HashMap, HashTable};
use memchr::memchr;

/// Bytes that are looked up at once.
const GRAM: usize = 4;
/// Bits of the table for each gram, at least; few of them lead to a comparison in vain.
const BITS_PER_GRAM: usize = 64;
/// Sizes of the table, as powers of two: 512 bytes to 256 KiB.
const TABLE_POWER_MIN: u32 = 12;
const TABLE_POWER_MAX: u32 = 21;

/// Bytes of literals up to which an automaton is faster: its table fits the processor's cache.
const FEW_BYTES_MAX: usize = 8000;

/// A literal that some bytes may be part of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    literal: u32,
    /// Where the bytes stand in it.
    offset: u32,
}

/// Literals by some of their bytes.
#[derive(Debug, Default)]
struct Index {
    /// One bit for each hash of bytes that some literal is known by.
    table: Vec<u64>,
    /// Bytes, and their part of `candidates`.
    places: HashTable<(u32, u32, u32)>,
    candidates: Vec<Candidate>,
}

impl Index {
    fn new(bits: usize, by_bytes: BTreeMap<u32, Vec<Candidate>>, hash: impl Fn(u32) -> usize) -> Self {
        let mut index = Index::default();
        if !by_bytes.is_empty() {
            index.table = vec![0; bits.div_ceil(64)];
        }
        for (bytes, candidates) in by_bytes {
            let hash = hash(bytes);
            index.table[hash / 64] |= 1 << (hash % 64);
            let place = (bytes, index.candidates.len() as u32, candidates.len() as u32);
            index.places.insert_unique(spread(bytes), place, |(bytes, ..)| spread(*bytes));
            index.candidates.extend(candidates);
        }
        index
    }

    #[inline]
    fn may_have(&self, hash: usize) -> bool {
        self.table[hash / 64] >> (hash % 64) & 1 == 1
    }
}

/// A search for literals, the way that suits their number.
#[derive(Debug)]
pub(super) enum Literals {
    Few(AhoCorasick),
    Many(Box<Many>),
}

impl Literals {
    /// None of the texts is empty.
    pub(super) fn new(texts: Vec<Box<[u8]>>) -> Self {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let automaton = (bytes <= FEW_BYTES_MAX).then(|| {
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
            builder.build(&texts)
        });
        match automaton {
            Some(Ok(automaton)) => Literals::Few(automaton),
            _ => Literals::Many(Box::new(Many::new(texts))),
        }
    }

    /// ASCII text need not be folded.
    pub(super) fn ignores_case(&self) -> bool {
        matches!(self, Literals::Few(_))
    }

    /// Calls back with number, start and end of every literal in the text, as often as it stands there; one of a single
    /// byte at the start, at the end, and at least once in all.
    #[inline]
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
        match self {
            Literals::Few(automaton) => {
                for hit in automaton.find_overlapping_iter(text) {
                    found(hit.pattern().as_usize(), hit.start(), hit.end());
                }
            }
            Literals::Many(many) => many.find(text, found),
        }
    }
}

#[derive(Debug)]
pub(super) struct Many {
    texts: Vec<Box<[u8]>>,
    /// By four bytes.
    long: Index,
    long_shift: u32,
    /// Of three bytes.
    triple: Index,
    triple_shift: u32,
    /// Of two bytes.
    pair: Index,
    /// Of one byte: byte and literal.
    single: Vec<(u8, u32)>,
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(GRAM).rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn grams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.windows(GRAM).map(number)
}

/// The literals are ours: nobody can choose them to collide.
fn spread(bytes: u32) -> u64 {
    u64::from(bytes).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn hash(gram: u32, shift: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

impl Many {
    fn new(texts: Vec<Box<[u8]>>) -> Self {
        // A gram that few literals have is rare in what they are looked for in, too.
        let mut frequency: HashMap<u32, u32> = HashMap::new();
        for text in &texts {
            grams(text).for_each(|gram| *frequency.entry(gram).or_insert(0) += 1);
        }
        let mut indexes: [BTreeMap<u32, Vec<Candidate>>; 3] = Default::default();
        let mut single = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            if let [byte] = &**text {
                single.push((*byte, at as u32));
                continue;
            }
            let rarest = grams(text).enumerate().min_by_key(|(offset, gram)| (frequency[gram], usize::MAX - offset));
            let (offset, bytes) = rarest.unwrap_or_else(|| (0, number(text)));
            let candidate = Candidate { literal: at as u32, offset: offset as u32 };
            indexes[GRAM - text.len().min(GRAM)].entry(bytes).or_default().push(candidate);
        }
        let [long, triple, pair] = indexes;
        let power = |count: usize| {
            let wanted = (count * BITS_PER_GRAM).next_power_of_two().trailing_zeros();
            wanted.clamp(TABLE_POWER_MIN, TABLE_POWER_MAX)
        };
        let (long_power, triple_power) = (power(long.len()), power(triple.len()));
        let (long_shift, triple_shift) = (32 - long_power, 32 - triple_power);
        Many {
            texts,
            long: Index::new(1 << long_power, long, |gram| hash(gram, long_shift)),
            long_shift,
            triple: Index::new(1 << triple_power, triple, |gram| hash(gram, triple_shift)),
            triple_shift,
            pair: Index::new(1 << 16, pair, |pair| pair as usize),
            single,
        }
    }

    #[inline]
    fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
        for (byte, literal) in &self.single {
            let last = text.len().checked_sub(1).filter(|last| text[*last] == *byte);
            for at in memchr(*byte, text).into_iter().chain(last) {
                found(*literal as usize, at, at + 1);
            }
        }
        let (has_pairs, has_triples) = (!self.pair.table.is_empty(), !self.triple.table.is_empty());
        let has_long = !self.long.table.is_empty();
        for (at, window) in text.windows(GRAM).enumerate() {
            let gram = u32::from_le_bytes([window[0], window[1], window[2], window[3]]);
            if has_pairs {
                self.pair(gram, at, text, &mut found);
            }
            if has_triples {
                self.triple(gram, at, text, &mut found);
            }
            if has_long && self.long.may_have(hash(gram, self.long_shift)) {
                self.compare(&self.long, gram, at, text, &mut found);
            }
        }
        // What is shorter than a gram at the end.
        for at in text.len().saturating_sub(GRAM - 1)..text.len() {
            let rest = number(&text[at..]);
            if has_pairs && text.len() - at >= 2 {
                self.pair(rest, at, text, &mut found);
            }
            if has_triples && text.len() - at >= 3 {
                self.triple(rest, at, text, &mut found);
            }
        }
    }

    #[inline]
    fn pair(&self, gram: u32, at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        if self.pair.may_have((gram & 0xFFFF) as usize) {
            self.compare(&self.pair, gram & 0xFFFF, at, text, found);
        }
    }

    #[inline]
    fn triple(&self, gram: u32, at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let triple = gram & 0xFF_FFFF;
        if self.triple.may_have(hash(triple, self.triple_shift)) {
            self.compare(&self.triple, triple, at, text, found);
        }
    }

    fn compare(&self, index: &Index, bytes: u32, at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let place = index.places.find(spread(bytes), |(known, ..)| *known == bytes);
        let Some((_, first, count)) = place else { return };
        for candidate in &index.candidates[*first as usize..(*first + *count) as usize] {
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
                let places: Vec<usize> =
                    places.filter(|(_, window)| *window == &**literal).map(|(start, _)| start).collect();
                let told = |start: &usize| {
                    literal.len() > 1 || Some(start) == places.first() || *start == text.len() - 1
                };
                let places = places.iter().copied().filter(told);
                expected.extend(places.map(|start| (at, start, start + literal.len())));
            }
            let mut found = Vec::new();
            Many::new(texts).find(text.as_bytes(), |literal, start, end| found.push((literal, start, end)));
            found.sort_unstable();
            found.dedup();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
