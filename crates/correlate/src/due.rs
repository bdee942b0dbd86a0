//! When windows are to be judged that wait for their end: in the order of their ends, so that what they tell other
//! correlations comes when it is time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use event::Timestamp;

use crate::explained::Judged;
use crate::inspect::closed_view;
use crate::window::{Closed, Found};
use crate::{Correlator, Signal};

/// End of a window's time span, its correlation, and the key of its group.
type Turn = (Timestamp, usize, Box<str>);

#[derive(Debug, Default)]
pub(super) struct Due {
    turns: BinaryHeap<Reverse<Turn>>,
}

impl Due {
    pub(super) fn add(&mut self, end: Timestamp, index: usize, key: &str) {
        self.turns.push(Reverse((end, index, key.into())));
    }

    /// The next one that ends before `complete`.
    fn next_before(&mut self, complete: Timestamp) -> Option<Turn> {
        let is_due = self.turns.peek().is_some_and(|Reverse((end, ..))| *end < complete);
        is_due.then(|| self.turns.pop()).flatten().map(|Reverse(turn)| turn)
    }
}

impl Correlator {
    /// Judges windows that end before `complete`, up to which nothing more comes.
    pub(super) fn judge_due(&mut self, complete: Timestamp) {
        while let Some((_, index, key)) = self.due.next_before(complete) {
            self.judge(index, &key, complete);
        }
        // What they tell others lies behind what those have counted.
        self.recount_strays();
    }

    /// Judges the windows of one group that end before `complete`.
    fn judge(&mut self, index: usize, key: &str, complete: Timestamp) {
        let set = Arc::clone(&self.set);
        let bound = &set.correlations[index];
        let Some(window) = self.windows[index].get_mut(key) else { return };
        let (proof, bytes) = (window.proof_bytes(), window.bytes());
        let closed = window.close(bound, index, complete);
        let next = window.times().0;
        self.window_proof = (self.window_proof + window.proof_bytes()).saturating_sub(proof);
        self.weights.change(index, bytes, window.bytes());
        if let Some(first) = next {
            self.due.add(first.saturating_add_us(bound.rule.timespan_us), index, key);
        }
        for Closed { window, found } in closed {
            self.witness_judgement(index, || Judged {
                held: found.is_some(),
                window: closed_view(bound, key, &window),
            });
            let Some(Found { episode, hit, time }) = found else { continue };
            self.close(*episode);
            let signal = Signal { number: set.signal_of(index), goes_on: false, ahead: false };
            self.correlate(signal, &hit, time, false);
        }
    }

    /// Finds anew what is to be judged: another set or saved state has come.
    pub(super) fn find_due(&mut self) {
        self.due = Due::default();
        for (index, bound) in self.set.correlations.iter().enumerate().filter(|(_, bound)| bound.waits_for_close) {
            for (key, window) in self.windows[index].iter() {
                if let Some(first) = window.times().0 {
                    self.due.add(first.saturating_add_us(bound.rule.timespan_us), index, key);
                }
            }
        }
    }
}
