//! What other correlations do to a window: hits of some take back what it has counted, and a finding that begins
//! because of others shows the events that those have counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use event::{EventId, EventRef, Timestamp};
use rules::ruleset::BoundCorrelation;
use rules::sigma::rule::CorrelationKind;

use crate::episode::{Episode, RuleRef};
use crate::group_key::value_of;
use crate::hit::IndexedHit;
use crate::window::Window;
use crate::window::entry::{Entry, EventValue};
use crate::window::evidence::{add_entry, counted_entity};

/// An event that a window counts, with its line where that is kept.
pub(crate) type ProvenEntry = (Entry, Option<Arc<EventRef>>);

impl Window {
    /// Takes back what the group has counted up to the time of a hit that forgives; of values that are counted, only
    /// the hit's own value.
    pub(crate) fn forgive(&mut self, bound: &BoundCorrelation, hit: &IndexedHit, time: Timestamp) {
        let own = match bound.rule.kind {
            CorrelationKind::ValueCount(_) => value_of(bound, hit),
            _ => None,
        };
        let tally = self.contents.aggregate().tally();
        if own.as_ref().zip(tally).is_some_and(|(own, tally)| !tally.has(own)) {
            return;
        }
        let stays = |entry: &Entry, value: Option<&EventValue>| {
            let other = matches!((value, &own), (Some(EventValue::Text(value)), Some(own)) if **value != **own);
            entry.time > time || other
        };
        if !self.contents.entries().iter().any(|(entry, value)| !stays(entry, value)) {
            return;
        }
        if let (Some(episode), Some(own), Some(kind)) = (&mut self.firing, &own, counted_entity(bound)) {
            let gone =
                self.contents.entries().iter().filter(|(entry, value)| entry.in_finding && !stays(entry, *value));
            let gone: Vec<(EventId, u64)> = gone.map(|(entry, _)| (entry.id, u64::from(entry.weight))).collect();
            episode.take_back(kind, own, &gone);
        }
        self.contents.retain(bound, stays);
        self.dormant |= self.firing.is_some() && !self.is_reached(bound);
    }

    /// Events within the time span with their lines, for a correlation that counts this one.
    pub(crate) fn proof(&self) -> Vec<ProvenEntry> {
        self.contents.inside().map(|(entry, _, event)| (*entry, event.cloned())).collect()
    }

    /// Replaces the open finding by one with the events of the correlations that this one counts: they are its reason.
    pub(crate) fn begin_with(
        &mut self,
        bound: &BoundCorrelation,
        index: usize,
        group: String,
        chained: Vec<ProvenEntry>,
    ) {
        let mut all: BTreeMap<(Timestamp, EventId), ProvenEntry> = BTreeMap::new();
        for (entry, event) in chained.into_iter().chain(self.proof()) {
            let known = all.entry((entry.time, entry.id)).or_insert((entry, None));
            known.1 = known.1.take().or(event);
        }
        let start = all.first_key_value().map_or(Timestamp(0), |((time, _), _)| *time);
        let mut episode = Episode::new(RuleRef::Correlation(index), group, start);
        let counted = counted_entity(bound);
        all.values().for_each(|(entry, event)| add_entry(&mut episode, counted, entry, None, event.as_ref()));
        self.firing = Some(Box::new(episode));
    }
}
