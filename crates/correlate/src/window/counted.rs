//! What a window has of its entries within the time span, and whether that is what the rule asks for. Each entry adds to it,
//! and takes away when it leaves; nothing walks over the entries.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, Function};

use crate::entries::Entry;
use crate::tally::{Held, Tally};

#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// Events, each as often as it says.
    pub(super) total: u64,
    /// Where more than events is counted.
    pub(super) tally: Option<Box<Tally>>,
}

impl Counted {
    pub(super) fn new(bound: &BoundCorrelation) -> Self {
        Counted { tally: bound.needs_tally().then(|| Box::new(Tally::new(bound))), ..Counted::default() }
    }

    /// Makes room for what the rule counts, at the first event.
    #[inline]
    pub(super) fn prepare(&mut self, bound: &BoundCorrelation) {
        if self.tally.is_none() && bound.needs_tally() {
            self.tally = Some(Box::new(Tally::new(bound)));
        }
    }

    /// The time span ends with `now`.
    #[inline]
    pub(super) fn move_to(&mut self, now: Timestamp) {
        self.tally.iter_mut().for_each(|tally| tally.move_to(now));
    }

    /// Takes up an entry that is not older than those before.
    #[inline]
    pub(super) fn add(&mut self, entry: &Entry, value: Option<&Held>) {
        self.total += u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.add(entry, value));
    }

    /// Takes up an entry that may be older: the order of signals must be made anew.
    pub(super) fn add_stray(&mut self, entry: &Entry, value: Option<&Held>) {
        self.total += u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.add_stray(entry, value));
    }

    #[inline]
    pub(super) fn remove(&mut self, entry: &Entry, value: Option<&Held>) {
        self.total -= u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.remove(entry, value));
    }

    pub(super) fn distinct(&self) -> u64 {
        self.tally.as_ref().map_or(0, |tally| tally.distinct())
    }

    /// Whether the aggregate is where the rule wants it. `value` is that of the newest event.
    #[inline]
    pub(super) fn is_reached(&self, bound: &BoundCorrelation, value: Option<&Held>) -> bool {
        let bounds = &bound.rule.bounds;
        let Some(tally) = &self.tally else { return bounds.hold(self.total as f64) };
        if bound.rule.distinct.as_ref().is_some_and(|distinct| tally.distinct() < distinct.least) {
            return false;
        }
        match &bound.rule.kind {
            CorrelationKind::EventCount | CorrelationKind::History(_) => bounds.hold(self.total as f64),
            CorrelationKind::ValueCount(_) => bounds.hold(tally.distinct() as f64),
            CorrelationKind::Temporal { expression: Some(expression), .. } => {
                expression.holds(&|place| tally.matched(place))
            }
            CorrelationKind::Temporal { .. } => {
                bounds.hold(tally.places_matched() as f64) && tally.is_in_order(bound.rule.timespan_us)
            }
            CorrelationKind::Value { function: Function::Share, .. } if value.is_none() => {
                tally.shares().any(|share| bounds.hold(share))
            }
            CorrelationKind::Value { function, .. } => tally.holds(*function, value, bounds),
        }
    }

    /// What is compared with the rule's condition; `None` where there is no single number.
    pub(super) fn aggregate(&self, bound: &BoundCorrelation) -> Option<f64> {
        let tally = self.tally.as_ref();
        match &bound.rule.kind {
            CorrelationKind::EventCount => Some(self.total as f64),
            CorrelationKind::ValueCount(_) => tally.map(|tally| tally.distinct() as f64),
            CorrelationKind::Temporal { .. } => tally.map(|tally| tally.places_matched() as f64),
            CorrelationKind::Value { function: Function::Share, .. } | CorrelationKind::History(_) => None,
            CorrelationKind::Value { function, .. } => tally.and_then(|tally| tally.number(*function, None)),
        }
    }

    /// How much of what the rule asks for is there, in thousandths: what is pushed out when groups are too many is what has the
    /// least.
    pub(super) fn progress(&self, bound: &BoundCorrelation) -> u64 {
        const WHOLE: f64 = 1000.0;
        let rule = &bound.rule;
        if bound.waits_for_close {
            return 0;
        }
        let wanted = match &rule.kind {
            CorrelationKind::Temporal { expression: Some(_), .. } => rule.rules.len() as f64,
            _ => rule.bounds.low.map_or(0.0, |low| low.value),
        };
        let computed = matches!(
            &rule.kind,
            CorrelationKind::Value { function: Function::Average | Function::Percentile(_) | Function::Share, .. }
        );
        // An average says nothing about how near its group is: the more events, the more is lost.
        let there = if computed { self.total as f64 } else { self.aggregate(bound).unwrap_or(0.0) };
        let share = if computed { there } else { there / wanted * WHOLE };
        if share.is_finite() { share.clamp(0.0, WHOLE) as u64 } else { 0 }
    }
}
