//! A hit on its way through the correlator: the rule's key has been resolved to the rule's index in the set at work.

use std::sync::Arc;

use event::{EventRef, Hit, HitValues, PatternsFound};
use rules::ruleset::RuleSet;
use serde::{Deserialize, Serialize};

/// A hit of a rule that the set at work holds. This form is saved with the state; the head of the state names the rules
/// in the order of their indexes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IndexedHit {
    /// Index of the rule in the set at work.
    pub(crate) rule: u32,
    pub(crate) event: Arc<EventRef>,
    /// By capture of the set.
    pub(crate) values: Arc<HitValues>,
    /// How often the event says that it happened, at least 1.
    pub(crate) repeated: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) patterns: Option<Arc<PatternsFound>>,
}

impl IndexedHit {
    /// Looks the rule up by its key; `None` where the set does not hold it.
    #[inline]
    pub(crate) fn resolve(hit: Hit, set: &RuleSet) -> Option<Self> {
        let Hit { rule, event, values, repeated, patterns } = hit;
        Some(IndexedHit { rule: set.rule_of(rule)?, event, values, repeated, patterns })
    }

    /// Moves the hit to another set: `rule` is the index there, and `captures` names for each capture of that set the
    /// one of this set that holds equal columns.
    pub(crate) fn moved(mut self, rule: u32, captures: &[Option<usize>]) -> Self {
        self.rule = rule;
        if !self.values.is_empty() {
            let value = |(to, from): (usize, &Option<usize>)| Some((to, self.values.get((*from)?)?));
            self.values = Arc::new(HitValues::new(captures.len(), captures.iter().enumerate().filter_map(value)));
        }
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use event::{EventId, EventTexts, RuleKey, Source, SourceId, Timestamp, Whom};

    use super::*;

    /// A hit of the first rule, at a time in microseconds.
    pub(crate) fn hit_at(line_no: u64, time_us: i64) -> IndexedHit {
        let event = EventRef {
            id: EventId(u128::from(line_no)),
            source: Arc::new(Source { id: SourceId(0), name: "test".into() }),
            offset: 0,
            line_no,
            time: Some(Timestamp(time_us)),
            texts: EventTexts::new("a line", Whom::default()),
            answer: None,
            has_guessed_source: false,
        };
        IndexedHit { rule: 0, event: Arc::new(event), values: Arc::default(), repeated: 1, patterns: None }
    }

    #[test]
    fn a_hit_of_an_unknown_rule_is_not_resolved() {
        let IndexedHit { event, values, repeated, patterns, .. } = hit_at(1, 0);
        let hit = Hit { rule: RuleKey::of_id("nowhere"), event, values, repeated, patterns };
        assert!(IndexedHit::resolve(hit, &RuleSet::default()).is_none());
    }

    #[test]
    fn values_follow_their_captures_into_another_set() {
        let mut hit = hit_at(1, 0);
        hit.values = Arc::new([Some("a".into()), None, Some("c".into())].into_iter().collect());
        let moved = hit.moved(7, &[Some(2), None, Some(0), Some(1)]);
        let values: Vec<(usize, &str)> = moved.values.iter().collect();
        assert_eq!((moved.rule, values), (7, vec![(0, "c"), (2, "a")]));
        assert!(hit_at(1, 0).moved(0, &[None]).values.is_empty(), "no correlation reads its values");
    }
}
