//! Whether stored values agree with each other, row by row, and what can be derived anew where they do not. No I/O; the
//! queries are in `recount`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use event::{EventSet, Incident, Severity, Status, Thresholds, Timestamp};

use crate::details::{Details, sort_time};
use crate::error::StoreError;
use crate::memory::Memory;

/// Faults that are listed; further ones are only counted.
pub const FAULTS_TOLD_MAX: usize = 10_000;
/// The actor of a repair in an incident's history.
pub(crate) const MENDER: &str = "c0di3 db repair";

/// A stored value that disagrees with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Table of the row.
    pub table: &'static str,
    /// Id of the row, in hexadecimal digits where it is a number.
    pub id: String,
    /// What is wrong, in words.
    pub what: String,
    /// What `db repair` does, or what a person can do.
    pub remedy: String,
    /// Whether `db repair` mends it.
    pub is_mendable: bool,
}

/// What a check or a repair found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recount {
    /// Findings that were read.
    pub findings: u64,
    /// Incidents that were read.
    pub incidents: u64,
    /// Findings in incidents.
    pub linked: u64,
    /// What does not add up, at most [`FAULTS_TOLD_MAX`].
    pub faults: Vec<Fault>,
    /// How many faults there are beyond those.
    pub more: u64,
}

impl Recount {
    pub(crate) fn take(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_TOLD_MAX {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// Which value a repair changes, or which row it removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fix {
    Count,
    Score,
    Severity,
    SortTime,
    Events,
    Link,
    Held,
    Entities,
    Also,
    Unname,
    Unlink,
    Continue,
}

/// A fault with its mend: the fix, the row's id and the new value.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) fault: Fault,
    pub(crate) fix: Option<(Fix, String, Value)>,
}

/// The new value of a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// The fix needs none.
    None,
    Number(i64),
    Text(String),
}

pub(crate) fn diagnosis(
    table: &'static str,
    id: &str,
    what: String,
    remedy: &str,
    fix: Option<(Fix, Value)>,
) -> Diagnosis {
    let fault = Fault { table, id: id.to_owned(), what, remedy: remedy.to_owned(), is_mendable: fix.is_some() };
    Diagnosis { fault, fix: fix.map(|(fix, value)| (fix, id.to_owned(), value)) }
}

/// A row of `findings`, with what other tables hold about it. Values are as stored: any of them may be wrong.
#[derive(Debug)]
pub(crate) struct FindingRow {
    pub(crate) id: String,
    pub(crate) count: i64,
    pub(crate) score: i64,
    pub(crate) severity: String,
    pub(crate) times: FindingTimes,
    pub(crate) status: i64,
    pub(crate) details: String,
    /// Text of an [`EventSet`].
    pub(crate) events: String,
    /// JSON: objects with an `event_id`.
    pub(crate) evidence: String,
    pub(crate) asked: AskedFor,
    /// Its events by its link to an incident; `None` where it has none.
    pub(crate) linked: Option<i64>,
    /// Its events by its row of `held_findings`; `None` where it has none.
    pub(crate) held: Option<i64>,
}

/// What lists find a finding by, as JSON.
#[derive(Debug)]
pub(crate) struct AskedFor {
    /// `kind=value`.
    pub(crate) entities: String,
    /// Rules that it names, each with its events.
    pub(crate) also: String,
}

/// When a finding's events were, in microseconds since 1970.
#[derive(Debug)]
pub(crate) struct FindingTimes {
    pub(crate) first_seen: Option<i64>,
    pub(crate) last_seen: Option<i64>,
    /// What lists are sorted by.
    pub(crate) sort: i64,
}

const BY_HAND: &str = "restore it from a backup, or remove it: nothing says what it was";

impl FindingRow {
    pub(crate) fn check(&self, thresholds: Thresholds) -> Vec<Diagnosis> {
        let mut faults = Vec::new();
        let mut tell = |what: String, remedy: &str, fix: Option<(Fix, Value)>| {
            faults.push(diagnosis("findings", &self.id, what, remedy, fix));
        };
        let evidence: Option<Vec<serde_json::Value>> = serde_json::from_str(&self.evidence).ok();
        if evidence.is_none() {
            tell("its evidence cannot be read".to_owned(), BY_HAND, None);
        }
        let ids: BTreeSet<String> =
            evidence.iter().flatten().map(|one| one["event_id"].as_str().unwrap_or("").to_owned()).collect();
        let set = EventSet::read(&self.events);
        if set.is_none() {
            let remedy = "the events are forgotten: the incident's number becomes an estimate";
            tell("its events cannot be read".to_owned(), remedy, Some((Fix::Events, Value::Text(String::new()))));
        }
        self.check_count(ids.len() as i64, &set.unwrap_or_default(), &mut tell);
        if let (Some(first), Some(last)) = (self.times.first_seen, self.times.last_seen)
            && first > last
        {
            tell(format!("its first event ({first}) is later than its last ({last})"), BY_HAND, None);
        }
        let sorted = sort_time(self.times.last_seen.map(Timestamp));
        if self.times.sort != sorted {
            let what = format!("it is sorted by {}, its last event is at {sorted}", self.times.sort);
            tell(what, "the sort key follows its last event", Some((Fix::SortTime, Value::Number(sorted))));
        }
        if Status::from_number(self.status).is_none() {
            tell(format!("its status {} is none", self.status), BY_HAND, None);
        }
        match serde_json::from_str::<Details>(&self.details) {
            Ok(details) => self.check_details(&details, thresholds, &mut tell),
            Err(error) => tell(format!("its details cannot be read: {error}"), BY_HAND, None),
        }
        faults
    }

    fn check_count(&self, evidence: i64, set: &EventSet, tell: &mut impl FnMut(String, &str, Option<(Fix, Value)>)) {
        let known = if set.is_exact() { set.count() as i64 } else { 0 };
        let least = evidence.max(known).max(1);
        let elsewhere = self.linked.or(self.held);
        let other = elsewhere.filter(|events| *events != self.count);
        let is_right = self.count >= least && (known == 0 || other != Some(known));
        if is_right {
            if other.is_some() {
                let fix = if self.linked.is_some() { Fix::Link } else { Fix::Held };
                let what = format!("it counts {} events, its link {}", self.count, elsewhere.unwrap_or(0));
                tell(what, "the link takes the finding's count", Some((fix, Value::Number(self.count))));
            }
            return;
        }
        let derived = elsewhere.filter(|events| *events >= least).or((known >= least).then_some(known));
        let what = format!("its count is {}, its events are {least} at least", self.count);
        match derived {
            Some(count) => {
                tell(what, "the count is that of its link or its events", Some((Fix::Count, Value::Number(count))))
            }
            None => tell(what, BY_HAND, None),
        }
    }

    fn check_details(
        &self,
        details: &Details,
        thresholds: Thresholds,
        tell: &mut impl FnMut(String, &str, Option<(Fix, Value)>),
    ) {
        let sum: i64 = details.score_parts.iter().map(|part| i64::from(part.points)).sum();
        let sum = sum.clamp(0, 100);
        if !details.score_parts.is_empty() && self.score != sum {
            let what = format!("its score is {}, its parts make {sum}", self.score);
            tell(what, "the score is the sum of its parts", Some((Fix::Score, Value::Number(sum))));
        }
        // The thresholds may have been others when the finding was written: the default ones are accepted as well.
        let believed = [thresholds, Thresholds::default()].map(|known| known.severity(sum as u8));
        let severity: Option<Severity> = self.severity.parse().ok();
        if severity.is_none()
            || (!details.score_parts.is_empty() && !believed.contains(&severity.unwrap_or(Severity::P3)))
        {
            let what = format!("its severity is {}, a score of {sum} is {}", self.severity, believed[0]);
            let severity = Value::Text(believed[0].name().to_owned());
            tell(what, "the severity follows the score", Some((Fix::Severity, severity)));
        }
        let named: BTreeSet<String> = details.entities.pairs().map(|(kind, value)| format!("{kind}={value}")).collect();
        let rows: Option<BTreeSet<String>> = serde_json::from_str(&self.asked.entities).ok();
        let clean = |all: &BTreeSet<String>| -> BTreeSet<String> {
            all.iter().map(|one| one.replace(['\0', '\u{1f}', '\u{2400}'], " ")).collect()
        };
        if rows.as_ref().map(clean) != Some(clean(&named)) {
            let what =
                format!("it names {} entities, {} can be asked for", named.len(), rows.map_or(0, |rows| rows.len()));
            let named = serde_json::to_string(&named).unwrap_or_default();
            tell(what, "what can be asked for follows the finding", Some((Fix::Entities, Value::Text(named))));
        }
        let named: BTreeMap<&str, u64> =
            details.also.iter().map(|other| (other.rule_id.as_str(), other.count)).collect();
        let rows: Option<BTreeMap<&str, u64>> = serde_json::from_str(&self.asked.also).ok();
        if rows.as_ref() != Some(&named) {
            let (known, wanted) = (&self.asked.also, serde_json::to_string(&named).unwrap_or_default());
            let what = format!("it names the rules {wanted}, it is found by {known}");
            tell(what, "what it is found by follows the finding", Some((Fix::Also, Value::Text(wanted))));
        }
    }
}

/// A finding that an incident's link names: its count, severity and events; `None` where there is no such finding.
#[derive(Debug)]
pub(crate) struct LinkRow {
    pub(crate) found: Option<(i64, Option<Severity>, Option<EventSet>)>,
}

/// An incident with everything that its numbers are derived from.
#[derive(Debug)]
pub(crate) struct IncidentRow {
    pub(crate) incident: Incident,
    /// The columns that repeat its document: severity, stage, status, version, facts version.
    pub(crate) columns: (i64, String, String, i64, i64),
    pub(crate) memory: Option<Memory>,
    /// There is a memory, and it cannot be read.
    pub(crate) memory_is_damaged: bool,
    pub(crate) links: Vec<LinkRow>,
    /// Number, field and actor of its history.
    pub(crate) history: Vec<(i64, String, String)>,
}

impl IncidentRow {
    /// Its faults and, where something can be mended, the incident and its memory as they should be.
    pub(crate) fn check(&self) -> (Vec<Diagnosis>, Option<(Incident, Memory)>) {
        let (mut faults, incident) = (Vec::new(), &self.incident);
        let id = incident.id.to_string();
        let mut right = incident.clone();
        let mut mended: Vec<(String, &str)> = Vec::new();
        let memory = self.recount(&mut right);
        if right.scope.findings != incident.scope.findings {
            mended.push((
                format!("it has {} findings, its links {}", incident.scope.findings, right.scope.findings),
                "it is counted again",
            ));
        }
        if right.scope.events != incident.scope.events
            || right.scope.events_are_estimated != incident.scope.events_are_estimated
        {
            mended.push((
                format!("it has {} events, its findings make {}", incident.scope.events, right.scope.events),
                "they are counted again",
            ));
        }
        if self.memory_is_damaged {
            let remedy = "it is counted again from its findings";
            mended.push(("what is remembered of it cannot be read".to_owned(), remedy));
        }
        let gravest = self.links.iter().filter_map(|link| link.found.as_ref()?.1).min();
        let by_person =
            self.history.iter().any(|(_, field, actor)| field == "severity" && actor != "c0di3" && actor != MENDER);
        if let Some(gravest) = gravest {
            right.rating.found_severity = right.rating.found_severity.min(gravest);
            if !by_person && right.rating.severity > gravest {
                mended.push((
                    format!("its severity is {}, its gravest finding {gravest}", incident.rating.severity),
                    "it is as grave as that",
                ));
                right.rating.severity = gravest;
            }
        }
        let last = self.history.last().map_or(0, |(number, ..)| *number);
        if !(1..=last).eq(self.history.iter().map(|(number, ..)| *number)) {
            let what = format!("its history has {} entries up to number {last}", self.history.len());
            faults.push(diagnosis(
                "incident_history",
                &id,
                what,
                "restore it from a backup: nothing says what is missing",
                None,
            ));
        }
        if last != incident.record.entries as i64 {
            mended.push((
                format!("it has {} entries of history, the table {last}", incident.record.entries),
                "the number follows the table",
            ));
            right.record.entries = last.max(0) as u64;
        }
        self.check_versions(&mut right, &mut mended);
        if self.links.is_empty() {
            let remedy = "close it, or restore its findings from a backup";
            faults.push(diagnosis("incidents", &id, "it has no findings".to_owned(), remedy, None));
        }
        let is_mended = !mended.is_empty();
        for (what, remedy) in mended {
            let fault =
                Fault { table: "incidents", id: id.clone(), what, remedy: remedy.to_owned(), is_mendable: true };
            faults.push(Diagnosis { fault, fix: None });
        }
        (faults, is_mended.then_some((right, memory)))
    }

    /// Checks that the columns repeat the document, and that the version is not less than the facts' version.
    fn check_versions(&self, right: &mut Incident, mended: &mut Vec<(String, &str)>) {
        let incident = &self.incident;
        let columns = (incident.rating.severity as i64, incident.work.stage.name(), incident.work.status.name());
        let (severity, stage, status, version, facts) = &self.columns;
        let agree = columns == (*severity, stage.as_str(), status.as_str());
        if !agree || (*version, *facts) != (incident.record.version as i64, incident.record.facts_version as i64) {
            mended.push((
                "its columns say another thing than its document".to_owned(),
                "the columns follow the document",
            ));
        }
        if incident.record.facts_version > incident.record.version {
            mended.push((
                format!(
                    "its facts have version {}, all of it {}",
                    incident.record.facts_version, incident.record.version
                ),
                "the version goes beyond that of its facts",
            ));
            right.record.version = incident.record.facts_version;
        }
    }

    /// Counts findings and events from the links, writes them into `right`, and gives the memory that belongs to them.
    fn recount(&self, right: &mut Incident) -> Memory {
        let known = self.links.iter().filter_map(|link| {
            let (count, _, set) = link.found.as_ref()?;
            Some(((*count).max(0) as u64, set.clone().unwrap_or_default()))
        });
        let mut memory = self.memory.clone().unwrap_or_else(|| Memory::of_old(right)).cleared();
        known.for_each(|(count, set)| memory.take_up(count, &set, 0));
        right.scope.findings = self.links.iter().filter(|link| link.found.is_some()).count() as u64;
        let (events, estimated) = memory.events(right.scope.findings);
        let (least, most) = memory.bounds();
        let is_possible = estimated && right.scope.events >= least && right.scope.events <= most;
        if !is_possible {
            right.scope.events = events;
        }
        // Earlier versions kept no memory, and did not mark their sums as estimates: that alone is no fault.
        if self.memory.is_some() || !is_possible {
            right.scope.events_are_estimated = estimated;
        }
        memory
    }
}

/// Checking and repairing what is stored.
#[async_trait]
pub trait Upkeep: Send + Sync + std::fmt::Debug {
    /// Reads everything and compares it, in one transaction. With `mend` what can be derived is written, otherwise
    /// nothing is. No other process should write meanwhile.
    async fn recount(&self, mend: bool, thresholds: Thresholds, now: Timestamp) -> Result<Recount, StoreError>;
}
