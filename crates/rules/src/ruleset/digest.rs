//! What each rule means, as a hash. It is made of what the rule's condition prints (`Debug`), so that a type, variant
//! or field that is renamed there changes it: then saved correlation state is lost (`testdata/digests.expected`).

use std::collections::BTreeMap;

use event::block::digest;

use super::{BoundCorrelation, RuleDigests, RuleSet};
use crate::sigma::rule::{Correlation, Rule};

impl RuleSet {
    /// Hashes all rules, so that the set can take another's place at once.
    pub fn prepare(&self) {
        self.digests();
    }

    /// Ids of all rules and correlations, with the hash of what each means.
    pub fn meanings(&self) -> BTreeMap<&str, u128> {
        let digests = self.digests();
        let digests = digests.rules.iter().chain(&digests.correlations);
        self.heads().map(|head| head.id.as_str()).zip(digests.copied()).collect()
    }

    /// The hashes of all rules. The first call makes them, which takes milliseconds for thousands of rules.
    pub fn digests(&self) -> &RuleDigests {
        self.digests.get_or_init(|| {
            let of_rule = |rule: &Rule| {
                digest(&[format!("{:?} {:?} {:?}", rule.logsource, rule.condition, rule.sample_of).as_bytes()])
            };
            let mut digests = RuleDigests { rules: self.rules.iter().map(of_rule).collect(), correlations: Vec::new() };
            for bound in &self.correlations {
                // What it counts comes before it, and is part of what it means.
                let digest = self.digest_of(bound, &digests);
                digests.correlations.push(digest);
            }
            digests
        })
    }

    fn digest_of(&self, bound: &BoundCorrelation, digests: &RuleDigests) -> u128 {
        let Correlation {
            kind, rules, group_by, aliases, timespan_us, bounds, generate, forgiven_by, distinct, ..
        } = &bound.rule;
        let columns = bound.group_by.iter().chain(&bound.values).map(|from| &self.captures[from.default]);
        let columns: Vec<_> = columns.collect();
        let forgivers = forgiven_by.iter().filter_map(|reference| self.signal_named(reference));
        let base_digests: Vec<u128> = bound
            .bases
            .iter()
            .copied()
            .chain(forgivers)
            .filter_map(|signal| digests.rules.iter().chain(&digests.correlations).nth(signal).copied())
            .collect();
        let meant = format!(
            "{kind:?} {rules:?} {group_by:?} {aliases:?} {timespan_us} {bounds:?} {generate} {forgiven_by:?} {columns:?} {base_digests:x?}"
        );
        // What does not ask for it means what it has always meant.
        let meant = meant + &distinct.as_ref().map(|distinct| format!(" {distinct:?}")).unwrap_or_default();
        digest(&[meant.as_bytes()])
    }
}

#[cfg(test)]
mod tests;
