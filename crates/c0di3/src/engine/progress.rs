//! How the engine gets on, for health.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use event::Timestamp;

/// When it last committed, and what keeps it from it.
#[derive(Debug)]
pub(crate) struct Progress {
    committed: Mutex<Instant>,
    /// Since when, and what of it is known now.
    trouble: Mutex<Option<(Instant, String)>>,
    /// Every event of the spool that came before this has been correlated, or the spool was empty then.
    reached: Mutex<Timestamp>,
}

impl Progress {
    pub(crate) fn new(now: Timestamp) -> Self {
        Progress { committed: Mutex::new(Instant::now()), trouble: Mutex::new(None), reached: Mutex::new(now) }
    }

    pub(crate) fn since_commit(&self) -> Duration {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// What keeps it from committing, and for how long it has.
    pub(crate) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map(|(since, words)| format!("for {} s: {words}", since.elapsed().as_secs()))
    }

    /// What the spool had taken at `received` was correlated.
    pub(super) fn passed(&self, received: Timestamp) {
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = received;
    }

    /// How long the oldest event that is still in the spool has waited at most, in microseconds. Events that were
    /// correlated stand in the spool until the next checkpoint: they count by the one behind them.
    pub(crate) fn backlog_age_us(&self, backlog_bytes: u64, now: Timestamp) -> i64 {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if backlog_bytes == 0 {
            *reached = now;
        }
        (now.0 - reached.0).max(0)
    }

    pub(super) fn is_well(&self) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn is_in_trouble(&self, words: String) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let since = trouble.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *trouble = Some((since, words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_the_backlog_is_counted_from_what_was_reached_last() {
        let (second, progress) = (1_000_000, Progress::new(Timestamp(0)));
        let at = |seconds: i64| Timestamp(seconds * second);
        assert_eq!(progress.backlog_age_us(0, at(100)), 0, "nothing waits");
        // An event came at 103: nothing older than the last look at an empty spool can wait.
        assert_eq!(progress.backlog_age_us(50, at(110)), 10 * second);
        progress.passed(at(108));
        assert_eq!(progress.backlog_age_us(50, at(110)), 2 * second);
        assert_eq!(progress.backlog_age_us(50, at(400)), 292 * second, "nothing is read any more");
        assert_eq!(progress.backlog_age_us(0, at(401)), 0);
    }
}
