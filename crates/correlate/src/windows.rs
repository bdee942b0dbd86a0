//! The windows of all correlations: each correlation has groups of its own, and no group reads another. What they take
//! is added up in one budget. Decides who is evicted; makes no findings.

use std::hash::BuildHasher;
use std::sync::Arc;

use event::Timestamp;
use foldhash::fast::RandomState;
use rules::ruleset::{BoundCorrelation, RuleSet};

use crate::budget::{Budget, Weight};
use crate::deadlines::{Deadline, Deadlines};
use crate::episode::Episode;
use crate::groups::{CountedHit, CountingScratch, GroupKey, Groups};
use crate::hit::IndexedHit;
use crate::options::CorrelatorOptions;
use crate::window::Window;
use crate::window::added::Added;
use crate::window::arrival::Arrival;
use crate::window::close::ClosedWindow;
use crate::window::recount::Recounted;

/// Windows by correlation, with what they share: limits, deadlines, and memory that is freed together.
#[derive(Debug)]
pub(crate) struct Windows {
    by_correlation: Vec<Groups>,
    budget: Budget,
    deadlines: Deadlines,
    scratch: CountingScratch,
    /// Of the keys of all correlations.
    hasher: RandomState,
    saved: bool,
}

impl Windows {
    /// Without groups, for the correlations of a set.
    pub(crate) fn new(set: &RuleSet, options: &CorrelatorOptions) -> Self {
        let mut windows = Windows {
            by_correlation: Vec::new(),
            budget: Budget::new(options),
            deadlines: Deadlines::default(),
            scratch: CountingScratch::default(),
            hasher: RandomState::default(),
            saved: options.saved,
        };
        windows.by_correlation = windows.without_groups(set);
        windows
    }

    /// For each correlation of a set no groups.
    pub(crate) fn without_groups(&self, set: &RuleSet) -> Vec<Groups> {
        set.correlations.iter().map(|bound| Groups::new(bound, self.saved, self.hasher.clone())).collect()
    }

    /// Hash of a group's key, whatever the correlation.
    #[inline]
    pub(crate) fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Groups of one correlation.
    #[inline]
    pub(crate) fn of(&self, index: usize) -> &Groups {
        &self.by_correlation[index]
    }

    /// Number of groups of all correlations.
    pub(crate) fn len(&self) -> usize {
        self.by_correlation.iter().map(Groups::len).sum()
    }

    /// Changes a window and what it takes of the budget.
    fn change<R>(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        slot: usize,
        change: impl FnOnce(&mut Window) -> R,
    ) -> R {
        let (result, before, after) = self.by_correlation[index].change(bound, slot, change);
        self.budget.change(before, after);
        result
    }

    /// Counts the first hit of a group that is not there, and gives its slot.
    pub(crate) fn open(&mut self, key: &mut GroupKey<'_>, mut arrival: Arrival<'_>) -> (usize, Added) {
        arrival.newest_proof_only = self.budget.is_proof_scarce();
        let lines = self.scratch.released.len();
        let (slot, counted) = self.by_correlation[arrival.index].open(key, arrival, &mut self.scratch);
        (slot, self.note_counted(key.text, &arrival, lines, counted))
    }

    /// Counts a hit in the group at a slot.
    #[inline]
    pub(crate) fn add(&mut self, slot: usize, key: &str, mut arrival: Arrival<'_>) -> Added {
        arrival.newest_proof_only = self.budget.is_proof_scarce();
        let lines = self.scratch.released.len();
        let counted = self.by_correlation[arrival.index].add(slot, arrival, &mut self.scratch);
        self.note_counted(key, &arrival, lines, counted)
    }

    /// Where a window opens with a hit that waits for its end, notes when that is. `lines`: as many were given up before.
    #[inline]
    fn note_counted(&mut self, key: &str, arrival: &Arrival<'_>, lines: usize, counted: CountedHit) -> Added {
        let CountedHit { mut added, opens, before, after } = counted;
        self.budget.change(before, after);
        if arrival.newest_proof_only {
            added.proof_dropped = (self.scratch.released.len() - lines) as u64;
        }
        if opens {
            let end = arrival.time.saturating_add_us(arrival.bound.rule.timespan_us);
            self.deadlines.add(end, arrival.index, key);
        }
        added
    }

    /// Takes back what the group at a slot has counted, for a hit that forgives.
    pub(crate) fn forgive(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        slot: usize,
        hit: &IndexedHit,
        time: Timestamp,
    ) {
        let (before, after) = self.by_correlation[index].forgive(bound, slot, hit, time);
        self.budget.change(before, after);
    }

    /// Counts a window again that hits have come to out of order; see [`Window::recount`].
    pub(crate) fn recount(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        slot: usize,
        times: (Timestamp, Timestamp),
        group: &str,
    ) -> Recounted {
        self.change(bound, index, slot, |window| window.recount(bound, index, times, group))
    }

    /// Replaces the open finding of a group by one with the events of these correlations, as far as they have the
    /// group.
    pub(crate) fn begin_with<'a>(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        key: &str,
        hit: &IndexedHit,
        chained: impl Iterator<Item = (usize, &'a BoundCorrelation)>,
    ) {
        let windows = chained.filter_map(|(base, bound)| self.by_correlation[base].get(bound, key));
        let proof: Vec<_> = windows.flat_map(|window| window.proof()).collect();
        if !proof.is_empty()
            && let Some(slot) = self.by_correlation[index].slot(key)
            && let Some(window) = self.by_correlation[index].window_at(slot)
        {
            let group = crate::group_key::group_text(bound, hit);
            window.begin_with(bound, index, group, proof);
        }
    }

    /// The open finding of the window at a slot.
    pub(crate) fn firing_mut(&mut self, index: usize, slot: usize) -> Option<&mut Episode> {
        self.by_correlation[index].window_at(slot)?.firing_mut()
    }

    /// Notes that the window stands in the list of changed findings; false where it stood there before.
    #[inline]
    pub(crate) fn list(&mut self, index: usize, slot: usize) -> bool {
        let window = self.by_correlation[index].window_at(slot);
        window.is_some_and(|window| !std::mem::replace(&mut window.listed, true))
    }

    /// The open finding of a group that is taken off the list.
    pub(crate) fn unlist(&mut self, index: usize, key: &str) -> Option<&mut Episode> {
        let groups = &mut self.by_correlation[index];
        let window = groups.slot(key).and_then(|slot| groups.window_at(slot))?;
        window.listed = false;
        window.firing_mut()
    }

    /// The next window that waits for its end and ends before `complete`.
    #[inline]
    pub(crate) fn next_deadline(&mut self, complete: Timestamp) -> Option<Deadline> {
        self.deadlines.next_before(complete)
    }

    /// Closes the windows of a group that end before `complete`, and notes when the next one ends.
    pub(crate) fn close(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        key: &str,
        complete: Timestamp,
    ) -> Vec<ClosedWindow> {
        let Some(slot) = self.by_correlation[index].slot(key) else { return Vec::new() };
        let (closed, next) =
            self.change(bound, index, slot, |window| (window.close(bound, index, complete), window.times().0));
        if let Some(first) = next {
            self.deadlines.add(first.saturating_add_us(bound.rule.timespan_us), index, key);
        }
        closed
    }

    /// Finds the deadlines of all windows: after another rule set or saved state has come.
    pub(crate) fn find_deadlines(&mut self, set: &RuleSet) {
        self.deadlines = Deadlines::default();
        for (index, bound) in set.correlations.iter().enumerate().filter(|(_, bound)| bound.waits_for_close) {
            for (key, window) in self.by_correlation[index].iter(bound) {
                if let Some(first) = window.times().0 {
                    self.deadlines.add(first.saturating_add_us(bound.rule.timespan_us), index, key);
                }
            }
        }
    }

    /// Evicts a group of the correlation: of a sample, the one that has the least of what the rule asks for. Gives its
    /// finding, where one is open; `None` where there is no group.
    pub(crate) fn evict(&mut self, bound: &BoundCorrelation, index: usize) -> Option<Option<Box<Episode>>> {
        let (firing, weight) = self.by_correlation[index].evict(bound)?;
        self.budget.change(weight, Weight::default());
        Some(firing)
    }

    /// While all windows together take too much: the correlation that takes most, and has a group to spare.
    #[inline]
    pub(crate) fn over_budget(&self) -> Option<usize> {
        if !self.budget.is_over_bytes() {
            return None;
        }
        let largest = (0..self.by_correlation.len()).max_by_key(|index| self.by_correlation[*index].bytes());
        largest.filter(|index| self.by_correlation[*index].len() > 1)
    }

    /// Takes out the groups that no event at or after the watermark can join, and gives the findings that are open.
    #[allow(clippy::vec_box, reason = "the boxes are those of the groups, handed on as they are")]
    pub(crate) fn sweep(&mut self, set: &RuleSet, watermark: Timestamp, gap_us: i64) -> Vec<Box<Episode>> {
        let mut ended = Vec::new();
        for (groups, bound) in self.by_correlation.iter_mut().zip(&set.correlations) {
            let (gone, weight) = groups.remove_ended(bound.rule.timespan_us, watermark, gap_us);
            self.budget.change(weight, Weight::default());
            ended.extend(gone);
        }
        ended
    }

    /// Counts a hit. True once every so many hits: it is time for [`Windows::bound_proof`].
    #[inline]
    pub(crate) fn needs_check(&mut self) -> bool {
        self.budget.needs_check()
    }

    /// Where windows keep too many bytes of lines: drops all lines but the newest of each window, and if that is not
    /// enough, also the newest line of windows with one event. False where there was nothing to do.
    pub(crate) fn bound_proof(&mut self) -> bool {
        if !self.budget.is_over_proof() {
            return false;
        }
        for newest_too in [false, true] {
            for groups in &mut self.by_correlation {
                let (before, after) = groups.drop_proof(newest_too, &mut self.scratch.released);
                self.budget.change(before, after);
            }
            self.free_released();
            if !self.budget.is_proof_scarce() {
                break;
            }
        }
        true
    }

    /// Frees the lines that windows have given up.
    #[inline]
    pub(crate) fn free_released(&mut self) {
        self.scratch.released.clear();
    }

    /// Weighs all windows again.
    pub(crate) fn weigh(&mut self) {
        let mut used = Weight::default();
        for groups in &mut self.by_correlation {
            used = used.plus(groups.weigh());
        }
        self.budget.set(used);
    }

    /// Whether what was added up is what the windows take.
    #[cfg(test)]
    pub(crate) fn are_weighed(&mut self) -> bool {
        let used = self.budget.used();
        self.weigh();
        used == self.budget.used()
    }

    /// Bytes that all windows take, beside proof.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.budget.used().bytes
    }

    /// The slow twin of groups that have seen one event: each gets a window at once.
    #[cfg(test)]
    pub(crate) fn use_windows_only(&mut self, only: bool) {
        self.by_correlation.iter_mut().for_each(|groups| groups.use_windows_only(only));
    }

    /// Puts back a window that was saved; [`Windows::weigh`] and [`Windows::find_deadlines`] must follow.
    pub(crate) fn restore(&mut self, bound: &BoundCorrelation, index: usize, key: &str, window: Window) {
        self.by_correlation[index].restore(bound, key, window);
    }

    /// Gives the windows of a correlation that changed and the keys that went, since they were last saved.
    pub(crate) fn take_changed(&mut self, index: usize, changed: impl FnMut(&str, &Window)) -> Vec<Arc<str>> {
        self.by_correlation[index].take_changed(changed)
    }

    /// Takes all groups out, by correlation: another rule set comes.
    pub(crate) fn take_all(&mut self) -> Vec<Groups> {
        std::mem::take(&mut self.by_correlation)
    }

    /// Puts groups in, by correlation of the set at work.
    pub(crate) fn put_all(&mut self, by_correlation: Vec<Groups>, set: &RuleSet) {
        self.by_correlation = by_correlation;
        self.weigh();
        self.find_deadlines(set);
    }
}
