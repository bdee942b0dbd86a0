//! Totals of a window's entries within the time span, and whether they are what the rule asks for. Each entry adds its
//! part and takes it away when it leaves; nothing walks over the entries.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, Function};

use crate::window::entry::{Entry, EventValue};
use crate::window::tally::Tally;

/// Running totals of the entries within the time span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aggregate {
    /// Number of events, each as often as it says.
    total: u64,
    /// Where more than the number of events is asked for.
    tally: Option<Box<Tally>>,
}

impl Aggregate {
    /// Empty, for what the rule counts.
    pub(crate) fn new(bound: &BoundCorrelation) -> Self {
        Aggregate { tally: bound.needs_tally().then(|| Box::new(Tally::new(bound))), ..Aggregate::default() }
    }

    /// Allocates what the rule counts with, at the first event.
    #[inline]
    pub(crate) fn prepare(&mut self, bound: &BoundCorrelation) {
        if self.tally.is_none() && bound.needs_tally() {
            self.tally = Some(Box::new(Tally::new(bound)));
        }
    }

    /// The time span ends with `now`.
    #[inline]
    pub(crate) fn move_to(&mut self, now: Timestamp) {
        self.tally.iter_mut().for_each(|tally| tally.move_to(now));
    }

    /// Takes up an entry that is not older than those before.
    #[inline]
    pub(crate) fn add(&mut self, entry: &Entry, value: Option<&EventValue>) {
        self.total += u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.add(entry, value));
    }

    /// Takes up an entry that may be older: the order of rules must be recomputed.
    pub(crate) fn add_out_of_order(&mut self, entry: &Entry, value: Option<&EventValue>) {
        self.total += u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.add_out_of_order(entry, value));
    }

    /// Takes back what an entry added that leaves the time span.
    #[inline]
    pub(crate) fn remove(&mut self, entry: &Entry, value: Option<&EventValue>) {
        self.total -= u64::from(entry.weight);
        self.tally.iter_mut().for_each(|tally| tally.remove(entry, value));
    }

    /// Number of events, each as often as it says.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// What is known beside the number of events.
    #[inline]
    pub(crate) fn tally(&self) -> Option<&Tally> {
        self.tally.as_deref()
    }

    /// Bytes that it takes beside itself, about.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.tally.as_ref().map_or(0, |tally| size_of::<Tally>() + tally.bytes())
    }

    /// Number of different values.
    pub(crate) fn distinct(&self) -> u64 {
        self.tally.as_ref().map_or(0, |tally| tally.distinct())
    }

    /// Whether the aggregate is where the rule wants it. `value` is that of the newest event.
    #[inline]
    pub(crate) fn is_reached(&self, bound: &BoundCorrelation, value: Option<&EventValue>) -> bool {
        let bounds = &bound.rule.bounds;
        let Some(tally) = &self.tally else { return bounds.hold(self.total as f64) };
        if bound.rule.distinct.as_ref().is_some_and(|distinct| tally.distinct() < distinct.least) {
            return false;
        }
        match &bound.rule.kind {
            CorrelationKind::EventCount | CorrelationKind::History(_) => bounds.hold(self.total as f64),
            CorrelationKind::ValueCount(_) => bounds.hold(tally.distinct() as f64),
            CorrelationKind::Temporal { expression: Some(expression), .. } => {
                expression.holds(&|base| tally.matched(base))
            }
            CorrelationKind::Temporal { .. } => {
                bounds.hold(tally.bases_matched() as f64) && tally.is_in_order(bound.rule.timespan_us)
            }
            CorrelationKind::Value { function: Function::Share, .. } if value.is_none() => {
                tally.shares().any(|share| bounds.hold(share))
            }
            CorrelationKind::Value { function, .. } => tally.holds(*function, value, bounds),
        }
    }

    /// What is compared with the rule's condition; `None` where there is no single number.
    pub(crate) fn aggregate(&self, bound: &BoundCorrelation) -> Option<f64> {
        let tally = self.tally.as_ref();
        match &bound.rule.kind {
            CorrelationKind::EventCount => Some(self.total as f64),
            CorrelationKind::ValueCount(_) => tally.map(|tally| tally.distinct() as f64),
            CorrelationKind::Temporal { .. } => tally.map(|tally| tally.bases_matched() as f64),
            CorrelationKind::Value { function: Function::Share, .. } | CorrelationKind::History(_) => None,
            CorrelationKind::Value { function, .. } => tally.and_then(|tally| tally.number(*function, None)),
        }
    }

    /// How much of what the rule asks for is there: see [`progress`].
    pub(crate) fn progress(&self, bound: &BoundCorrelation) -> u64 {
        progress(bound, self.total, self.aggregate(bound))
    }
}

/// How much of what the rule asks for is there, in thousandths, by the number of events and by what is compared with the
/// condition. Where there are too many groups, one with little is evicted.
pub(crate) fn progress(bound: &BoundCorrelation, total: u64, aggregate: Option<f64>) -> u64 {
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
    let there = if computed { total as f64 } else { aggregate.unwrap_or(0.0) };
    let share = if computed { there } else { there / wanted * WHOLE };
    if share.is_finite() { share.clamp(0.0, WHOLE) as u64 } else { 0 }
}
