//! The correlator: state over time, and one of two intakes. What both have is written here, once: changes, saving,
//! reloads, questions.

use std::sync::Arc;

use rules::ruleset::RuleSet;

use crate::change::Change;
use crate::counts::CorrelatorCounts;
use crate::group_view::GroupView;
use crate::reload::Reloaded;
use crate::save::{SavedState, StateError};
use crate::state::State;

/// Counts hits over event time. One owner, `&mut self`. How hits come to the state is a matter of the intake `I`: see
/// [`crate::BatchCorrelator`] and [`crate::LiveCorrelator`].
#[derive(Debug)]
pub struct Correlator<I> {
    pub(crate) state: State,
    pub(crate) intake: I,
}

impl<I> Correlator<I> {
    /// Lets correlations report that others have muted.
    pub fn unmute(&mut self) {
        self.state.setup.unmuted = true;
    }

    /// What was left out or done early, since the state began.
    pub fn counts(&self) -> CorrelatorCounts {
        self.state.counts
    }

    /// Number of open findings of detections, and of groups of all correlations.
    pub fn open(&self) -> (usize, usize) {
        (self.state.findings.len(), self.state.windows.len())
    }

    /// Findings that are new or have changed since the last call: closed ones, then open ones, in a fixed order.
    pub fn changes(&mut self) -> Vec<Change> {
        self.state.changes()
    }

    /// What must survive a restart and has changed since the last call.
    ///
    /// # Errors
    /// [`StateError::Write`] where a part cannot be written as JSON.
    pub fn save(&mut self) -> Result<SavedState, StateError> {
        self.state.save()
    }

    /// Takes up what was saved: the last head, and the last value of every key that still holds.
    ///
    /// # Errors
    /// [`StateError::Read`] where a text is no saved state, [`StateError::Version`] where it has another form.
    pub fn restore(&mut self, head: &str, entries: impl Iterator<Item = (String, String)>) -> Result<(), StateError> {
        self.state.restore(head, entries)
    }

    /// Goes on with another rule set: state of unchanged rules stays. Saved state follows with the next save.
    pub fn reload(&mut self, set: Arc<RuleSet>) -> Reloaded {
        self.state.reload(set)
    }

    /// Up to `limit` groups of a correlation, by id; those first that have the most. `None` where there is no such
    /// correlation.
    pub fn groups(&self, id: &str, limit: usize) -> Option<Vec<GroupView>> {
        self.state.groups(id, limit)
    }

    /// One group of a correlation, by id and by the text that names the group ([`GroupView::named`]).
    pub fn group_named(&self, id: &str, named: &str) -> Option<GroupView> {
        self.state.group_named(id, named)
    }
}
