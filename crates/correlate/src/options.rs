//! Limits of the correlator, and what scores are made of beside events.

use std::sync::Arc;

use event::Thresholds;
use rules::fold::fold;
use rules::text_pattern::{Anchor, TextPattern, read_pieces};

/// Limits of the correlator.
#[derive(Clone, Debug)]
pub struct CorrelatorOptions {
    /// How much older than the newest event one may be and still count in correlations, in microseconds of event time.
    pub lateness_us: i64,
    /// Silence after which repeats start a new finding, in microseconds of event time.
    pub fold_gap_us: i64,
    /// Hits that the reorder buffer may hold; beyond it the oldest are counted early (batch only).
    pub reorder_max: usize,
    /// Bytes of raw lines that the reorder buffer, the windows and the open findings may each keep.
    pub proof_bytes_max: usize,
    /// Groups per correlation, and open findings in all.
    pub groups_max: usize,
    /// Bytes that the events and values of all windows may take, beside proof; beyond it groups are evicted.
    pub window_bytes_max: usize,
    /// The state is saved now and then: keys that went are remembered for it.
    pub saved: bool,
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

    /// Points of the first entry that names the host.
    pub(crate) fn weight(&self, host: &str) -> Option<i16> {
        let folded = fold(host);
        self.0.iter().find(|(name, _)| name.matches(host, &folded)).map(|(_, weight)| *weight)
    }
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        CorrelatorOptions {
            lateness_us: 300_000_000,
            fold_gap_us: 3_600_000_000,
            reorder_max: 200_000,
            proof_bytes_max: 64 << 20,
            groups_max: 100_000,
            window_bytes_max: 512 << 20,
            saved: true,
            thresholds: Thresholds::default(),
            assets: Assets::default(),
        }
    }
}
