//! What else an entity has been found at: each finding that begins takes up what the earlier ones are worth, and adds its own
//! level to it. Looked at in the order of events, so that a second run gives the same scores.

use event::{EventId, Level, Risk, Timestamp};
use serde::{Deserialize, Serialize};

use crate::correlate::Correlator;
use crate::correlate::episode::Source;
use crate::correlate::table::Table;

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

/// A finding that begins.
pub(super) struct Beginning {
    pub(super) entity: Option<String>,
    pub(super) event: EventId,
    pub(super) opened: Timestamp,
    pub(super) level: Level,
}

/// What the entity's findings were worth before the event that this one begins with; it is added to them.
pub(super) fn take_up(risks: &mut Table<EntityRisk>, entities_max: usize, beginning: Beginning) -> f64 {
    let Beginning { entity, event, opened, level } = beginning;
    let Some(entity) = entity else { return 0.0 };
    if risks.len() >= entities_max && risks.place(&entity).is_none() {
        risks.evict(|risk| risk.now(opened) as u64);
    }
    let known = risks.get_or_insert_with(&entity, EntityRisk::default);
    if known.newest != Some(event) {
        (known.newest, known.before) = (Some(event), known.risk.now(opened));
    }
    known.risk.add(f64::from(level.base_score()), opened);
    known.before
}

impl Correlator {
    /// The same for a finding of a correlation, which has just begun.
    pub(super) fn take_up_risk(&mut self, index: usize, key: &str, event: EventId) {
        if self.is_muted(Source::Correlation(index)) {
            return;
        }
        let Correlator { set, windows, risks, options, .. } = self;
        let Some(episode) = windows[index].get_mut(key).and_then(|window| window.firing_mut()) else { return };
        if episode.lacks_risk() {
            let (entity, opened, level) = (episode.entity(), episode.opened(), episode.level(set));
            episode.set_risk(take_up(risks, options.groups_max, Beginning { entity, event, opened, level }));
        }
    }
}
