//! Where the rules of one set stand in another: what a reload needs to go on with state that names rules by index.

use hashbrown::HashMap;
use rules::ruleset::{RuleDigests, RuleSet};

use crate::episode::RuleRef;
use crate::hit::IndexedHit;
use crate::saved_keys::{fold_table_key, read_fold_table_key};

/// Indexes of the old set in the new one.
#[derive(Debug)]
pub(crate) struct RuleMapping {
    /// By index in the old set; of changed rules, too.
    rules: Vec<Option<u32>>,
    /// Whether the rule means what it meant, by index in the old set.
    unchanged: Vec<bool>,
    /// Only of correlations that have not changed.
    correlations: Vec<Option<usize>>,
    /// For each capture of the new set, the one of the old set that holds equal columns.
    captures: Vec<Option<usize>>,
}

impl RuleMapping {
    /// From the old set to the new one.
    pub(crate) fn new(old: &RuleSet, new: &RuleSet) -> Self {
        let (before, after): (&RuleDigests, &RuleDigests) = (old.digests(), new.digests());
        let by_id: HashMap<&str, usize> =
            new.rules.iter().enumerate().map(|(at, rule)| (rule.head.id.as_str(), at)).collect();
        let correlations: HashMap<&str, usize> =
            new.correlations.iter().enumerate().map(|(at, bound)| (bound.rule.head.id.as_str(), at)).collect();
        let rules: Vec<Option<usize>> =
            old.rules.iter().map(|rule| by_id.get(rule.head.id.as_str()).copied()).collect();
        let is_unchanged =
            |(index, digest): (&Option<usize>, &u128)| index.is_some_and(|index| after.rules[index] == *digest);
        let correlation = |(at, digest): (usize, &u128)| {
            let index = correlations.get(old.correlations[at].rule.head.id.as_str())?;
            (after.correlations[*index] == *digest).then_some(*index)
        };
        RuleMapping {
            unchanged: rules.iter().zip(&before.rules).map(is_unchanged).collect(),
            rules: rules.iter().map(|index| index.map(|index| index as u32)).collect(),
            correlations: before.correlations.iter().enumerate().map(correlation).collect(),
            captures: captures_of(&old.captures, &new.captures),
        }
    }

    /// The hit as the new set knows it; `None` where that lacks its rule.
    pub(crate) fn hit(&self, hit: IndexedHit) -> Option<IndexedHit> {
        let rule = self.rules[hit.rule as usize]?;
        Some(hit.moved(rule, &self.captures))
    }

    /// Index of an unchanged correlation in the new set.
    pub(crate) fn correlation(&self, index: usize) -> Option<usize> {
        self.correlations[index]
    }

    /// Rule and table key of an open finding in the new set; `None` where its rule has changed or is gone.
    pub(crate) fn fold(&self, key: &str) -> Option<(u32, String)> {
        let (rule, group) = read_fold_table_key(key)?;
        let index = self.rules[rule].filter(|_| self.unchanged[rule])?;
        Some((index, fold_table_key(index, group)))
    }

    /// Rule and table key of a group whose finding has changed, in the new set.
    pub(crate) fn group(&self, rule: RuleRef, key: &str) -> Option<(RuleRef, Box<str>)> {
        match rule {
            RuleRef::Detection(_) => self.fold(key).map(|(rule, key)| (RuleRef::Detection(rule), key.into())),
            RuleRef::Correlation(index) => {
                self.correlations[index].map(|index| (RuleRef::Correlation(index), key.into()))
            }
        }
    }
}

/// For each of the captures `new`, which of the captures `old` holds equal columns.
pub(crate) fn captures_of(old: &[Vec<String>], new: &[Vec<String>]) -> Vec<Option<usize>> {
    new.iter().map(|columns| old.iter().position(|known| known == columns)).collect()
}
