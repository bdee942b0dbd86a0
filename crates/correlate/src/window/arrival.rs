//! A hit on its way into the window of its group.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;

use crate::hit::IndexedHit;

/// A hit, the correlation that counts it, and how the window is to treat it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) bound: &'a BoundCorrelation,
    /// Index of the correlation.
    pub(crate) index: usize,
    /// What brings the hit: a rule, or a correlation that fires (`RuleSet::signal_of`).
    pub(crate) signal: usize,
    pub(crate) hit: &'a IndexedHit,
    pub(crate) time: Timestamp,
    /// Windows keep so much proof already that this one keeps its newest line only.
    pub(crate) newest_proof_only: bool,
    /// How long a finding stays open after its last event, in microseconds.
    pub(crate) idle_us: i64,
    /// How long events are kept after they have left the time span, in microseconds.
    pub(crate) retention_us: i64,
    /// The signal is a correlation that goes on firing, not one that begins to fire.
    pub(crate) still_firing: bool,
    /// Hits come in the order of their arrival, not in the order of their times.
    pub(crate) as_arrived: bool,
}
