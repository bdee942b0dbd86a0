//! The groups of one correlation, each with its window, and what they weigh. Needs nothing of other correlations:
//! groups can be placed by the hash of their keys.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use event::{EventRef, Timestamp};
use foldhash::fast::RandomState;
use rules::ruleset::BoundCorrelation;

use crate::budget::Weight;
use crate::episode::Episode;
use crate::group_notes::{GroupNotes, GroupWeight};
use crate::hit::IndexedHit;
use crate::one_event::{OneEvent, waits_with_one};
use crate::shared_texts::SharedTexts;
use crate::table::Table;
use crate::window::Window;
use crate::window::added::Added;
use crate::window::aggregate::progress;
use crate::window::arrival::Arrival;

/// A group: in the fewest bytes while it has seen one event, with a window after that.
#[derive(Clone, Debug)]
enum Group {
    One(OneEvent),
    Many(Box<Window>),
}

/// The key of a hit's group, with its hash, which is the same for all correlations.
#[derive(Debug)]
pub(crate) struct GroupKey<'k> {
    pub(crate) text: &'k str,
    pub(crate) hash: u64,
    /// The text as groups keep it, once one of them does.
    pub(crate) kept: &'k mut Option<Arc<str>>,
}

impl GroupKey<'_> {
    fn keep(&mut self) -> Arc<str> {
        Arc::clone(self.kept.get_or_insert_with(|| Arc::from(self.text)))
    }
}

/// What counting a hit needs beside the group; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct CountingScratch {
    /// Lines that windows have given up; freed together, because freeing waits for memory.
    pub(crate) released: Vec<Arc<EventRef>>,
    pub(crate) texts: SharedTexts,
}

/// What became of a hit in its group.
#[derive(Debug)]
pub(crate) struct CountedHit {
    pub(crate) added: Added,
    /// A window opens with it that waits for its end.
    pub(crate) opens: bool,
    /// What the group took before, and takes after it.
    pub(crate) before: Weight,
    pub(crate) after: Weight,
}

/// Where the window of a group may be, by a look-up before its hit is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LikelySlot {
    pub(crate) hash: u64,
    /// A slot whose key has this hash; the key itself is not compared.
    pub(crate) slot: Option<usize>,
}

impl Group {
    #[inline]
    fn weight(&self) -> Weight {
        match self {
            Group::One(one) => Weight { bytes: one.bytes(), proof: one.proof_bytes() },
            Group::Many(window) => Weight { bytes: window.bytes(), proof: window.proof_bytes() },
        }
    }

    #[inline]
    fn newest(&self) -> Option<Timestamp> {
        match self {
            Group::One(one) => Some(one.time),
            Group::Many(window) => window.newest(),
        }
    }

    /// What would be lost with the group: see [`Window::weight`].
    fn loss(&self, bound: &BoundCorrelation) -> GroupWeight {
        match self {
            Group::One(one) => {
                let (total, aggregate) = one.aggregate(bound);
                (progress(bound, total, Some(aggregate)), Reverse(one.time))
            }
            Group::Many(window) => window.weight(bound),
        }
    }

    /// The window, which a group that has seen one event gets now.
    fn window_mut(&mut self, bound: &BoundCorrelation) -> &mut Window {
        if let Group::One(one) = self {
            *self = Group::Many(Box::new(one.window(bound)));
        }
        match self {
            Group::Many(window) => window,
            Group::One(_) => unreachable!("it has a window now"),
        }
    }

    fn window(&self, bound: &BoundCorrelation) -> Cow<'_, Window> {
        match self {
            Group::One(one) => Cow::Owned(one.window(bound)),
            Group::Many(window) => Cow::Borrowed(window),
        }
    }

    /// Counts a hit; true where a window opens with it that waits for its end.
    #[inline]
    fn add(&mut self, arrival: Arrival<'_>, scratch: &mut CountingScratch) -> (Added, bool) {
        let bound = arrival.bound;
        if let Group::One(one) = self {
            if let Some(why) = one.leaves_out(&arrival) {
                return (why.into(), false);
            }
            if one.is_outlived_by(&arrival)
                && let Some(next) = OneEvent::of(&arrival, &mut scratch.texts)
            {
                one.replace(next);
                return (Added::default(), false);
            }
        }
        let window = self.window_mut(bound);
        let opens = bound.waits_for_close && window.is_empty();
        (window.add(arrival, &mut scratch.released), opens)
    }

    fn into_window(self) -> Window {
        match self {
            Group::One(one) => one.unprepared_window(),
            Group::Many(window) => *window,
        }
    }

    fn into_firing(self) -> Option<Box<Episode>> {
        match self {
            Group::One(_) => None,
            Group::Many(window) => window.into_firing(),
        }
    }
}

/// Groups by their keys.
#[derive(Debug)]
pub(crate) struct Groups {
    table: Table<Group, GroupNotes>,
    /// Bytes that the groups take, beside proof.
    bytes: usize,
    /// A group that has seen one event needs no window.
    waits_with_one: bool,
}

impl Groups {
    /// Without groups; `saved` where they are saved now and then. All correlations have one hasher.
    pub(crate) fn new(bound: &BoundCorrelation, saved: bool, hasher: RandomState) -> Self {
        Groups { table: Table::new(saved, hasher), bytes: 0, waits_with_one: waits_with_one(bound) }
    }

    /// The slow twin of groups that have seen one event: each gets a window at once.
    #[cfg(test)]
    pub(crate) fn use_windows_only(&mut self, only: bool) {
        self.waits_with_one &= !only;
    }

    /// Number of groups.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes that the groups take, beside proof.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Slot of the group, valid until a group goes.
    #[inline]
    pub(crate) fn slot(&self, key: &str) -> Option<usize> {
        self.table.slot(key)
    }

    /// Slot of the group whose key has this hash.
    #[inline]
    pub(crate) fn slot_of(&self, hash: u64, key: &str) -> Option<usize> {
        self.table.slot_of(hash, key)
    }

    /// Slot of the group, by an earlier look-up; one that has moved since is looked up again.
    #[inline]
    pub(crate) fn slot_at(&self, likely: LikelySlot, key: &str) -> Option<usize> {
        match likely.slot {
            Some(slot) if self.table.is_at(slot, likely.hash, key) => Some(slot),
            _ => self.table.slot_of(likely.hash, key),
        }
    }

    /// Where a group with this hash may be.
    #[inline]
    pub(crate) fn likely_slot(&self, hash: u64) -> Option<usize> {
        self.table.likely_slot(hash)
    }

    /// Prefetch: reads the key at a slot, and what is noted of it. The value that is returned means nothing.
    #[inline]
    pub(crate) fn prefetch_key(&self, slot: usize) -> u64 {
        self.table.prefetch_key(slot) ^ self.table.notes().prefetch(slot)
    }

    /// Prefetch: reads the head of the group's window. The value that is returned means nothing.
    pub(crate) fn prefetch_window(&self, slot: usize) -> u64 {
        match self.table.at(slot) {
            Group::One(one) => one.time.0.unsigned_abs(),
            Group::Many(window) => u64::from(window.is_firing()) ^ window.proof_bytes() as u64,
        }
    }

    /// Prefetch: reads the ends of the group's entries. The value that is returned means nothing.
    pub(crate) fn prefetch_ends(&self, slot: usize) -> u64 {
        match self.table.at(slot) {
            Group::One(one) => one.time.0.unsigned_abs(),
            Group::Many(window) => window.prefetch_ends(),
        }
    }

    /// Prefetch: reads the line that the next event will replace. The value that is returned means nothing.
    pub(crate) fn prefetch_proof(&self, slot: usize) -> u64 {
        match self.table.at(slot) {
            Group::One(one) => one.prefetch(),
            Group::Many(window) => window.prefetch_proof(),
        }
    }

    /// The window of a group.
    pub(crate) fn get(&self, bound: &BoundCorrelation, key: &str) -> Option<Cow<'_, Window>> {
        self.table.get(key).map(|group| group.window(bound))
    }

    /// Whether a time is within the time span that the first event of the group opened, where that waits for its end.
    pub(crate) fn covers(&self, slot: usize, time: Timestamp, timespan_us: i64) -> bool {
        match self.table.at(slot) {
            Group::One(_) => false,
            Group::Many(window) => window.covers(time, timespan_us),
        }
    }

    /// The window at a slot, where there is one, for changes that do not alter what it takes.
    #[inline]
    pub(crate) fn window_at(&mut self, slot: usize) -> Option<&mut Window> {
        match self.table.at_mut(slot) {
            Group::One(_) => None,
            Group::Many(window) => Some(window),
        }
    }

    /// Changes the window at a slot; gives what it took before and takes after.
    pub(crate) fn change<R>(
        &mut self,
        bound: &BoundCorrelation,
        slot: usize,
        change: impl FnOnce(&mut Window) -> R,
    ) -> (R, Weight, Weight) {
        let group = self.table.at_mut(slot);
        let before = group.weight();
        let result = change(group.window_mut(bound));
        let after = self.note(slot, before);
        (result, before, after)
    }

    /// Takes back what a group has counted, for a hit that forgives; gives what it took before and takes after.
    pub(crate) fn forgive(
        &mut self,
        bound: &BoundCorrelation,
        slot: usize,
        hit: &IndexedHit,
        time: Timestamp,
    ) -> (Weight, Weight) {
        let group = self.table.at_mut(slot);
        let before = group.weight();
        match group {
            Group::One(one) => {
                if let Some(window) = one.forgiven(bound, hit, time) {
                    *group = Group::Many(Box::new(window));
                }
            }
            Group::Many(window) => window.forgive(bound, hit, time),
        }
        (before, self.note(slot, before))
    }

    /// Notes what a change has made of a group that took `before`, and gives what it takes now.
    #[inline]
    fn note(&mut self, slot: usize, before: Weight) -> Weight {
        let group = self.table.at(slot);
        let (after, newest) = (group.weight(), group.newest());
        self.table.notes_mut().note(slot, newest, after.proof > 0);
        self.bytes = (self.bytes + after.bytes).saturating_sub(before.bytes);
        after
    }

    /// Counts a hit in the group at a slot.
    #[inline]
    pub(crate) fn add(&mut self, slot: usize, arrival: Arrival<'_>, scratch: &mut CountingScratch) -> CountedHit {
        let group = self.table.at_mut(slot);
        let before = group.weight();
        let (added, opens) = group.add(arrival, scratch);
        let after = self.note(slot, before);
        CountedHit { added, opens, before, after }
    }

    /// Counts the first hit of a group; gives its slot.
    pub(crate) fn open(
        &mut self,
        key: &mut GroupKey<'_>,
        arrival: Arrival<'_>,
        scratch: &mut CountingScratch,
    ) -> (usize, CountedHit) {
        let one = if self.waits_with_one { OneEvent::of(&arrival, &mut scratch.texts) } else { None };
        let (group, added, opens) = match one {
            Some(one) => (Group::One(one), Added::default(), false),
            None => {
                let mut group = Group::Many(Box::default());
                let (added, opens) = group.add(arrival, scratch);
                (group, added, opens)
            }
        };
        let slot = self.table.push(key.keep(), key.hash, group);
        let _dirty = self.table.at_mut(slot);
        let (before, after) = (Weight::default(), self.note(slot, Weight::default()));
        (slot, CountedHit { added, opens, before, after })
    }

    /// Takes out the group that weighs least for the rule, of a sample that moves through the table: its finding, where
    /// one is open, and what it took.
    pub(crate) fn evict(&mut self, bound: &BoundCorrelation) -> Option<(Option<Box<Episode>>, Weight)> {
        let group = self.table.evict(|group, slot, notes| notes.weight(slot, || group.loss(bound)))?;
        let weight = group.weight();
        self.bytes = self.bytes.saturating_sub(weight.bytes);
        Some((group.into_firing(), weight))
    }

    /// Takes out the groups that no event at or after the watermark can join: the findings that are open, and what
    /// the groups took.
    #[allow(clippy::vec_box, reason = "the boxes are those of the groups, handed on as they are")]
    pub(crate) fn remove_ended(
        &mut self,
        timespan_us: i64,
        watermark: Timestamp,
        gap_us: i64,
    ) -> (Vec<Box<Episode>>, Weight) {
        let idle_us = gap_us.max(timespan_us);
        let slots = self.table.notes().may_have_ended(watermark, timespan_us);
        if slots.is_empty() {
            return (Vec::new(), Weight::default());
        }
        let gone = self.table.remove_among(&slots, |group| match group {
            Group::One(one) => one.ended_before(watermark, timespan_us),
            Group::Many(window) => window.ended_before(watermark, timespan_us, idle_us),
        });
        self.table.notes_mut().find_oldest();
        let weight = gone.iter().map(Group::weight).fold(Weight::default(), Weight::plus);
        self.bytes = self.bytes.saturating_sub(weight.bytes);
        (gone.into_iter().filter_map(Group::into_firing).collect(), weight)
    }

    /// Lets lines go: of all but the newest event of each group, or the newest of groups with one event. Gives what
    /// the groups took before and take after.
    pub(crate) fn drop_proof(&mut self, newest_too: bool, released: &mut Vec<Arc<EventRef>>) -> (Weight, Weight) {
        let (mut all_before, mut all_after) = (Weight::default(), Weight::default());
        for slot in self.table.notes().keeping_proof().into_iter().map(|slot| slot as usize) {
            let group = self.table.at_unsaved(slot);
            let before = group.weight();
            match group {
                Group::One(one) if newest_too && one.weight() <= 1 => released.extend(one.take_proof()),
                Group::One(_) => {}
                Group::Many(window) if !newest_too || window.events() <= 1 => window.drop_proof(newest_too, released),
                Group::Many(_) => {}
            }
            all_before = all_before.plus(before);
            all_after = all_after.plus(self.note(slot, before));
        }
        (all_before, all_after)
    }

    /// Weighs all groups again.
    pub(crate) fn weigh(&mut self) -> Weight {
        let weight = self.table.values().map(Group::weight).fold(Weight::default(), Weight::plus);
        self.bytes = weight.bytes;
        weight
    }

    /// All windows of groups that have one, for changes that are not saved.
    pub(crate) fn windows_unsaved(&mut self) -> impl Iterator<Item = &mut Window> {
        self.table.values_mut().filter_map(|group| match group {
            Group::One(_) => None,
            Group::Many(window) => Some(&mut **window),
        })
    }

    /// Keys and windows, in the order of the table.
    pub(crate) fn iter<'g>(&'g self, bound: &'g BoundCorrelation) -> impl Iterator<Item = (&'g str, Cow<'g, Window>)> {
        self.table.iter().map(move |(key, group)| (key, group.window(bound)))
    }

    /// Puts back a window that was saved.
    pub(crate) fn restore(&mut self, bound: &BoundCorrelation, key: &str, window: Window) {
        let group = match self.waits_with_one {
            true => OneEvent::of_window(bound, window).map_or_else(|window| Group::Many(Box::new(window)), Group::One),
            false => Group::Many(Box::new(window)),
        };
        if let Some(slot) = self.table.restore(key, group) {
            self.note(slot, Weight::default());
        }
    }

    /// Gives the windows that changed and the keys that went, since they were last saved.
    pub(crate) fn take_changed(&mut self, mut changed: impl FnMut(&str, &Window)) -> Vec<Arc<str>> {
        self.table.take_changed(|key, group| match group {
            Group::One(one) => changed(key, &one.unprepared_window()),
            Group::Many(window) => changed(key, window),
        })
    }

    /// All keys and windows, and the keys that went since they were last saved.
    pub(crate) fn into_parts(self) -> (impl ExactSizeIterator<Item = (Arc<str>, Window)>, Vec<Arc<str>>) {
        let (entries, gone) = self.table.into_parts();
        (entries.map(|(key, group, _)| (key, group.into_window())), gone)
    }
}

#[cfg(test)]
mod tests;
