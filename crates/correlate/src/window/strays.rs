//! Events that come after newer ones of their group. They are put where their time belongs, and what they make of the windows
//! around them is counted again in order, once for all that came together: findings are those of the sorted events.

use std::ops::Range;
use std::sync::Arc;

use event::{EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;

use super::counted::Counted;
use super::{Added, Arrival, Window, counted_entity};
use crate::episode::{Episode, Source};
use crate::tally::Held;
use crate::window::episodes::take_up;

/// What strays have made of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recounted {
    pub(crate) begins: bool,
    /// The aggregate is where it must be in some window with a stray.
    pub(crate) fires: bool,
    /// It was not before.
    pub(crate) anew: bool,
}

impl Window {
    /// Whether an event is so old that nothing around it is known any more.
    pub(super) fn forgets(&self, arrival: Arrival<'_>) -> bool {
        let reach_us = arrival.bound.rule.timespan_us.saturating_add(arrival.keep_us);
        self.entries.last().is_some_and(|newest| arrival.time.saturating_add_us(reach_us) < newest.time)
    }

    pub(super) fn add_stray(
        &mut self,
        arrival: Arrival<'_>,
        value: Option<Held>,
        spent: &mut Vec<Arc<EventRef>>,
    ) -> Added {
        let (_, cut) = self.push(arrival, value, spent);
        Added { cut, stray: true, ..Added::default() }
    }

    /// Looks at the windows that hold an event from `times` again, in order, as if it had come in time.
    pub(crate) fn recount(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        times: (Timestamp, Timestamp),
        group: &str,
    ) -> Recounted {
        let reached = self.reached_around(bound, times);
        let mut recounted = Recounted { fires: !reached.is_empty(), ..Recounted::default() };
        if recounted.fires {
            recounted.anew = !self.is_firing();
            recounted.begins = self.firing.is_none();
            for (places, distinct) in reached {
                self.take_up_window(bound, index, group, places, distinct);
            }
        }
        self.count_anew(bound);
        self.dormant = self.firing.is_some() && !self.is_reached(bound, None);
        recounted
    }

    /// The windows with an event from `times` that are where the rule wants them: their entries and distinct values.
    fn reached_around(&self, bound: &BoundCorrelation, (from, to): (Timestamp, Timestamp)) -> Vec<(Range<usize>, u64)> {
        let span_us = bound.rule.timespan_us;
        let mut counted = Counted::new(bound);
        let mut reached: Vec<(Range<usize>, u64)> = Vec::new();
        let first = self.entries.older_than(from.saturating_sub_us(span_us));
        let mut oldest = first;
        for at in first..self.entries.older_than(to.saturating_add_us(span_us + 1)) {
            let Some(entry) = self.entries.at(at) else { break };
            counted.move_to(entry.time);
            counted.add(entry, self.entries.value(at));
            while let Some(old) = self.entries.at(oldest).filter(|old| old.time < entry.time.saturating_sub_us(span_us))
            {
                counted.remove(old, self.entries.value(oldest));
                oldest += 1;
            }
            if entry.time >= from && counted.is_reached(bound, self.entries.value(at)) {
                let distinct = counted.distinct();
                match reached.last_mut().filter(|(places, _)| places.end >= oldest) {
                    Some((places, most)) => (places.end, *most) = (at + 1, distinct.max(*most)),
                    None => reached.push((oldest..at + 1, distinct)),
                }
            }
        }
        reached
    }

    fn take_up_window(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        group: &str,
        places: Range<usize>,
        distinct: u64,
    ) {
        let start = self.entries.at(places.start).map_or(Timestamp(0), |entry| entry.time);
        let mut episode = self
            .firing
            .take()
            .unwrap_or_else(|| Box::new(Episode::new(Source::Correlation(index), group.to_owned(), start)));
        let inside = self.entries.with_events().skip(places.start).take(places.len());
        for (entry, value, event) in inside.filter(|(entry, ..)| !entry.counted) {
            take_up(&mut episode, counted_entity(bound), entry, value, event);
        }
        episode.set_distinct(distinct);
        self.firing = Some(episode);
        self.entries.count(places);
    }
}
