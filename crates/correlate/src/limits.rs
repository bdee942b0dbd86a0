//! What the correlator may take, what it left out for that, and what it tells.

use std::sync::Arc;

use event::{Finding, Thresholds};
use rules::fold::fold;
use rules::text_pattern::{Anchor, TextPattern, read_pieces};
use serde::{Deserialize, Serialize};

/// Limits of the correlator.
#[derive(Clone, Debug)]
pub struct CorrelatorOptions {
    /// How far behind the newest event one may be and still count in correlations, in microseconds of event time.
    pub lateness_us: i64,
    /// Silence after which repeats start a new finding, in microseconds of event time.
    pub fold_gap_us: i64,
    /// Hits that may wait for their turn; beyond it the oldest go early.
    pub waiting_max: usize,
    /// Bytes of raw lines that may wait, and that windows and open findings may each keep as proof.
    pub proof_bytes_max: usize,
    /// Groups per correlation, and open findings in all.
    pub groups_max: usize,
    /// Bytes that the events and values of all windows may take, beside proof; beyond it groups are pushed out.
    pub window_bytes_max: usize,
    /// The state is saved now and then: what went is remembered for it.
    pub saved: bool,
    /// Hits count as they arrive instead of waiting for the watermark: what a live service wants. Windows take events
    /// in any order within the lateness.
    pub live: bool,
    /// Scores that make severities.
    pub thresholds: Thresholds,
    /// What hosts are worth.
    pub assets: Assets,
}

/// Points that findings about some hosts have more or less: the first entry that names the host counts.
#[derive(Clone, Debug, Default)]
pub struct Assets(Arc<[(TextPattern, i16)]>);

/// Most points that an asset adds or takes.
pub const ASSET_WEIGHT_MAX: i16 = 20;

impl Assets {
    /// Names of hosts, which may hold `*` and `?`, each with its points.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, i16)>) -> Self {
        let pattern = |name| TextPattern::new(read_pieces(name), Anchor::Whole, false);
        Assets(entries.into_iter().map(|(name, weight)| (pattern(name), weight)).collect())
    }

    pub(super) fn weight(&self, host: &str) -> Option<i16> {
        let folded = fold(host);
        self.0.iter().find(|(name, _)| name.matches(host, &folded)).map(|(_, weight)| *weight)
    }
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        CorrelatorOptions {
            lateness_us: 300_000_000,
            fold_gap_us: 3_600_000_000,
            waiting_max: 200_000,
            proof_bytes_max: 64 << 20,
            groups_max: 100_000,
            window_bytes_max: 512 << 20,
            saved: true,
            live: false,
            thresholds: Thresholds::default(),
            assets: Assets::default(),
        }
    }
}

/// What the correlator left out or did early, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrelatorCounts {
    /// Groups whose count was taken back by a rule that forgives.
    #[serde(default)]
    pub forgiven: u64,
    /// Hits behind the watermark. Live, correlations count them where their windows still know what was around them.
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
    /// Groups pushed out because too many were open, or because they took too much.
    pub evicted: u64,
    /// Lines that windows gave back early, and times that windows or findings were searched for more, because they kept
    /// too much as proof.
    pub proof_dropped: u64,
    /// Hits whose time lay so far ahead of their arrival that they were counted at their arrival (live only).
    #[serde(default)]
    pub ahead: u64,
    /// Hits whose value is no number, where a correlation computes with it.
    #[serde(default)]
    pub not_numeric: u64,
    /// Events that windows let go because they held more than they may.
    #[serde(default)]
    pub cut: u64,
}

/// A finding that is new or has changed.
#[derive(Clone, Debug)]
pub struct Change {
    pub finding: Finding,
    /// More events may still join it.
    pub open: bool,
}
