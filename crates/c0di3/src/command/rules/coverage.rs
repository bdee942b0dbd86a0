//! `c0di3 rules coverage`: which ATT&CK techniques rules look for, as a layer for the Navigator, and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use event::Level;
use event::dataset::DATASETS;
use rules::RuleSet;
use serde_json::{Value, json};

use crate::cli::{CoverageFormat, RulesCoverageArguments};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::rule_files::RuleFiles;

/// Tactics of ATT&CK for enterprises, as tags name them.
const TACTICS: [&str; 15] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// What the tactics of the second list were together before ATT&CK 19: rules that still say so may be of any of them.
const FORMER: (&str, [&str; 2]) = ("defense-evasion", ["stealth", "defense-impairment"]);

/// Rules of one technique.
#[derive(Debug, Default)]
struct Covered {
    rules: BTreeSet<String>,
    highest: Option<Level>,
}

#[derive(Debug, Default)]
struct Coverage {
    techniques: BTreeMap<String, Covered>,
    /// Number of rules by tactic.
    tactics: BTreeMap<&'static str, usize>,
    without_technique: Vec<String>,
    /// Kinds of log that we parse, and how many rules judge each.
    datasets: BTreeMap<&'static str, usize>,
}

impl Coverage {
    fn of(set: &RuleSet) -> Self {
        let mut coverage = Coverage::default();
        coverage.tactics.extend(TACTICS.map(|tactic| (tactic, 0)));
        for head in set.heads() {
            for technique in &head.techniques {
                let covered = coverage.techniques.entry(technique.clone()).or_default();
                covered.rules.insert(head.title.clone());
                covered.highest = covered.highest.max(Some(head.level));
            }
            if head.techniques.is_empty() {
                coverage.without_technique.push(head.id.clone());
            }
            let tags = head.attributes.get("tags").and_then(Value::as_array).into_iter().flatten();
            for tag in tags.filter_map(Value::as_str).filter_map(|tag| tag.strip_prefix("attack.")) {
                coverage.count_tactic(&tag.replace('_', "-"));
            }
        }
        for dataset in DATASETS.iter().filter(|dataset| !dataset.services.is_empty()) {
            // Some rows of the table are parts of one log.
            let parts = || DATASETS.iter().filter(|part| part.name == dataset.name);
            let judging = set.rules.iter().filter(|rule| parts().any(|part| part.satisfies(&rule.logsource)));
            coverage.datasets.insert(dataset.name, judging.count());
        }
        coverage
    }

    fn count_tactic(&mut self, tactic: &str) {
        if tactic == FORMER.0 {
            *self.tactics.entry(FORMER.0).or_default() += 1;
        } else if let Some(count) = self.tactics.get_mut(tactic) {
            *count += 1;
        }
    }

    fn tactics_without_rules(&self) -> Vec<&'static str> {
        let by_former_name = self.tactics.contains_key(FORMER.0);
        let is_gap = |name: &&str| !(by_former_name && FORMER.1.contains(name));
        without_rules(&self.tactics).filter(is_gap).collect()
    }

    /// Techniques that only rules of little weight look for.
    fn quiet_techniques(&self) -> Vec<&str> {
        let quiet = self.techniques.iter().filter(|(_, covered)| covered.highest <= Some(Level::Low));
        quiet.map(|(id, _)| id.as_str()).collect()
    }

    /// A layer for the ATT&CK Navigator: the score is the number of rules.
    fn layer(&self) -> Value {
        let techniques: Vec<Value> = self
            .techniques
            .iter()
            .map(|(id, covered)| {
                let titles: Vec<&str> = covered.rules.iter().map(String::as_str).collect();
                json!({"techniqueID": id, "score": covered.rules.len(), "comment": titles.join("\n"), "enabled": true})
            })
            .collect();
        let most = self.techniques.values().map(|covered| covered.rules.len()).max().unwrap_or(1);
        json!({
            "name": "C0Di3 rules", "domain": "enterprise-attack", "description": "Rules by ATT&CK technique",
            "versions": {"layer": "4.5", "navigator": "5.1.0"},
            "techniques": techniques, "sorting": 3, "hideDisabled": false,
            "gradient": {"colors": ["#ffffff", "#2e7d32"], "minValue": 0, "maxValue": most},
        })
    }

    fn gaps(&self) -> Value {
        json!({
            "tactics_without_rules": self.tactics_without_rules(),
            "datasets_without_rules": without_rules(&self.datasets).collect::<Vec<_>>(),
            "techniques_at_low_or_less": self.quiet_techniques(),
            "rules_without_technique": self.without_technique,
        })
    }

    fn report(&self) -> Value {
        let techniques: BTreeMap<&String, Value> = self
            .techniques
            .iter()
            .map(|(id, covered)| {
                (id, json!({"rules": covered.rules, "highest_level": covered.highest.map(|level| level.name())}))
            })
            .collect();
        json!({"techniques": techniques, "tactics": self.tactics, "datasets": self.datasets, "gaps": self.gaps()})
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (id, covered) in &self.techniques {
            let level = covered.highest.map_or("", |level| level.name());
            writeln!(out, "{id}: {} rule(s), up to {level}", covered.rules.len())?;
        }
        for (tactic, count) in &self.tactics {
            writeln!(out, "tactic {tactic}: {count} rule(s)")?;
        }
        for (dataset, count) in &self.datasets {
            writeln!(out, "log {dataset}: {count} rule(s) judge it")?;
        }
        for tactic in self.tactics_without_rules() {
            writeln!(out, "gap: no rule for the tactic {tactic}")?;
        }
        for dataset in without_rules(&self.datasets) {
            writeln!(out, "gap: no rule judges {dataset}")?;
        }
        let quiet = self.quiet_techniques();
        if !quiet.is_empty() {
            writeln!(out, "gap: only rules of level low or less for {}", quiet.join(", "))?;
        }
        let (techniques, without) = (self.techniques.len(), self.without_technique.len());
        writeln!(out, "{techniques} techniques; {without} rule(s) name none")
    }
}

fn without_rules<'a>(counts: &'a BTreeMap<&'static str, usize>) -> impl Iterator<Item = &'static str> + 'a {
    counts.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name)
}

pub(crate) fn run(config: &Config, arguments: &RulesCoverageArguments) -> anyhow::Result<Outcome> {
    let loaded = RuleFiles::given(config, &arguments.paths, &arguments.terms).load()?;
    let coverage = Coverage::of(&loaded.set);
    let mut out = std::io::stdout().lock();
    match arguments.output {
        CoverageFormat::Navigator => writeln!(out, "{}", coverage.layer())?,
        CoverageFormat::Json => writeln!(out, "{}", coverage.report())?,
        CoverageFormat::Text => coverage.print(&mut out)?,
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(tags: &[&str]) -> String {
        let rule = |(at, tag): (usize, &&str)| {
            format!(
                "title: t{at}\nlevel: low\ntags: [{tag}, attack.t1110]\nlogsource: {{product: linux}}\ndetection: {{s: [x], condition: s}}\n---\n"
            )
        };
        let text: String = tags.iter().enumerate().map(rule).collect();
        let loaded = rules::load([("rules.yml", text.as_str())], &rules::Terms::default());
        assert_eq!(loaded.set.rules.len(), tags.len(), "{:?}", loaded.diagnostics);
        let mut out = Vec::new();
        Coverage::of(&loaded.set).print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn gaps_are_told_and_the_former_name_of_tactics_leaves_none() {
        let text = printed(&["attack.stealth", "attack.impact"]);
        assert!(text.contains("tactic stealth: 1 rule(s)") && text.contains("gap: no rule for the tactic discovery"));
        assert!(text.contains("gap: no rule for the tactic defense-impairment") && !text.contains("tactic stealth\n"));
        assert!(text.contains("gap: no rule judges http.access") && !text.contains("gap: no rule judges system.sshd"));
        assert!(text.contains("gap: only rules of level low or less for T1110"), "{text}");
        let text = printed(&["attack.defense_evasion"]);
        assert!(text.contains("tactic defense-evasion: 1 rule(s)"), "{text}");
        assert!(!text.contains("gap: no rule for the tactic stealth") && !text.contains("tactic defense-impairment\n"));
    }
}
