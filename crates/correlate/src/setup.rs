//! What the correlator works by: the rule set at work, its options, and in which order hits come. Decides which
//! findings are told.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use event::Finding;
use rules::ruleset::{BoundCorrelation, RuleSet};

use crate::episode::{Episode, RuleRef};
use crate::options::CorrelatorOptions;

/// The order in which hits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HitOrder {
    /// In the order of their times: they have waited for the watermark.
    Sorted,
    /// As they arrive: windows keep events for the lateness, and put late ones where they belong.
    AsArrived,
}

/// Rules and options.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) set: Arc<RuleSet>,
    pub(crate) options: CorrelatorOptions,
    pub(crate) order: HitOrder,
    /// Muted correlations report as well: for their own tests.
    pub(crate) unmuted: bool,
    /// What each correlation of the set means, by id, as it is saved: found when it is first asked for.
    pub(crate) meanings: OnceLock<BTreeMap<String, String>>,
}

impl Setup {
    /// Goes on with another set.
    pub(crate) fn take(&mut self, set: Arc<RuleSet>) {
        (self.set, self.meanings) = (set, OnceLock::new());
    }

    /// Whether findings of the rule are not told.
    #[inline]
    pub(crate) fn is_muted(&self, rule: RuleRef) -> bool {
        match rule {
            RuleRef::Detection(rule) => self.set.uses[rule as usize].muted,
            RuleRef::Correlation(index) => !self.unmuted && self.set.uses[self.set.signal_of(index)].muted,
        }
    }

    /// Whether an allow list leaves a correlation's finding out; for detections the matcher has checked every hit.
    fn is_excepted(&self, rule: RuleRef, finding: &Finding) -> bool {
        match rule {
            RuleRef::Detection(_) => false,
            RuleRef::Correlation(index) => {
                self.set.exceptions.leave_out_finding(&self.set.correlations[index].rule.head, finding)
            }
        }
    }

    /// The finding of an episode, unless its rule is muted or an allow list leaves it out.
    pub(crate) fn finding_of(&self, episode: &Episode) -> Option<Finding> {
        if self.is_muted(episode.source) {
            return None;
        }
        let finding = episode.finding(&self.set, &self.options);
        (!self.is_excepted(episode.source, &finding)).then_some(finding)
    }

    /// How long windows keep events beyond the time span, for hits that come late, in microseconds.
    pub(crate) fn retention_us(&self, bound: &BoundCorrelation) -> i64 {
        let late_us = if self.order == HitOrder::AsArrived { self.options.lateness_us } else { 0 };
        bound.base_delay_us.saturating_add(late_us)
    }

    /// How long a finding of a correlation stays open after its last event, in microseconds.
    pub(crate) fn idle_us(&self, bound: &BoundCorrelation) -> i64 {
        self.options.fold_gap_us.max(bound.rule.timespan_us)
    }
}
