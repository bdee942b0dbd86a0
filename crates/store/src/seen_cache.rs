//! Which addresses and titles this process has committed already, so that no commit writes them again. Bounded; it says
//! yes only to what stands in the store, byte for byte, and "no" costs an upsert that changes nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashSet;

/// Addresses that are remembered, some 80 bytes each; when there are more, all are forgotten.
const ADDRESSES_MAX: usize = 32_768;
/// Titles that are remembered, with the ids of their rules; when there are more, all are forgotten.
const TITLES_MAX: usize = 8_192;

/// Addresses as findings write them, and titles with the ids of their rules.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) addresses: BTreeSet<&'a str>,
    pub(crate) titles: BTreeSet<(&'a str, &'a str)>,
}

/// What the last commits have written.
#[derive(Debug, Default)]
pub(crate) struct SeenCache {
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    addresses: HashSet<Box<str>>,
    titles: HashSet<(String, String)>,
    /// Number of the last commit. Numbers only rise: a lower one tells that the store was restored from a backup.
    revision: i64,
}

impl SeenCache {
    fn lock(&self) -> MutexGuard<'_, Written> {
        // A set that was left half-changed holds no more than what was committed.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves of the names those that have to be written by the commit of this number.
    pub(crate) fn unwritten<'a>(&self, mut names: Names<'a>, revision: i64) -> Names<'a> {
        let mut written = self.lock();
        if revision <= written.revision {
            *written = Written::default();
        }
        names.addresses.retain(|address| !written.addresses.contains(*address));
        names.titles.retain(|(title, id)| !written.titles.contains(&((*title).to_owned(), (*id).to_owned())));
        names
    }

    /// The commit of this number has written the names and is done.
    pub(crate) fn committed(&self, names: &Names<'_>, revision: i64) {
        let mut written = self.lock();
        written.revision = written.revision.max(revision);
        if written.addresses.len() + names.addresses.len() > ADDRESSES_MAX {
            written.addresses.clear();
        }
        written.addresses.extend(names.addresses.iter().take(ADDRESSES_MAX).map(|address| Box::from(*address)));
        if written.titles.len() + names.titles.len() > TITLES_MAX {
            written.titles.clear();
        }
        let titles = names.titles.iter().take(TITLES_MAX);
        written.titles.extend(titles.map(|(title, id)| ((*title).to_owned(), (*id).to_owned())));
    }

    /// A commit failed, or somebody took over: the store may be another than before.
    pub(crate) fn forget(&self) {
        *self.lock() = Written::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(addresses: &[&'a str], titles: &[(&'a str, &'a str)]) -> Names<'a> {
        Names { addresses: addresses.iter().copied().collect(), titles: titles.iter().copied().collect() }
    }

    #[test]
    fn only_what_was_committed_to_this_store_is_left_out() {
        let cache = SeenCache::default();
        let all = || names(&["192.0.2.1", "192.0.2.2"], &[("a title", "r1"), ("a title", "r2")]);
        assert_eq!(cache.unwritten(all(), 1), all(), "nothing was committed yet");
        assert_eq!(cache.unwritten(all(), 1), all(), "asking commits nothing");
        cache.committed(&names(&["192.0.2.1"], &[("a title", "r1")]), 1);
        let rest = names(&["192.0.2.2"], &[("a title", "r2")]);
        assert_eq!(cache.unwritten(all(), 2), rest);
        cache.committed(&rest, 2);
        assert_eq!(cache.unwritten(all(), 3), Names::default());
        assert_eq!(cache.unwritten(all(), 2), all(), "a store that was restored has lost what was written since");
        cache.committed(&all(), 2);
        cache.forget();
        assert_eq!(cache.unwritten(all(), 3), all());
    }

    #[test]
    fn it_is_bounded() {
        let cache = SeenCache::default();
        let addresses: Vec<String> = (0..2 * ADDRESSES_MAX).map(|number| number.to_string()).collect();
        for (part, revision) in addresses.chunks(1_000).zip(1..) {
            cache.committed(
                &Names { addresses: part.iter().map(String::as_str).collect(), ..Names::default() },
                revision,
            );
            assert!(cache.lock().addresses.len() <= ADDRESSES_MAX);
        }
        let all = Names { addresses: addresses.iter().map(String::as_str).collect(), ..Names::default() };
        cache.committed(&all, 100);
        assert_eq!(cache.lock().addresses.len(), ADDRESSES_MAX);
    }
}
