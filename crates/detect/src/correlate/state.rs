//! The correlator's state as text: saved in the transaction that holds the positions, so that both always agree.
//! Rules stand under their ids, because their order may change from one start to the next.

use event::{Hit, Timestamp};
use serde::{Deserialize, Serialize};

use crate::correlate::episode::{Episode, Source};
use crate::correlate::table::Table;
use crate::correlate::window::Window;
use crate::correlate::{Correlator, CorrelatorCounts};
use crate::ruleset::RuleSet;

/// Changes when an older state cannot be read any more.
const VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot write the correlation state")]
    Write(#[source] serde_json::Error),
    #[error("cannot read the correlation state")]
    Read(#[source] serde_json::Error),
    #[error(
        "the correlation state has version {found}, this program reads version {VERSION}: start with an empty store"
    )]
    Version { found: u32 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    /// Ids of the rules and correlations in the order of their indexes.
    rules: Vec<String>,
    correlations: Vec<String>,
    /// Names of the captured columns: waiting hits carry one value for each.
    captures: Vec<Vec<String>>,
    waiting: Vec<(Timestamp, u64, Hit)>,
    arrivals: u64,
    watermark: Option<i64>,
    newest: Option<i64>,
    folds: Table<Episode>,
    windows: Vec<Table<Window>>,
    counts: CorrelatorCounts,
}

/// The extremes mean "nothing yet" and have no calendar date.
fn known(time: Timestamp) -> Option<i64> {
    (time.0 != i64::MIN).then_some(time.0)
}

fn ids(set: &RuleSet) -> (Vec<String>, Vec<String>) {
    let rules = set.rules.iter().map(|rule| rule.head.id.clone()).collect();
    (rules, set.correlations.iter().map(|bound| bound.rule.head.id.clone()).collect())
}

impl State {
    pub(super) fn of(correlator: &Correlator) -> Self {
        let (rules, correlations) = ids(&correlator.set);
        let waiting = correlator.waiting.iter();
        State {
            version: VERSION,
            rules,
            correlations,
            captures: correlator.set.captures.clone(),
            waiting: waiting.map(|((time, arrival), hit)| (*time, *arrival, hit.clone())).collect(),
            arrivals: correlator.arrivals,
            watermark: known(correlator.watermark),
            newest: known(correlator.newest),
            folds: correlator.folds.clone(),
            windows: correlator.windows.clone(),
            counts: correlator.counts,
        }
    }

    pub(super) fn to_text(&self) -> Result<String, StateError> {
        serde_json::to_string(self).map_err(StateError::Write)
    }

    pub(super) fn from_text(text: &str) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(text).map_err(StateError::Read)?;
        if version != VERSION {
            return Err(StateError::Version { found: version });
        }
        serde_json::from_str(text).map_err(StateError::Read)
    }

    pub(super) fn into_correlator(self, correlator: &mut Correlator) {
        let (rules, correlations) = ids(&correlator.set);
        let rule_now = |old: u32| -> Option<u32> {
            let id = self.rules.get(old as usize)?;
            rules.iter().position(|known| known == id).map(|at| at as u32)
        };
        let correlation_now = |old: usize| -> Option<usize> {
            let id = self.correlations.get(old)?;
            correlations.iter().position(|known| known == id)
        };
        let same_captures = self.captures == correlator.set.captures;
        for (time, arrival, mut hit) in self.waiting {
            if let Some(rule) = rule_now(hit.rule).filter(|_| same_captures || hit.values.is_empty()) {
                hit.rule = rule;
                correlator.waiting_bytes += hit.event.original.len();
                correlator.waiting.insert((time, arrival), hit);
            }
        }
        for (key, mut episode) in self.folds.into_entries() {
            let Source::Detection(old) = episode.source else { continue };
            if let Some(rule) = rule_now(old) {
                episode.source = Source::Detection(rule);
                let group = key.split_once('\u{1f}').map_or("", |(_, group)| group);
                correlator.folds.get_or_insert_with(&format!("{rule}\u{1f}{group}"), || episode);
            }
        }
        for (old, table) in self.windows.into_iter().enumerate() {
            let Some(index) = correlation_now(old) else { continue };
            for (key, mut window) in table.into_entries() {
                if let Some(episode) = window.firing_mut() {
                    episode.source = Source::Correlation(index);
                }
                correlator.windows[index].get_or_insert_with(&key, || window);
            }
        }
        correlator.arrivals = self.arrivals;
        correlator.watermark = Timestamp(self.watermark.unwrap_or(i64::MIN));
        correlator.newest = Timestamp(self.newest.unwrap_or(i64::MIN));
        correlator.counts = self.counts;
    }
}
