//! What rules say about events, rule by rule and day by day, before they go live: counted while events are judged, and put
//! together at the end. It stores nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::backtest_report::{EntityOutcome, ExampleLine, JoinOutcome, JoinedIncident, RuleOutcome, TriedRule};
use correlate::Change;
use event::{Finding, FindingId, Hit, Timestamp};
use rules::RuleSet;
use store::{Commit, JoinPolicy, Rehearsed, Store, StoreError};

/// Entities of a rule that are told.
const ENTITIES_MAX: usize = 10;

/// Incidents that are told.
const INCIDENTS_MAX: usize = 100;

/// Days of one rule: times come from senders. What is beyond counts as one more.
const DAYS_MAX: usize = 4000;

/// Of one rule.
#[derive(Debug, Default)]
struct Tally {
    /// Events that matched; of a correlation none.
    hits: u64,
    hits_by_day: BTreeMap<String, u64>,
    example: Option<ExampleLine>,
}

/// What was found so far.
pub(crate) struct RuleReport {
    set: Arc<RuleSet>,
    tallies: BTreeMap<String, Tally>,
    /// Findings as they are now, without their evidence, and in which order they came.
    findings: BTreeMap<FindingId, (usize, Finding)>,
    findings_max: usize,
    is_cut: bool,
}

fn day_of(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "no time".to_owned(), |time| time.to_string().chars().take(10).collect())
}

fn count(days: &mut BTreeMap<String, u64>, day: String, by: u64) {
    let day = if days.len() >= DAYS_MAX && !days.contains_key(&day) { "other days".to_owned() } else { day };
    *days.entry(day).or_insert(0) += by;
}

impl RuleReport {
    /// `findings_max`: findings beyond it are not looked at.
    pub(crate) fn new(set: Arc<RuleSet>, findings_max: usize) -> RuleReport {
        RuleReport { set, tallies: BTreeMap::new(), findings: BTreeMap::new(), findings_max, is_cut: false }
    }

    pub(crate) fn hit(&mut self, hit: &Hit) {
        let Some(rule) = self.set.rule_of(hit.rule) else { return };
        let head = &self.set.rules[rule as usize].head;
        let tally = self.tallies.entry(head.id.clone()).or_default();
        tally.hits += hit.repeated;
        count(&mut tally.hits_by_day, day_of(hit.event.time), hit.repeated);
        let event = &hit.event;
        tally.example.get_or_insert_with(|| ExampleLine {
            source: event.source.name.clone(),
            line_no: event.line_no,
            original: event.original().to_owned(),
        });
    }

    pub(crate) fn changed(&mut self, changes: &[Change]) {
        for Change { finding, .. } in changes {
            if !self.findings.contains_key(&finding.id) && self.findings.len() >= self.findings_max {
                self.is_cut = true;
                continue;
            }
            let tally = self.tallies.entry(finding.rule.id.clone()).or_default();
            if let Some(line) = finding.evidence.first().filter(|_| tally.example.is_none()) {
                let (source, original) = (line.source.clone(), line.original.clone());
                tally.example = Some(ExampleLine { source, line_no: line.line_no, original });
            }
            let number = self.findings.len();
            let known = self.findings.entry(finding.id).or_insert_with(|| (number, finding.clone()));
            known.1 = Finding {
                evidence: Vec::new(),
                response: Vec::new(),
                counted: event::Counted::default(),
                ..finding.clone()
            };
        }
    }

    /// Different findings so far.
    pub(crate) fn findings(&self) -> u64 {
        self.findings.len() as u64
    }

    /// There were more findings than are looked at.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Every rule, those with the most findings first, then those with the most hits.
    pub(crate) fn rules(&self) -> Vec<RuleOutcome> {
        let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for (_, finding) in self.findings.values() {
            let ids: BTreeSet<&str> = finding.rules().map(|(id, _)| id).collect();
            ids.into_iter().for_each(|id| by_rule.entry(id).or_default().push(finding));
        }
        let none = Tally::default();
        let outcome = |head: &rules::sigma::rule::Head| {
            let tally = self.tallies.get(&head.id).unwrap_or(&none);
            let findings = by_rule.get(head.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let mut findings_by_day = BTreeMap::new();
            findings.iter().for_each(|finding| count(&mut findings_by_day, day_of(finding.span.first_seen), 1));
            RuleOutcome {
                rule: TriedRule { id: head.id.clone(), title: head.title.clone(), level: head.level.name().to_owned() },
                hits: tally.hits,
                findings: findings.len() as u64,
                hits_by_day: tally.hits_by_day.clone(),
                findings_by_day,
                entities: entities(findings),
                example: tally.example.clone(),
            }
        };
        let mut all: Vec<RuleOutcome> = self.set.heads().map(outcome).collect();
        all.sort_by(|a, b| {
            let key = |one: &RuleOutcome| Reverse((one.findings, one.hits));
            key(a).cmp(&key(b)).then_with(|| a.rule.title.cmp(&b.rule.title))
        });
        all
    }

    /// Which incidents the findings would be in: those of the store that are open now, joined as a commit joins.
    pub(crate) async fn incidents(
        &self,
        store: &dyn Store,
        policy: JoinPolicy,
        now: Timestamp,
    ) -> Result<JoinOutcome, StoreError> {
        let mut findings: Vec<&(usize, Finding)> = self.findings.values().collect();
        findings.sort_by_key(|(number, _)| *number);
        let findings = findings.into_iter().map(|(_, finding)| finding.clone()).collect();
        let commit = Commit { findings, now, join: Some(policy), ..Commit::default() };
        Ok(joined(store.rehearse(&commit).await?))
    }
}

fn joined(told: Rehearsed) -> JoinOutcome {
    let one = |join: store::WouldJoin| JoinedIncident {
        id: join.incident.id.to_string(),
        title: join.incident.title,
        severity: join.incident.rating.severity.name().to_owned(),
        stage: join.incident.work.stage.name().to_owned(),
        findings: join.findings,
        because: join.because,
    };
    JoinOutcome {
        would_join: told.joins.into_iter().take(INCIDENTS_MAX).map(one).collect(),
        counted_already: told.known,
        would_open: told.opened,
        in_opened: told.in_opened,
        muted: told.muted,
        in_none: told.alone,
    }
}

/// Who is named by the most findings.
fn entities(findings: &[&Finding]) -> Vec<EntityOutcome> {
    let mut all: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for finding in findings {
        for (kind, value) in finding.entities.pairs() {
            let counts = all.entry((kind, value)).or_default();
            *counts = (counts.0 + 1, counts.1 + finding.span.count);
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|((kind, value), counts)| (Reverse(*counts), *kind, *value));
    let one = |((kind, value), (findings, events)): ((&str, &str), (u64, u64))| EntityOutcome {
        kind: kind.to_owned(),
        value: value.to_owned(),
        findings,
        events,
    };
    all.into_iter().take(ENTITIES_MAX).map(one).collect()
}

/// A report for people.
pub(crate) fn print_rules(out: &mut impl std::io::Write, rules: &[RuleOutcome]) -> std::io::Result<()> {
    let is_silent = |one: &&RuleOutcome| one.hits == 0 && one.findings == 0;
    let silent = rules.iter().filter(is_silent).count();
    for one in rules.iter().filter(|one| !is_silent(one)) {
        let RuleOutcome { rule, hits, findings, .. } = one;
        writeln!(out, "{} [{}]: {findings} finding(s), {hits} hit(s)", rule.title, rule.level)?;
        let days: BTreeSet<&String> = one.hits_by_day.keys().chain(one.findings_by_day.keys()).collect();
        for day in days {
            let count = |counts: &BTreeMap<String, u64>| counts.get(day).copied().unwrap_or(0);
            let (findings, hits) = (count(&one.findings_by_day), count(&one.hits_by_day));
            writeln!(out, "  {day}: {findings} finding(s), {hits} hit(s)")?;
        }
        for entity in &one.entities {
            let EntityOutcome { kind, value, findings, events } = entity;
            writeln!(out, "  {kind} {value}: {findings} finding(s), {events} event(s)")?;
        }
        if let Some(ExampleLine { source, line_no, original }) = &one.example {
            writeln!(out, "  such as {source}:{line_no}: {original}")?;
        }
    }
    writeln!(out, "{} rule(s) said something, {silent} nothing", rules.len() - silent)
}
