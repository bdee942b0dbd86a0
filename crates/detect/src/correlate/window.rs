//! One group of one correlation: a sliding window of event time, never aligned to fixed borders. Two events exactly
//! the time span apart are inside. Distinct values are counted as events come and go, not by walking the window.

use std::collections::VecDeque;
use std::sync::Arc;

use event::{EventId, EventRef, Hit, Timestamp};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::correlate::episode::{EVIDENCE_EACH, Episode, Source};
use crate::ruleset::BoundCorrelation;
use crate::sigma::rule::CorrelationKind;

/// Events that a window holds; beyond it the oldest are let go, which only a rule with a higher threshold would notice.
pub(crate) const ENTRIES_MAX: usize = 20_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "t", with = "microseconds")]
    time: Timestamp,
    /// Place of its signal among those that the correlation counts.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    place: usize,
    /// Tells events apart where several signals are counted; else `None`.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    #[serde(rename = "w", default = "one", skip_serializing_if = "is_one")]
    weight: u64,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    value: Option<Arc<str>>,
    /// Kept for the first and last events of the window only.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    event: Option<Arc<EventRef>>,
}

/// Short, because windows hold thousands of them.
mod microseconds {
    use event::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(place: &usize) -> bool {
    *place == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(weight: &u64) -> bool {
    *weight == 1
}

fn one() -> u64 {
    1
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    entries: VecDeque<Entry>,
    total: u64,
    values: HashMap<Arc<str>, u32>,
    /// Entries by the place of their signal.
    places: Vec<u32>,
    /// Open while the aggregate stays at or above the threshold.
    firing: Option<Episode>,
}

/// Key of the group and how it is shown (`field=value, …`), or `None` where the event lacks one of the fields. The key
/// has each value's length in front, so that values cannot be written to look like another group.
pub(super) fn group_of(bound: &BoundCorrelation, hit: &Hit) -> Option<(String, String)> {
    let mut key = String::new();
    let mut group = String::new();
    for (capture, field) in bound.group_by.iter().zip(&bound.rule.group_by) {
        let value = hit.values.get(*capture)?.as_deref()?;
        key.push_str(&format!("{}:{value}", value.len()));
        if !group.is_empty() {
            group.push_str(", ");
        }
        group.push_str(field);
        group.push('=');
        group.push_str(value);
    }
    Some((key, group))
}

impl Window {
    /// Counts a hit. Returns an episode that this hit found to have ended.
    pub(super) fn add(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        group: &str,
        signal: usize,
        hit: &Hit,
        time: Timestamp,
    ) -> Option<Episode> {
        self.places.resize(bound.bases.len(), 0);
        if let Some(apart) = self.begin_anew_where_older(time, bound.rule.timespan_us) {
            return apart.or(self.add(bound, index, group, signal, hit, time));
        }
        self.slide(time, bound.rule.timespan_us);
        let below = self.aggregate(bound) < bound.rule.threshold;
        let ended = if below { self.firing.take() } else { None };
        let value = match &bound.rule.kind {
            CorrelationKind::EventCount | CorrelationKind::Temporal { .. } => None,
            CorrelationKind::ValueCount(_) => match bound.value.and_then(|at| hit.values.get(at)?.as_deref()) {
                Some(value) => Some(self.shared(value)),
                None => return ended,
            },
        };
        let place = bound.bases.iter().position(|base| *base == signal).unwrap_or(0);
        let event = Some(Arc::clone(&hit.event));
        let id = (bound.bases.len() > 1).then_some(hit.event.id);
        self.push(Entry { time, place, id, weight: hit.repeated, value, event });
        if self.aggregate(bound) < bound.rule.threshold || !self.is_in_order(bound, place) {
            return ended;
        }
        match &mut self.firing {
            Some(episode) => episode.add(&hit.event, time, hit.repeated),
            None => self.firing = Some(self.fire(index, group)),
        }
        if let Some(episode) = &mut self.firing {
            episode.set_distinct(self.values.len() as u64);
        }
        ended
    }

    fn shared(&self, value: &str) -> Arc<str> {
        self.values.get_key_value(value).map_or_else(|| Arc::from(value), |(known, _)| Arc::clone(known))
    }

    fn aggregate(&self, bound: &BoundCorrelation) -> u64 {
        match bound.rule.kind {
            CorrelationKind::EventCount => self.total,
            CorrelationKind::ValueCount(_) => self.values.len() as u64,
            CorrelationKind::Temporal { .. } => self.places.iter().filter(|count| **count > 0).count() as u64,
        }
    }

    /// Whether the window holds the signals in the order written, for correlations that ask for it. Events of one
    /// instant satisfy either order; one event fills one place. Only the last signal can complete the order.
    fn is_in_order(&self, bound: &BoundCorrelation, place: usize) -> bool {
        if bound.rule.kind != (CorrelationKind::Temporal { ordered: true }) {
            return true;
        }
        let last = bound.bases.len() - 1;
        let completes =
            place == last || self.entries.iter().rev().take(2).map(|entry| entry.time).is_sorted_by(|a, b| a == b);
        if !completes {
            return self.firing.is_some();
        }
        let mut next = 0;
        let mut used = Vec::with_capacity(bound.bases.len());
        let mut at = 0;
        while at < self.entries.len() && next <= last {
            let instant = self.entries[at].time;
            let end = at + self.entries.iter().skip(at).take_while(|entry| entry.time == instant).count();
            // As many places as this instant can fill, in whatever order its events came.
            while let Some(entry) =
                self.entries.range(at..end).find(|entry| entry.place == next && !used.contains(&entry.id))
            {
                used.push(entry.id);
                next += 1;
            }
            at = end;
        }
        next > last
    }

    /// The time is too far back to share a window with the newest event.
    pub(super) fn is_before_all(&self, time: Timestamp, timespan_us: i64) -> bool {
        self.entries.back().is_some_and(|newest| time.saturating_add_us(timespan_us) < newest.time)
    }

    /// Events come in order of time, but an older source may be read after a newer one. What is too far back to share a
    /// window with what is held begins a window of its own.
    fn begin_anew_where_older(&mut self, time: Timestamp, timespan_us: i64) -> Option<Option<Episode>> {
        if !self.is_before_all(time, timespan_us) {
            return None;
        }
        let firing = self.firing.take();
        *self = Window { places: vec![0; self.places.len()], ..Window::default() };
        Some(firing)
    }

    /// Raw bytes that the window keeps as proof.
    pub(super) fn proof_bytes(&self) -> usize {
        self.entries.iter().filter_map(|entry| entry.event.as_ref()).map(|event| event.original.len()).sum()
    }

    /// Lets the proof of all but the newest event go.
    pub(super) fn drop_proof(&mut self) {
        let older = self.entries.len().saturating_sub(1);
        self.entries.iter_mut().take(older).for_each(|entry| entry.event = None);
    }

    fn push(&mut self, entry: Entry) {
        self.total += entry.weight;
        if let Some(value) = &entry.value {
            *self.values.entry(Arc::clone(value)).or_insert(0) += 1;
        }
        if let Some(count) = self.places.get_mut(entry.place) {
            *count += 1;
        }
        // Almost always the end; an older source can bring events that belong in between.
        let later = self.entries.iter().rev().take_while(|known| known.time > entry.time).count();
        self.entries.insert(self.entries.len() - later, entry);
        // Proof is kept at both ends; what moves into the middle gives its line back.
        if let Some(middle) = self.entries.len().checked_sub(EVIDENCE_EACH + 1).filter(|at| *at > EVIDENCE_EACH) {
            self.entries[middle].event = None;
        }
        if self.entries.len() > ENTRIES_MAX {
            self.pop_first();
        }
    }

    fn slide(&mut self, time: Timestamp, timespan_us: i64) {
        let oldest = time.saturating_sub_us(timespan_us);
        while self.entries.front().is_some_and(|entry| entry.time < oldest) {
            self.pop_first();
        }
    }

    fn pop_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.total -= entry.weight;
        if let Some(count) = self.places.get_mut(entry.place) {
            *count -= 1;
        }
        if let Some(value) = entry.value
            && let Some(count) = self.values.get_mut(&value)
        {
            *count -= 1;
            if *count == 0 {
                self.values.remove(&value);
            }
        }
    }

    /// A new episode of everything in the window.
    fn fire(&self, index: usize, group: &str) -> Episode {
        let start = self.entries.front().map_or(Timestamp(0), |entry| entry.time);
        let mut episode = Episode::new(Source::Correlation(index), group.to_owned(), start);
        for entry in &self.entries {
            match &entry.event {
                Some(event) => episode.add(event, entry.time, entry.weight),
                None => {
                    episode.add_count(entry.weight);
                    episode.extend_times(entry.time);
                }
            }
        }
        episode
    }

    /// No event at or after `watermark` can find any of its entries inside the time span.
    pub(super) fn ended_before(&self, watermark: Timestamp, timespan_us: i64) -> bool {
        self.entries.back().is_none_or(|entry| entry.time.saturating_add_us(timespan_us) < watermark)
    }

    pub(super) fn weight(&self) -> (u64, Timestamp) {
        (self.total, self.entries.back().map_or(Timestamp(0), |entry| entry.time))
    }

    pub(super) fn is_firing(&self) -> bool {
        self.firing.is_some()
    }

    pub(super) fn into_firing(self) -> Option<Episode> {
        self.firing
    }

    pub(super) fn firing_mut(&mut self) -> Option<&mut Episode> {
        self.firing.as_mut()
    }
}
