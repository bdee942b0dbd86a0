//! Another rule set takes the place of the one at work. What unchanged rules have counted stays; findings of others
//! are told a last time and closed.

use std::sync::Arc;

use rules::ruleset::RuleSet;

use crate::episode::RuleRef;
use crate::groups::Groups;
use crate::mapping::RuleMapping;
use crate::prefetch::{HitKeys, Prefetch};
use crate::saved_keys::window_key;
use crate::state::State;

/// What became of the state in a reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Groups and open findings that go on.
    pub kept: usize,
    /// Those whose rule has changed or is gone.
    pub dropped: usize,
}

impl State {
    /// Goes on with another set. Saved state follows with the next save.
    pub(crate) fn reload(&mut self, set: Arc<RuleSet>) -> Reloaded {
        let mapping = RuleMapping::new(&self.setup.set, &set);
        let (kept, dropped) = self.findings.reload(&self.setup, &mapping, &mut self.forgotten);
        let mut reloaded = Reloaded { kept, dropped };
        let groups = self.reload_windows(&set, &mapping, &mut reloaded);
        self.windows.put_all(groups, &set);
        self.reorder.move_hits(|hit| mapping.hit(hit));
        self.prefetch = Prefetch::new(&set);
        self.hit_keys = HitKeys::new(&set);
        self.setup.take(set);
        reloaded
    }

    /// The groups by correlation of the new set; those of correlations that have changed or are gone are closed.
    fn reload_windows(&mut self, new: &RuleSet, mapping: &RuleMapping, reloaded: &mut Reloaded) -> Vec<Groups> {
        let old = Arc::clone(&self.setup.set);
        let mut all: Vec<Groups> = self.windows.without_groups(new);
        for (index, mut groups) in self.windows.take_all().into_iter().enumerate() {
            let Some(moved_to) = mapping.correlation(index) else {
                let id = &old.correlations[index].rule.head.id;
                let (entries, gone) = groups.into_parts();
                self.forgotten.extend(gone.iter().map(|key| window_key(id, key)));
                reloaded.dropped += entries.len();
                for (key, window) in entries {
                    self.forgotten.push(window_key(id, &key));
                    window.into_firing().iter().for_each(|episode| self.close(episode));
                }
                continue;
            };
            reloaded.kept += groups.len();
            for window in groups.windows_unsaved() {
                if let Some(episode) = window.firing_mut() {
                    episode.source = RuleRef::Correlation(moved_to);
                }
                window.move_last_hits(|hit| mapping.hit(hit));
            }
            all[moved_to] = groups;
        }
        all
    }
}
