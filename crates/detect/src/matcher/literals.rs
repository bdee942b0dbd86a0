//! Finds which of many literals stand in a text, wherever they do. Of each, four bytes are looked for that few others
//! share, through a table of bits that fits the processor's cache, and what is found there is compared; short ones are
//! looked up whole. Thousands of literals cost little more than a hundred. Where all are long, or the few short ones are
//! left to a vector search, only every second or fourth place of the text is looked at.
//!
//! Literals are folded by the caller, and so are texts that are not ASCII. **Absent on purpose:** no first or longest match;
//! all of them count.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashTable};
use memchr::memchr2;

use crate::matcher::few::Few;

/// Bytes that are looked up at once.
const GRAM: usize = 4;
/// Bits of the table for each gram, at least; few of them lead to a comparison in vain.
const BITS_PER_GRAM: usize = 64;
/// The same where the table stays within the fastest cache: 16 KiB.
const BITS_PER_GRAM_OF_FEW: usize = 512;
const TABLE_POWER_OF_FEW: u32 = 17;
/// The same for three bytes, which stand in it with all that may follow them.
const BITS_PER_TRIPLE: usize = 128 * 64;
const TRIPLE: u32 = 0xFF_FFFF;
/// Sizes of the table, as powers of two: 512 bytes to 256 KiB.
const TABLE_POWER_MIN: u32 = 12;
const TABLE_POWER_MAX: u32 = 21;

/// A literal that some bytes may be part of.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    literal: u32,
    /// Where the bytes stand in it.
    offset: u32,
}

/// Literals by some of their bytes.
#[derive(Debug, Default)]
struct Places {
    /// Bytes, and their part of `candidates`.
    parts: HashTable<(u32, u32, u32)>,
    candidates: Vec<Candidate>,
}

impl Places {
    fn new(by_bytes: BTreeMap<u32, Vec<Candidate>>) -> Self {
        let mut places = Places::default();
        for (bytes, candidates) in by_bytes {
            let part = (bytes, places.candidates.len() as u32, candidates.len() as u32);
            places.parts.insert_unique(spread(bytes), part, |(bytes, ..)| spread(*bytes));
            places.candidates.extend(candidates);
        }
        places
    }

    #[inline]
    fn of(&self, bytes: u32) -> &[Candidate] {
        if self.candidates.is_empty() {
            return &[];
        }
        let part = self.parts.find(spread(bytes), |(known, ..)| *known == bytes);
        part.map_or(&[], |(_, first, count)| &self.candidates[*first as usize..(*first + *count) as usize])
    }
}

/// Which bytes a text has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present([bool; 256]);

impl Present {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut present = [false; 256];
        text.iter().for_each(|byte| present[usize::from(*byte)] = true);
        Present(present)
    }

    #[inline]
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    pub(crate) fn has_any(&self, bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| self.has(*byte))
    }

    /// Control characters.
    pub(crate) fn has_control(&self) -> bool {
        self.0[..32].contains(&true) || self.0[127]
    }
}

/// A search for literals.
#[derive(Debug)]
pub(crate) struct Literals {
    texts: Vec<Box<[u8]>>,
    /// A bit for each hash of four bytes that may begin something in `long` or `triple`.
    table: Vec<u64>,
    shift: u32,
    /// Places of the text from one that is looked at to the next.
    stride: usize,
    /// Short ones that would ask for every place to be looked at.
    few: Option<Few>,
    /// By four bytes.
    long: Places,
    /// Of three bytes.
    triple: Places,
    /// Of two bytes.
    pair: Places,
    /// A bit for each pair of bytes in `pair`.
    pairs: Vec<u64>,
    /// The pairs' bytes, in either case.
    pair_bytes: Vec<[u8; 2]>,
    /// Of one byte: byte and literal.
    single: Vec<(u8, u32)>,
}

/// Makes upper and lower case of ASCII letters the same, and some other bytes, too: what is found is compared.
const CASE: u32 = 0x2020_2020;

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(GRAM).rev().fold(0, |number, byte| number << 8 | u32::from(*byte | 0x20))
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

/// Bytes that a literal needs to be found at one of every so many places.
fn bytes_for(stride: usize) -> usize {
    GRAM + stride - 1
}

impl Literals {
    /// None of the texts is empty.
    pub(crate) fn new(texts: Vec<Box<[u8]>>) -> Self {
        let shortest = texts.iter().map(|text| text.len()).min().unwrap_or(0);
        let stride = [4, 2].into_iter().find(|stride| shortest >= bytes_for(*stride)).unwrap_or(1);
        Self::with_stride(texts, stride, None)
    }

    /// The same for long texts, where a vector search for the short literals pays for itself.
    pub(crate) fn for_long_texts(texts: Vec<Box<[u8]>>) -> Self {
        for stride in [4, 2] {
            let few = texts.iter().enumerate().filter(|(_, text)| text.len() < bytes_for(stride));
            if let Some(few) = Few::new(few.map(|(at, text)| (at as u32, &**text))) {
                return Self::with_stride(texts, stride, Some(few));
            }
        }
        Self::new(texts)
    }

    fn with_stride(texts: Vec<Box<[u8]>>, stride: usize, few: Option<Few>) -> Self {
        // A gram that few literals have is rare in what they are looked for in, too.
        let mut frequency: HashMap<u32, u32> = HashMap::new();
        for text in &texts {
            grams(text).for_each(|gram| *frequency.entry(gram).or_insert(0) += 1);
        }
        let mut by_bytes: [BTreeMap<u32, Vec<Candidate>>; 3] = Default::default();
        let mut single = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            if few.is_some() && text.len() < bytes_for(stride) {
                continue;
            }
            if let [byte] = &**text {
                single.push((*byte, at as u32));
                continue;
            }
            let grams: Vec<u32> = grams(text).collect();
            let runs = grams.windows(stride).enumerate();
            let sum = |run: &[u32]| run.iter().map(|gram| frequency[gram]).sum::<u32>();
            let rarest = runs.min_by_key(|(offset, run)| (sum(run), usize::MAX - offset));
            let mut add = |bytes: u32, offset: usize| {
                let candidate = Candidate { literal: at as u32, offset: offset as u32 };
                by_bytes[GRAM - text.len().min(GRAM)].entry(bytes).or_default().push(candidate);
            };
            match rarest {
                Some((offset, run)) => run.iter().enumerate().for_each(|(more, gram)| add(*gram, offset + more)),
                None => add(number(text), 0),
            }
        }
        let [long, triple, pair] = by_bytes;
        let bits = long.len() * BITS_PER_GRAM + triple.len() * BITS_PER_TRIPLE;
        let power = bits.next_power_of_two().trailing_zeros().clamp(TABLE_POWER_MIN, TABLE_POWER_MAX);
        let roomy = (long.len() * BITS_PER_GRAM_OF_FEW).next_power_of_two().trailing_zeros();
        let power = power.max(roomy.min(TABLE_POWER_OF_FEW));
        let shift = 32 - power;
        let mut table = vec![0; if long.is_empty() && triple.is_empty() { 0 } else { 1 << power >> 6 }];
        // Three bytes are found by all that may follow them.
        let followed = triple.keys().flat_map(|bytes| (0..=255_u32).map(move |next| bytes | (next | 0x20) << 24));
        for hash in long.keys().copied().chain(followed).map(|gram| hash(gram, shift)) {
            table[hash / 64] |= 1_u64 << (hash % 64);
        }
        // The fold of a pair's bytes makes others the same, too.
        let cases = |byte: u8| [byte, byte & !0x20];
        let both = |bytes: u32| (cases(bytes as u8), cases((bytes >> 8) as u8));
        let all = |(first, second): ([u8; 2], [u8; 2])| first.map(|first| second.map(|second| [first, second]));
        let pair_bytes: BTreeSet<[u8; 2]> = pair.keys().flat_map(|bytes| all(both(*bytes))).flatten().collect();
        let pair_bytes = pair_bytes.into_iter().collect();
        let mut pairs = vec![0; if pair.is_empty() { 0 } else { 1 << 16 >> 6 }];
        pair.keys().for_each(|bytes| pairs[*bytes as usize / 64] |= 1_u64 << (bytes % 64));
        let (long, triple, pair) = (Places::new(long), Places::new(triple), Places::new(pair));
        Literals { texts, table, shift, stride, few, long, triple, pair, pairs, pair_bytes, single }
    }

    /// Calls back with number, start and end of every literal in the text, as often as it stands there; one of a single
    /// byte at the start, at the end, and at least once in all. The text is folded, or ASCII.
    #[inline]
    pub(crate) fn find(&self, text: &[u8], found: impl FnMut(usize, usize, usize)) {
        let short = !self.single.is_empty() || !self.pairs.is_empty();
        let present = short.then(|| Present::of(text));
        self.find_in(text, present.as_ref(), found);
    }

    /// The same, where it is known which bytes the text has.
    #[inline]
    pub(crate) fn find_in(&self, text: &[u8], present: Option<&Present>, mut found: impl FnMut(usize, usize, usize)) {
        let may_have = |byte: u8| present.is_none_or(|present| present.has(byte));
        for (byte, literal) in &self.single {
            if !may_have(*byte) && !may_have(byte.to_ascii_uppercase()) {
                continue;
            }
            let last = text.len().checked_sub(1).filter(|last| text[*last].eq_ignore_ascii_case(byte));
            for at in memchr2(*byte, byte.to_ascii_uppercase(), text).into_iter().chain(last) {
                found(*literal as usize, at, at + 1);
            }
        }
        if self.pair_bytes.iter().any(|[first, second]| may_have(*first) && may_have(*second)) {
            for (at, pair) in text.windows(2).enumerate() {
                let pair = number(pair);
                if self.pairs[pair as usize / 64] >> (pair % 64) & 1 == 1 {
                    self.compare(self.pair.of(pair), at, text, &mut found);
                }
            }
        }
        if let Some(few) = &self.few {
            few.find(text, |literal, offset, at| {
                self.compare(&[Candidate { literal, offset }], at, text, &mut found);
            });
        }
        if self.table.is_empty() {
            return;
        }
        match self.stride {
            4 => self.find_long::<4>(text, &mut found),
            2 => self.find_long::<2>(text, &mut found),
            _ => self.find_long::<1>(text, &mut found),
        }
        if let Some(at) = text.len().checked_sub(3) {
            self.compare(self.triple.of(number(&text[at..])), at, text, &mut found);
        }
    }

    #[inline]
    fn find_long<const STRIDE: usize>(&self, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let mut start = 0;
        for chunk in text.get(..text.len().saturating_sub(GRAM - 1)).unwrap_or_default().chunks(64 * STRIDE) {
            let mut marks = self.marks::<STRIDE>(&text[start..start + chunk.len() + GRAM - 1]);
            while marks != 0 {
                let at = start + marks.trailing_zeros() as usize * STRIDE;
                marks &= marks - 1;
                let gram = number(&text[at..]);
                self.compare(self.long.of(gram), at, text, found);
                self.compare(self.triple.of(gram & TRIPLE), at, text, found);
            }
            start += chunk.len();
        }
    }

    /// At which of up to 64 places the table knows the four bytes. Without branches, because most are not known.
    #[inline]
    fn marks<const STRIDE: usize>(&self, bytes: &[u8]) -> u64 {
        let mut marks = 0;
        for (at, window) in bytes.windows(GRAM).step_by(STRIDE).enumerate() {
            let gram = u32::from_le_bytes([window[0], window[1], window[2], window[3]]) | CASE;
            let hash = hash(gram, self.shift);
            let word = self.table.get(hash / 64).copied().unwrap_or(0);
            marks |= (word >> (hash % 64) & 1) << at;
        }
        marks
    }

    #[inline]
    fn compare(&self, candidates: &[Candidate], at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        for candidate in candidates {
            let literal = &self.texts[candidate.literal as usize];
            let Some(start) = at.checked_sub(candidate.offset as usize) else { continue };
            if text.get(start..start + literal.len()).is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
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
            least in 1..8_usize,
            literals in prop::collection::btree_set("[ab.é]{1,9}", 1..20),
            text in "[abc.é]{0,80}",
        ) {
            let literals = literals.iter().filter(|literal| literal.len() >= least);
            let texts: Vec<Box<[u8]>> = literals.map(|literal| literal.as_bytes().into()).collect();
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
            expected.sort_unstable();
            for literals in [Literals::new(texts.clone()), Literals::for_long_texts(texts)] {
                let mut found = Vec::new();
                literals.find(text.as_bytes(), |literal, start, end| found.push((literal, start, end)));
                found.sort_unstable();
                found.dedup();
                prop_assert_eq!(found, expected.clone());
            }
        }
    }
}
