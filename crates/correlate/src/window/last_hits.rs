//! The newest hit of each window of a group that waits for its end: what is told to other correlations when the window
//! has been judged.

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hit::IndexedHit;

/// Windows of one group that wait to be judged, whose newest hits are remembered.
const LAST_HITS_MAX: usize = 64;

/// The newest hit of one window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LastHit {
    /// Time of the window's first event, as far as is known.
    start: Timestamp,
    time: Timestamp,
    pub(crate) hit: IndexedHit,
}

/// Oldest window first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LastHits(Vec<LastHit>);

impl LastHits {
    /// Remembers the hit as the newest of the window that covers its time, or of a new window.
    pub(crate) fn note(&mut self, hit: &IndexedHit, time: Timestamp, timespan_us: i64) {
        let covers = |last: &&mut LastHit| time >= last.start && time <= last.start.saturating_add_us(timespan_us);
        match self.0.iter_mut().find(covers) {
            Some(last) if last.time <= time => (last.time, last.hit) = (time, hit.clone()),
            Some(_) => {}
            None => {
                if self.0.len() == LAST_HITS_MAX {
                    self.0.remove(0);
                }
                self.0.push(LastHit { start: time, time, hit: hit.clone() });
            }
        }
    }

    /// The newest hit between two times, both included; where there is none, that of the last window.
    pub(crate) fn newest_between(&self, first: Timestamp, end: Timestamp) -> Option<&LastHit> {
        let inside = |last: &&LastHit| last.time >= first && last.time <= end;
        self.0.iter().filter(inside).max_by_key(|last| last.time).or(self.0.last())
    }

    /// Forgets hits up to a time, itself included.
    pub(crate) fn forget_until(&mut self, end: Timestamp) {
        self.0.retain(|last| last.time > end);
    }

    /// Changes the hits to what another rule set makes of them; `None` where it lacks their rule.
    pub(crate) fn moved(self, moved: impl Fn(IndexedHit) -> Option<IndexedHit>) -> Self {
        LastHits(self.0.into_iter().filter_map(|last| Some(LastHit { hit: moved(last.hit)?, ..last })).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hit::tests::hit_at;

    fn line_of(last: Option<&LastHit>) -> Option<u64> {
        last.map(|last| last.hit.event.line_no)
    }

    #[test]
    fn each_window_keeps_its_newest_hit_and_forgets_it_once_judged() {
        let mut last_hits = LastHits::default();
        for (line_no, second) in [(1, 0), (2, 5), (3, 3), (4, 30)] {
            last_hits.note(&hit_at(line_no, second), Timestamp(second), 10);
        }
        assert_eq!(line_of(last_hits.newest_between(Timestamp(0), Timestamp(10))), Some(2));
        assert_eq!(line_of(last_hits.newest_between(Timestamp(11), Timestamp(20))), Some(4), "the last window's");
        last_hits.forget_until(Timestamp(10));
        assert_eq!(line_of(last_hits.newest_between(Timestamp(0), Timestamp(10))), Some(4));
        let moved = last_hits.moved(|_| None);
        assert_eq!(line_of(moved.newest_between(Timestamp(0), Timestamp(99))), None);
    }

    #[test]
    fn a_flood_of_windows_forgets_the_oldest() {
        let mut last_hits = LastHits::default();
        (0..100).for_each(|at| last_hits.note(&hit_at(at, at as i64 * 20), Timestamp(at as i64 * 20), 10));
        assert_eq!(last_hits.0.len(), LAST_HITS_MAX);
        assert_eq!(last_hits.0[0].hit.event.line_no, 100 - LAST_HITS_MAX as u64);
    }
}
