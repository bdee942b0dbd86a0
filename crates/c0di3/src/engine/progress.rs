//! How the engine gets on, for health.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When it last committed, and what keeps it from it.
#[derive(Debug)]
pub(crate) struct Progress {
    committed: Mutex<Instant>,
    trouble: Mutex<Option<String>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { committed: Mutex::new(Instant::now()), trouble: Mutex::new(None) }
    }

    pub(crate) fn since_commit(&self) -> Duration {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_well(&self) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn is_in_trouble(&self, words: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}
