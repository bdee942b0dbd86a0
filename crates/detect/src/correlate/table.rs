//! Groups by key: found by hash, walked in a fixed order, evicted so that a flood of new keys pushes out itself.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Entries that one eviction compares.
const SAMPLE: usize = 64;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    from = "Vec<(Box<str>, T)>",
    into = "Vec<(Box<str>, T)>",
    bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>")
)]
pub(super) struct Table<T> {
    entries: Vec<(Box<str>, T)>,
    index: HashMap<Box<str>, u32>,
    cursor: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { entries: Vec::new(), index: HashMap::new(), cursor: 0 }
    }
}

impl<T> From<Vec<(Box<str>, T)>> for Table<T> {
    fn from(entries: Vec<(Box<str>, T)>) -> Self {
        let index = entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at as u32)).collect();
        Table { entries, index, cursor: 0 }
    }
}

impl<T> From<Table<T>> for Vec<(Box<str>, T)> {
    fn from(table: Table<T>) -> Self {
        table.entries
    }
}

impl<T> Table<T> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.index.get(key).map(|at| &self.entries[*at as usize].1)
    }

    pub(super) fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> T) -> &mut T {
        let at = match self.index.get(key) {
            Some(at) => *at as usize,
            None => {
                self.entries.push((key.into(), make()));
                self.index.insert(key.into(), self.entries.len() as u32 - 1);
                self.entries.len() - 1
            }
        };
        &mut self.entries[at].1
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<T> {
        let at = *self.index.get(key)? as usize;
        Some(self.remove_at(at))
    }

    fn remove_at(&mut self, at: usize) -> T {
        let (key, value) = self.entries.swap_remove(at);
        self.index.remove(&key);
        if let Some((moved, _)) = self.entries.get(at)
            && let Some(place) = self.index.get_mut(moved)
        {
            *place = at as u32;
        }
        value
    }

    /// Takes out every value for which `ended` says so.
    pub(super) fn remove_where(&mut self, ended: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        let mut at = 0;
        while at < self.entries.len() {
            if ended(&self.entries[at].1) {
                removed.push(self.remove_at(at));
            } else {
                at += 1;
            }
        }
        removed
    }

    /// Takes out the lightest of a sample that moves through the table; the youngest of equals. A flood of keys seen
    /// once is lighter than any attack that has been counted twice, so it pushes out its own.
    pub(super) fn evict<W: Ord>(&mut self, weight: impl Fn(&T) -> W) -> Option<T> {
        let count = self.entries.len();
        let sample = (0..SAMPLE.min(count)).map(|step| (self.cursor + step) % count);
        let lightest = sample.min_by_key(|at| (weight(&self.entries[*at].1), std::cmp::Reverse(*at)))?;
        self.cursor = (self.cursor + SAMPLE) % count;
        Some(self.remove_at(lightest))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    pub(super) fn into_entries(self) -> Vec<(Box<str>, T)> {
        self.entries
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
