//! Questions about the windows of a correlation, while it runs.

use crate::group_view::{GroupView, view};
use crate::state::State;
use crate::window::Window;

impl State {
    /// Up to `limit` groups of a correlation, by id; those first that have the most. `None` where there is no such
    /// correlation.
    pub(crate) fn groups(&self, id: &str, limit: usize) -> Option<Vec<GroupView>> {
        let index = self.correlation_of(id)?;
        let bound = &self.setup.set.correlations[index];
        let mut windows: Vec<(&str, &Window)> = self.windows.of(index).iter().collect();
        let weight = |window: &Window| (window.aggregate(bound).unwrap_or(0.0), window.events());
        windows.sort_by(|(key, one), (other_key, other)| {
            let (one, other) = (weight(one), weight(other));
            other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)).then(key.cmp(other_key))
        });
        let now = self.clock.newest();
        Some(windows.into_iter().take(limit).map(|(key, window)| view(bound, key, window, now)).collect())
    }

    /// One group of a correlation, by the text that names it ([`GroupView::named`]).
    pub(crate) fn group_named(&self, id: &str, named: &str) -> Option<GroupView> {
        let index = self.correlation_of(id)?;
        let bound = &self.setup.set.correlations[index];
        let mut views =
            self.windows.of(index).iter().map(|(key, window)| view(bound, key, window, self.clock.newest()));
        views.find(|view| view.named() == named)
    }

    fn correlation_of(&self, id: &str) -> Option<usize> {
        self.setup.set.correlations.iter().position(|bound| bound.rule.head.id == id)
    }
}
