//! The end of windows that only the whole of their events can judge: upper bounds, `not`.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, Function};

use crate::episode::Episode;
use crate::group_key::group_text;
use crate::hit::IndexedHit;
use crate::window::Window;
use crate::window::entry::EventValue;
use crate::window::evidence::episode_of;
use crate::window::last_hits::LastHit;

/// A window that closed.
#[derive(Debug)]
pub(crate) struct ClosedWindow {
    /// What it held.
    pub(crate) window: Window,
    /// Where it closed as the rule wants it.
    pub(crate) matched: Option<MatchedWindow>,
}

/// A window that closed as the rule wants it.
#[derive(Debug)]
pub(crate) struct MatchedWindow {
    pub(crate) episode: Box<Episode>,
    /// The newest hit inside, for correlations that count this one.
    pub(crate) hit: IndexedHit,
    /// Time of the last event inside.
    pub(crate) time: Timestamp,
}

impl Window {
    /// Judges the windows whose time span ends before `complete`, up to which nothing more comes. The oldest comes
    /// first.
    pub(crate) fn close(&mut self, bound: &BoundCorrelation, index: usize, complete: Timestamp) -> Vec<ClosedWindow> {
        let mut closed = Vec::new();
        while let Some(first) = self.contents.entries().first().map(|entry| entry.time) {
            let end = first.saturating_add_us(bound.rule.timespan_us);
            if end >= complete {
                break;
            }
            let window = Window { contents: self.contents.split_until(end, bound), ..Window::default() };
            let newest = self.last_hits.as_ref().and_then(|last_hits| last_hits.newest_between(first, end));
            let newest = newest.filter(|_| window.is_reached(bound));
            let matched = newest.map(|last| window.matched(bound, index, last));
            self.last_hits.iter_mut().for_each(|last_hits| last_hits.forget_until(end));
            closed.push(ClosedWindow { window, matched });
        }
        if !closed.is_empty() {
            self.recompute(bound);
        }
        closed
    }

    /// What there is to report of a window that closed as the rule wants it.
    fn matched(&self, bound: &BoundCorrelation, index: usize, LastHit { hit, .. }: &LastHit) -> MatchedWindow {
        let group = group_text(bound, hit);
        let is_reason = |value: Option<&EventValue>| self.is_reason(bound, value);
        let mut episode = Box::new(episode_of(&self.contents, bound, index, group, is_reason));
        let time = self.contents.entries().last().map_or(Timestamp(0), |entry| entry.time);
        if !episode.has_evidence() {
            // Of many windows that wait at once not every line is kept; that of the newest hit is.
            episode.add_evidence(&hit.event, time);
        }
        MatchedWindow { episode, hit: hit.clone(), time }
    }

    /// Whether an entry is a reason for the finding. For a rule over shares: where the share of its value is within the
    /// bounds of the rule. For every other rule: always.
    fn is_reason(&self, bound: &BoundCorrelation, value: Option<&EventValue>) -> bool {
        let CorrelationKind::Value { function: Function::Share, .. } = bound.rule.kind else { return true };
        let share = self.contents.aggregate().tally().and_then(|tally| tally.number(Function::Share, value));
        share.is_some_and(|share| bound.rule.bounds.hold(share))
    }
}
