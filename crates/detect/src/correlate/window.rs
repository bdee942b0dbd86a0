//! One group of one correlation: a sliding window of event time, never aligned to fixed borders. Two events exactly the
//! time span apart are inside. Where only the whole window can tell (upper bounds, `not`), a window opens with its first
//! event, is judged when nothing more can come into it, and the next event opens the next.

mod episodes;

use std::sync::Arc;

use event::{EventId, EventRef, Hit, Timestamp};
use serde::{Deserialize, Serialize};

use crate::correlate::entries::{Entries, Entry};
use crate::correlate::episode::{EntityKind, Episode, Source};
use crate::correlate::group::{group_text, number_of, value_of};
use crate::correlate::history::History;
use crate::correlate::tally::{Held, Tally};
use crate::correlate::window::episodes::take_up;
use crate::ruleset::BoundCorrelation;
use crate::sigma::rule::{CorrelationKind, Function};

/// Events that a window holds; beyond it the oldest are let go, which is counted.
pub(crate) const ENTRIES_MAX: usize = 20_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    entries: Entries,
    #[serde(skip)]
    total: u64,
    /// Where more than events is counted. Made anew from the entries.
    #[serde(skip)]
    tally: Option<Box<Tally>>,
    /// Open from when the aggregate is where it must be until it has not been for a while.
    firing: Option<Box<Episode>>,
    /// The aggregate has left: what brings it back belongs to the same finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dormant: bool,
    /// What the group has been like before, where the rule asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Box<History>>,
    /// The newest hit, for windows that are judged when they close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Box<Hit>>,
    /// Its episode will be asked for changes.
    #[serde(skip)]
    pub(super) noted: bool,
}

/// A hit on its way into a window.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) bound: &'a BoundCorrelation,
    pub(super) index: usize,
    pub(super) signal: usize,
    pub(super) hit: &'a Hit,
    pub(super) time: Timestamp,
    /// There is so much proof already that only the newest line is kept.
    pub(super) lean: bool,
    /// How long a finding stays open after its last event, in microseconds.
    pub(super) quiet_us: i64,
}

/// A window that closed and is reported.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) episode: Box<Episode>,
    /// The newest hit of the group.
    pub(super) hit: Hit,
    /// Of the last event inside.
    pub(super) time: Timestamp,
}

/// What became of a hit.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// An episode that the hit found to have ended.
    pub(super) ended: Option<Box<Episode>>,
    /// An episode begins with the hit.
    pub(super) begins: bool,
    /// The window held more than it may.
    pub(super) cut: bool,
    /// The rule wants a number, and the event has something else.
    pub(super) not_numeric: bool,
}

impl Window {
    /// Counts a hit. Proof that is no longer kept is put into `spent`.
    pub(super) fn add(&mut self, arrival: Arrival<'_>, spent: &mut Vec<Arc<EventRef>>) -> Added {
        let Arrival { bound, hit, time, .. } = arrival;
        if let CorrelationKind::History(rule) = &bound.rule.kind {
            return self.add_to_history(rule, arrival, spent);
        }
        if self.tally.is_none() && bound.needs_tally() {
            self.tally = Some(Box::new(Tally::new(bound)));
        }
        let value = match self.value(bound, hit) {
            Ok(value) => value,
            Err(not_numeric) => return Added { not_numeric, ..Added::default() },
        };
        if bound.waits_for_close {
            let (_, cut) = self.push(arrival, value, spent);
            if self.newest.as_ref().is_none_or(|newest| newest.event.time <= hit.event.time) {
                self.newest = Some(Box::new(hit.clone()));
            }
            return Added { cut, ..Added::default() };
        }
        let mut ended = self.begin_anew_where_older(bound, time);
        self.slide(time, bound.rule.timespan_us);
        self.dormant |= self.firing.is_some() && !self.is_reached(bound, None);
        if self.dormant && self.firing.as_ref().is_some_and(|open| open.silent_before(time, arrival.quiet_us)) {
            ended = ended.or(self.end());
        }
        let (place, cut) = self.push(arrival, value.clone(), spent);
        let reached = self.is_reached(bound, value.as_ref()) && self.is_in_order(arrival);
        let begins = reached && self.firing.is_none();
        if begins {
            self.firing = Some(Box::new(self.episode(bound, arrival.index, group_text(bound, hit), |_| true)));
            self.entries.count(None);
        } else if reached && self.dormant {
            self.go_on(bound);
        } else if reached && let Some(episode) = &mut self.firing {
            episode.add(&hit.event, time, hit.repeated);
            self.entries.count(Some(place));
        }
        self.dormant |= !reached && self.firing.is_some();
        if reached {
            let distinct = self.tally.as_ref().map_or(0, |tally| tally.distinct());
            self.firing.iter_mut().for_each(|episode| episode.set_distinct(distinct));
        }
        Added { ended, begins, cut, not_numeric: false }
    }

    fn end(&mut self) -> Option<Box<Episode>> {
        self.dormant = false;
        self.firing.take()
    }

    /// What the event counts with; an error where the rule needs a value that is not there, true where it is no number.
    fn value(&self, bound: &BoundCorrelation, hit: &Hit) -> Result<Option<Held>, bool> {
        match &bound.rule.kind {
            CorrelationKind::EventCount | CorrelationKind::Temporal { .. } | CorrelationKind::History(_) => Ok(None),
            CorrelationKind::ValueCount(_) | CorrelationKind::Value { function: Function::Share, .. } => {
                let value = value_of(bound, hit).ok_or(false)?;
                Ok(Some(Held::Text(
                    self.tally.as_ref().map_or_else(|| Arc::from(&*value), |tally| tally.shared(&value)),
                )))
            }
            CorrelationKind::Value { .. } => number_of(bound, hit).map(|number| Some(Held::Number(number))),
        }
    }

    /// Whether the aggregate is where the rule wants it.
    fn is_reached(&self, bound: &BoundCorrelation, value: Option<&Held>) -> bool {
        let Some(tally) = &self.tally else { return bound.rule.bounds.hold(self.total as f64) };
        match &bound.rule.kind {
            CorrelationKind::EventCount => bound.rule.bounds.hold(self.total as f64),
            CorrelationKind::History(_) => !self.dormant,
            CorrelationKind::ValueCount(_) => bound.rule.bounds.hold(tally.distinct() as f64),
            CorrelationKind::Temporal { expression: Some(expression), .. } => {
                expression.holds(&|place| tally.matched(place))
            }
            CorrelationKind::Temporal { .. } => bound.rule.bounds.hold(tally.places_matched() as f64),
            CorrelationKind::Value { function: Function::Share, .. } => match value {
                Some(_) => tally.number(Function::Share, value).is_some_and(|share| bound.rule.bounds.hold(share)),
                None => tally.shares().any(|(_, share)| bound.rule.bounds.hold(share)),
            },
            CorrelationKind::Value { function, .. } => {
                tally.number(*function, None).is_some_and(|number| bound.rule.bounds.hold(number))
            }
        }
    }

    /// Whether the window holds the signals in the order written, for correlations that ask for it. Events of one
    /// instant satisfy either order; one event fills one place. Only the last signal can complete the order.
    fn is_in_order(&self, arrival: Arrival<'_>) -> bool {
        let bound = arrival.bound;
        if !matches!(bound.rule.kind, CorrelationKind::Temporal { ordered: true, .. }) {
            return true;
        }
        let last = bound.bases.len() - 1;
        let completes = bound.place_of(arrival.signal) == last
            || self.entries.iter().rev().take(2).map(|(entry, _)| entry.time).is_sorted_by(|a, b| a == b);
        if !completes {
            return self.is_firing();
        }
        let mut next = 0;
        let mut used = Vec::with_capacity(bound.bases.len());
        let mut at = 0;
        while at < self.entries.len() && next <= last {
            let Some(instant) = self.entries.at(at).map(|entry| entry.time) else { break };
            let entries = || (at..).map_while(|at| self.entries.at(at)).take_while(|entry| entry.time == instant);
            let end = at + entries().count();
            // As many places as this instant can fill, in whatever order its events came.
            let fills = |entry: &&Entry, next: usize, used: &[EventId]| {
                usize::from(entry.place) == next && !used.contains(&entry.id)
            };
            while let Some(entry) = entries().find(|entry| fills(entry, next, &used)) {
                used.push(entry.id);
                next += 1;
            }
            at = end;
        }
        next > last
    }

    /// Its first time span lies before `complete`.
    pub(super) fn is_closed(&self, complete: Timestamp, timespan_us: i64) -> bool {
        self.entries.first().is_some_and(|first| first.time.saturating_add_us(timespan_us) < complete)
    }

    /// Judges what has closed: windows whose time span lies before `complete`, up to which nothing more comes. The hit
    /// is the newest, for correlations that count this one.
    pub(super) fn close(&mut self, bound: &BoundCorrelation, index: usize, complete: Timestamp) -> Vec<Closed> {
        let mut found = Vec::new();
        let mut any = false;
        while let Some(first) = self.entries.first().map(|entry| entry.time) {
            let end = first.saturating_add_us(bound.rule.timespan_us);
            if end >= complete {
                break;
            }
            let inside = self.entries.iter().take_while(|(entry, _)| entry.time <= end).count();
            let mut closed = Window { entries: self.entries.take_first(inside), ..Window::default() };
            closed.count_anew(bound);
            any = true;
            if closed.is_reached(bound, None)
                && let Some(newest) = self.newest.as_deref()
            {
                let group = group_text(bound, newest);
                let episode = closed.episode(bound, index, group, |value| closed.is_why(bound, value));
                let time = closed.entries.last().map_or(first, |entry| entry.time);
                found.push(Closed { episode: Box::new(episode), hit: newest.clone(), time });
            }
        }
        if any {
            self.count_anew(bound);
        }
        found
    }

    /// Whether an entry is what the rule looks for, and not only beside it: the rare values of a share.
    fn is_why(&self, bound: &BoundCorrelation, value: Option<&Held>) -> bool {
        let CorrelationKind::Value { function: Function::Share, .. } = bound.rule.kind else { return true };
        let share = self.tally.as_ref().and_then(|tally| tally.number(Function::Share, value));
        share.is_some_and(|share| bound.rule.bounds.hold(share))
    }

    /// Makes anew what follows from the entries.
    pub(super) fn count_anew(&mut self, bound: &BoundCorrelation) {
        self.total = self.entries.iter().map(|(entry, _)| u64::from(entry.weight)).sum();
        self.tally = bound.needs_tally().then(|| Box::new(Tally::new(bound)));
        if let Some(tally) = &mut self.tally {
            for (entry, value) in self.entries.iter() {
                tally.add(usize::from(entry.place), value, u64::from(entry.weight));
            }
        }
    }

    /// The time is too far back to share a window with the newest event.
    pub(super) fn is_before_all(&self, time: Timestamp, timespan_us: i64) -> bool {
        self.entries.last().is_some_and(|newest| time.saturating_add_us(timespan_us) < newest.time)
    }

    /// Events come in order of time, but an older source may be read after a newer one. What is too far back to share a
    /// window with what is held begins a window of its own.
    fn begin_anew_where_older(&mut self, bound: &BoundCorrelation, time: Timestamp) -> Option<Box<Episode>> {
        if !self.is_before_all(time, bound.rule.timespan_us) {
            return None;
        }
        self.entries = Entries::default();
        self.count_anew(bound);
        self.end()
    }

    /// Reads its ends, and gives anything that comes of it.
    pub(super) fn look_at_ends(&self) -> u64 {
        self.entries.look_at_ends()
    }

    /// Reads the proof that the next event will push out.
    pub(super) fn look_at_proof(&self) -> u64 {
        self.entries.look_at_proof()
    }

    /// Bytes that the window keeps as proof.
    pub(super) fn proof_bytes(&self) -> usize {
        self.entries.proof_bytes()
    }

    /// Lets proof go: of all but the newest event, or of that one as well.
    pub(super) fn drop_proof(&mut self, newest_too: bool, spent: &mut Vec<Arc<EventRef>>) {
        self.entries.drop_proof(usize::from(!newest_too), spent);
    }

    /// Where the event stands now, and whether the window had to let its oldest event go.
    fn push(&mut self, arrival: Arrival<'_>, value: Option<Held>, spent: &mut Vec<Arc<EventRef>>) -> (usize, bool) {
        let Arrival { bound, signal, hit, time, lean, .. } = arrival;
        let entry = Entry {
            id: hit.event.id,
            time,
            weight: u32::try_from(hit.repeated).unwrap_or(u32::MAX),
            place: bound.place_of(signal) as u16,
            counted: false,
        };
        self.total += u64::from(entry.weight);
        if let Some(tally) = &mut self.tally {
            tally.add(usize::from(entry.place), value.as_ref(), u64::from(entry.weight));
        }
        let place = self.entries.push(entry, value, &hit.event, lean, spent);
        let cut = self.entries.len() > ENTRIES_MAX;
        if cut {
            self.pop_first();
        }
        (place.saturating_sub(usize::from(cut)), cut)
    }

    fn slide(&mut self, time: Timestamp, timespan_us: i64) {
        let oldest = time.saturating_sub_us(timespan_us);
        while self.entries.first().is_some_and(|entry| entry.time < oldest) {
            self.pop_first();
        }
    }

    fn pop_first(&mut self) {
        let Some((entry, value)) = self.entries.pop_first() else { return };
        self.total -= u64::from(entry.weight);
        if let Some(tally) = &mut self.tally {
            tally.remove(usize::from(entry.place), value.as_ref(), u64::from(entry.weight));
        }
    }

    /// A new episode of the window's entries.
    fn episode(
        &self,
        bound: &BoundCorrelation,
        index: usize,
        group: String,
        is_why: impl Fn(Option<&Held>) -> bool,
    ) -> Episode {
        let start = self.entries.first().map_or(Timestamp(0), |entry| entry.time);
        let mut episode = Episode::new(Source::Correlation(index), group, start);
        let counted = counted_entity(bound);
        for (entry, value, event) in self.entries.with_events().filter(|(_, value, _)| is_why(*value)) {
            take_up(&mut episode, counted, entry, value, event);
        }
        episode.set_distinct(self.tally.as_ref().map_or(0, |tally| tally.distinct()));
        episode
    }

    /// No event at or after `watermark` can find any of its entries inside the time span, or join its finding.
    pub(super) fn ended_before(&self, watermark: Timestamp, timespan_us: i64, quiet_us: i64) -> bool {
        self.entries.last().is_none_or(|entry| entry.time.saturating_add_us(timespan_us) < watermark)
            && self.history.as_ref().is_none_or(|history| history.is_stale(watermark, timespan_us))
            && self.firing.as_ref().is_none_or(|open| open.silent_before(watermark, quiet_us))
    }

    pub(super) fn weight(&self) -> (u64, Timestamp) {
        if let Some(history) = &self.history {
            return history.weight();
        }
        (self.total, self.entries.last().map_or(Timestamp(0), |entry| entry.time))
    }

    pub(super) fn is_firing(&self) -> bool {
        self.firing.is_some() && !self.dormant
    }

    pub(super) fn into_firing(self) -> Option<Box<Episode>> {
        self.firing
    }

    /// What is compared with the rule's condition.
    pub(super) fn aggregate(&self, bound: &BoundCorrelation) -> Option<f64> {
        let tally = self.tally.as_ref();
        match &bound.rule.kind {
            CorrelationKind::EventCount => Some(self.total as f64),
            CorrelationKind::History(rule) => self.history.as_ref().map(|history| history.aggregate(rule)),
            CorrelationKind::ValueCount(_) => tally.map(|tally| tally.distinct() as f64),
            CorrelationKind::Temporal { .. } => tally.map(|tally| tally.places_matched() as f64),
            CorrelationKind::Value { function: Function::Share, .. } => None,
            CorrelationKind::Value { function, .. } => tally.and_then(|tally| tally.number(*function, None)),
        }
    }

    /// Whether the signal at this place of the correlation has an event inside.
    pub(super) fn has_place(&self, place: usize) -> bool {
        self.tally.as_ref().is_some_and(|tally| tally.matched(place))
    }

    /// Of the oldest and of the newest event inside.
    pub(super) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.entries.first().map(|entry| entry.time), self.entries.last().map(|entry| entry.time))
    }

    pub(super) fn some_values(&self, most: usize) -> Vec<String> {
        if let Some(history) = &self.history {
            return history.values(most);
        }
        let mut values: Vec<String> = Vec::new();
        for (_, value) in self.entries.iter() {
            let value = match value {
                Some(Held::Text(text)) => text.to_string(),
                Some(Held::Number(number)) => number.to_string(),
                None => continue,
            };
            if !values.contains(&value) {
                values.push(value);
            }
            if values.len() == most {
                break;
            }
        }
        values
    }

    /// Source and line of some events whose proof is kept.
    pub(super) fn some_events(&self, most: usize) -> Vec<(String, u64)> {
        let events = self.entries.kept().take(most);
        events.map(|event| (event.source.name.clone(), event.line_no)).collect()
    }

    /// Changes the newest hit to what another rule set makes of it.
    pub(super) fn renew_newest(&mut self, renewed: impl Fn(Hit) -> Option<Hit>) {
        self.newest = self.newest.take().and_then(|hit| renewed(*hit)).map(Box::new);
    }

    pub(super) fn firing_mut(&mut self) -> Option<&mut Episode> {
        self.firing.as_deref_mut()
    }
}

/// The kind of entity that is counted, where that is one field: lines of most events are not kept, but who they were about is
/// known by what was counted.
fn counted_entity(bound: &BoundCorrelation) -> Option<EntityKind> {
    let CorrelationKind::ValueCount(fields) = &bound.rule.kind else { return None };
    match fields.as_slice() {
        [field] if matches!(field.as_str(), "source.ip" | "src_ip" | "c-ip" | "SourceIp") => Some(EntityKind::SourceIp),
        [field] if matches!(field.as_str(), "user.name" | "cs-username" | "User") => Some(EntityKind::UserName),
        _ => None,
    }
}
