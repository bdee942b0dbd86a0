//! What else an entity has been found at: each finding that begins takes up what the earlier ones are worth, and adds its own
//! level to it. Looked at in the order of events, so that a second run gives the same scores.

use event::{Level, Risk, Timestamp};

use crate::correlate::Correlator;
use crate::correlate::episode::Source;
use crate::correlate::table::Table;

/// What an entity's findings were worth before this one, which is added.
pub(super) fn take_up(
    risks: &mut Table<Risk>,
    entities_max: usize,
    entity: Option<String>,
    opened: Timestamp,
    level: Level,
) -> f64 {
    let Some(entity) = entity else { return 0.0 };
    if risks.len() >= entities_max && risks.place(&entity).is_none() {
        risks.evict(|risk| risk.now(opened) as u64);
    }
    let risk = risks.get_or_insert_with(&entity, Risk::default);
    let before = risk.now(opened);
    risk.add(f64::from(level.base_score()), opened);
    before
}

impl Correlator {
    /// The same for a finding of a correlation, which has just begun.
    pub(super) fn take_up_risk(&mut self, index: usize, key: &str) {
        if self.is_muted(Source::Correlation(index)) {
            return;
        }
        let Correlator { set, windows, risks, options, .. } = self;
        let Some(episode) = windows[index].get_mut(key).and_then(|window| window.firing_mut()) else { return };
        if episode.lacks_risk() {
            let (entity, opened, level) = (episode.entity(), episode.opened(), episode.level(set));
            episode.set_risk(take_up(risks, options.groups_max, entity, opened, level));
        }
    }
}
