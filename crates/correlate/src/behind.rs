//! What correlations mean for one another: hits of some take back what others have counted, and what begins because of others
//! shows the events that those have counted.

use std::sync::Arc;

use event::{Hit, Timestamp};

use crate::Correlator;
use crate::group;
use crate::window::Window;

impl Correlator {
    /// Takes back what groups of the hit have counted, in correlations that its signal forgives.
    pub(super) fn forgive(&mut self, signal: usize, hit: &Hit, time: Timestamp, key: &mut String) {
        let set = Arc::clone(&self.set);
        for index in &set.uses[signal].forgives {
            let bound = &set.correlations[*index];
            if group::write_key(bound, hit, key)
                && let Some(window) = self.windows[*index].get_mut(key)
            {
                let proof = window.proof_bytes();
                window.forgive(bound, hit, time);
                self.window_proof = (self.window_proof + window.proof_bytes()).saturating_sub(proof);
                self.counts.forgiven += 1;
            }
        }
    }

    /// What begins because of other correlations shows the events that those have counted.
    pub(super) fn prove(&mut self, index: usize, key: &str, hit: &Hit) {
        let set = Arc::clone(&self.set);
        let bound = &set.correlations[index];
        let behind: Vec<_> = bound
            .bases_of_same_groups(&set)
            .filter_map(|base| self.windows[base].get(key))
            .flat_map(Window::proof)
            .collect();
        if !behind.is_empty()
            && let Some(window) = self.windows[index].get_mut(key)
        {
            window.begin_with(bound, index, group::group_text(bound, hit), behind);
        }
    }
}
