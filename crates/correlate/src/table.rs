//! Groups by key: found by hash, walked in a fixed order, evicted so that a flood of new keys pushes out itself.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Entries that one eviction compares.
const SAMPLE: usize = 64;

#[derive(Clone, Debug)]
struct Slot<T> {
    key: Box<str>,
    value: T,
    /// Changed since the table was last saved.
    dirty: bool,
    /// The store may have it.
    stored: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    entries: Vec<Slot<T>>,
    /// Places in `entries`, by the hash of their keys.
    index: HashTable<u32>,
    hasher: RandomState,
    cursor: usize,
    /// Keys that went since the table was last saved; some may be back.
    gone: Vec<Box<str>>,
    /// The table is saved now and then; else nobody asks what went.
    saved: bool,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table::new(true)
    }
}

impl<T> Table<T> {
    pub(super) fn new(saved: bool) -> Self {
        let hasher = RandomState::default();
        Table { entries: Vec::new(), index: HashTable::new(), hasher, cursor: 0, gone: Vec::new(), saved }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where the key's value is, until another is removed.
    pub(super) fn place(&self, key: &str) -> Option<usize> {
        self.place_of(self.hasher.hash_one(key), key)
    }

    /// The same for a key whose hash is known.
    pub(crate) fn place_of(&self, hash: u64, key: &str) -> Option<usize> {
        self.index.find(hash, |at| *self.entries[*at as usize].key == *key).map(|at| *at as usize)
    }

    /// Whether the key is at this place.
    pub(super) fn is_at(&self, place: usize, key: &str) -> bool {
        self.entries.get(place).is_some_and(|slot| *slot.key == *key)
    }

    pub(super) fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Where a key with this hash may be; the key itself is not compared.
    pub(super) fn likely_place(&self, hash: u64) -> Option<usize> {
        self.index.find(hash, |_| true).map(|at| *at as usize)
    }

    /// Reads the key at a place, and gives anything that comes of it.
    pub(super) fn look_at_key(&self, place: usize) -> u64 {
        let key = self.entries[place].key.as_bytes();
        key.first().map_or(0, |byte| u64::from(*byte))
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.place(key).map(|at| &self.entries[at].value)
    }

    /// The value, which the caller is about to change.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        let at = self.place(key)?;
        self.entries[at].dirty = true;
        Some(&mut self.entries[at].value)
    }

    pub(super) fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> T) -> &mut T {
        let at = self.place(key).unwrap_or_else(|| self.push(key, make()));
        let slot = &mut self.entries[at];
        slot.dirty = true;
        &mut slot.value
    }

    pub(super) fn at(&self, place: usize) -> &T {
        &self.entries[place].value
    }

    /// The value, which the caller is about to change.
    pub(super) fn at_mut(&mut self, place: usize) -> &mut T {
        let slot = &mut self.entries[place];
        slot.dirty = true;
        &mut slot.value
    }

    /// Adds a key that is not there.
    pub(super) fn push(&mut self, key: &str, value: T) -> usize {
        let at = self.entries.len();
        self.entries.push(Slot { key: key.into(), value, dirty: false, stored: false });
        let Table { entries, index, hasher, .. } = self;
        let rehash = |at: &u32| hasher.hash_one(&*entries[*at as usize].key);
        index.insert_unique(hasher.hash_one(key), at as u32, rehash);
        at
    }

    /// Gives every entry that changed and every key that went since the last call.
    pub(super) fn take_changed(&mut self, mut changed: impl FnMut(&str, &T)) -> Vec<Box<str>> {
        for slot in self.entries.iter_mut().filter(|slot| slot.dirty) {
            (slot.dirty, slot.stored) = (false, true);
            changed(&slot.key, &slot.value);
        }
        let mut gone = std::mem::take(&mut self.gone);
        gone.sort_unstable();
        gone.dedup();
        gone.retain(|key| self.place(key).is_none());
        gone
    }

    /// Puts back an entry that was saved; the first of a key counts.
    pub(super) fn restore(&mut self, key: &str, value: T) {
        if self.place(key).is_none() {
            let at = self.push(key, value);
            self.entries[at].stored = true;
        }
    }

    /// All entries, each with whether it is to be saved, and the keys that went.
    pub(super) fn into_parts(self) -> (impl ExactSizeIterator<Item = (Box<str>, T, bool)>, Vec<Box<str>>) {
        (self.entries.into_iter().map(|slot| (slot.key, slot.value, slot.dirty)), self.gone)
    }

    /// Puts an entry of another table in.
    pub(super) fn put_back(&mut self, key: &str, value: T, dirty: bool) {
        let at = self.push(key, value);
        (self.entries[at].dirty, self.entries[at].stored) = (dirty, true);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<T> {
        let at = self.place(key)?;
        Some(self.remove_at(at))
    }

    fn remove_at(&mut self, at: usize) -> T {
        let last = self.entries.len() - 1;
        let Slot { key, value, stored, .. } = self.entries.swap_remove(at);
        let hash = self.hasher.hash_one(&*key);
        if let Ok(found) = self.index.find_entry(hash, |place| *place as usize == at) {
            found.remove();
        }
        if let Some(moved) = self.entries.get(at) {
            let hash = self.hasher.hash_one(&*moved.key);
            if let Some(place) = self.index.find_mut(hash, |place| *place as usize == last) {
                *place = at as u32;
            }
        }
        // What the store never had need not be taken out of it.
        if self.saved && stored {
            self.gone.push(key);
        }
        value
    }

    /// Takes out every value for which `ended` says so.
    pub(super) fn remove_where(&mut self, ended: impl Fn(&T) -> bool) -> Vec<T> {
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

    /// Takes out the lightest of a sample that moves through the table.
    pub(super) fn evict<W: Ord>(&mut self, weight: impl Fn(&T) -> W) -> Option<T> {
        let count = self.entries.len();
        let sample = (0..SAMPLE.min(count)).map(|step| (self.cursor + step) % count);
        let lightest = sample.min_by_key(|at| (weight(&self.entries[*at].value), std::cmp::Reverse(*at)))?;
        self.cursor = (self.cursor + SAMPLE) % count;
        Some(self.remove_at(lightest))
    }

    /// Keys and values, in the order of the table.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|slot| (&*slot.key, &slot.value))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|slot| &slot.value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
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
            (changed, gone.into_iter().map(String::from).collect::<Vec<_>>())
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
                table.evict(|weight| *weight);
            }
            *table.get_or_insert_with(&format!("flood {key}"), || 0) += 1;
        }
        assert_eq!(table.get("slow attack"), Some(&2));
        assert_eq!(table.len(), 1000);
    }
}
