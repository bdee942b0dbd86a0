//! What the correlator left out or did early, by reason.

use serde::{Deserialize, Serialize};

/// What the correlator left out or did early, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrelatorCounts {
    /// Groups whose count was taken back by a rule that forgives.
    #[serde(default)]
    pub forgiven: u64,
    /// Hits older than the watermark. Live, correlations count them where their windows still hold events of that time.
    pub late: u64,
    /// Hits that correlations did not count because they came too late for their group.
    #[serde(default)]
    pub left_out: u64,
    /// Hits without any time: they take the newest time seen so far.
    pub untimed: u64,
    /// Hits that lack a field that a correlation groups by.
    pub ungrouped: u64,
    /// Hits released before the watermark because too many waited.
    pub released_early: u64,
    /// Groups evicted because too many were open, or because they took too much.
    pub evicted: u64,
    /// Lines that windows gave back early, and times that windows or findings were searched for more, because they kept
    /// too much as proof.
    pub proof_dropped: u64,
    /// Hits whose time lay so far in the future that they were counted at their arrival (live only).
    #[serde(default, rename = "ahead")]
    pub from_future: u64,
    /// Hits whose value is no number, where a correlation computes with it.
    #[serde(default)]
    pub not_numeric: u64,
    /// Events that windows let go because they held more than they may.
    #[serde(default)]
    pub cut: u64,
    /// Hits that could not be placed.
    #[serde(flatten)]
    pub unplaced: UnplacedHits,
}

/// Hits that no rule or no finding took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnplacedHits {
    /// Hits whose rule the finding of their event does not name, because it names as many others as it may.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnamed: u64,
    /// Hits of a rule that the set at work does not hold; they are not counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown_rule: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
