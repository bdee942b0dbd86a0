//! Values by key: found by hash, walked in a fixed order, evicted so that a flood of new keys evicts its own.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Entries that one eviction compares.
const SAMPLE: usize = 64;

/// What is known of each slot beside its value, in tables of its own: values lie far apart, and walks over all of them
/// first ask here. Follows every slot that is added, and every slot that another one takes the place of.
pub(crate) trait SlotNotes: Default {
    /// A slot is added at the end.
    fn push(&mut self);

    /// The slot goes, and the last one takes its place.
    fn swap_remove(&mut self, at: usize);
}

impl SlotNotes for () {
    fn push(&mut self) {}

    fn swap_remove(&mut self, _at: usize) {}
}

#[derive(Clone, Debug)]
struct TableEntry<T> {
    key: Arc<str>,
    hash: u64,
    value: T,
    /// Changed since the table was last saved.
    dirty: bool,
    /// The store may have the entry.
    stored: bool,
}

/// Values by key. A slot stays with its key until another key is removed.
#[derive(Clone, Debug)]
pub(crate) struct Table<T, N = ()> {
    entries: Vec<TableEntry<T>>,
    /// Slots in `entries`, by the hash of their keys.
    index: HashTable<u32>,
    notes: N,
    hasher: RandomState,
    /// Where the next sample for an eviction begins.
    cursor: usize,
    /// Keys that went since the table was last saved; some may be back.
    gone: Vec<Arc<str>>,
    /// The table is saved now and then; else nobody asks what went.
    saved: bool,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table::new(true, RandomState::default())
    }
}

impl<T, N: SlotNotes> Table<T, N> {
    /// Without entries; `saved` where the table is saved now and then. Tables with one hasher give a key one hash.
    pub(crate) fn new(saved: bool, hasher: RandomState) -> Self {
        let (notes, index) = (N::default(), HashTable::new());
        Table { entries: Vec::new(), index, notes, hasher, cursor: 0, gone: Vec::new(), saved }
    }

    /// Number of entries.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Slot of the key; valid until a key is removed.
    #[inline]
    pub(crate) fn slot(&self, key: &str) -> Option<usize> {
        self.slot_of(self.hasher.hash_one(key), key)
    }

    /// Slot of a key whose hash is known.
    #[inline]
    pub(crate) fn slot_of(&self, hash: u64, key: &str) -> Option<usize> {
        self.index.find(hash, |at| self.is_at(*at as usize, hash, key)).map(|at| *at as usize)
    }

    /// Whether the key, whose hash is known, is at this slot.
    #[inline]
    pub(crate) fn is_at(&self, slot: usize, hash: u64, key: &str) -> bool {
        self.entries.get(slot).is_some_and(|entry| entry.hash == hash && *entry.key == *key)
    }

    /// Slot of some key with this hash; the key itself is not compared.
    #[inline]
    pub(crate) fn likely_slot(&self, hash: u64) -> Option<usize> {
        self.index.find(hash, |_| true).map(|at| *at as usize)
    }

    /// What is noted of the slots.
    #[inline]
    pub(crate) fn notes(&self) -> &N {
        &self.notes
    }

    /// What is noted of the slots, to be changed.
    #[inline]
    pub(crate) fn notes_mut(&mut self) -> &mut N {
        &mut self.notes
    }

    /// Prefetch: reads the key at a slot. The value that is returned means nothing.
    pub(crate) fn prefetch_key(&self, slot: usize) -> u64 {
        let key = self.entries[slot].key.as_bytes();
        key.first().map_or(0, |byte| u64::from(*byte))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.slot(key).map(|at| &self.entries[at].value)
    }

    /// The value, which the caller is about to change.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let at = self.slot(key)?;
        self.entries[at].dirty = true;
        Some(&mut self.entries[at].value)
    }

    /// The value of a key, which the caller is about to change; made where it is not there.
    pub(crate) fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> T) -> &mut T {
        let hash = self.hasher.hash_one(key);
        let at = self.slot_of(hash, key).unwrap_or_else(|| self.push(key.into(), hash, make()));
        let slot = &mut self.entries[at];
        slot.dirty = true;
        &mut slot.value
    }

    /// The value at a slot.
    #[inline]
    pub(crate) fn at(&self, slot: usize) -> &T {
        &self.entries[slot].value
    }

    /// The value at a slot, which the caller is about to change.
    #[inline]
    pub(crate) fn at_mut(&mut self, slot: usize) -> &mut T {
        let entry = &mut self.entries[slot];
        entry.dirty = true;
        &mut entry.value
    }

    /// The value at a slot, for changes that are not saved.
    #[inline]
    pub(crate) fn at_unsaved(&mut self, slot: usize) -> &mut T {
        &mut self.entries[slot].value
    }

    /// Adds a key that is not there, with its hash, and gives its slot.
    pub(crate) fn push(&mut self, key: Arc<str>, hash: u64, value: T) -> usize {
        let at = self.entries.len();
        self.entries.push(TableEntry { key, hash, value, dirty: false, stored: false });
        self.notes.push();
        let Table { entries, index, .. } = self;
        index.insert_unique(hash, at as u32, |at| entries[*at as usize].hash);
        at
    }

    /// Adds a key that is not there, and gives its slot.
    pub(crate) fn insert(&mut self, key: &str, value: T) -> usize {
        self.push(key.into(), self.hasher.hash_one(key), value)
    }

    /// Gives every entry that changed and every key that went since the last call.
    pub(crate) fn take_changed(&mut self, mut changed: impl FnMut(&str, &T)) -> Vec<Arc<str>> {
        for slot in self.entries.iter_mut().filter(|slot| slot.dirty) {
            (slot.dirty, slot.stored) = (false, true);
            changed(&slot.key, &slot.value);
        }
        let mut gone = std::mem::take(&mut self.gone);
        gone.sort_unstable();
        gone.dedup();
        gone.retain(|key| self.slot(key).is_none());
        gone
    }

    /// Puts back an entry that was saved, and gives its slot; the first of a key counts.
    pub(crate) fn restore(&mut self, key: &str, value: T) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        if self.slot_of(hash, key).is_some() {
            return None;
        }
        let at = self.push(key.into(), hash, value);
        self.entries[at].stored = true;
        Some(at)
    }

    /// All entries, each with whether it is to be saved, and the keys that went.
    pub(crate) fn into_parts(self) -> (impl ExactSizeIterator<Item = (Arc<str>, T, bool)>, Vec<Arc<str>>) {
        (self.entries.into_iter().map(|slot| (slot.key, slot.value, slot.dirty)), self.gone)
    }

    /// Puts an entry of another table in.
    pub(crate) fn put_back(&mut self, key: &str, value: T, dirty: bool) {
        let at = self.insert(key, value);
        (self.entries[at].dirty, self.entries[at].stored) = (dirty, true);
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let at = self.slot(key)?;
        Some(self.remove_at(at))
    }

    fn remove_at(&mut self, at: usize) -> T {
        let last = self.entries.len() - 1;
        let TableEntry { key, hash, value, stored, .. } = self.entries.swap_remove(at);
        self.notes.swap_remove(at);
        if let Ok(found) = self.index.find_entry(hash, |slot| *slot as usize == at) {
            found.remove();
        }
        if let Some(moved) = self.entries.get(at)
            && let Some(slot) = self.index.find_mut(moved.hash, |slot| *slot as usize == last)
        {
            *slot = at as u32;
        }
        // What the store never had need not be taken out of it.
        if self.saved && stored {
            self.gone.push(key);
        }
        value
    }

    /// Takes out every value for which `ended` says so.
    pub(crate) fn remove_where(&mut self, ended: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        let mut at = 0;
        while at < self.entries.len() {
            if ended(&self.entries[at].value) {
                removed.push(self.remove_at(at));
            } else {
                at += 1;
            }
        }
        removed
    }

    /// [`Table::remove_where`], where it is known of all slots but these, in rising order, that `ended` would say no.
    pub(crate) fn remove_among(&mut self, slots: &[u32], ended: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        for at in slots.iter().map(|slot| *slot as usize) {
            // The last value takes the place of the one that goes, and may have ended as well.
            while self.entries.get(at).is_some_and(|entry| ended(&entry.value)) {
                removed.push(self.remove_at(at));
            }
        }
        removed
    }

    /// Takes out the value that weighs least, of a sample that moves through the table.
    pub(crate) fn evict<W: Ord>(&mut self, mut weight: impl FnMut(&T, usize, &mut N) -> W) -> Option<T> {
        let Table { entries, notes, cursor, .. } = self;
        let count = entries.len();
        let sample = (0..SAMPLE.min(count)).map(|step| (*cursor + step) % count);
        let lightest = sample.min_by_key(|at| (weight(&entries[*at].value, *at, notes), std::cmp::Reverse(*at)))?;
        self.cursor = (self.cursor + SAMPLE) % count;
        Some(self.remove_at(lightest))
    }

    /// Keys and values, in the order of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|slot| (&*slot.key, &slot.value))
    }

    /// Values, in the order of the table.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|slot| &slot.value)
    }

    /// Values, in the order of the table; what is changed this way is not saved for it.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|slot| &mut slot.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_keeps_every_other_key_findable() {
        let mut table = Table::default();
        for key in 0..100 {
            table.get_or_insert_with(&key.to_string(), || key);
        }
        assert_eq!(table.remove_where(|value| value % 3 == 0).len(), 34);
        for key in 0..100 {
            assert_eq!(table.get(&key.to_string()).is_some(), key % 3 != 0, "{key}");
        }
        assert_eq!(table.remove("1"), Some(1));
        assert_eq!(table.get("1"), None);
    }

    #[test]
    fn only_what_changed_is_saved_and_what_went_is_told() {
        let mut table = Table::default();
        for key in ["a", "b", "c"] {
            table.get_or_insert_with(key, || 0);
        }
        let save = |table: &mut Table<i32>| {
            let mut changed = Vec::new();
            let gone = table.take_changed(|key, value| changed.push((key.to_owned(), *value)));
            (changed, gone.into_iter().map(|key| key.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(save(&mut table).0.len(), 3);
        assert_eq!(save(&mut table), (vec![], vec![]));
        *table.get_or_insert_with("b", || 0) = 5;
        *table.get_or_insert_with("b", || 0) = 6;
        table.remove("a");
        table.remove("c");
        table.get_or_insert_with("c", || 9);
        assert_eq!(save(&mut table), (vec![("b".into(), 6), ("c".into(), 9)], vec!["a".into()]));
    }

    #[test]
    fn a_flood_of_light_keys_cannot_push_out_a_heavy_one() {
        let mut table = Table::default();
        *table.get_or_insert_with("slow attack", || 0) = 2;
        for key in 0..200_000 {
            if table.len() >= 1000 {
                table.evict(|weight, _, ()| *weight);
            }
            *table.get_or_insert_with(&format!("flood {key}"), || 0) += 1;
        }
        assert_eq!(table.get("slow attack"), Some(&2));
        assert_eq!(table.len(), 1000);
    }
}
