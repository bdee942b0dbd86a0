//! Finds which of many literals stand in a text, wherever they do. Of each, four bytes are looked for that few others
//! share, through a table of bits that fits the processor's cache, and what is found there is compared; short ones are
//! looked up whole. Thousands of literals cost little more than a hundred. Where all are long, or the few short ones
//! are left to a vector search, only every second or fourth place of the text is looked at.
//!
//! Literals are folded by the caller, and so are texts that are not ASCII. **Absent on purpose:** no first or longest
//! match; all of them count.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashTable};
use memchr::{memchr2, memchr2_iter};

use crate::search::place_bits::{Bits, GRAM, PairBits, TRIPLE, both_place_bits, each_place};
use crate::search::short_literals::ShortLiterals;

/// Longest text of which every place is looked at for pairs.
const PAIRS_BYTES_MAX: usize = 256;

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
    /// `by_bytes` is sorted by the bytes.
    fn new(by_bytes: &[(u32, Candidate)]) -> Self {
        let mut places = Places::default();
        places.candidates.extend(by_bytes.iter().map(|(_, candidate)| *candidate));
        let runs = by_bytes.chunk_by(|(one, _), (other, _)| one == other);
        let mut first = 0;
        for run in runs {
            let count = run.len() as u32;
            if let Some((bytes, _)) = run.first() {
                places.parts.insert_unique(spread(*bytes), (*bytes, first, count), |(bytes, ..)| spread(*bytes));
            }
            first += count;
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
pub struct Present([bool; 256]);

impl Present {
    /// One pass over the text.
    pub fn of(text: &[u8]) -> Self {
        let mut present = [false; 256];
        text.iter().for_each(|byte| present[usize::from(*byte)] = true);
        Present(present)
    }

    /// Whether the byte stands anywhere in the text.
    #[inline]
    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Whether one of the bytes stands anywhere in the text.
    pub fn has_any(&self, bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| self.has(*byte))
    }

    /// Control characters.
    pub fn has_control(&self) -> bool {
        self.0[..32].contains(&true) || self.0[127]
    }
}

/// Bytes that stand in few request targets once those are decoded: texts without any have none of the literals that do.
fn is_rare(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b" /.-_=?+:,&".contains(&byte)
}

/// A search for literals.
#[derive(Debug)]
pub struct Literals {
    /// What every text is searched for.
    common: Search,
    /// Literals with a rare byte, where they are kept apart.
    with_rare: Option<Box<Search>>,
    /// The rare bytes of those.
    rare_bytes: Vec<u8>,
}

impl Literals {
    /// Made for texts of any kind. None of the literals is empty; their numbers are their places in the list.
    pub fn new(texts: Vec<Box<[u8]>>) -> Self {
        let numbered: Vec<Numbered> = texts.into_iter().enumerate().map(|(at, text)| (at as u32, text)).collect();
        Literals { common: Search::new(numbered), with_rare: None, rare_bytes: Vec::new() }
    }

    /// Made for long texts, where a vector search for the short literals pays for itself. None of the texts is empty.
    pub fn for_long_texts(texts: Vec<Box<[u8]>>) -> Self {
        let numbered: Vec<Numbered> = texts.into_iter().enumerate().map(|(at, text)| (at as u32, text)).collect();
        Literals { common: Search::for_long_texts(numbered), with_rare: None, rare_bytes: Vec::new() }
    }

    /// Made for requests: literals with bytes that few requests have are looked for in those that do. None of the texts
    /// is empty.
    pub fn for_requests(texts: Vec<Box<[u8]>>) -> Self {
        let numbered = texts.into_iter().enumerate().map(|(at, text)| (at as u32, text));
        let (with_rare, common): (Vec<Numbered>, Vec<Numbered>) =
            numbered.partition(|(_, text)| text.iter().any(|byte| is_rare(*byte)));
        let rarest = |text: &[u8]| text.iter().copied().find(|byte| is_rare(*byte));
        let rare_bytes: BTreeSet<u8> = with_rare.iter().filter_map(|(_, text)| rarest(text)).collect();
        let with_rare = (!with_rare.is_empty()).then(|| Box::new(Search::new(with_rare)));
        Literals { common: Search::new(common), with_rare, rare_bytes: rare_bytes.into_iter().collect() }
    }

    /// Calls back with number, start and end of every literal in the text, as often as it stands there; one of a single
    /// byte at the start, at the end, and at least once in all. The text is folded, or ASCII.
    #[inline]
    pub fn find(&self, text: &[u8], found: impl FnMut(usize, usize, usize)) {
        let present = (self.with_rare.is_some() || self.common.wants_bytes()).then(|| Present::of(text));
        self.find_in(text, present.as_ref(), found);
    }

    /// Finds what [`Literals::find`] does, where it is known which bytes the text has.
    #[inline]
    pub fn find_in(&self, text: &[u8], present: Option<&Present>, mut found: impl FnMut(usize, usize, usize)) {
        self.common.find(text, present, &mut found);
        if let Some(with_rare) = &self.with_rare
            && present.is_none_or(|present| present.has_any(&self.rare_bytes))
        {
            with_rare.find(text, present, &mut found);
        }
    }
}

/// A literal with its number.
type Numbered = (u32, Box<[u8]>);

/// A search for some of the literals, over the whole text.
#[derive(Debug)]
struct Search {
    texts: Vec<Numbered>,
    /// Bits for hashes of four bytes that may begin something in `long`.
    grams: Bits,
    /// Bits for hashes of three bytes that may begin something in `triple`.
    triples: Bits,
    /// Places of the text from one that is looked at to the next.
    stride: usize,
    /// Short literals, searched for apart: in the tables they would need a stride of 1.
    short_literals: Option<ShortLiterals>,
    /// By four bytes.
    long: Places,
    /// Of three bytes.
    triple: Places,
    /// Of two bytes.
    pair: Places,
    /// The pairs of bytes in `pair`; `None` where there are none.
    pairs: Option<PairBits>,
    /// Of each pair the byte that is rarer, in lower case.
    anchors: Vec<u8>,
    /// Of one byte: byte and literal.
    single: Vec<(u8, u32)>,
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(GRAM).rev().fold(0, |number, byte| number << 8 | u32::from(*byte | 0x20))
}

fn grams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.windows(GRAM).map(number)
}

/// The bytes of a sorted list, each once.
fn keys(by_bytes: &[(u32, Candidate)]) -> Vec<u32> {
    let mut keys: Vec<u32> = by_bytes.iter().map(|(bytes, _)| *bytes).collect();
    keys.dedup();
    keys
}

/// How common four bytes are in requests and command lines, roughly, from how common each of them is.
fn commonness(gram: u32) -> u32 {
    let of = |byte: u8| match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'/' | b'-' => 3,
        b'l' | b'd' | b'c' | b'u' | b'm' | b'p' | b'h' | b'.' | b'=' => 2,
        b'0'..=b'9' | b'g' | b'f' | b'w' | b'y' | b'b' | b'&' | b' ' => 1,
        _ => 0,
    };
    gram.to_le_bytes().into_iter().map(of).sum()
}

/// The literals are ours: nobody can choose them to collide.
fn spread(bytes: u32) -> u64 {
    u64::from(bytes).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Shortest literal, in bytes, that is found for certain when every `stride`-th place of a text is looked at.
fn bytes_for(stride: usize) -> usize {
    GRAM + stride - 1
}

/// The byte of a pair by which it is looked for: punctuation before letters, and what requests have most of last.
fn anchor(pair: &[u8]) -> u8 {
    let rank = |byte: &u8| match byte {
        byte if is_rare(*byte) => 0,
        b'?' | b'+' | b':' | b',' => 1,
        b'x' | b'z' | b'q' | b'j' | b'.' | b'_' | b'-' => 2,
        b'/' | b'=' | b'&' | b' ' => 3,
        _ => 4,
    };
    pair.iter().copied().min_by_key(rank).unwrap_or_default()
}

impl Search {
    fn new(texts: Vec<Numbered>) -> Self {
        let shortest = texts.iter().map(|(_, text)| text.len()).min().unwrap_or(0);
        let stride = [4, 2].into_iter().find(|stride| shortest >= bytes_for(*stride)).unwrap_or(1);
        Self::with_stride(texts, stride, None)
    }

    fn for_long_texts(texts: Vec<Numbered>) -> Self {
        for stride in [4, 2] {
            let short = texts.iter().enumerate().filter(|(_, (_, text))| text.len() < bytes_for(stride));
            if let Some(short) = ShortLiterals::new(short.map(|(at, (_, text))| (at as u32, &**text))) {
                return Self::with_stride(texts, stride, Some(short));
            }
        }
        Self::new(texts)
    }

    fn with_stride(texts: Vec<Numbered>, stride: usize, short_literals: Option<ShortLiterals>) -> Self {
        // A gram that few literals have is rare in what they are looked for in, too.
        let mut frequency: HashMap<u32, u32> = HashMap::new();
        for (_, text) in &texts {
            grams(text).for_each(|gram| *frequency.entry(gram).or_insert(0) += 1);
        }
        let mut by_bytes: [Vec<(u32, Candidate)>; 3] = Default::default();
        let (mut single, mut numbers) = (Vec::new(), Vec::new());
        let mut anchors = BTreeSet::new();
        for (at, (literal, text)) in texts.iter().enumerate() {
            if short_literals.is_some() && text.len() < bytes_for(stride) {
                continue;
            }
            match &**text {
                [byte] => {
                    single.push((*byte, *literal));
                    continue;
                }
                pair @ [_, _] => drop(anchors.insert(anchor(pair))),
                _ => {}
            }
            numbers.clear();
            numbers.extend(grams(text));
            let runs = numbers.windows(stride).enumerate();
            let sum = |run: &[u32]| run.iter().map(|gram| frequency[gram] + commonness(*gram)).sum::<u32>();
            let rarest = runs.min_by_key(|(offset, run)| (sum(run), usize::MAX - offset));
            let mut add = |bytes: u32, offset: usize| {
                let candidate = Candidate { literal: at as u32, offset: offset as u32 };
                by_bytes[GRAM - text.len().min(GRAM)].push((bytes, candidate));
            };
            match rarest {
                Some((offset, run)) => run.iter().enumerate().for_each(|(more, gram)| add(*gram, offset + more)),
                None => add(number(text), 0),
            }
        }
        by_bytes.iter_mut().for_each(|by_bytes| by_bytes.sort_by_key(|(bytes, _)| *bytes));
        let [long, triple, pair] = &by_bytes;
        let (grams, triples) = (Bits::new(&keys(long)), Bits::new(&keys(triple)));
        let pairs = (!pair.is_empty()).then(|| PairBits::new(pair.iter().map(|(bytes, _)| *bytes as u16)));
        let (long, triple, pair) = (Places::new(long), Places::new(triple), Places::new(pair));
        let anchors = anchors.into_iter().collect();
        Search { texts, grams, triples, stride, short_literals, long, triple, pair, pairs, anchors, single }
    }

    /// Whether the search is quicker when the caller says which bytes the text has.
    fn wants_bytes(&self) -> bool {
        !self.single.is_empty() || !self.anchors.is_empty()
    }

    #[inline]
    fn find(&self, text: &[u8], present: Option<&Present>, found: &mut impl FnMut(usize, usize, usize)) {
        let may_have = |byte: u8| present.is_none_or(|p| p.has(byte) || p.has(byte.to_ascii_uppercase()));
        for (byte, literal) in self.single.iter().filter(|(byte, _)| may_have(*byte)) {
            let last = text.len().checked_sub(1).filter(|last| text[*last].eq_ignore_ascii_case(byte));
            for at in memchr2(*byte, byte.to_ascii_uppercase(), text).into_iter().chain(last) {
                found(*literal as usize, at, at + 1);
            }
        }
        if text.len() <= PAIRS_BYTES_MAX && self.anchors.len() > 1 {
            self.find_pairs(text, found);
        } else {
            self.find_pairs_by_anchors(text, may_have, found);
        }
        if let Some(short) = &self.short_literals {
            short.find(text, |literal, offset, at| {
                self.compare(&[Candidate { literal, offset }], at, text, found);
            });
        }
        match self.stride {
            _ if self.grams.is_none() && self.triples.is_none() => return,
            4 => self.find_long::<4>(text, found),
            2 => self.find_long::<2>(text, found),
            _ => self.find_long::<1>(text, found),
        }
        if let Some(at) = text.len().checked_sub(3) {
            self.compare(self.triple.of(number(&text[at..])), at, text, found);
        }
    }

    /// Finds pairs at every place of a short text.
    fn find_pairs(&self, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let Some(pairs) = &self.pairs else { return };
        let mut start = 0;
        while start + 1 < text.len() {
            let part = &text[start..text.len().min(start + 65)];
            each_place::<1>(pairs.place_bits(part), &mut |place| {
                let at = start + place;
                self.compare(self.pair.of(number(&text[at..at + 2])), at, text, found);
            });
            start += 64;
        }
    }

    /// Finds pairs of a long text by the rarer byte of each.
    fn find_pairs_by_anchors(
        &self,
        text: &[u8],
        may_have: impl Fn(u8) -> bool,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let Some(pairs) = &self.pairs else { return };
        for byte in self.anchors.iter().copied().filter(|byte| may_have(*byte)) {
            for at in memchr2_iter(byte, byte.to_ascii_uppercase(), text) {
                for start in [Some(at), at.checked_sub(1)].into_iter().flatten() {
                    let Some(pair) = text.get(start..start + 2).map(number) else { continue };
                    if pairs.has(pair as u16) {
                        self.compare(self.pair.of(pair), start, text, found);
                    }
                }
            }
        }
    }

    #[inline]
    fn find_long<const STRIDE: usize>(&self, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        let mut start = 0;
        for chunk in text.get(..text.len().saturating_sub(GRAM - 1)).unwrap_or_default().chunks(64 * STRIDE) {
            let bytes = &text[start..start + chunk.len() + GRAM - 1];
            let (grams, triples) = match (&self.grams, &self.triples) {
                (grams, Bits::None) => (grams.place_bits::<STRIDE, { u32::MAX }>(bytes), 0),
                (Bits::Of64KiB(grams), Bits::Of4KiB(triples)) => both_place_bits(grams, triples, bytes),
                (grams, triples) => {
                    (grams.place_bits::<1, { u32::MAX }>(bytes), triples.place_bits::<1, TRIPLE>(bytes))
                }
            };
            each_place::<STRIDE>(grams, &mut |place| {
                let at = start + place;
                self.compare(self.long.of(number(&text[at..])), at, text, found);
            });
            each_place::<1>(triples, &mut |place| {
                let at = start + place;
                self.compare(self.triple.of(number(&text[at..]) & TRIPLE), at, text, found);
            });
            start += chunk.len();
        }
    }

    #[inline]
    fn compare(&self, candidates: &[Candidate], at: usize, text: &[u8], found: &mut impl FnMut(usize, usize, usize)) {
        for candidate in candidates {
            let (number, literal) = &self.texts[candidate.literal as usize];
            let Some(start) = at.checked_sub(candidate.offset as usize) else { continue };
            if text.get(start..start + literal.len()).is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
                found(*number as usize, start, start + literal.len());
            }
        }
    }
}

#[cfg(test)]
mod tests;
