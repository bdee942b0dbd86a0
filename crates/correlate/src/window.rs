//! One group of one correlation: a sliding window of event time, never aligned to fixed borders. Two events exactly the
//! time span apart are inside. Where only the whole window can tell (upper bounds, `not`), a window opens with its first
//! event, is judged when nothing more can come into it, and the next event opens the next.

mod added;
mod counted;
mod episodes;
mod shown;
mod strays;

use std::cmp::Reverse;
use std::sync::Arc;

use event::{EventId, EventRef, Hit, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, Function};
use rules::sigma::threshold::WINDOW_ENTRIES_MAX;
use serde::{Deserialize, Serialize};

use crate::entries::{Entries, Entry};
use crate::episode::{EntityKind, Episode, Source};
use crate::group::{group_text, mark_of, number_of, value_of};
use crate::history::History;
use crate::tally::{Held, Tally};
use crate::window::added::Added;
use crate::window::counted::Counted;
use crate::window::episodes::take_up;

pub(super) use crate::window::added::LeftOut;

/// Windows of one group that wait to be judged, whose newest hits are remembered.
const LAST_HITS_MAX: usize = 64;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    /// By time; the first `behind` of them have left the time span and are kept for events that come late.
    entries: Entries,
    #[serde(skip)]
    behind: usize,
    /// Of the entries within the time span; made anew from them.
    #[serde(skip)]
    counted: Counted,
    /// Open from when the aggregate is where it must be until it has not been for a while.
    firing: Option<Box<Episode>>,
    /// The aggregate has left: what brings it back belongs to the same finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dormant: bool,
    /// What the group has been like before, where the rule asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Box<History>>,
    /// For windows that are judged when they close: of each window that is open, when it begins and its newest hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(clippy::box_collection, reason = "most windows have none: 8 bytes instead of 24")]
    last_hits: Option<Box<Vec<LastHit>>>,
    /// Its episode will be asked for changes.
    #[serde(skip)]
    pub(super) noted: bool,
}

/// The newest hit of a window that is judged when it closes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastHit {
    /// Of the window's first event, as far as is known.
    start: Timestamp,
    time: Timestamp,
    hit: Hit,
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
    /// For how long events stay that have left the time span, in microseconds.
    pub(super) keep_us: i64,
    /// The signal is that of a correlation that goes on firing, not one that begins to.
    pub(super) goes_on: bool,
    /// Hits come as they arrive.
    pub(super) live: bool,
}

/// A window that closed.
#[derive(Debug)]
pub(super) struct Closed {
    /// What it held.
    pub(super) window: Window,
    /// Where it is reported.
    pub(super) found: Option<Found>,
}

/// A window that closed as the rule wants it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) episode: Box<Episode>,
    /// The newest hit inside.
    pub(super) hit: Hit,
    /// Of the last event inside.
    pub(super) time: Timestamp,
}

impl Window {
    /// Counts a hit. Proof that is no longer kept is put into `spent`.
    pub(super) fn add(&mut self, arrival: Arrival<'_>, spent: &mut Vec<Arc<EventRef>>) -> Added {
        let Arrival { bound, hit, time, .. } = arrival;
        if !matches!(bound.rule.kind, CorrelationKind::Temporal { .. }) {
            // What goes on firing is there, but not once more; one event that several rules match counts once.
            if arrival.goes_on {
                return LeftOut::GoesOn.into();
            }
            if self.holds(hit.event.id, time) {
                return LeftOut::Again.into();
            }
        }
        if let CorrelationKind::History(rule) = &bound.rule.kind {
            return self.add_to_history(rule, arrival, spent);
        }
        self.counted.prepare(bound);
        let value = match self.value(bound, hit) {
            Ok(value) => value,
            Err(why) => return why.into(),
        };
        if bound.waits_for_close {
            let (_, cut) = self.push(arrival, value, spent);
            self.take_last(hit, time, bound.rule.timespan_us);
            return Added { cut, ..Added::default() };
        }
        if self.forgets(arrival) && arrival.live {
            return LeftOut::TooOld.into();
        }
        let ended = self.begin_anew_where_older(arrival);
        if self.entries.last().is_some_and(|newest| time < newest.time) {
            let added = self.add_stray(arrival, value, spent);
            return Added { ended, ..added };
        }
        self.add_in_order(arrival, value, ended, spent)
    }

    fn add_in_order(
        &mut self,
        arrival: Arrival<'_>,
        value: Option<Held>,
        mut ended: Option<Box<Episode>>,
        spent: &mut Vec<Arc<EventRef>>,
    ) -> Added {
        let Arrival { bound, hit, time, .. } = arrival;
        self.slide(time, bound.rule.timespan_us, arrival.keep_us);
        self.dormant |= self.firing.is_some() && !self.is_reached(bound, None);
        if self.dormant && self.firing.as_ref().is_some_and(|open| open.silent_before(time, arrival.quiet_us)) {
            ended = ended.or(self.end());
        }
        let (place, cut) = self.push(arrival, value.clone(), spent);
        let fires = self.is_reached(bound, value.as_ref());
        let begins = fires && self.firing.is_none();
        let anew = fires && !self.is_firing();
        if begins {
            self.firing = Some(Box::new(self.episode(bound, arrival.index, group_text(bound, hit), |_| true)));
            self.entries.count(self.behind..self.entries.len());
        } else if anew {
            self.go_on(bound);
        } else if fires && let Some(episode) = &mut self.firing {
            episode.add(&hit.event, time, hit.repeated);
            self.entries.count(place..place + 1);
        }
        self.dormant |= !fires && self.firing.is_some();
        if fires {
            let distinct = self.counted.distinct();
            self.firing.iter_mut().for_each(|episode| episode.set_distinct(distinct));
        }
        Added { ended, begins, fires, anew, cut, ..Added::default() }
    }

    fn end(&mut self) -> Option<Box<Episode>> {
        self.dormant = false;
        self.firing.take()
    }

    /// Whether the event has been counted.
    fn holds(&self, id: EventId, time: Timestamp) -> bool {
        match &self.history {
            Some(history) => history.has_just_seen(id),
            None => self.entries.holds(id, time),
        }
    }

    /// What the event counts with.
    fn value(&self, bound: &BoundCorrelation, hit: &Hit) -> Result<Option<Held>, LeftOut> {
        match &bound.rule.kind {
            CorrelationKind::Temporal { .. } if bound.rule.distinct.is_some() => {
                Ok(Some(self.held(&mark_of(bound, hit))))
            }
            CorrelationKind::EventCount | CorrelationKind::Temporal { .. } | CorrelationKind::History(_) => Ok(None),
            CorrelationKind::ValueCount(_) | CorrelationKind::Value { function: Function::Share, .. } => {
                let value = value_of(bound, hit).ok_or(LeftOut::NoValue)?;
                Ok(Some(self.held(&value)))
            }
            CorrelationKind::Value { .. } => number_of(bound, hit).map(|number| Some(Held::Number(number))),
        }
    }

    /// A text that is counted, shared with the events that have it already.
    fn held(&self, value: &str) -> Held {
        Held::Text(self.counted.tally.as_ref().map_or_else(|| Arc::from(value), |tally| tally.shared(value)))
    }

    /// Whether the aggregate is where the rule wants it.
    fn is_reached(&self, bound: &BoundCorrelation, value: Option<&Held>) -> bool {
        match bound.rule.kind {
            CorrelationKind::History(_) => !self.dormant,
            _ => self.counted.is_reached(bound, value),
        }
    }

    /// Remembers the hit as the newest of its window.
    fn take_last(&mut self, hit: &Hit, time: Timestamp, timespan_us: i64) {
        let covers = |last: &&mut LastHit| time >= last.start && time <= last.start.saturating_add_us(timespan_us);
        let last_hits = self.last_hits.get_or_insert_default();
        match last_hits.iter_mut().find(covers) {
            Some(last) if last.time <= time => (last.time, last.hit) = (time, hit.clone()),
            Some(_) => {}
            None => {
                if last_hits.len() == LAST_HITS_MAX {
                    last_hits.remove(0);
                }
                last_hits.push(LastHit { start: time, time, hit: hit.clone() });
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// The window that is open holds the time.
    pub(super) fn covers(&self, time: Timestamp, timespan_us: i64) -> bool {
        let first = self.entries.first().map(|first| first.time);
        first.is_some_and(|first| time >= first && time <= first.saturating_add_us(timespan_us))
    }

    /// Judges what has closed: windows whose time span lies before `complete`, up to which nothing more comes. The hit
    /// is the newest, for correlations that count this one.
    pub(super) fn close(&mut self, bound: &BoundCorrelation, index: usize, complete: Timestamp) -> Vec<Closed> {
        let mut all = Vec::new();
        while let Some(first) = self.entries.first().map(|entry| entry.time) {
            let end = first.saturating_add_us(bound.rule.timespan_us);
            if end >= complete {
                break;
            }
            let inside = self.entries.iter().take_while(|(entry, _)| entry.time <= end).count();
            let mut window = Window { entries: self.entries.take_first(inside), ..Window::default() };
            window.count_anew(bound);
            let inside = |last: &&LastHit| last.time >= first && last.time <= end;
            let last_hits = self.last_hits.as_ref().map_or(&[][..], |last| last.as_slice());
            let newest = last_hits.iter().filter(inside).max_by_key(|last| last.time).or(last_hits.last());
            let newest = newest.filter(|_| window.is_reached(bound, None));
            let found = newest.map(|LastHit { hit, .. }| {
                let group = group_text(bound, hit);
                let mut episode = Box::new(window.episode(bound, index, group, |value| window.is_why(bound, value)));
                let time = window.entries.last().map_or(first, |entry| entry.time);
                if !episode.has_evidence() {
                    // Of many windows that wait at once not every line is kept; that of the newest hit is.
                    episode.add_evidence(&hit.event, time);
                }
                Found { episode, hit: hit.clone(), time }
            });
            self.last_hits.iter_mut().for_each(|last_hits| last_hits.retain(|last| last.time > end));
            all.push(Closed { window, found });
        }
        if !all.is_empty() {
            self.count_anew(bound);
        }
        all
    }

    /// Whether an entry is what the rule looks for, and not only beside it: the rare values of a share.
    fn is_why(&self, bound: &BoundCorrelation, value: Option<&Held>) -> bool {
        let CorrelationKind::Value { function: Function::Share, .. } = bound.rule.kind else { return true };
        let share = self.counted.tally.as_ref().and_then(|tally| tally.number(Function::Share, value));
        share.is_some_and(|share| bound.rule.bounds.hold(share))
    }

    /// Makes anew what follows from the entries.
    pub(super) fn count_anew(&mut self, bound: &BoundCorrelation) {
        self.counted = Counted::new(bound);
        let now = self.entries.last().map_or(Timestamp(i64::MIN), |newest| newest.time);
        self.counted.move_to(now);
        let stands_alone = bound.waits_for_close || matches!(bound.rule.kind, CorrelationKind::History(_));
        self.behind = match stands_alone {
            true => 0,
            false => self.entries.older_than(now.saturating_sub_us(bound.rule.timespan_us)),
        };
        for (entry, value) in self.entries.iter().skip(self.behind) {
            self.counted.add(entry, value);
        }
    }

    /// Batches come in order of time, but an older source may be read after a newer one. What is too far back to share a
    /// window with what is held begins a window of its own.
    fn begin_anew_where_older(&mut self, arrival: Arrival<'_>) -> Option<Box<Episode>> {
        if !self.forgets(arrival) {
            return None;
        }
        self.entries = Entries::default();
        self.count_anew(arrival.bound);
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

    /// Where the event stands now, and whether the window had to let one go that it counts.
    fn push(&mut self, arrival: Arrival<'_>, value: Option<Held>, spent: &mut Vec<Arc<EventRef>>) -> (usize, bool) {
        let Arrival { bound, signal, hit, time, lean, .. } = arrival;
        let entry = Entry {
            id: hit.event.id,
            time,
            weight: u32::try_from(hit.repeated).unwrap_or(u32::MAX),
            place: bound.place_of(signal) as u16,
            counted: false,
        };
        let newest = self.entries.last().map_or(time, |last| last.time.max(time));
        let start = match bound.waits_for_close {
            true => Timestamp(i64::MIN),
            false => newest.saturating_sub_us(bound.rule.timespan_us),
        };
        if time < start {
            self.behind += 1;
        } else if time < newest {
            self.counted.add_stray(&entry, value.as_ref());
        } else {
            self.counted.add(&entry, value.as_ref());
        }
        let place = self.entries.push(entry, value, &hit.event, start, lean, spent);
        if self.entries.len() <= WINDOW_ENTRIES_MAX {
            return (place, false);
        }
        let (gone, cut) = self.make_room();
        (place.saturating_sub(usize::from(gone <= place)), cut)
    }

    /// Lets an event go: which one, and whether it counted. Where the order of signals matters, the one that its like can stand
    /// in for, so that a flood of one signal does not push out another.
    fn make_room(&mut self) -> (usize, bool) {
        if self.behind > 0 {
            self.behind -= 1;
            self.entries.pop_first();
            return (0, false);
        }
        let fullest = self.counted.tally.as_ref().and_then(|tally| tally.fullest_place());
        let spare = fullest.and_then(|place| {
            let alike = self.entries.iter().enumerate().filter(|(_, (entry, _))| entry.place == place);
            alike.map(|(at, _)| at).nth(1)
        });
        let gone = spare.unwrap_or(0);
        if let Some((entry, value)) = self.entries.remove(gone) {
            self.counted.remove(&entry, value.as_ref());
        }
        (gone, true)
    }

    /// Moves the time span so that it ends with `time`. What leaves it is kept for another `keep_us`.
    fn slide(&mut self, time: Timestamp, timespan_us: i64, keep_us: i64) {
        self.counted.move_to(time);
        let oldest = time.saturating_sub_us(timespan_us);
        while let Some(entry) = self.entries.at(self.behind).filter(|entry| entry.time < oldest) {
            self.counted.remove(entry, self.entries.value(self.behind));
            self.behind += 1;
        }
        let kept_from = oldest.saturating_sub_us(keep_us);
        while self.behind > 0 && self.entries.first().is_some_and(|entry| entry.time < kept_from) {
            self.entries.pop_first();
            self.behind -= 1;
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
        let start = self.entries.at(self.behind).map_or(Timestamp(0), |entry| entry.time);
        let mut episode = Episode::new(Source::Correlation(index), group, start);
        let counted = counted_entity(bound);
        let inside = self.entries.with_events().skip(self.behind);
        for (entry, value, event) in inside.filter(|(_, value, _)| is_why(*value)) {
            take_up(&mut episode, counted, entry, value, event);
        }
        episode.set_distinct(self.counted.distinct());
        episode
    }

    /// No event at or after `watermark` can find any of its entries inside the time span, or join its finding.
    pub(super) fn ended_before(&self, watermark: Timestamp, timespan_us: i64, quiet_us: i64) -> bool {
        self.entries.last().is_none_or(|entry| entry.time.saturating_add_us(timespan_us) < watermark)
            && self.history.as_ref().is_none_or(|history| history.is_stale(watermark, timespan_us))
            && self.firing.as_ref().is_none_or(|open| open.silent_before(watermark, quiet_us))
    }

    /// What is lost with the window: how near it is to what the rule asks for. Of equals the youngest weighs least, so that a
    /// flood pushes out its own.
    pub(super) fn weight(&self, bound: &BoundCorrelation) -> (u64, Reverse<Timestamp>) {
        let first = self.times().0.unwrap_or(Timestamp(i64::MAX));
        match &self.history {
            _ if self.firing.is_some() => (u64::MAX, Reverse(first)),
            Some(history) => (history.weight().0, Reverse(first)),
            None => (self.counted.progress(bound), Reverse(first)),
        }
    }

    /// Bytes that it takes, beside proof.
    pub(super) fn bytes(&self) -> usize {
        let values = self.counted.tally.as_ref().map_or(0, |tally| size_of::<Tally>() + tally.bytes());
        size_of::<Window>() + self.entries.bytes() + values
    }

    pub(super) fn is_firing(&self) -> bool {
        self.firing.is_some() && !self.dormant
    }

    pub(super) fn into_firing(self) -> Option<Box<Episode>> {
        self.firing
    }

    /// Changes the newest hits to what another rule set makes of them.
    pub(super) fn renew_last(&mut self, renewed: impl Fn(Hit) -> Option<Hit>) {
        let Some(last_hits) = self.last_hits.take() else { return };
        let renewed = last_hits.into_iter().filter_map(|last| Some(LastHit { hit: renewed(last.hit)?, ..last }));
        self.last_hits = Some(Box::new(renewed.collect()));
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
        [field] if matches!(field.as_str(), "source.address" | "source.ip" | "src_ip" | "c-ip" | "SourceIp") => {
            Some(EntityKind::SourceIp)
        }
        [field] if matches!(field.as_str(), "user.name" | "cs-username" | "User") => Some(EntityKind::UserName),
        _ => None,
    }
}
