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
        let groups = self.windows.of(index);
        let weight = |window: &Window| (window.aggregate(bound).unwrap_or(0.0), window.events());
        let mut weights: Vec<(&str, (f64, u64))> =
            groups.iter(bound).map(|(key, window)| (key, weight(&window))).collect();
        weights.sort_by(|(key, one), (other_key, other)| {
            other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)).then(key.cmp(other_key))
        });
        let now = self.clock.newest();
        let heaviest = weights.into_iter().take(limit);
        Some(heaviest.filter_map(|(key, _)| Some(view(bound, key, &*groups.get(bound, key)?, now))).collect())
    }

    /// One group of a correlation, by the text that names it ([`GroupView::named`]).
    pub(crate) fn group_named(&self, id: &str, named: &str) -> Option<GroupView> {
        let index = self.correlation_of(id)?;
        let bound = &self.setup.set.correlations[index];
        let mut views =
            self.windows.of(index).iter(bound).map(|(key, window)| view(bound, key, &window, self.clock.newest()));
        views.find(|view| view.named() == named)
    }

    fn correlation_of(&self, id: &str) -> Option<usize> {
        self.setup.set.correlations.iter().position(|bound| bound.rule.head.id == id)
    }
}
