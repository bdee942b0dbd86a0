//! How a window's finding lives: it goes on where the group comes back to the threshold, gives back what is forgiven, begins
//! with what correlations behind it have counted, and for histories holds what stood out.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{EventId, EventRef, Hit, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, HistoryKind, HistoryRule};

use super::counted::Counted;
use super::{Added, Arrival, LeftOut, Window, counted_entity};
use crate::entries::{Entries, Entry};
use crate::episode::{EntityKind, Episode, Source};
use crate::group::{group_text, value_of};
use crate::history::Seen;
use crate::tally::Held;

/// An event that a window counts, with its proof where that is kept.
type Proven = (Entry, Option<Arc<EventRef>>);

impl Window {
    /// Compares the event with the group's past. Only what stands out is kept as an event.
    pub(super) fn add_to_history(
        &mut self,
        rule: &HistoryRule,
        arrival: Arrival<'_>,
        spent: &mut Vec<Arc<EventRef>>,
    ) -> Added {
        let Arrival { bound, index, hit, time, quiet_us, .. } = arrival;
        let value = value_of(bound, hit).filter(|_| !rule.fields.is_empty());
        if value.is_none() && !rule.fields.is_empty() {
            return LeftOut::NoValue.into();
        }
        let (bounds, timespan_us, weight) = (&bound.rule.bounds, bound.rule.timespan_us, hit.repeated);
        let seen = Seen { rule, bounds, timespan_us, id: hit.event.id, value: value.as_deref(), time, weight };
        let Some(why) = self.history.get_or_insert_default().see(&seen) else {
            self.dormant = self.firing.is_some();
            return Added::default();
        };
        let ended =
            if self.firing.as_ref().is_some_and(|open| open.silent_before(time, quiet_us)) { self.end() } else { None };
        let begins = self.firing.is_none();
        // A value that stands out stands for itself.
        let anew = begins || self.dormant || !matches!(rule.kind, HistoryKind::Spike { .. });
        self.dormant = false;
        if begins {
            self.entries = Entries::default();
            self.counted = Counted::default();
        }
        let (_, cut) = self.push(arrival, None, spent);
        match &mut self.firing {
            Some(episode) => episode.add(&hit.event, time, hit.repeated),
            None => self.firing = Some(Box::new(self.episode(bound, index, group_text(bound, hit), |_| true))),
        }
        self.firing.iter_mut().for_each(|episode| episode.say(&why));
        Added { ended, begins, fires: true, anew, cut, ..Added::default() }
    }

    /// The aggregate is back: the finding takes up what came meanwhile.
    pub(super) fn go_on(&mut self, bound: &BoundCorrelation) {
        self.dormant = false;
        if let Some(episode) = &mut self.firing {
            let counted = counted_entity(bound);
            let new = self.entries.with_events().skip(self.behind).filter(|(entry, ..)| !entry.counted);
            new.for_each(|(entry, value, event)| take_up(episode, counted, entry, value, event));
        }
        self.entries.count(self.behind..self.entries.len());
    }

    /// A hit that forgives: what its group has counted up to then is taken back, or of values that are counted, its own.
    pub(crate) fn forgive(&mut self, bound: &BoundCorrelation, hit: &Hit, time: Timestamp) {
        let own = match bound.rule.kind {
            CorrelationKind::ValueCount(_) => value_of(bound, hit),
            _ => None,
        };
        let tally = self.counted.tally.as_ref();
        if own.as_ref().zip(tally).is_some_and(|(own, tally)| !tally.has(own)) {
            return;
        }
        let stays = |entry: &Entry, value: Option<&Held>| {
            let other = matches!((value, &own), (Some(Held::Text(value)), Some(own)) if **value != **own);
            entry.time > time || other
        };
        if !self.entries.iter().any(|(entry, value)| !stays(entry, value)) {
            return;
        }
        if let (Some(episode), Some(own), Some(kind)) = (&mut self.firing, &own, counted_entity(bound)) {
            let gone = self.entries.iter().filter(|(entry, value)| entry.counted && !stays(entry, *value));
            let gone: Vec<(EventId, u64)> = gone.map(|(entry, _)| (entry.id, u64::from(entry.weight))).collect();
            episode.take_back(kind, own, &gone);
        }
        self.entries.retain(stays);
        self.count_anew(bound);
        self.dormant |= self.firing.is_some() && !self.is_reached(bound, None);
    }

    /// Events with their proof, for a correlation that counts this one.
    pub(crate) fn proof(&self) -> Vec<Proven> {
        self.entries.with_events().skip(self.behind).map(|(entry, _, event)| (*entry, event.cloned())).collect()
    }

    /// Begins the open episode anew with events of the correlations behind it, which are the reason for it.
    pub(crate) fn begin_with(&mut self, bound: &BoundCorrelation, index: usize, group: String, behind: Vec<Proven>) {
        let mut all: BTreeMap<(Timestamp, EventId), Proven> = BTreeMap::new();
        for (entry, event) in behind.into_iter().chain(self.proof()) {
            let known = all.entry((entry.time, entry.id)).or_insert((entry, None));
            known.1 = known.1.take().or(event);
        }
        let start = all.first_key_value().map_or(Timestamp(0), |((time, _), _)| *time);
        let mut episode = Episode::new(Source::Correlation(index), group, start);
        all.values()
            .for_each(|(entry, event)| take_up(&mut episode, counted_entity(bound), entry, None, event.as_ref()));
        self.firing = Some(Box::new(episode));
    }
}

/// Adds an event of a window to a finding.
pub(super) fn take_up(
    episode: &mut Episode,
    counted: Option<EntityKind>,
    entry: &Entry,
    value: Option<&Held>,
    event: Option<&Arc<EventRef>>,
) {
    episode.begin_with(entry.id);
    if let (Some(kind), Some(Held::Text(value))) = (counted, value) {
        episode.name(kind, value);
    }
    match event {
        Some(event) => episode.add(event, entry.time, u64::from(entry.weight)),
        None => {
            episode.add_count(entry.id, u64::from(entry.weight));
            episode.extend_times(entry.time);
        }
    }
}
