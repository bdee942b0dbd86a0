//! How following files gets on, for health.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Troubles that are named in one report; the others are counted.
const NAMED_MAX: usize = 5;

#[derive(Debug, Default)]
struct TailProgress {
    followed: usize,
    beyond: usize,
    /// Of single files, by name.
    files: BTreeMap<String, String>,
    /// Of the last look for files, by what was asked for.
    looks: BTreeMap<String, String>,
}

/// How many files are followed, and what cannot be.
#[derive(Debug, Default)]
pub struct TailState(Mutex<TailProgress>);

/// What health says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailReport {
    /// Files that are followed now.
    pub followed: usize,
    /// What cannot be followed or read, each with its name; at most six texts.
    pub troubles: Vec<String>,
}

impl TailState {
    fn with<T>(&self, change: impl FnOnce(&mut TailProgress) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A file that cannot be read. True where that is news.
    pub(super) fn trouble(&self, path: &str, words: String) -> bool {
        self.with(|inner| inner.files.insert(path.to_owned(), words.clone()) != Some(words))
    }

    pub(super) fn is_well(&self, path: &str) {
        self.with(|inner| inner.files.remove(path));
    }

    /// What a look for files has found; `beyond`: files over the limit.
    pub(super) fn looked(&self, followed: usize, beyond: usize, troubles: Vec<(String, String)>) {
        metrics::gauge!("tail_files").set(followed as f64);
        metrics::gauge!("tail_files_left_out").set(beyond as f64);
        self.with(|inner| {
            (inner.followed, inner.beyond) = (followed, beyond);
            inner.files.retain(|name, _| Path::new(name).exists());
            inner.looks = troubles.into_iter().collect();
        });
    }

    /// What health says now.
    pub fn report(&self) -> TailReport {
        self.with(|inner| {
            let mut troubles = Vec::new();
            if inner.beyond > 0 {
                troubles.push(format!("{} files more than tail.files_max allows are not followed", inner.beyond));
            }
            let named = inner.files.iter().chain(&inner.looks);
            troubles.extend(named.map(|(name, words)| format!("{name}: {words}")));
            let more = troubles.len().saturating_sub(NAMED_MAX);
            if more > 0 {
                troubles.truncate(NAMED_MAX);
                troubles.push(format!("and {more} more"));
            }
            TailReport { followed: inner.followed, troubles }
        })
    }
}
