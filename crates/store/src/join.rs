//! Which incident a finding belongs to: an open one that shares an entity and was active shortly before or after. No
//! I/O: `join_rows` reads what is known and writes the result.

use std::collections::{BTreeMap, BTreeSet};

use event::incident::{HistoryEntry, INCIDENT_LIST_MAX, Link};
use event::{Entities, Finding, Incident, IncidentId, Severity, Timestamp, TitledBy};

use crate::entity_keys::{entity_key, keys};
use crate::known::{Home, Known, Part};
use crate::memory::Memory;
use crate::notice::{Notice, What};

/// The actor of history entries that no person made.
const ACTOR: &str = "c0di3";

/// How findings become incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinPolicy {
    /// Longest silence between findings of one incident, in microseconds of event time.
    pub gap_us: i64,
    /// The least severe finding that opens an incident; less severe ones only join.
    pub opens_from: Severity,
    /// Notices are written for events not older than this, in microseconds; `None`: no notices at all (a replay).
    pub notify_age_us: Option<i64>,
}

/// What joining found out and has to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) incidents: Vec<Incident>,
    /// New links, and old ones whose finding grew.
    pub(crate) links: Vec<(IncidentId, Link)>,
    pub(crate) keys: BTreeSet<(String, IncidentId)>,
    pub(crate) history: Vec<(IncidentId, HistoryEntry)>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) memories: BTreeMap<IncidentId, Memory>,
}

fn names(entities: &Entities, kind: &str, value: &str) -> bool {
    let values = entities.kinds().into_iter().find(|(known, _)| *known == kind);
    values.is_some_and(|(_, values)| values.binary_search_by(|known| known.as_str().cmp(value)).is_ok())
}

/// What happened to an incident in one commit, as its notices tell it.
#[derive(Debug, Default)]
struct Happened {
    opened: Option<What>,
    continues: Option<What>,
    severity: Option<What>,
    rules: Vec<(String, What)>,
}

/// Joins the findings of one commit, one by one.
struct Joining<'a> {
    known: &'a mut Known,
    policy: &'a JoinPolicy,
    now: Timestamp,
    joined: Joined,
    /// Incidents whose facts have changed.
    changed: BTreeSet<IncidentId>,
    /// Incidents that got a history entry, namely that another one continues them.
    noted: BTreeSet<IncidentId>,
    happened: BTreeMap<IncidentId, Happened>,
}

/// Joins findings to incidents. They are not hidden, and each is the part that counts the new events (see `parts`).
pub(crate) fn join<'a>(
    mut known: Known,
    findings: impl Iterator<Item = &'a Finding>,
    policy: &JoinPolicy,
    now: Timestamp,
) -> Joined {
    let mut joining = Joining {
        known: &mut known,
        policy,
        now,
        joined: Joined::default(),
        changed: BTreeSet::new(),
        noted: BTreeSet::new(),
        happened: BTreeMap::new(),
    };
    findings.for_each(|finding| joining.take(finding));
    joining.finish()
}

impl Joining<'_> {
    fn take(&mut self, finding: &Finding) {
        let (id, reason, before) = match self.known.link(finding.id) {
            Some((id, events)) => (id, None, events),
            None => match self.incident_for(finding) {
                Some((id, reason)) => (id, Some(reason), 0),
                None => return,
            },
        };
        // No more events than are known already: they were read again after a crash.
        if reason.is_none() && finding.span.count <= before {
            return;
        }
        let Some(mut incident) = self.known.incidents.remove(&id) else { return };
        self.add(&mut incident, finding, reason.is_some(), before);
        self.known.incidents.insert(id, incident);
        let (added_at, events) = (self.now, finding.span.count);
        let reason = reason.unwrap_or_default();
        let link = Link { finding: finding.id, reason, added_at, added_by: ACTOR.to_owned(), events };
        self.joined.links.push((id, link));
        self.known.parts.insert(finding.id, Part { home: Home::Incident(id), events, continued: None });
        for key in keys(&finding.entities) {
            let tied = self.known.by_key.entry(key.clone()).or_default();
            if !tied.contains(&id) {
                tied.push(id);
                self.joined.keys.insert((key, id));
            }
        }
        self.changed.insert(id);
    }

    /// The incident that a new finding belongs to, and why; opens one if need be. `None`: it is not severe enough for
    /// that.
    fn incident_for(&mut self, finding: &Finding) -> Option<(IncidentId, String)> {
        let earlier = self.known.continued_from.get(&finding.id).copied();
        let goes_on = finding.continues.map(|old| match earlier {
            Some(incident) => format!("goes on from finding {old}; incident {incident} was done with"),
            None => format!("goes on from finding {old}"),
        });
        let because = |reason: String| match &goes_on {
            Some(goes_on) => format!("{goes_on}; {reason}"),
            None => reason,
        };
        if let Some((id, reason)) = nearest(self.known, finding, self.policy) {
            return Some((id, because(reason)));
        }
        if finding.rating.severity > self.policy.opens_from {
            return None;
        }
        let incident = open(finding, earlier, self.now);
        let id = incident.id;
        self.known.incidents.entry(id).or_insert(incident);
        self.known.memories.entry(id).or_insert_with(Memory::new);
        let happened = self.happened.entry(id).or_default();
        happened.opened = Some(What { field: "opened".to_owned(), ..by(finding) });
        if let Some(old) = earlier {
            happened.continues = Some(What { field: "continues".to_owned(), to: Some(old.to_string()), ..by(finding) });
            if let Some(old) = self.known.incidents.get_mut(&old) {
                let entry = old.note(self.now, ACTOR, "continued", None, Some(id.to_string()));
                self.joined.history.push((old.id, entry));
                self.noted.insert(old.id);
            }
        }
        Some((id, because("the finding that opened the incident".to_owned())))
    }

    fn add(&mut self, incident: &mut Incident, finding: &Finding, is_new: bool, before: u64) {
        let (id, now) = (incident.id, self.now);
        // Incidents are also looked up by each entity, through keys that tie no findings. Most are known already.
        let named = finding.entities.pairs().filter(|(kind, value)| !names(&incident.scope.entities, kind, value));
        self.joined.keys.extend(named.map(|(kind, value)| (entity_key(kind, value), id)));
        let (severity_before, title_before) = (incident.rating.severity, incident.title.clone());
        absorb(incident, finding, is_new);
        let history = &mut self.joined.history;
        let mut note = |incident: &mut Incident, field: &str, from: Option<String>, to: Option<String>| {
            history.push((id, incident.note(now, ACTOR, field, from, to)));
        };
        let is_first = is_new && incident.scope.findings == 1;
        if is_new {
            let title = format!("{} ({})", finding.rule.title, finding.id);
            note(incident, if is_first { "opened" } else { "finding" }, None, Some(title));
        }
        if let Some(old) = incident.continues.filter(|_| is_first) {
            note(incident, "continues", None, Some(old.to_string()));
        }
        let (severity, title) = (incident.rating.severity, incident.title.clone());
        if severity < severity_before && !is_first {
            let (from, to) = (Some(severity_before.name().to_owned()), Some(severity.name().to_owned()));
            note(incident, "severity", from.clone(), to.clone());
            let raised = What { field: "severity".to_owned(), from, to, ..by(finding) };
            let known = self.happened.entry(id).or_default().severity.get_or_insert_with(|| raised.clone());
            *known = What { from: known.from.take(), ..raised };
        }
        if title != title_before && !is_first {
            note(incident, "title", Some(title_before), Some(title));
        }
        let memory = self.known.memories.entry(id).or_insert_with(|| Memory::of_old(incident));
        memory.count(incident, finding, before);
        let is_news = is_new || !memory.is_old();
        if finding.rating.severity <= severity_before && !memory.has_told(&finding.rule.id) && is_news {
            let to = Some(finding.rating.severity.name().to_owned());
            let rule = What { field: "rule".to_owned(), to, ..by(finding) };
            let rules = &mut self.happened.entry(id).or_default().rules;
            if rules.iter().all(|(known, _)| *known != finding.rule.id) {
                rules.push((finding.rule.id.clone(), rule));
            }
        }
    }

    fn finish(mut self) -> Joined {
        for id in &self.noted {
            if let Some(incident) = self.known.incidents.get_mut(id).filter(|_| !self.changed.contains(id)) {
                incident.record.version += 1;
                incident.record.updated_at = self.now;
            }
        }
        for id in &self.changed {
            if let Some(incident) = self.known.incidents.get_mut(id) {
                incident.record.version += 1;
                incident.record.facts_version += 1;
                incident.record.updated_at = self.now;
            }
        }
        for (id, happened) in std::mem::take(&mut self.happened) {
            self.tell(id, happened);
        }
        let written = self.changed.union(&self.noted);
        self.joined.incidents = written.filter_map(|id| self.known.incidents.get(id).cloned()).collect();
        let remembered = |id: &IncidentId| Some((*id, self.known.memories.get(id)?.clone()));
        self.joined.memories = self.changed.iter().filter_map(remembered).collect();
        self.joined
    }

    /// Writes the notices of one incident. One that it was opened or continued stands for all else; one that it became
    /// more severe names the rules that joined as well.
    fn tell(&mut self, id: IncidentId, happened: Happened) {
        let Some(age_us) = self.policy.notify_age_us else { return };
        let Some(incident) = self.known.incidents.get(&id) else { return };
        if incident.scope.last_seen.unwrap_or(self.now) < self.now.saturating_sub_us(age_us) {
            return;
        }
        if let Some(memory) = self.known.memories.get_mut(&id) {
            happened.rules.iter().for_each(|(rule, _)| memory.tell(rule));
        }
        let Happened { opened, continues, severity, rules } = happened;
        let notices = &mut self.joined.notices;
        match (opened, continues, severity) {
            (_, Some(continues), _) => notices.push(Notice::new("incident.continued", "", incident, vec![continues])),
            (Some(opened), None, _) => notices.push(Notice::new("incident.created", "", incident, vec![opened])),
            (None, None, Some(raised)) => {
                let cause = raised.finding;
                let others = rules.into_iter().map(|(_, rule)| rule).filter(|rule| rule.finding != cause);
                let changes = std::iter::once(raised).chain(others).collect();
                notices.push(Notice::new("incident.escalated", incident.rating.severity.name(), incident, changes));
            }
            (None, None, None) => {
                for (rule, what) in rules {
                    notices.push(Notice::new("incident.joined", &rule, incident, vec![what]));
                }
            }
        }
    }
}

/// A change that came with the finding.
fn by(finding: &Finding) -> What {
    What { finding: Some(finding.id), rule_title: Some(finding.rule.title.clone()), ..What::default() }
}

/// The open incident that shares a key and is nearest in time, and why it was chosen.
fn nearest(known: &Known, finding: &Finding, policy: &JoinPolicy) -> Option<(IncidentId, String)> {
    let mut best: Option<(i64, IncidentId, String)> = None;
    for key in keys(&finding.entities) {
        for id in known.by_key.get(&key).into_iter().flatten() {
            let Some(incident) = known.incidents.get(id).filter(|incident| incident.is_open()) else { continue };
            let gap = gap_us(incident, finding);
            if gap <= policy.gap_us && best.as_ref().is_none_or(|(nearest, _, _)| gap < *nearest) {
                let apart =
                    if gap == 0 { "at the same time".to_owned() } else { format!("{} s apart", gap / 1_000_000) };
                best = Some((gap, *id, format!("same {key}, {apart}")));
            }
        }
    }
    best.map(|(_, id, reason)| (id, reason))
}

/// Silence between the incident and the finding, in microseconds; 0 where they overlap or name no time.
fn gap_us(incident: &Incident, finding: &Finding) -> i64 {
    let (Some(from), Some(to)) = (incident.scope.first_seen, incident.scope.last_seen) else { return 0 };
    let (Some(first), Some(last)) = (finding.span.first_seen, finding.span.last_seen) else { return 0 };
    first.0.saturating_sub(to.0).max(from.0.saturating_sub(last.0)).max(0)
}

fn open(finding: &Finding, earlier: Option<IncidentId>, now: Timestamp) -> Incident {
    let incident = Incident::opened(IncidentId::derive(finding.id), title(finding), finding.rating.severity, now);
    Incident { continues: earlier, ..incident }
}

fn title(finding: &Finding) -> String {
    let about = keys(&finding.entities).into_iter().next();
    let about = about.map(|key| format!(": {key}")).unwrap_or_default();
    format!("{}{about}", finding.rule.title)
}

fn absorb(incident: &mut Incident, finding: &Finding, is_new: bool) {
    call_by_the_gravest(incident, finding);
    incident.scope.findings += u64::from(is_new);
    incident.rating.score = incident.rating.score.max(finding.rating.score);
    // A severity that a person set stands until a finding is more severe than all before.
    if finding.rating.severity < incident.rating.found_severity {
        incident.rating.found_severity = finding.rating.severity;
        incident.rating.severity = incident.rating.severity.min(finding.rating.severity);
    }
    incident.scope.first_seen = incident.scope.first_seen.into_iter().chain(finding.span.first_seen).min();
    incident.scope.last_seen = incident.scope.last_seen.into_iter().chain(finding.span.last_seen).max();
    incident.scope.entities.absorb(&finding.entities);
    let add = |list: &mut Vec<String>, value: &str| {
        if list.len() < INCIDENT_LIST_MAX && !list.iter().any(|known| known == value) {
            list.push(value.to_owned());
        }
    };
    finding.techniques.iter().for_each(|technique| add(&mut incident.scope.techniques, technique));
    finding.rules().for_each(|(_, title)| add(&mut incident.scope.rules, title));
}

/// Titles the incident by its most severe finding, of equals by the one with the highest score, then by the first.
fn call_by_the_gravest(incident: &mut Incident, finding: &Finding) {
    let rank = |severity: Severity, score: u8| (severity, std::cmp::Reverse(score));
    let own = TitledBy { finding: finding.id, severity: finding.rating.severity, score: finding.rating.score };
    let (known, is_it) = match incident.titled_by {
        Some(known) => (rank(known.severity, known.score), known.finding == finding.id),
        // The incident was opened by an earlier version, or just now.
        None => (rank(incident.rating.found_severity, incident.rating.score), incident.scope.findings == 0),
    };
    if is_it || rank(own.severity, own.score) < known {
        incident.titled_by = Some(own);
        incident.title = title(finding);
    }
}

#[cfg(test)]
mod tests;
