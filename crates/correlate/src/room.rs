//! What all state together may take. What goes is what is least missed, and it is counted.

use crate::Correlator;
use crate::episode::Episode;
use crate::table::Table;
use crate::window::Window;

/// Bytes that windows take beside proof: of each correlation, and of all.
#[derive(Debug, Default)]
pub(super) struct Weights {
    by_correlation: Vec<usize>,
    all: usize,
}

impl Weights {
    #[inline]
    pub(super) fn change(&mut self, index: usize, before: usize, after: usize) {
        if self.by_correlation.len() <= index {
            self.by_correlation.resize(index + 1, 0);
        }
        let own = &mut self.by_correlation[index];
        *own = (*own + after).saturating_sub(before);
        self.all = (self.all + after).saturating_sub(before);
    }

    fn largest(&self) -> Option<usize> {
        (0..self.by_correlation.len()).max_by_key(|index| self.by_correlation[*index])
    }
}

impl Correlator {
    /// Lets proof go where windows or open findings keep too much: counts stay exact, and a finding that is closed for
    /// it is reported with what it has.
    pub(super) fn bound_proof(&mut self) {
        let limit = self.options.proof_bytes_max;
        if self.window_proof > limit {
            self.counts.proof_dropped += 1;
            // First what windows can spare; then also the line of groups that were seen once.
            for newest_too in [false, true] {
                let windows = self.windows.iter_mut().flat_map(Table::values_mut);
                windows
                    .filter(|window| !newest_too || window.events() <= 1)
                    .for_each(|window| window.drop_proof(newest_too, &mut self.spent));
                self.spent.clear();
                self.window_proof = self.windows.iter().flat_map(Table::values).map(Window::proof_bytes).sum();
                if self.window_proof <= limit / 2 {
                    break;
                }
            }
        }
        while self.folds.values().map(Episode::proof_bytes).sum::<usize>() > limit {
            self.counts.proof_dropped += 1;
            for _ in 0..self.folds.len().div_ceil(4) {
                if let Some(episode) = self.folds.evict(Episode::weight) {
                    self.close(episode);
                }
            }
        }
    }

    pub(super) fn make_room(&mut self) {
        if self.folds.len() >= self.options.groups_max
            && let Some(episode) = self.folds.evict(Episode::weight)
        {
            self.counts.evicted += 1;
            self.close(episode);
        }
    }

    pub(super) fn evict_group(&mut self, index: usize) {
        let bound = &self.set.correlations[index];
        if let Some(window) = self.windows[index].evict(|window| window.weight(bound)) {
            self.counts.evicted += 1;
            self.weights.change(index, window.bytes(), 0);
            self.close_window(window);
        }
    }

    /// Pushes out groups while all windows together take too much, of the correlation that takes most.
    pub(super) fn bound_windows(&mut self) {
        while self.weights.all > self.options.window_bytes_max {
            let largest = self.weights.largest().filter(|index| self.windows[*index].len() > 1);
            let Some(index) = largest else { break };
            self.evict_group(index);
        }
    }

    /// Weighs all windows anew.
    pub(super) fn weigh_windows(&mut self) {
        self.weights = Weights::default();
        for (index, table) in self.windows.iter().enumerate() {
            self.weights.change(index, 0, table.values().map(Window::bytes).sum());
        }
    }
}
