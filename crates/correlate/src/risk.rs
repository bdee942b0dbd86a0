//! What else an entity has been found at: each finding that begins takes up what the earlier ones are worth, and adds its own
//! level to it. Looked at in the order of events, so that a second run gives the same scores.

use event::{EventId, Risk, Timestamp};
use rules::ruleset::RuleSet;
use serde::{Deserialize, Serialize};

use crate::Correlator;
use crate::episode::{Episode, Source};
use crate::table::Table;

/// What an entity's findings are worth.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct EntityRisk {
    risk: Risk,
    /// The event that the newest of them began with, and what the others were worth before it: several rules that
    /// speak about one event are no reason for more suspicion.
    newest: Option<EventId>,
    before: f64,
}

impl EntityRisk {
    pub(super) fn now(&self, now: Timestamp) -> f64 {
        self.risk.now(now)
    }
}

/// Gives an episode that has just begun with `event` what its entity's findings were worth before that event, and adds it
/// to them. Nothing happens to one that has it already.
pub(super) fn take_up(
    risks: &mut Table<EntityRisk>,
    entities_max: usize,
    set: &RuleSet,
    episode: &mut Episode,
    event: EventId,
) {
    if !episode.lacks_risk() {
        return;
    }
    let Some(entity) = episode.entity() else { return episode.set_risk(0.0) };
    let opened = episode.opened();
    if risks.len() >= entities_max && risks.place(&entity).is_none() {
        risks.evict(|risk| risk.now(opened) as u64);
    }
    let known = risks.get_or_insert_with(&entity, EntityRisk::default);
    if known.newest != Some(event) {
        (known.newest, known.before) = (Some(event), known.risk.now(opened));
    }
    known.risk.add(f64::from(episode.head(set).level.base_score()), opened);
    episode.set_risk(known.before);
}

impl Correlator {
    /// The same for a finding of a correlation.
    pub(super) fn take_up_risk(&mut self, index: usize, place: usize, event: EventId) {
        if self.is_muted(Source::Correlation(index)) {
            return;
        }
        let Correlator { set, windows, risks, options, .. } = self;
        if let Some(episode) = windows[index].at_mut(place).firing_mut() {
            take_up(risks, options.groups_max, set, episode, event);
        }
    }
}
