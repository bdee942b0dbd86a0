//! One group of one correlation: a sliding window of event time, never aligned to fixed borders. Two events exactly the
//! time span apart are inside. Where only the whole window can tell (upper bounds, `not`), a window opens with its
//! first event, is judged when nothing more can come into it, and the next event opens the next. Knows no other group.

pub(crate) mod added;
pub(crate) mod aggregate;
pub(crate) mod arrival;
mod chain;
mod chained;
pub(crate) mod close;
mod contents;
pub(crate) mod entries;
pub(crate) mod entry;
mod evidence;
mod history;
mod last_hits;
mod quantile;
pub(crate) mod recount;
mod shown;
pub(crate) mod tally;
mod terms;

use std::cmp::Reverse;
use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::{CorrelationKind, HistoryKind, HistoryRule};
use serde::{Deserialize, Serialize};

use crate::episode::Episode;
use crate::group_key::{group_text, value_of};
use crate::hit::IndexedHit;
use crate::window::added::{Added, LeftOut};
use crate::window::arrival::Arrival;
use crate::window::contents::{Contents, Pushed};
use crate::window::entries::Entries;
use crate::window::entry::{Entry, EventValue};
use crate::window::evidence::{add_entry, counted_entity, episode_of};
use crate::window::history::{History, HistoryEvent};
use crate::window::last_hits::LastHits;

/// The window of a group, and the finding that it has open.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Window {
    #[serde(rename = "entries")]
    contents: Contents,
    /// The open finding. It begins when the condition of the rule holds, and ends some time after its last event.
    firing: Option<Box<Episode>>,
    /// A finding is open, but the condition does not hold now. Events that make it hold again join that finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dormant: bool,
    /// What the group has been like before, where the rule asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Box<History>>,
    /// For windows that are judged when they close: the newest hit of each that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_hits: Option<Box<LastHits>>,
    /// The window stands in the list of groups whose finding has changed.
    #[serde(skip)]
    pub(crate) listed: bool,
}

impl Window {
    /// That has seen one event; [`Window::recompute`] must follow before it counts another.
    pub(crate) fn of_one(entry: Entry, value: Option<EventValue>, event: Option<Arc<EventRef>>, places: usize) -> Self {
        Window { contents: Contents::unprepared(Entries::of_one(entry, value, event, places)), ..Window::default() }
    }

    /// The one event, with its value and its line, where there is nothing beside one event.
    #[allow(clippy::type_complexity, reason = "the parts of one event, taken apart at once")]
    pub(crate) fn sole_entry(&self) -> Option<(&Entry, Option<&EventValue>, Option<&Arc<EventRef>>)> {
        let Window { contents, firing, dormant, history, last_hits, listed } = self;
        let is_plain = firing.is_none() && history.is_none() && last_hits.is_none() && !dormant && !listed;
        let mut entries = contents.entries().with_events();
        entries.next().filter(|_| is_plain && contents.entries().len() == 1)
    }

    /// Time of the newest event.
    #[inline]
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.contents.entries().last().map(|entry| entry.time)
    }

    /// Counts a hit. Lines that are no longer kept are put into `released`.
    pub(crate) fn add(&mut self, arrival: Arrival<'_>, released: &mut Vec<Arc<EventRef>>) -> Added {
        let Arrival { bound, hit, time, .. } = arrival;
        if !matches!(bound.rule.kind, CorrelationKind::Temporal { .. }) {
            // What goes on firing is there, but not once more; one event that several rules match counts once.
            if arrival.still_firing {
                return LeftOut::StillFiring.into();
            }
            if self.holds(hit.event.id, time) {
                return LeftOut::Duplicate.into();
            }
        }
        if let CorrelationKind::History(rule) = &bound.rule.kind {
            return self.add_to_history(rule, arrival, released);
        }
        self.contents.prepare(bound);
        let value = match self.contents.value(bound, hit) {
            Ok(value) => value,
            Err(why) => return why.into(),
        };
        if bound.waits_for_close {
            let Pushed { cut, .. } = self.contents.push(arrival, value, released);
            self.last_hits.get_or_insert_default().note(hit, time, bound.rule.timespan_us);
            return Added { cut, ..Added::default() };
        }
        let forgets = self.contents.forgets(arrival);
        if forgets && arrival.as_arrived {
            return LeftOut::TooOld.into();
        }
        let ended = if forgets { self.restart_with_older(bound) } else { None };
        if self.contents.entries().last().is_some_and(|newest| time < newest.time) {
            let Pushed { cut, .. } = self.contents.push(arrival, value, released);
            return Added { cut, ended, out_of_order: true, ..Added::default() };
        }
        self.add_in_order(arrival, value, ended, released)
    }

    /// Sorted input comes in order of time, but an older source may be read after a newer one. What is too far back to
    /// share a window with the events that are held begins with an empty window.
    fn restart_with_older(&mut self, bound: &BoundCorrelation) -> Option<Box<Episode>> {
        self.contents.clear();
        self.contents.prepare(bound);
        self.end_finding()
    }

    fn add_in_order(
        &mut self,
        arrival: Arrival<'_>,
        value: Option<EventValue>,
        mut ended: Option<Box<Episode>>,
        released: &mut Vec<Arc<EventRef>>,
    ) -> Added {
        let Arrival { bound, hit, time, .. } = arrival;
        self.contents.slide(time, bound.rule.timespan_us, arrival.retention_us);
        self.dormant |= self.firing.is_some() && !self.is_reached(bound);
        if self.dormant && self.firing.as_ref().is_some_and(|open| open.silent_before(time, arrival.idle_us)) {
            ended = ended.or(self.end_finding());
        }
        let Pushed { at, cut } = self.contents.push(arrival, value.clone(), released);
        let fires = self.contents.is_reached(bound, value.as_ref());
        let begins = fires && self.firing.is_none();
        let restarts = fires && !self.is_firing();
        if begins {
            let group = group_text(bound, hit);
            self.firing = Some(Box::new(episode_of(&self.contents, bound, arrival.index, group, |_| true)));
            self.contents.set_all_in_finding();
        } else if restarts {
            self.resume_finding(bound);
        } else if fires && let Some(episode) = &mut self.firing {
            episode.add(&hit.event, time, hit.repeated);
            self.contents.set_in_finding(at..at + 1);
        }
        self.dormant |= !fires && self.firing.is_some();
        if fires {
            let distinct = self.contents.aggregate().distinct();
            self.firing.iter_mut().for_each(|episode| episode.set_distinct(distinct));
        }
        Added { ended, begins, fires, restarts, cut, ..Added::default() }
    }

    /// Compares the event with the group's past. Only what stands out is kept as an event.
    fn add_to_history(&mut self, rule: &HistoryRule, arrival: Arrival<'_>, released: &mut Vec<Arc<EventRef>>) -> Added {
        let Arrival { bound, index, hit, time, idle_us, .. } = arrival;
        let value = value_of(bound, hit).filter(|_| !rule.fields.is_empty());
        if value.is_none() && !rule.fields.is_empty() {
            return LeftOut::NoValue.into();
        }
        let (bounds, timespan_us, weight) = (&bound.rule.bounds, bound.rule.timespan_us, hit.repeated);
        let event = HistoryEvent { rule, bounds, timespan_us, id: hit.event.id, value: value.as_deref(), time, weight };
        let Some(why) = self.history.get_or_insert_default().observe(&event) else {
            self.dormant = self.firing.is_some();
            return Added::default();
        };
        let is_over = self.firing.as_ref().is_some_and(|open| open.silent_before(time, idle_us));
        let ended = if is_over { self.end_finding() } else { None };
        let begins = self.firing.is_none();
        // Each value that is new or rare fires anew; a spike fires once while it lasts.
        let restarts = begins || self.dormant || !matches!(rule.kind, HistoryKind::Spike { .. });
        self.dormant = false;
        if begins {
            self.contents.clear();
        }
        let Pushed { cut, .. } = self.contents.push(arrival, None, released);
        match &mut self.firing {
            Some(episode) => episode.add(&hit.event, time, hit.repeated),
            None => {
                let group = group_text(bound, hit);
                self.firing = Some(Box::new(episode_of(&self.contents, bound, index, group, |_| true)));
            }
        }
        self.firing.iter_mut().for_each(|episode| episode.say(&why));
        Added { ended, begins, fires: true, restarts, cut, ..Added::default() }
    }

    /// The aggregate is back: the finding takes up the events that came meanwhile.
    fn resume_finding(&mut self, bound: &BoundCorrelation) {
        self.dormant = false;
        if let Some(episode) = &mut self.firing {
            let counted = counted_entity(bound);
            let new = self.contents.inside().filter(|(entry, ..)| !entry.in_finding);
            new.for_each(|(entry, value, event)| add_entry(episode, counted, entry, value, event));
        }
        self.contents.set_all_in_finding();
    }

    fn end_finding(&mut self) -> Option<Box<Episode>> {
        self.dormant = false;
        self.firing.take()
    }

    /// Whether the event has been counted.
    fn holds(&self, id: EventId, time: Timestamp) -> bool {
        match &self.history {
            Some(history) => history.has_just_seen(id),
            None => self.contents.holds(id, time),
        }
    }

    /// Whether the aggregate is where the rule wants it, whatever the newest event is.
    fn is_reached(&self, bound: &BoundCorrelation) -> bool {
        match bound.rule.kind {
            CorrelationKind::History(_) => !self.dormant,
            _ => self.contents.is_reached(bound, None),
        }
    }

    /// Whether it holds no event.
    pub(crate) fn is_empty(&self) -> bool {
        self.contents.entries().len() == 0
    }

    /// Whether a time is within the time span that the first event opened.
    pub(crate) fn covers(&self, time: Timestamp, timespan_us: i64) -> bool {
        self.contents.covers(time, timespan_us)
    }

    /// Lets all events go; what was prepared for them stays.
    pub(crate) fn forget_all(&mut self, bound: &BoundCorrelation) {
        self.contents.retain(bound, |_, _| false);
    }

    /// Recomputes what follows from the entries and is not saved.
    pub(crate) fn recompute(&mut self, bound: &BoundCorrelation) {
        self.contents.recompute(bound);
    }

    /// Prefetch: reads the ends of its entries. The value that is returned means nothing.
    pub(crate) fn prefetch_ends(&self) -> u64 {
        self.contents.entries().prefetch_ends()
    }

    /// Prefetch: reads the line that the next event will replace. The value that is returned means nothing.
    pub(crate) fn prefetch_proof(&self) -> u64 {
        self.contents.entries().prefetch_proof()
    }

    /// Bytes that the window keeps as proof.
    #[inline]
    pub(crate) fn proof_bytes(&self) -> usize {
        self.contents.entries().proof_bytes()
    }

    /// Lets proof go: of all but the newest event, or of that one as well.
    pub(crate) fn drop_proof(&mut self, newest_too: bool, released: &mut Vec<Arc<EventRef>>) {
        self.contents.drop_proof(newest_too, released);
    }

    /// Whether no event at or after `watermark` can share a time span with any of its entries, or join its finding.
    pub(crate) fn ended_before(&self, watermark: Timestamp, timespan_us: i64, idle_us: i64) -> bool {
        let newest = self.contents.entries().last();
        newest.is_none_or(|entry| entry.time.saturating_add_us(timespan_us) < watermark)
            && self.history.as_ref().is_none_or(|history| history.is_stale(watermark, timespan_us))
            && self.firing.as_ref().is_none_or(|open| open.silent_before(watermark, idle_us))
    }

    /// What would be lost with the window: how near it is to what the rule asks for. Of equals the youngest weighs
    /// least, so that a flood of new groups evicts its own.
    pub(crate) fn weight(&self, bound: &BoundCorrelation) -> (u64, Reverse<Timestamp>) {
        let first = self.contents.times().0.unwrap_or(Timestamp(i64::MAX));
        match &self.history {
            _ if self.firing.is_some() => (u64::MAX, Reverse(first)),
            Some(history) => (history.total(), Reverse(first)),
            None => (self.contents.aggregate().progress(bound), Reverse(first)),
        }
    }

    /// Bytes that it takes, beside proof.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Window>() + self.contents.entries().bytes() + self.contents.aggregate().bytes()
    }

    /// Whether its finding is open and the aggregate is where it must be.
    pub(crate) fn is_firing(&self) -> bool {
        self.firing.is_some() && !self.dormant
    }

    /// The finding that is open.
    pub(crate) fn into_firing(self) -> Option<Box<Episode>> {
        self.firing
    }

    /// The finding that is open.
    pub(crate) fn firing_mut(&mut self) -> Option<&mut Episode> {
        self.firing.as_deref_mut()
    }

    /// Changes the newest hits to what another rule set makes of them.
    pub(crate) fn move_last_hits(&mut self, moved: impl Fn(IndexedHit) -> Option<IndexedHit>) {
        self.last_hits = self.last_hits.take().map(|last_hits| Box::new(last_hits.moved(moved)));
    }
}

#[cfg(test)]
mod tests;
