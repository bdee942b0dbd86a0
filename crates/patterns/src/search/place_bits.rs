//! Tables with a bit for what some bytes may be part of, and the places of a text at which they say so. They nominate: what is found
//! is compared by the caller.

/// Bytes that are looked up at once.
pub(super) const GRAM: usize = 4;
/// Bits of the table for each gram, at least; few of them lead to a comparison in vain.
const BITS_PER_GRAM: usize = 128;
/// Bits for each gram, at least, where the table is as small as 4 KiB.
const BITS_PER_GRAM_OF_SMALL: usize = 256;
/// Words of a table with a bit for each pair of bytes.
const PAIR_WORDS: usize = 1 << 16 >> 6;
/// Three of four bytes.
pub(super) const TRIPLE: u32 = 0xFF_FFFF;

/// A bit for each hash of some bytes. Its size is known to the compiler, so that no look-up checks a bound.
#[derive(Debug)]
pub(super) enum Bits {
    None,
    Of4KiB(Box<[u64; 512]>),
    Of16KiB(Box<[u64; 2048]>),
    Of64KiB(Box<[u64; 8192]>),
    Of256KiB(Box<[u64; 32_768]>),
}

impl Bits {
    pub(super) fn new(keys: &[u32]) -> Self {
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

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Bits::None)
    }

    /// At which of up to 64 places the bytes may be known, of four bytes each or of their first three.
    #[inline]
    pub(super) fn place_bits<const STRIDE: usize, const MASK: u32>(&self, bytes: &[u8]) -> u64 {
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
pub(super) fn both_place_bits<const LONG: usize, const SHORT: usize>(
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
pub(super) fn each_place<const STRIDE: usize>(mut place_bits: u64, visit: &mut impl FnMut(usize)) {
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

/// A bit for each pair of bytes, in lower case.
#[derive(Debug)]
pub(super) struct PairBits(Box<[u64; PAIR_WORDS]>);

impl PairBits {
    pub(super) fn new(pairs: impl Iterator<Item = u16>) -> Self {
        let mut words = Box::new([0; PAIR_WORDS]);
        pairs.for_each(|pair| words[usize::from(pair / 64)] |= 1_u64 << (pair % 64));
        PairBits(words)
    }

    /// Whether the pair, in lower case, is one of them.
    #[inline]
    pub(super) fn has(&self, pair: u16) -> bool {
        self.0[usize::from(pair / 64)] >> (pair % 64) & 1 == 1
    }

    /// At which of up to 64 places one of the pairs stands.
    #[inline]
    pub(super) fn place_bits(&self, bytes: &[u8]) -> u64 {
        let mut place_bits = 0;
        for (at, pair) in bytes.array_windows::<2>().enumerate() {
            place_bits |= u64::from(self.has(u16::from_le_bytes(*pair) | CASE as u16)) << at;
        }
        place_bits
    }
}
