//! What the generators of lines draw from, and what they make: pseudo-random numbers and labelled lines. No clock: a seed
//! gives the same lines on every machine.

/// A small generator of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.number() % bound as u64) as usize
    }

    pub(crate) fn one_of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// What a line attacks with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    pub(crate) class: &'static str,
    /// Sentences or fillings of one kind.
    pub(crate) family: &'static str,
    pub(crate) is_held_out: bool,
    pub(crate) encoding: &'static str,
    pub(crate) place: &'static str,
}

/// One line with what it is.
#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    pub(crate) line: String,
    /// `None` for benign lines.
    pub(crate) attack: Option<Attack>,
}
