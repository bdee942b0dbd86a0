//! What all windows together may take: bytes of events and values, and bytes of proof. Adds up what they take and tells
//! when that is too much; who is evicted for it is decided where the windows are.

use crate::options::CorrelatorOptions;

/// Hits between two checks of the proof that is kept.
const CHECK_HITS: usize = 10_000;

/// What one window takes, or all of them, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Events and values.
    pub(crate) bytes: usize,
    /// Lines that are kept as proof.
    pub(crate) proof: usize,
}

impl Weight {
    /// Both together.
    pub(crate) fn plus(self, other: Weight) -> Weight {
        Weight { bytes: self.bytes + other.bytes, proof: self.proof + other.proof }
    }
}

/// Limits, and what all windows take.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    proof_max: usize,
    used: Weight,
    /// Hits since the proof was last checked.
    hits: usize,
}

impl Budget {
    /// With nothing used.
    pub(crate) fn new(options: &CorrelatorOptions) -> Self {
        let CorrelatorOptions { window_bytes_max, proof_bytes_max, .. } = *options;
        Budget { bytes_max: window_bytes_max, proof_max: proof_bytes_max, used: Weight::default(), hits: 0 }
    }

    /// A window took `before` and takes `after`.
    #[inline]
    pub(crate) fn change(&mut self, before: Weight, after: Weight) {
        self.used.bytes = (self.used.bytes + after.bytes).saturating_sub(before.bytes);
        self.used.proof = (self.used.proof + after.proof).saturating_sub(before.proof);
    }

    /// What all windows take.
    #[cfg(test)]
    pub(crate) fn used(&self) -> Weight {
        self.used
    }

    /// All windows have been weighed again.
    pub(crate) fn set(&mut self, used: Weight) {
        self.used = used;
    }

    /// Whether groups must be evicted.
    #[inline]
    pub(crate) fn is_over_bytes(&self) -> bool {
        self.used.bytes > self.bytes_max
    }

    /// Whether proof must be let go.
    pub(crate) fn is_over_proof(&self) -> bool {
        self.used.proof > self.proof_max
    }

    /// Whether so much proof is kept that a window that takes up an event keeps its newest line only.
    #[inline]
    pub(crate) fn is_proof_scarce(&self) -> bool {
        self.used.proof > self.proof_max / 2
    }

    /// Counts a hit. True once every so many hits: the proof that is kept must be checked.
    #[inline]
    pub(crate) fn needs_check(&mut self) -> bool {
        self.hits += 1;
        let enough = self.hits >= CHECK_HITS;
        if enough {
            self.hits = 0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_take_is_added_up_and_held_against_the_limits() {
        let options = CorrelatorOptions { window_bytes_max: 100, proof_bytes_max: 10, ..CorrelatorOptions::default() };
        let mut budget = Budget::new(&options);
        budget.change(Weight::default(), Weight { bytes: 100, proof: 5 });
        assert!(!budget.is_over_bytes() && !budget.is_proof_scarce());
        budget.change(Weight { bytes: 1, proof: 0 }, Weight { bytes: 2, proof: 1 });
        assert!(budget.is_over_bytes() && budget.is_proof_scarce() && !budget.is_over_proof());
        budget.change(Weight { bytes: 500, proof: 500 }, Weight::default());
        assert_eq!(budget.used, Weight::default(), "never below nothing");
        budget.set(Weight { bytes: 0, proof: 11 });
        assert!(budget.is_over_proof());
    }

    #[test]
    fn proof_is_checked_every_so_many_hits() {
        let mut budget = Budget::new(&CorrelatorOptions::default());
        let checks = (1..=3 * CHECK_HITS).filter(|_| budget.needs_check()).count();
        assert_eq!(checks, 3);
    }
}
