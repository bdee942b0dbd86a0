//! Which incident a finding belongs to: the one that is open, names the same entity, and was active shortly before or
//! after. Pure: the stores bring what is known and write what comes out.

use std::collections::{BTreeMap, BTreeSet};

use event::block::digest;
use event::incident::{HistoryEntry, INCIDENT_LIST_MAX, Link};
use event::{Entities, Finding, FindingId, Incident, IncidentId, Severity, Timestamp};
use serde::Serialize;

/// Who is named in history entries that no person made.
const ACTOR: &str = "c0di3";
const SOURCE_IP: &str = "source.ip";

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

/// Something that somebody may want to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Derived from what happened, so that a second run does not tell it again.
    pub id: String,
    /// `incident.created`, `incident.escalated` or `incident.updated`.
    pub kind: &'static str,
    pub incident: Incident,
}

impl Notice {
    pub fn created(incident: &Incident) -> Self {
        Self::new("incident.created", incident, "")
    }

    pub fn escalated(incident: &Incident) -> Self {
        Self::new("incident.escalated", incident, incident.severity.name())
    }

    /// A person changed it.
    pub fn updated(incident: &Incident) -> Self {
        Self::new("incident.updated", incident, &incident.version.to_string())
    }

    fn new(kind: &'static str, incident: &Incident, mark: &str) -> Self {
        let id = digest(&[kind.as_bytes(), &incident.id.0.to_be_bytes(), mark.as_bytes()]);
        Notice { id: format!("{id:032x}"), kind, incident: incident.clone() }
    }
}

/// What is known before a commit's findings are joined.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Findings that are in an incident: which, and with how many events.
    pub(crate) links: BTreeMap<FindingId, (IncidentId, u64)>,
    /// Incidents by key, open ones; and those of the links.
    pub(crate) by_key: BTreeMap<String, Vec<IncidentId>>,
    pub(crate) incidents: BTreeMap<IncidentId, Incident>,
}

/// What has to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) incidents: Vec<Incident>,
    /// New links, and old ones whose finding grew.
    pub(crate) links: Vec<(IncidentId, Link)>,
    pub(crate) keys: BTreeSet<(String, IncidentId)>,
    pub(crate) history: Vec<(IncidentId, HistoryEntry)>,
    pub(crate) notices: Vec<Notice>,
}

/// What ties findings together: each source address, else each account on its host, else the host. Root alone ties
/// nothing: everybody is root somewhere.
pub(crate) fn keys(entities: &Entities) -> Vec<String> {
    if !entities.source_ip.is_empty() {
        return entities.source_ip.iter().map(|address| entity_key(SOURCE_IP, address)).collect();
    }
    let hosts = &entities.host_name;
    if entities.user_name.is_empty() || hosts.is_empty() {
        return hosts.iter().map(|host| format!("host.name {host}")).collect();
    }
    let pairs = entities.user_name.iter().flat_map(|user| hosts.iter().map(move |host| (user, host)));
    pairs.map(|(user, host)| format!("user.name {user} on host.name {host}")).collect()
}

/// What incidents that name an entity are found by. For source addresses it is what ties them as well.
pub(crate) fn entity_key(kind: &str, value: &str) -> String {
    if kind == SOURCE_IP { format!("{SOURCE_IP} {value}") } else { format!("entity {kind}={value}") }
}

fn names(entities: &Entities, kind: &str, value: &str) -> bool {
    let values = entities.kinds().into_iter().find(|(known, _)| *known == kind);
    values.is_some_and(|(_, values)| values.binary_search_by(|known| known.as_str().cmp(value)).is_ok())
}

pub(crate) fn join(mut known: Known, findings: &[Finding], policy: &JoinPolicy, now: Timestamp) -> Joined {
    let mut joined = Joined::default();
    let mut changed: BTreeSet<IncidentId> = BTreeSet::new();
    let mut opened: Vec<IncidentId> = Vec::new();
    let mut escalated: BTreeSet<IncidentId> = BTreeSet::new();
    for finding in findings {
        let (id, reason, events_before) = match known.links.get(&finding.id) {
            Some((id, events)) => (*id, None, *events),
            None => match place(&known, finding, policy) {
                Some((id, reason)) => (id, Some(reason), 0),
                None if finding.severity <= policy.opens_from => {
                    let incident = open(finding, now);
                    let (id, reason) = (incident.id, "the finding that opened the incident".to_owned());
                    known.incidents.entry(id).or_insert(incident);
                    opened.push(id);
                    (id, Some(reason), 0)
                }
                None => continue,
            },
        };
        let Some(incident) = known.incidents.get_mut(&id) else { continue };
        let is_new = reason.is_some();
        // Less than is known already: events that are read again after a crash.
        if !is_new && finding.count <= events_before {
            continue;
        }
        // Every entity is a key as well, to find incidents by it: these tie nothing together. Most are known already.
        let named = finding.entities.pairs().filter(|(kind, value)| !names(&incident.entities, kind, value));
        joined.keys.extend(named.map(|(kind, value)| (entity_key(kind, value), id)));
        let severity_before = incident.severity;
        absorb(incident, finding, is_new, events_before);
        if is_new {
            let title = format!("{} ({})", finding.rule_title, finding.id);
            let field = if incident.findings == 1 { "opened" } else { "finding" };
            let entry = incident.note(now, ACTOR, field, None, Some(title));
            joined.history.push((id, entry));
        }
        if incident.severity < severity_before && incident.findings > 1 {
            let (from, to) = (severity_before.name().to_owned(), incident.severity.name().to_owned());
            let entry = incident.note(now, ACTOR, "severity", Some(from), Some(to));
            joined.history.push((id, entry));
            escalated.insert(id);
        }
        let reason = reason.unwrap_or_default();
        let link =
            Link { finding: finding.id, reason, added_at: now, added_by: ACTOR.to_owned(), events: finding.count };
        joined.links.push((id, link));
        known.links.insert(finding.id, (id, finding.count));
        for key in keys(&finding.entities) {
            let tied = known.by_key.entry(key.clone()).or_default();
            if !tied.contains(&id) {
                tied.push(id);
                joined.keys.insert((key, id));
            }
        }
        changed.insert(id);
    }
    for id in &changed {
        if let Some(incident) = known.incidents.get_mut(id) {
            incident.version += 1;
            incident.facts_version += 1;
            incident.updated_at = now;
        }
    }
    joined.notices = notices(&known, &opened, &escalated, policy, now);
    joined.incidents = changed.iter().filter_map(|id| known.incidents.get(id).cloned()).collect();
    joined
}

/// What is told of the incidents that were opened, and of those that grew graver.
fn notices(
    known: &Known,
    opened: &[IncidentId],
    escalated: &BTreeSet<IncidentId>,
    policy: &JoinPolicy,
    now: Timestamp,
) -> Vec<Notice> {
    let Some(age_us) = policy.notify_age_us else { return Vec::new() };
    let fresh = |incident: &&Incident| incident.last_seen.unwrap_or(now) >= now.saturating_sub_us(age_us);
    let of = |id: &IncidentId| known.incidents.get(id);
    let created = opened.iter().filter_map(of).filter(fresh).map(Notice::created);
    let only_escalated = escalated.iter().filter(|id| !opened.contains(id));
    created.chain(only_escalated.filter_map(of).filter(fresh).map(Notice::escalated)).collect()
}

/// The open incident nearest in time that shares a key, and why.
fn place(known: &Known, finding: &Finding, policy: &JoinPolicy) -> Option<(IncidentId, String)> {
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
    let (Some(from), Some(to)) = (incident.first_seen, incident.last_seen) else { return 0 };
    let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) else { return 0 };
    first.0.saturating_sub(to.0).max(from.0.saturating_sub(last.0)).max(0)
}

fn open(finding: &Finding, now: Timestamp) -> Incident {
    let about = keys(&finding.entities).into_iter().next();
    let about = about.map(|key| format!(": {key}")).unwrap_or_default();
    let title = format!("{}{about}", finding.rule_title);
    Incident::opened(IncidentId::derive(finding.id), title, finding.severity, now)
}

fn absorb(incident: &mut Incident, finding: &Finding, is_new: bool, events_before: u64) {
    incident.findings += u64::from(is_new);
    incident.events = incident.events.saturating_sub(events_before) + finding.count;
    incident.score = incident.score.max(finding.score);
    // A person's word stands until something graver is found than anything before.
    if finding.severity < incident.found_severity {
        incident.found_severity = finding.severity;
        incident.severity = incident.severity.min(finding.severity);
    }
    incident.first_seen = incident.first_seen.into_iter().chain(finding.first_seen).min();
    incident.last_seen = incident.last_seen.into_iter().chain(finding.last_seen).max();
    incident.entities.absorb(&finding.entities);
    let add = |list: &mut Vec<String>, value: &String| {
        if !list.contains(value) && list.len() < INCIDENT_LIST_MAX {
            list.push(value.clone());
        }
    };
    finding.techniques.iter().for_each(|technique| add(&mut incident.techniques, technique));
    add(&mut incident.rules, &finding.rule_title);
}

#[cfg(test)]
mod tests {
    use event::Level;

    use super::*;

    const POLICY: JoinPolicy =
        JoinPolicy { gap_us: 3_600_000_000, opens_from: Severity::P2, notify_age_us: Some(86_400_000_000) };

    fn finding(number: u128, severity: Severity, address: &str, at_s: i64) -> Finding {
        Finding {
            id: FindingId(number),
            rule_id: format!("r{number}"),
            rule_title: format!("rule {number}"),
            level: Level::High,
            score: 75,
            score_parts: Vec::new(),
            severity,
            first_seen: Some(Timestamp(at_s * 1_000_000)),
            last_seen: Some(Timestamp(at_s * 1_000_000)),
            count: 2,
            entities: Entities { source_ip: vec![address.into()], ..Entities::default() },
            techniques: vec!["T1110".into()],
            reason: "x".into(),
            response: vec!["look at it".into()],
            evidence: Vec::new(),
        }
    }

    fn now(at_s: i64) -> Timestamp {
        Timestamp(at_s * 1_000_000)
    }

    #[test]
    fn one_address_is_one_incident_and_another_is_another() {
        let findings = [
            finding(1, Severity::P2, "192.0.2.1", 0),
            finding(2, Severity::P3, "192.0.2.1", 37),
            finding(3, Severity::P1, "192.0.2.2", 40),
            finding(4, Severity::P3, "192.0.2.3", 50),
        ];
        let joined = join(Known::default(), &findings, &POLICY, now(60));
        assert_eq!(joined.incidents.len(), 2, "a P3 finding opens none");
        let first = joined.incidents.iter().find(|one| one.findings == 2).unwrap();
        assert_eq!((first.events, first.severity, first.rules.len()), (4, Severity::P2, 2));
        let reasons: Vec<_> = joined.links.iter().map(|(_, link)| link.reason.as_str()).collect();
        assert_eq!(reasons[1], "same source.ip 192.0.2.1, 37 s apart");
        assert_eq!(joined.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), ["incident.created"; 2]);
    }

    #[test]
    fn a_growing_finding_adds_its_difference_and_a_graver_one_escalates() {
        let first = finding(1, Severity::P2, "192.0.2.1", 0);
        let opened = join(Known::default(), std::slice::from_ref(&first), &POLICY, now(1));
        let incident = opened.incidents[0].clone();
        let known = || Known {
            links: BTreeMap::from([(first.id, (incident.id, 2))]),
            by_key: BTreeMap::from([("source.ip 192.0.2.1".to_owned(), vec![incident.id])]),
            incidents: BTreeMap::from([(incident.id, incident.clone())]),
        };
        assert_eq!(join(known(), std::slice::from_ref(&first), &POLICY, now(2)), Joined::default(), "nothing new");
        let grown = Finding { count: 50, ..first.clone() };
        let grave = finding(2, Severity::P0, "192.0.2.1", 5);
        let joined = join(known(), &[grown, grave], &POLICY, now(6));
        assert_eq!((joined.incidents[0].events, joined.incidents[0].severity), (52, Severity::P0));
        assert_eq!(joined.notices[0].kind, "incident.escalated");
        assert_eq!(joined.history.iter().map(|(_, entry)| entry.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(joined.incidents[0].facts_version, incident.facts_version + 1);
    }

    #[test]
    fn what_a_person_said_of_the_severity_stands_until_something_graver_is_found() {
        let first = finding(1, Severity::P1, "192.0.2.1", 0);
        let opened = join(Known::default(), std::slice::from_ref(&first), &POLICY, now(1));
        let mut incident = opened.incidents[0].clone();
        incident.severity = Severity::P3;
        let known = || Known {
            links: BTreeMap::from([(first.id, (incident.id, 2))]),
            by_key: BTreeMap::from([("source.ip 192.0.2.1".to_owned(), vec![incident.id])]),
            incidents: BTreeMap::from([(incident.id, incident.clone())]),
        };
        let grown = Finding { count: 50, ..first.clone() };
        let joined = join(known(), &[grown, finding(2, Severity::P1, "192.0.2.1", 5)], &POLICY, now(6));
        assert_eq!((joined.incidents[0].severity, joined.incidents[0].findings), (Severity::P3, 2));
        assert_eq!(joined.notices, []);
        let joined = join(known(), &[finding(3, Severity::P0, "192.0.2.1", 5)], &POLICY, now(6));
        assert_eq!((joined.incidents[0].severity, joined.notices[0].kind), (Severity::P0, "incident.escalated"));
    }

    #[test]
    fn silence_starts_another_incident_and_old_events_page_nobody() {
        let findings = [finding(1, Severity::P1, "192.0.2.1", 0), finding(2, Severity::P1, "192.0.2.1", 3601 + 3600)];
        assert_eq!(join(Known::default(), &findings, &POLICY, now(7300)).incidents.len(), 2);
        assert_eq!(join(Known::default(), &findings, &POLICY, now(10 * 86_400)).notices, []);
        let replay = JoinPolicy { notify_age_us: None, ..POLICY };
        assert_eq!(join(Known::default(), &findings, &replay, now(7300)).notices, []);
    }

    #[test]
    fn accounts_tie_on_their_host_only() {
        let entities = |user: &[&str], host: &[&str]| Entities {
            source_ip: Vec::new(),
            user_name: user.iter().map(|name| (*name).to_owned()).collect(),
            host_name: host.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(keys(&entities(&["root"], &["web1"])), ["user.name root on host.name web1"]);
        assert_eq!(keys(&entities(&["root"], &[])), [""; 0]);
        assert_eq!(keys(&entities(&[], &["web1"])), ["host.name web1"]);
    }
}
