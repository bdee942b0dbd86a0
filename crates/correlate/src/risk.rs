//! What else an entity has been found at: each finding that begins takes up what the earlier ones are worth, and adds
//! its own level to it. Assigned in the order of events, so that a second run gives equal scores.

use std::sync::Arc;

use event::{EventId, Risk, Timestamp};
use foldhash::fast::RandomState;
use rules::ruleset::RuleSet;
use serde::{Deserialize, Serialize};

use crate::episode::Episode;
use crate::table::Table;

/// What an entity's findings are worth.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EntityRisk {
    risk: Risk,
    /// The event that the newest of them began with, and what the others were worth before it: several rules that match
    /// one event are no reason for more suspicion.
    newest: Option<EventId>,
    before: f64,
}

/// Risks by entity, within a limit of their number.
#[derive(Debug)]
pub(crate) struct EntityRisks {
    table: Table<EntityRisk>,
    entities_max: usize,
}

impl EntityRisks {
    /// Without entities; `saved` where they are saved now and then.
    pub(crate) fn new(entities_max: usize, saved: bool) -> Self {
        EntityRisks { table: Table::new(saved, RandomState::default()), entities_max }
    }

    /// Gives an episode that has just begun with `event` what its entity's findings were worth before that event, and
    /// adds it to them. Nothing happens to one that has it already.
    pub(crate) fn assign(&mut self, set: &RuleSet, episode: &mut Episode, event: EventId) {
        if !episode.lacks_risk() {
            return;
        }
        let Some(entity) = episode.entity() else { return episode.set_risk(0.0) };
        let opened = episode.opened();
        if self.table.len() >= self.entities_max && self.table.slot(&entity).is_none() {
            self.table.evict(|risk, _, ()| risk.risk.now(opened) as u64);
        }
        let known = self.table.get_or_insert_with(&entity, EntityRisk::default);
        if known.newest != Some(event) {
            (known.newest, known.before) = (Some(event), known.risk.now(opened));
        }
        known.risk.add(f64::from(episode.head(set).level.base_score()), opened);
        episode.set_risk(known.before);
    }

    /// Forgets entities whose risk has decayed to less than a point.
    pub(crate) fn sweep(&mut self, watermark: Timestamp) {
        self.table.remove_where(|risk| risk.risk.now(watermark) < 1.0);
    }

    /// Puts back a risk that was saved.
    pub(crate) fn restore(&mut self, entity: &str, risk: EntityRisk) {
        let _known = self.table.restore(entity, risk);
    }

    /// Gives the risks that changed and the entities that went, since they were last saved.
    pub(crate) fn take_changed(&mut self, changed: impl FnMut(&str, &EntityRisk)) -> Vec<Arc<str>> {
        self.table.take_changed(changed)
    }
}

#[cfg(test)]
mod tests {
    use event::{EventRef, EventTexts, Finding, Whom};

    use super::*;
    use crate::episode::RuleRef;
    use crate::hit::tests::hit_at;
    use crate::options::CorrelatorOptions;

    fn set() -> RuleSet {
        let rule = |id: &str, level: &str| {
            format!(
                "title: {id}\nid: {id}\nlevel: {level}\nlogsource: {{product: linux}}\ndetection: {{s: [x], condition: s}}\n"
            )
        };
        let text = [rule("a", "high"), rule("b", "high")].join("---\n");
        rules::load([("r.yml", text.as_str())], &rules::Terms::default()).set
    }

    fn finding(risks: &mut EntityRisks, set: &RuleSet, rule: u32, address: &str, event: u64) -> Finding {
        let mut episode = Episode::new(RuleRef::Detection(rule), address.to_owned(), Timestamp(0));
        let texts = EventTexts::new("a line", Whom { source_ip: Some(address), ..Whom::default() });
        let line = EventRef { texts, ..EventRef::clone(&hit_at(event, 0).event) };
        episode.add(&Arc::new(line), Timestamp(0), 1);
        risks.assign(set, &mut episode, EventId(u128::from(event)));
        episode.finding(set, &CorrelatorOptions::default())
    }

    fn has_risk(finding: &Finding) -> bool {
        finding.rating.parts.iter().any(|part| part.part.starts_with("other findings"))
    }

    #[test]
    fn an_earlier_finding_about_an_entity_counts_for_the_next_but_not_for_one_of_the_event_itself() {
        let (set, mut risks) = (set(), EntityRisks::new(10, false));
        assert!(!has_risk(&finding(&mut risks, &set, 0, "192.0.2.1", 1)));
        assert!(!has_risk(&finding(&mut risks, &set, 1, "192.0.2.1", 1)), "another rule that matches the event");
        assert!(has_risk(&finding(&mut risks, &set, 0, "192.0.2.1", 2)));
        assert!(!has_risk(&finding(&mut risks, &set, 0, "192.0.2.2", 3)), "another entity");
    }

    #[test]
    fn entities_are_bounded_and_the_one_with_the_least_risk_goes() {
        let (set, mut risks) = (set(), EntityRisks::new(2, false));
        (1..4).for_each(|event| drop(finding(&mut risks, &set, 0, "192.0.2.1", event)));
        (4..50).for_each(|event| drop(finding(&mut risks, &set, 0, &format!("198.51.100.{event}"), event)));
        assert_eq!(risks.table.len(), 2);
        assert!(risks.table.get("source.ip=192.0.2.1").is_some());
        risks.sweep(Timestamp(i64::MAX));
        assert_eq!(risks.table.len(), 0);
    }
}
