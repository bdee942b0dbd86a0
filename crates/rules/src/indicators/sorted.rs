//! Numbers in order, found by their highest bits: one look at a small table, then a few neighbours.

use std::ops::Shr;

/// Entries that share a place of the table, about.
const EACH: usize = 16;
const BITS_MAX: u32 = 24;

/// Numbers that are kept in order; each once.
#[derive(Debug, Default)]
pub(super) struct Sorted<K> {
    keys: Vec<K>,
    /// Where the keys with these highest bits begin; one more than there are.
    starts: Vec<u32>,
    bits: u32,
}

/// What a number must be able to do.
pub(super) trait SortKey: Copy + Ord + Shr<u32, Output = Self> {
    const WIDTH: u32;
    fn as_index(self) -> usize;
}

impl SortKey for u64 {
    const WIDTH: u32 = 64;
    fn as_index(self) -> usize {
        self as usize
    }
}

impl SortKey for u128 {
    const WIDTH: u32 = 128;
    fn as_index(self) -> usize {
        self as usize
    }
}

impl<K: SortKey> Sorted<K> {
    pub(super) fn new(mut keys: Vec<K>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        let bits = (keys.len() / EACH).max(1).ilog2().clamp(1, BITS_MAX);
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for place in 0..1_usize << bits {
            while keys.get(at).is_some_and(|key| (*key >> (K::WIDTH - bits)).as_index() < place) {
                at += 1;
            }
            starts.push(at as u32);
        }
        starts.push(keys.len() as u32);
        Sorted { keys, starts, bits }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys from `least` to `most`, which share their highest bits.
    pub(super) fn between(&self, least: K, most: K) -> &[K] {
        if self.keys.is_empty() {
            return &[];
        }
        let place = (least >> (K::WIDTH - self.bits)).as_index();
        let (start, end) = (self.starts[place] as usize, self.starts[place + 1] as usize);
        let bucket = &self.keys[start..end];
        let first = bucket.partition_point(|key| *key < least);
        let count = bucket[first..].iter().take_while(|key| **key <= most).count();
        &bucket[first..first + count]
    }
}
