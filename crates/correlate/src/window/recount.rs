//! Events that come after newer ones of their group: what they make of the windows around them is counted again in
//! order of time, once for all that came together, so that findings are those of the sorted events.

use std::ops::Range;

use event::Timestamp;
use rules::ruleset::BoundCorrelation;

use crate::episode::{Episode, RuleRef};
use crate::window::Window;
use crate::window::evidence::{add_entry, counted_entity};

/// Outcome of counting a window again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recounted {
    /// A finding begins.
    pub(crate) begins: bool,
    /// The condition of the rule holds in some window with an event that came out of order.
    pub(crate) fires: bool,
    /// The condition did not hold before.
    pub(crate) restarts: bool,
}

impl Window {
    /// Counts the windows that hold an event of these times again, in order, as if all had come in time. `times`: of
    /// the oldest and the newest event that came out of order.
    pub(crate) fn recount(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        times: (Timestamp, Timestamp),
        group: &str,
    ) -> Recounted {
        let reached = self.contents.reached_around(bound, times);
        let mut recounted = Recounted { fires: !reached.is_empty(), ..Recounted::default() };
        if recounted.fires {
            recounted.restarts = !self.is_firing();
            recounted.begins = self.firing.is_none();
            for (positions, distinct) in reached {
                let start = self.contents.entries().at(positions.start).map_or(Timestamp(0), |entry| entry.time);
                let new = || Box::new(Episode::new(RuleRef::Correlation(index), group.to_owned(), start));
                let episode = self.firing.take().unwrap_or_else(new);
                self.extend_finding(bound, episode, positions, distinct);
            }
        }
        self.recompute(bound);
        self.dormant = self.firing.is_some() && !self.is_reached(bound);
        recounted
    }

    /// Adds the entries at these positions to the finding, as far as it lacks them.
    fn extend_finding(
        &mut self,
        bound: &BoundCorrelation,
        mut episode: Box<Episode>,
        positions: Range<usize>,
        distinct: u64,
    ) {
        let entries = self.contents.entries().with_events().skip(positions.start).take(positions.len());
        for (entry, value, event) in entries.filter(|(entry, ..)| !entry.in_finding) {
            add_entry(&mut episode, counted_entity(bound), entry, value, event);
        }
        episode.set_distinct(distinct);
        self.firing = Some(episode);
        self.contents.set_in_finding(positions);
    }
}
