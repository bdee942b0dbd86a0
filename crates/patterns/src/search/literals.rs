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

use crate::search::short_literals::ShortLiterals;

/// Bytes that are looked up at once.
const GRAM: usize = 4;
/// Bits of the table for each gram, at least; few of them lead to a comparison in vain.
const BITS_PER_GRAM: usize = 128;
/// Bits for each gram, at least, where the table is as small as 4 KiB.
const BITS_PER_GRAM_OF_SMALL: usize = 256;
/// Three of four bytes.
const TRIPLE: u32 = 0xFF_FFFF;

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
    /// A bit for each pair of bytes in `pair`.
    pairs: Vec<u64>,
    /// Of each pair the byte that is rarer, in lower case.
    anchors: Vec<u8>,
    /// Of one byte: byte and literal.
    single: Vec<(u8, u32)>,
}

/// A bit for each hash of some bytes. Its size is known to the compiler, so that no look-up checks a bound.
#[derive(Debug)]
enum Bits {
    None,
    Of4KiB(Box<[u64; 512]>),
    Of16KiB(Box<[u64; 2048]>),
    Of64KiB(Box<[u64; 8192]>),
    Of256KiB(Box<[u64; 32_768]>),
}

impl Bits {
    fn new(keys: &[u32]) -> Self {
        fn filled<const WORDS: usize>(keys: &[u32]) -> Box<[u64; WORDS]> {
            let mut words = Box::new([0; WORDS]);
            for (word, bit) in keys.iter().map(|key| hash::<WORDS>(*key)) {
                words[word] |= 1_u64 << bit;
            }
            words
        }
        let bits = keys.len() * BITS_PER_GRAM;
        match keys.len() {
            0 => Bits::None,
            count if count * BITS_PER_GRAM_OF_SMALL <= 512 * 64 => Bits::Of4KiB(filled(keys)),
            _ if bits <= 2048 * 64 => Bits::Of16KiB(filled(keys)),
            _ if bits <= 8192 * 64 => Bits::Of64KiB(filled(keys)),
            _ => Bits::Of256KiB(filled(keys)),
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Bits::None)
    }

    /// At which of up to 64 places the bytes may be known, of four bytes each or of their first three.
    #[inline]
    fn place_bits<const STRIDE: usize, const MASK: u32>(&self, bytes: &[u8]) -> u64 {
        match self {
            Bits::None => 0,
            Bits::Of4KiB(words) => place_bits::<STRIDE, MASK, 512>(words, bytes),
            Bits::Of16KiB(words) => place_bits::<STRIDE, MASK, 2048>(words, bytes),
            Bits::Of64KiB(words) => place_bits::<STRIDE, MASK, 8192>(words, bytes),
            Bits::Of256KiB(words) => place_bits::<STRIDE, MASK, 32_768>(words, bytes),
        }
    }
}

/// A bit for each place whose bytes may be in the table. Has no branches, because few places have such bytes.
fn place_bits<const STRIDE: usize, const MASK: u32, const WORDS: usize>(words: &[u64; WORDS], bytes: &[u8]) -> u64 {
    let mut place_bits = 0;
    for (at, window) in bytes.array_windows::<GRAM>().step_by(STRIDE).enumerate() {
        let gram = (u32::from_le_bytes(*window) | CASE) & MASK;
        place_bits |= known(words, gram) << at;
    }
    place_bits
}

/// Looks in two tables at once, of four bytes and of their first three, at every place.
fn both_place_bits<const LONG: usize, const SHORT: usize>(
    long: &[u64; LONG],
    short: &[u64; SHORT],
    bytes: &[u8],
) -> (u64, u64) {
    let mut place_bits = (0, 0);
    for (at, window) in bytes.array_windows::<GRAM>().enumerate() {
        let gram = u32::from_le_bytes(*window) | CASE;
        place_bits.0 |= known(long, gram) << at;
        place_bits.1 |= known(short, gram & TRIPLE) << at;
    }
    place_bits
}

/// The places that the bits of `place_bits` stand for.
#[inline]
fn each_place<const STRIDE: usize>(mut place_bits: u64, visit: &mut impl FnMut(usize)) {
    while place_bits != 0 {
        visit(place_bits.trailing_zeros() as usize * STRIDE);
        place_bits &= place_bits - 1;
    }
}

/// The word of a key, and its bit there.
#[inline]
fn hash<const WORDS: usize>(key: u32) -> (usize, u32) {
    let hash = key.wrapping_mul(0x9E37_79B1) >> (26 - WORDS.trailing_zeros());
    ((hash / 64) as usize, hash % 64)
}

/// 1 where the table may know the key.
#[inline]
fn known<const WORDS: usize>(words: &[u64; WORDS], key: u32) -> u64 {
    let (word, bit) = hash::<WORDS>(key);
    words[word] >> bit & 1
}

/// Makes upper and lower case of ASCII letters the same, and some other bytes, too: what is found is compared.
const CASE: u32 = 0x2020_2020;

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
        let mut pairs = vec![0; if pair.is_empty() { 0 } else { 1 << 16 >> 6 }];
        pair.iter().for_each(|(bytes, _)| pairs[*bytes as usize / 64] |= 1_u64 << (bytes % 64));
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
        for byte in self.anchors.iter().copied().filter(|byte| may_have(*byte)) {
            for at in memchr2_iter(byte, byte.to_ascii_uppercase(), text) {
                for start in [Some(at), at.checked_sub(1)].into_iter().flatten() {
                    let Some(pair) = text.get(start..start + 2).map(number) else { continue };
                    if self.pairs[pair as usize / 64] >> (pair % 64) & 1 == 1 {
                        self.compare(self.pair.of(pair), start, text, found);
                    }
                }
            }
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
