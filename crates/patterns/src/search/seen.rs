//! Which numbers were seen already, forgotten in one step.

/// A set of small numbers that is emptied in constant time: each number keeps the round in which it was added.
#[derive(Debug, Default)]
pub struct SeenSet {
    round: u32,
    seen: Vec<u32>,
}

impl SeenSet {
    /// For numbers below `count`.
    pub fn new(count: usize) -> Self {
        SeenSet { round: 1, seen: vec![0; count] }
    }

    /// Forgets all numbers.
    #[inline]
    pub fn begin(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.round = 1;
        }
    }

    /// True where the number is new.
    #[inline]
    pub fn add(&mut self, number: u32) -> bool {
        let slot = &mut self.seen[number as usize];
        let is_new = *slot != self.round;
        *slot = self.round;
        is_new
    }

    /// Whether the number was added since [`SeenSet::begin`].
    #[inline]
    pub fn has(&self, number: u32) -> bool {
        self.seen[number as usize] == self.round
    }
}
