//! Fast path: what walks over all groups of a correlation ask first, in tables that stand side by side: when a group saw its
//! newest event, what it weighs, and whether it keeps lines. Assumes that every change of a group is noted. A note only
//! spares the question: what it says is what the group itself would say, or less.

use std::cmp::Reverse;
use std::num::NonZeroU64;

use event::Timestamp;

use crate::table::SlotNotes;

/// How much would be lost with a group: see [`crate::window::Window::weight`].
pub(crate) type GroupWeight = (u64, Reverse<Timestamp>);

/// Notes of the groups of one correlation, by slot.
#[derive(Clone, Debug)]
pub(crate) struct GroupNotes {
    /// Time of the newest event, or an older one.
    newest: Vec<Timestamp>,
    /// The least of `newest`, or less.
    oldest_newest: Timestamp,
    /// One more than the weight; `None`: not known.
    weights: Vec<Option<(NonZeroU64, Reverse<Timestamp>)>>,
    keeps_proof: Vec<bool>,
}

impl Default for GroupNotes {
    fn default() -> Self {
        let oldest_newest = Timestamp(i64::MAX);
        GroupNotes { newest: Vec::new(), oldest_newest, weights: Vec::new(), keeps_proof: Vec::new() }
    }
}

impl SlotNotes for GroupNotes {
    fn push(&mut self) {
        self.newest.push(Timestamp(i64::MIN));
        self.weights.push(None);
        self.keeps_proof.push(false);
    }

    fn swap_remove(&mut self, at: usize) {
        self.newest.swap_remove(at);
        self.weights.swap_remove(at);
        self.keeps_proof.swap_remove(at);
    }
}

impl GroupNotes {
    /// Notes what a change has made of a group: every change and every new group must be noted.
    #[inline]
    pub(crate) fn note(&mut self, slot: usize, newest: Option<Timestamp>, keeps_proof: bool) {
        let newest = newest.unwrap_or(Timestamp(i64::MIN));
        self.newest[slot] = newest;
        self.weights[slot] = None;
        self.keeps_proof[slot] = keeps_proof;
        self.oldest_newest = self.oldest_newest.min(newest);
    }

    /// Prefetch: reads what is noted of a slot. The value that is returned means nothing.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) -> u64 {
        let known = u64::from(self.weights[slot].is_some()) ^ u64::from(self.keeps_proof[slot]);
        self.newest[slot].0.unsigned_abs() ^ known
    }

    /// What a group weighs; asked of the group where that is not known.
    #[inline]
    pub(crate) fn weight(&mut self, slot: usize, ask: impl FnOnce() -> GroupWeight) -> GroupWeight {
        if let Some((weight, first)) = self.weights[slot] {
            return (weight.get() - 1, first);
        }
        let (weight, first) = ask();
        // The largest weight becomes the second largest: both are those of groups that fire.
        let noted = NonZeroU64::MIN.saturating_add(weight);
        self.weights[slot] = Some((noted, first));
        (noted.get() - 1, first)
    }

    /// Groups whose newest event is so old that they may have ended, in rising order.
    pub(crate) fn may_have_ended(&self, watermark: Timestamp, timespan_us: i64) -> Vec<u32> {
        let is_old = |newest: Timestamp| newest.saturating_add_us(timespan_us) < watermark;
        if !is_old(self.oldest_newest) {
            return Vec::new();
        }
        self.newest.iter().zip(0..).filter(|(newest, _)| is_old(**newest)).map(|(_, slot)| slot).collect()
    }

    /// Finds the oldest of the newest events again, after groups have gone.
    pub(crate) fn find_oldest(&mut self) {
        self.oldest_newest = self.newest.iter().copied().min().unwrap_or(Timestamp(i64::MAX));
    }

    /// Groups that keep lines.
    pub(crate) fn keeping_proof(&self) -> Vec<u32> {
        self.keeps_proof.iter().zip(0..).filter(|(keeps, _)| **keeps).map(|(_, slot)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_follow_their_groups_and_spare_questions() {
        let mut notes = GroupNotes::default();
        for (slot, newest) in [Some(30), None, Some(10), Some(20)].into_iter().enumerate() {
            notes.push();
            notes.note(slot, newest.map(Timestamp), slot != 2);
        }
        assert_eq!(notes.may_have_ended(Timestamp(15), 0), [1, 2]);
        assert_eq!(notes.keeping_proof(), [0, 1, 3]);
        notes.swap_remove(1);
        notes.find_oldest();
        assert_eq!(notes.may_have_ended(Timestamp(25), 0), [1, 2]);
        assert!(notes.may_have_ended(Timestamp(25), 15).is_empty());
        assert_eq!(notes.weight(0, || (7, Reverse(Timestamp(1)))), (7, Reverse(Timestamp(1))));
        assert_eq!(notes.weight(0, || unreachable!()), (7, Reverse(Timestamp(1))));
        notes.note(0, None, false);
        assert_eq!(notes.weight(0, || (u64::MAX, Reverse(Timestamp(2)))).1, Reverse(Timestamp(2)), "asked again");
        assert_eq!(notes.keeping_proof(), [1]);
    }
}
