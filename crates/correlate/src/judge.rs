//! The judgement of windows that wait for their end, in the order of their ends.

use std::sync::Arc;

use event::Timestamp;

use crate::group_view::closed_view;
use crate::propagate::{Signal, SignalledHit};
use crate::state::State;
use crate::watch::JudgedWindow;
use crate::window::close::{ClosedWindow, MatchedWindow};

impl State {
    /// Judges the windows that end before `complete`, up to which nothing more comes.
    pub(crate) fn judge_until(&mut self, complete: Timestamp) {
        while let Some((_, index, key)) = self.windows.next_deadline(complete) {
            self.judge(index, &key, complete);
        }
        // What they tell other correlations is older than what those have counted.
        self.recount_out_of_order();
    }

    /// Judges the windows of one group that end before `complete`.
    fn judge(&mut self, index: usize, key: &str, complete: Timestamp) {
        let set = Arc::clone(&self.setup.set);
        let bound = &set.correlations[index];
        for ClosedWindow { window, matched } in self.windows.close(bound, index, key, complete) {
            if let Some(watch) = self.watch.as_deref_mut().filter(|watch| watch.is_of(index)) {
                watch.judged(JudgedWindow { held: matched.is_some(), window: closed_view(bound, key, &window) });
            }
            let Some(MatchedWindow { episode, hit, time }) = matched else { continue };
            self.close(&episode);
            let signal = Signal::fired(set.signal_of(index), false);
            self.correlate(&set, SignalledHit { signal, hit: &hit, time, late: false });
        }
    }
}
