//! `c0di3 rules coverage`: which ATT&CK techniques rules look for, as a layer for the Navigator, and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use detect::RuleSet;
use event::Level;
use event::dataset::DATASETS;
use serde_json::{Value, json};

use crate::cli::{CoverageFormat, RulesCoverageArguments};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::rules::RuleFiles;

/// Tactics of ATT&CK for enterprises, as tags name them.
const TACTICS: [&str; 14] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

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
                if let Some(count) = coverage.tactics.get_mut(tag.replace('_', "-").as_str()) {
                    *count += 1;
                }
            }
        }
        for dataset in DATASETS.iter().filter(|dataset| !dataset.services.is_empty()) {
            let judging = set.rules.iter().filter(|rule| dataset.satisfies(&rule.logsource)).count();
            coverage.datasets.insert(dataset.name, judging);
        }
        coverage
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
        let none = |counts: &BTreeMap<&'static str, usize>| {
            counts.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect::<Vec<_>>()
        };
        let quiet = self.techniques.iter().filter(|(_, covered)| covered.highest <= Some(Level::Low));
        json!({
            "tactics_without_rules": none(&self.tactics), "datasets_without_rules": none(&self.datasets),
            "techniques_at_low_or_less": quiet.map(|(id, _)| id).collect::<Vec<_>>(),
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
        let (techniques, without) = (self.techniques.len(), self.without_technique.len());
        writeln!(out, "{techniques} techniques; {without} rule(s) name none")
    }
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
