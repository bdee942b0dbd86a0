//! The events of a window and their running totals: the time span slides over entries in order of time. Decides nothing
//! about findings.

use std::ops::Range;
use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, Function};
use rules::sigma::threshold::WINDOW_ENTRIES_MAX;
use serde::{Deserialize, Serialize};

use crate::group_key::{distinct_key, number_of, value_of};
use crate::hit::IndexedHit;
use crate::window::added::LeftOut;
use crate::window::aggregate::Aggregate;
use crate::window::arrival::Arrival;
use crate::window::entries::{Entries, NewEntry, ProofLimit};
use crate::window::entry::{Entry, EventValue};

/// Events within the time span, and before them events that have left it and are kept for others that come late.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Contents {
    entries: Entries,
    /// So many of the first entries have left the time span.
    #[serde(skip)]
    expired: usize,
    /// Of the entries within the time span; computed from them, not saved.
    #[serde(skip)]
    aggregate: Aggregate,
}

/// Where a pushed event stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pushed {
    /// Position among the entries.
    pub(crate) at: usize,
    /// The window was full and gave up an event within the time span.
    pub(crate) cut: bool,
}

impl Contents {
    /// With entries; [`Contents::recompute`] must follow before they are counted.
    pub(crate) fn unprepared(entries: Entries) -> Self {
        Contents { entries, ..Contents::default() }
    }

    /// All entries, those that have left the time span included.
    #[inline]
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Totals of the entries within the time span.
    #[inline]
    pub(crate) fn aggregate(&self) -> &Aggregate {
        &self.aggregate
    }

    /// Whether the event is there already.
    pub(crate) fn holds(&self, id: EventId, time: Timestamp) -> bool {
        self.entries.holds(id, time)
    }

    /// Allocates what the rule counts with, at the first event.
    #[inline]
    pub(crate) fn prepare(&mut self, bound: &BoundCorrelation) {
        self.aggregate.prepare(bound);
    }

    /// Lets everything go.
    pub(crate) fn clear(&mut self) {
        *self = Contents::default();
    }

    /// The value that the hit brings; `None` where the rule counts events only.
    pub(crate) fn value(&self, bound: &BoundCorrelation, hit: &IndexedHit) -> Result<Option<EventValue>, LeftOut> {
        match &bound.rule.kind {
            CorrelationKind::Temporal { .. } if bound.rule.distinct.is_some() => {
                Ok(Some(self.shared_text(&distinct_key(bound, hit))))
            }
            CorrelationKind::EventCount | CorrelationKind::Temporal { .. } | CorrelationKind::History(_) => Ok(None),
            CorrelationKind::ValueCount(_) | CorrelationKind::Value { function: Function::Share, .. } => {
                let value = value_of(bound, hit).ok_or(LeftOut::NoValue)?;
                Ok(Some(self.shared_text(&value)))
            }
            CorrelationKind::Value { .. } => number_of(bound, hit).map(|number| Some(EventValue::Number(number))),
        }
    }

    /// A text that is counted; it shares memory with equal texts of the window.
    fn shared_text(&self, value: &str) -> EventValue {
        EventValue::Text(self.aggregate.tally().map_or_else(|| Arc::from(value), |tally| tally.shared(value)))
    }

    /// Whether the aggregate is where the rule wants it. `value` is that of the newest event.
    #[inline]
    pub(crate) fn is_reached(&self, bound: &BoundCorrelation, value: Option<&EventValue>) -> bool {
        self.aggregate.is_reached(bound, value)
    }

    /// Adds an event at its time. Lines that are no longer kept are put into `released`.
    pub(crate) fn push(
        &mut self,
        arrival: Arrival<'_>,
        value: Option<EventValue>,
        released: &mut Vec<Arc<EventRef>>,
    ) -> Pushed {
        let Arrival { bound, signal, hit, time, newest_proof_only, .. } = arrival;
        let entry = Entry {
            id: hit.event.id,
            time,
            weight: u32::try_from(hit.repeated).unwrap_or(u32::MAX),
            base: bound.place_of(signal) as u16,
            in_finding: false,
        };
        let newest = self.entries.last().map_or(time, |last| last.time.max(time));
        let span_start = match bound.waits_for_close {
            true => Timestamp(i64::MIN),
            false => newest.saturating_sub_us(bound.rule.timespan_us),
        };
        if time < span_start {
            self.expired += 1;
        } else if time < newest {
            self.aggregate.add_out_of_order(&entry, value.as_ref());
        } else {
            self.aggregate.add(&entry, value.as_ref());
        }
        let new = NewEntry { entry, value, event: &hit.event };
        let proof = ProofLimit { span_start, newest_only: newest_proof_only };
        let at = self.entries.push(new, proof, released);
        if self.entries.len() <= WINDOW_ENTRIES_MAX {
            return Pushed { at, cut: false };
        }
        let (evicted, cut) = self.evict_entry();
        Pushed { at: at.saturating_sub(usize::from(evicted <= at)), cut }
    }

    /// Gives up an event of a full window: its position, and whether it was within the time span. Where the order of
    /// rules matters, it is one of the base that has the most, so that a flood of one rule's hits does not evict
    /// another's.
    fn evict_entry(&mut self) -> (usize, bool) {
        if self.expired > 0 {
            self.expired -= 1;
            self.entries.pop_first();
            return (0, false);
        }
        let fullest = self.aggregate.tally().and_then(|tally| tally.fullest_base());
        let spare = fullest.and_then(|base| {
            let alike = self.entries.iter().enumerate().filter(|(_, (entry, _))| entry.base == base);
            alike.map(|(at, _)| at).nth(1)
        });
        let evicted = spare.unwrap_or(0);
        if let Some((entry, value)) = self.entries.remove(evicted) {
            self.aggregate.remove(&entry, value.as_ref());
        }
        (evicted, true)
    }

    /// Slides the time span so that it ends with `time`. What leaves it is kept for another `retention_us`.
    pub(crate) fn slide(&mut self, time: Timestamp, timespan_us: i64, retention_us: i64) {
        self.aggregate.move_to(time);
        let oldest = time.saturating_sub_us(timespan_us);
        while let Some(entry) = self.entries.at(self.expired).filter(|entry| entry.time < oldest) {
            self.aggregate.remove(entry, self.entries.value(self.expired));
            self.expired += 1;
        }
        let kept_from = oldest.saturating_sub_us(retention_us);
        while self.expired > 0 && self.entries.first().is_some_and(|entry| entry.time < kept_from) {
            self.entries.pop_first();
            self.expired -= 1;
        }
    }

    /// Recomputes what follows from the entries.
    pub(crate) fn recompute(&mut self, bound: &BoundCorrelation) {
        self.aggregate = Aggregate::new(bound);
        let now = self.entries.last().map_or(Timestamp(i64::MIN), |newest| newest.time);
        self.aggregate.move_to(now);
        let stands_alone = bound.waits_for_close || matches!(bound.rule.kind, CorrelationKind::History(_));
        self.expired = match stands_alone {
            true => 0,
            false => self.entries.older_than(now.saturating_sub_us(bound.rule.timespan_us)),
        };
        for (entry, value) in self.entries.iter().skip(self.expired) {
            self.aggregate.add(entry, value);
        }
    }

    /// Whether an event is so old that the window no longer holds events of that time.
    pub(crate) fn forgets(&self, arrival: Arrival<'_>) -> bool {
        let reach_us = arrival.bound.rule.timespan_us.saturating_add(arrival.retention_us);
        self.entries.last().is_some_and(|newest| arrival.time.saturating_add_us(reach_us) < newest.time)
    }

    /// Whether a time is within the time span that the first event opened.
    pub(crate) fn covers(&self, time: Timestamp, timespan_us: i64) -> bool {
        let first = self.entries.first().map(|first| first.time);
        first.is_some_and(|first| time >= first && time <= first.saturating_add_us(timespan_us))
    }

    /// Takes out the oldest entries up to a time, both ends included, as contents of their own.
    pub(crate) fn split_until(&mut self, end: Timestamp, bound: &BoundCorrelation) -> Contents {
        let inside = self.entries.iter().take_while(|(entry, _)| entry.time <= end).count();
        let mut taken = Contents { entries: self.entries.take_first(inside), ..Contents::default() };
        taken.recompute(bound);
        taken
    }

    /// Removes all entries but those that are wanted, and recomputes the rest.
    pub(crate) fn retain(&mut self, bound: &BoundCorrelation, wanted: impl Fn(&Entry, Option<&EventValue>) -> bool) {
        self.entries.retain(wanted);
        self.recompute(bound);
    }

    /// Entries within the time span, with their values, and with their events where the lines are kept.
    pub(crate) fn inside(&self) -> impl Iterator<Item = (&Entry, Option<&EventValue>, Option<&Arc<EventRef>>)> {
        self.entries.with_events().skip(self.expired)
    }

    /// Values of the entries within the time span.
    pub(crate) fn values_inside(&self) -> impl Iterator<Item = &EventValue> {
        self.entries.iter().skip(self.expired).filter_map(|(_, value)| value)
    }

    /// The open finding counts the entries at these positions from now on.
    pub(crate) fn set_in_finding(&mut self, positions: Range<usize>) {
        self.entries.set_in_finding(positions);
    }

    /// The open finding counts all entries within the time span from now on.
    pub(crate) fn set_all_in_finding(&mut self) {
        self.entries.set_in_finding(self.expired..self.entries.len());
    }

    /// Times of the oldest and of the newest event within the time span.
    pub(crate) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.entries.at(self.expired).map(|entry| entry.time), self.entries.last().map(|entry| entry.time))
    }

    /// Lets proof go: of all but the newest event, or of that one as well.
    pub(crate) fn drop_proof(&mut self, newest_too: bool, released: &mut Vec<Arc<EventRef>>) {
        self.entries.drop_proof(usize::from(!newest_too), released);
    }

    /// Ranges of entries whose time spans meet the condition of the rule, among the time spans that an event from
    /// `from` to `to` can be in: their positions, and the largest number of distinct values. Overlapping ranges are
    /// joined. Counts in order of time, as if the events had arrived in that order.
    pub(crate) fn reached_around(
        &self,
        bound: &BoundCorrelation,
        (from, to): (Timestamp, Timestamp),
    ) -> Vec<(Range<usize>, u64)> {
        let span_us = bound.rule.timespan_us;
        let mut aggregate = Aggregate::new(bound);
        let mut reached: Vec<(Range<usize>, u64)> = Vec::new();
        let first = self.entries.older_than(from.saturating_sub_us(span_us));
        let mut oldest = first;
        for at in first..self.entries.older_than(to.saturating_add_us(span_us + 1)) {
            let Some(entry) = self.entries.at(at) else { break };
            aggregate.move_to(entry.time);
            aggregate.add(entry, self.entries.value(at));
            let span_start = entry.time.saturating_sub_us(span_us);
            while let Some(old) = self.entries.at(oldest).filter(|old| old.time < span_start) {
                aggregate.remove(old, self.entries.value(oldest));
                oldest += 1;
            }
            if entry.time >= from && aggregate.is_reached(bound, self.entries.value(at)) {
                let distinct = aggregate.distinct();
                match reached.last_mut().filter(|(positions, _)| positions.end >= oldest) {
                    Some((positions, most)) => (positions.end, *most) = (at + 1, distinct.max(*most)),
                    None => reached.push((oldest..at + 1, distinct)),
                }
            }
        }
        reached
    }
}
