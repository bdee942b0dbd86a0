//! What a group has been like before: values that it has had, how often, and how much there usually is. Three questions
//! are asked of it, beyond Sigma: is this value new, is it rare, is this much more than usual. Memory is bounded per
//! group.

use event::{EventId, Timestamp};
use rules::sigma::rule::{Bounds, HistoryKind, HistoryRule};
use serde::{Deserialize, Serialize};

use crate::window::terms::Terms;

/// Values that a group remembers; beyond it the one that was not seen for longest is forgotten, and is new when it
/// comes again: a flood of values makes findings, it never hides one.
pub(crate) const TERMS_MAX: usize = 1000;
/// Share of the newest time span in the average of all.
const NEWEST_SHARE: f64 = 0.1;

/// The past of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    /// Time of the group's first event.
    since: Option<Timestamp>,
    /// Time of its newest event.
    last: Option<Timestamp>,
    /// The event that came last.
    #[serde(default)]
    newest: Option<EventId>,
    /// Number of all its events.
    total: u64,
    /// When each value was last seen, and how often.
    terms: Terms,
    /// Number of events in the time span that is running.
    now: u64,
    /// When that time span began.
    began: Option<Timestamp>,
    /// Average number of events in the time spans before.
    usual: f64,
}

/// An event as the history sees it.
pub(crate) struct HistoryEvent<'a> {
    pub(crate) rule: &'a HistoryRule,
    pub(crate) bounds: &'a Bounds,
    pub(crate) timespan_us: i64,
    pub(crate) id: EventId,
    /// The value that is compared; `None` where only the number of events matters.
    pub(crate) value: Option<&'a str>,
    pub(crate) time: Timestamp,
    pub(crate) weight: u64,
}

impl History {
    /// Takes up an event. The text says why it stands out, where it does.
    pub(crate) fn observe(&mut self, event: &HistoryEvent<'_>) -> Option<String> {
        let since = *self.since.get_or_insert(event.time);
        let warm = since.saturating_add_us(event.rule.warm_up_us) <= event.time;
        let found = match (event.rule.kind, event.value) {
            (HistoryKind::NewTerms, Some(value)) => self.new_term(event, value, warm),
            (HistoryKind::Rare { events }, Some(value)) => self.rare(event, value, events),
            (HistoryKind::Spike { factor }, _) => self.spike(event, factor),
            _ => None,
        };
        self.total += event.weight;
        self.last = self.last.max(Some(event.time));
        self.newest = Some(event.id);
        found.filter(|_| warm)
    }

    /// Whether the event is the one that came last: several rules that match it come one after the other.
    pub(crate) fn has_just_seen(&self, id: EventId) -> bool {
        self.newest == Some(id)
    }

    /// Remembers a value, and gives how often it was seen within the time span before.
    fn note(&mut self, event: &HistoryEvent<'_>, value: &str) -> u64 {
        let oldest = event.time.saturating_sub_us(event.timespan_us);
        match self.terms.get_mut(value) {
            Some((last, count)) => {
                let before = if *last < oldest { 0 } else { *count };
                (*last, *count) = ((*last).max(event.time), before + event.weight);
                before
            }
            None => {
                if self.terms.len() >= TERMS_MAX {
                    self.terms.remove_stalest();
                }
                self.terms.insert(value, (event.time, event.weight));
                0
            }
        }
    }

    /// Why a value is new, in words that are written where the history is warm.
    fn new_term(&mut self, event: &HistoryEvent<'_>, value: &str, warm: bool) -> Option<String> {
        let (total, since) = (self.total, self.since);
        let known = self.terms.len();
        let before = self.note(event, value);
        (before == 0 && warm).then(|| {
            let since = since.map_or_else(String::new, |since| format!(" since {since}"));
            let fields = event.rule.fields.join(" and ");
            format!("{fields} `{value}` was not seen before, among {known} value(s) in {total} event(s){since}")
        })
    }

    fn rare(&mut self, event: &HistoryEvent<'_>, value: &str, events: u64) -> Option<String> {
        let times = self.note(event, value) + event.weight;
        let total = self.total + event.weight;
        (total >= events && event.bounds.hold(times as f64)).then(|| {
            format!("{} `{value}` was seen {times} time(s) in {total} event(s)", event.rule.fields.join(" and "))
        })
    }

    fn spike(&mut self, event: &HistoryEvent<'_>, factor: f64) -> Option<String> {
        let span = event.timespan_us.max(1);
        let began = *self.began.get_or_insert(event.time);
        let spans = event.time.0.saturating_sub(began.0) / span;
        if spans > 0 {
            // The span that has ended, and those without any event after it.
            let first = self.usual == 0.0 && self.total == self.now;
            self.usual = if first {
                self.now as f64
            } else {
                self.now as f64 * NEWEST_SHARE + self.usual * (1.0 - NEWEST_SHARE)
            };
            self.usual *= (1.0 - NEWEST_SHARE).powi(i32::try_from(spans - 1).unwrap_or(i32::MAX));
            self.now = 0;
            self.began = Some(began.saturating_add_us(span.saturating_mul(spans)));
        }
        self.now += event.weight;
        let (now, usual) = (self.now, self.usual);
        (event.bounds.hold(now as f64) && now as f64 >= usual * factor)
            .then(|| format!("{now} events where {usual:.1} are usual"))
    }

    /// Whether the time span has passed without an event: nothing that is remembered would be asked for.
    pub(crate) fn is_stale(&self, watermark: Timestamp, timespan_us: i64) -> bool {
        self.last.is_none_or(|last| last.saturating_add_us(timespan_us) < watermark)
    }

    /// Number of events that it is made of.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Number of values that it remembers, or for spikes of events in the running time span.
    pub(crate) fn aggregate(&self, rule: &HistoryRule) -> f64 {
        match rule.kind {
            HistoryKind::Spike { .. } => self.now as f64,
            _ => self.terms.len() as f64,
        }
    }

    /// Up to `most` of the values that it remembers.
    pub(crate) fn values(&self, most: usize) -> Vec<String> {
        self.terms.some(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::sigma::rule::Bound;

    const DAY: i64 = 86_400;

    fn rule(kind: HistoryKind) -> HistoryRule {
        HistoryRule { kind, fields: vec!["source.ip".to_owned()], warm_up_us: DAY * 1_000_000 }
    }

    fn see(history: &mut History, rule: &HistoryRule, bounds: &Bounds, second: i64, value: &str) -> bool {
        let time = Timestamp(second * 1_000_000);
        let span = 7 * DAY * 1_000_000;
        history
            .observe(&HistoryEvent {
                rule,
                bounds,
                timespan_us: span,
                id: EventId(0),
                value: Some(value),
                time,
                weight: 1,
            })
            .is_some()
    }

    #[test]
    fn a_value_is_new_after_the_warm_up_and_when_it_was_away_for_longer_than_the_time_span() {
        let (rule, bounds, mut history) = (rule(HistoryKind::NewTerms), Bounds::default(), History::default());
        let found: Vec<bool> =
            [(0, "a"), (10, "b"), (DAY, "a"), (DAY, "c"), (DAY + 5, "c"), (8 * DAY, "a"), (9 * DAY, "c")]
                .into_iter()
                .map(|(second, value)| see(&mut history, &rule, &bounds, second, value))
                .collect();
        assert_eq!(found, [false, false, false, true, false, false, true], "b was new before the history was warm");
    }

    #[test]
    fn a_flood_of_values_is_bounded_and_hides_nothing() {
        let (rule, bounds, mut history) = (rule(HistoryKind::NewTerms), Bounds::default(), History::default());
        see(&mut history, &rule, &bounds, 0, "known");
        let found = (0..5000).filter(|at| see(&mut history, &rule, &bounds, DAY + at, &at.to_string())).count();
        assert_eq!((found, history.terms.len()), (5000, TERMS_MAX));
        assert!(see(&mut history, &rule, &bounds, DAY + 6000, "attacker"));
    }

    #[test]
    fn rare_is_what_few_of_many_events_have() {
        let bounds = Bounds { high: Some(Bound { value: 2.0, inclusive: true }), ..Bounds::default() };
        let (rule, mut history) = (rule(HistoryKind::Rare { events: 100 }), History::default());
        let common = (0..200).filter(|at| see(&mut history, &rule, &bounds, at * 900, "usual")).count();
        assert_eq!(common, 0);
        let rare: Vec<bool> = (0..4).map(|at| see(&mut history, &rule, &bounds, 180_000 + at, "odd")).collect();
        assert_eq!(rare, [true, true, false, false]);
    }

    #[test]
    fn a_spike_is_measured_by_what_the_group_usually_does() {
        let bounds = Bounds::at_least(20.0);
        let spike = HistoryRule { warm_up_us: 3600 * 1_000_000, ..rule(HistoryKind::Spike { factor: 5.0 }) };
        let busy = |per_minute: i64, last: i64| {
            let mut history = History::default();
            let mut found = 0;
            let minutes = (0..180).map(|minute| (minute, per_minute)).chain([(180, last)]);
            for (minute, count) in minutes {
                for at in 0..count {
                    let time = Timestamp((minute * 60 * 1000 + at * 59_000 / count) * 1000);
                    let event = HistoryEvent {
                        rule: &spike,
                        bounds: &bounds,
                        timespan_us: 60_000_000,
                        id: EventId(0),
                        value: None,
                        time,
                        weight: 1,
                    };
                    found += usize::from(history.observe(&event).is_some());
                }
            }
            found
        };
        assert_eq!(busy(30, 40), 0, "thirty a minute are usual here");
        assert!(busy(30, 200) > 0);
        assert_eq!(busy(1, 15), 0, "below the least number");
        assert!(busy(1, 25) > 0);
    }
}
