//! The groups of one correlation, each with its window, and what they weigh. Needs nothing of other correlations:
//! groups can be placed by the hash of their keys.

use event::Timestamp;
use rules::ruleset::BoundCorrelation;

use crate::budget::Weight;
use crate::table::Table;
use crate::window::Window;

/// Windows by the key of their group.
#[derive(Debug)]
pub(crate) struct Groups {
    table: Table<Window>,
    /// Bytes that the windows take, beside proof.
    bytes: usize,
}

/// Where the window of a group may be, by a look-up before its hit is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LikelySlot {
    pub(crate) hash: u64,
    /// A slot whose key has this hash; the key itself is not compared.
    pub(crate) slot: Option<usize>,
}

#[inline]
fn weight_of(window: &Window) -> Weight {
    Weight { bytes: window.bytes(), proof: window.proof_bytes() }
}

impl Groups {
    /// Without groups; `saved` where they are saved now and then.
    pub(crate) fn new(saved: bool) -> Self {
        Groups { table: Table::new(saved), bytes: 0 }
    }

    /// Number of groups.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes that the windows take, beside proof.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Slot of the group's window, valid until a group goes.
    #[inline]
    pub(crate) fn slot(&self, key: &str) -> Option<usize> {
        self.table.slot(key)
    }

    /// Slot of the group's window, by an earlier look-up; a window that has moved since is looked up again.
    #[inline]
    pub(crate) fn slot_at(&self, likely: LikelySlot, key: &str) -> Option<usize> {
        match likely.slot {
            Some(slot) if self.table.is_at(slot, key) => Some(slot),
            _ => {
                debug_assert_eq!(likely.hash, self.table.hash(key), "prefetched in another order");
                self.table.slot_of(likely.hash, key)
            }
        }
    }

    /// Hash of a group's key in this table.
    #[inline]
    pub(crate) fn hash(&self, key: &str) -> u64 {
        self.table.hash(key)
    }

    /// Where a group with this hash may be.
    #[inline]
    pub(crate) fn likely_slot(&self, hash: u64) -> Option<usize> {
        self.table.likely_slot(hash)
    }

    /// Prefetch: reads the key at a slot. The value that is returned means nothing.
    #[inline]
    pub(crate) fn prefetch_key(&self, slot: usize) -> u64 {
        self.table.prefetch_key(slot)
    }

    /// The window of a group.
    pub(crate) fn get(&self, key: &str) -> Option<&Window> {
        self.table.get(key)
    }

    /// The window at a slot.
    #[inline]
    pub(crate) fn at(&self, slot: usize) -> &Window {
        self.table.at(slot)
    }

    /// The window at a slot, for changes that do not alter what it takes.
    #[inline]
    pub(crate) fn at_mut(&mut self, slot: usize) -> &mut Window {
        self.table.at_mut(slot)
    }

    /// Changes the window at a slot; gives what it took before and takes after.
    #[inline]
    pub(crate) fn change<R>(&mut self, slot: usize, change: impl FnOnce(&mut Window) -> R) -> (R, Weight, Weight) {
        let window = self.table.at_mut(slot);
        let before = weight_of(window);
        let result = change(window);
        let after = weight_of(window);
        self.bytes = (self.bytes + after.bytes).saturating_sub(before.bytes);
        (result, before, after)
    }

    /// Adds an empty window for a group that has none; gives its slot and what it takes.
    pub(crate) fn open(&mut self, key: &str) -> (usize, Weight) {
        let window = Window::default();
        let weight = weight_of(&window);
        self.bytes += weight.bytes;
        (self.table.push(key, window), weight)
    }

    /// Takes out the window that weighs least for the rule, of a sample that moves through the table; with what it
    /// took.
    pub(crate) fn evict(&mut self, bound: &BoundCorrelation) -> Option<(Window, Weight)> {
        let window = self.table.evict(|window| window.weight(bound))?;
        let weight = weight_of(&window);
        self.bytes = self.bytes.saturating_sub(weight.bytes);
        Some((window, weight))
    }

    /// Takes out the windows that no event at or after the watermark can join; with what they took.
    pub(crate) fn remove_ended(
        &mut self,
        timespan_us: i64,
        watermark: Timestamp,
        gap_us: i64,
    ) -> (Vec<Window>, Weight) {
        let idle_us = gap_us.max(timespan_us);
        let gone = self.table.remove_where(|window| window.ended_before(watermark, timespan_us, idle_us));
        let weight = sum(gone.iter());
        self.bytes = self.bytes.saturating_sub(weight.bytes);
        (gone, weight)
    }

    /// Weighs all windows again.
    pub(crate) fn weigh(&mut self) -> Weight {
        let weight = sum(self.table.values());
        self.bytes = weight.bytes;
        weight
    }

    /// All windows, for changes that are not saved.
    pub(crate) fn windows_unsaved(&mut self) -> impl Iterator<Item = &mut Window> {
        self.table.values_mut()
    }

    /// Keys and windows, in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Window)> {
        self.table.iter()
    }

    /// Puts back a window that was saved.
    pub(crate) fn restore(&mut self, key: &str, window: Window) {
        self.table.restore(key, window);
    }

    /// Gives the windows that changed and the keys that went, since they were last saved.
    pub(crate) fn take_changed(&mut self, changed: impl FnMut(&str, &Window)) -> Vec<Box<str>> {
        self.table.take_changed(changed)
    }

    /// All keys and windows, and the keys that went since they were last saved.
    pub(crate) fn into_parts(self) -> (impl ExactSizeIterator<Item = (Box<str>, Window)>, Vec<Box<str>>) {
        let (entries, gone) = self.table.into_parts();
        (entries.map(|(key, window, _)| (key, window)), gone)
    }
}

fn sum<'w>(windows: impl Iterator<Item = &'w Window>) -> Weight {
    windows.map(weight_of).fold(Weight::default(), |sum, weight| Weight {
        bytes: sum.bytes + weight.bytes,
        proof: sum.proof + weight.proof,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_groups_take_follows_every_change() {
        let mut groups = Groups::new(false);
        let (slot, one) = groups.open("a");
        groups.open("b");
        assert_eq!((groups.len(), groups.bytes()), (2, 2 * one.bytes));
        let ((), before, after) = groups.change(slot, |_| ());
        assert_eq!((before, after), (one, one));
        assert_eq!(groups.weigh().bytes, groups.bytes());
        let (gone, weight) = groups.remove_ended(0, Timestamp(1), 0);
        assert_eq!((gone.len(), weight.bytes, groups.bytes()), (2, 2 * one.bytes, 0), "empty windows have ended");
    }

    #[test]
    fn a_slot_that_was_found_ahead_is_used_only_while_its_key_is_there() {
        let mut groups = Groups::new(false);
        groups.open("a");
        let hash = groups.hash("a");
        let likely = LikelySlot { hash, slot: groups.likely_slot(hash) };
        assert_eq!(groups.slot_at(likely, "a"), Some(0));
        let stale = LikelySlot { hash, slot: Some(7) };
        assert_eq!(groups.slot_at(stale, "a"), Some(0));
        assert_eq!(groups.slot_at(LikelySlot { hash: groups.hash("b"), slot: None }, "b"), None);
    }
}
