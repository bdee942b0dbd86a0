//! Which findings become one incident, what is told of it, and how its events are counted.

use event::{EventId, EventSet, FindingId, FindingRating, FindingRule, FindingSpan, Level};

use super::*;

const POLICY: JoinPolicy =
    JoinPolicy { gap_us: 3_600_000_000, opens_from: Severity::P2, notify_age_us: Some(86_400_000_000) };

fn finding(number: u128, severity: Severity, address: &str, at_s: i64) -> Finding {
    Finding {
        id: FindingId(number),
        rule: FindingRule { id: format!("r{number}"), title: format!("rule {number}"), level: Level::High },
        also: Vec::new(),
        rating: FindingRating { score: 75, parts: Vec::new(), severity },
        span: FindingSpan {
            first_seen: Some(Timestamp(at_s * 1_000_000)),
            last_seen: Some(Timestamp(at_s * 1_000_000)),
            count: 2,
        },
        entities: Entities { source_ip: vec![address.into()], ..Entities::default() },
        techniques: vec!["T1110".into()],
        reason: "x".into(),
        response: vec!["look at it".into()],
        evidence: Vec::new(),
        continues: None,
        counted: event::Counted::default(),
    }
}

/// What is known after the findings of one incident were joined.
fn known(joined: &Joined, incident: &Incident) -> Known {
    let part = |(id, link): &(IncidentId, Link)| {
        (link.finding, Part { home: Home::Incident(*id), events: link.events, continued: None })
    };
    Known {
        parts: joined.links.iter().map(part).collect(),
        by_key: BTreeMap::from([("source.ip 192.0.2.1".to_owned(), vec![incident.id])]),
        incidents: BTreeMap::from([(incident.id, incident.clone())]),
        memories: joined.memories.clone(),
        ..Known::default()
    }
}

/// The finding with the events of these numbers.
fn counting(finding: Finding, numbers: std::ops::Range<u128>) -> Finding {
    let mut events = EventSet::empty();
    numbers.clone().for_each(|number| events.insert(EventId(number << 70 | number), 1));
    let counted = event::Counted { events: events.settled(false), fresh: Vec::new() };
    Finding { span: FindingSpan { count: (numbers.end - numbers.start) as u64, ..finding.span }, counted, ..finding }
}

fn kinds(joined: &Joined) -> Vec<&'static str> {
    joined.notices.iter().map(|notice| notice.kind).collect()
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
    let joined = join(Known::default(), findings.iter(), &POLICY, now(60));
    assert_eq!(joined.incidents.len(), 2, "a P3 finding opens none");
    let first = joined.incidents.iter().find(|one| one.scope.findings == 2).unwrap();
    assert_eq!((first.scope.events, first.rating.severity, first.scope.rules.len()), (4, Severity::P2, 2));
    let reasons: Vec<_> = joined.links.iter().map(|(_, link)| link.reason.as_str()).collect();
    assert_eq!(reasons[1], "same source.ip 192.0.2.1, 37 s apart");
    assert_eq!(joined.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), ["incident.created"; 2]);
}

#[test]
fn a_growing_finding_adds_its_difference_and_a_graver_one_escalates() {
    let first = finding(1, Severity::P2, "192.0.2.1", 0);
    let opened = join(Known::default(), std::iter::once(&first), &POLICY, now(1));
    let incident = opened.incidents[0].clone();
    let known = || known(&opened, &incident);
    assert_eq!(join(known(), std::iter::once(&first), &POLICY, now(2)), Joined::default(), "nothing new");
    let grown = Finding { span: FindingSpan { count: 50, ..first.span }, ..first.clone() };
    let grave = finding(2, Severity::P0, "192.0.2.1", 5);
    let joined = join(known(), [grown, grave].iter(), &POLICY, now(6));
    assert_eq!((joined.incidents[0].scope.events, joined.incidents[0].rating.severity), (52, Severity::P0));
    assert_eq!(joined.notices[0].kind, "incident.escalated");
    assert_eq!(joined.history.iter().map(|(_, entry)| entry.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(joined.incidents[0].record.facts_version, incident.record.facts_version + 1);
}

#[test]
fn what_a_person_said_of_the_severity_stands_until_something_graver_is_found() {
    let first = finding(1, Severity::P1, "192.0.2.1", 0);
    let opened = join(Known::default(), std::iter::once(&first), &POLICY, now(1));
    let mut incident = opened.incidents[0].clone();
    incident.rating.severity = Severity::P3;
    let known = || known(&opened, &incident);
    let grown = Finding { span: FindingSpan { count: 50, ..first.span }, ..first.clone() };
    let joined = join(known(), [grown, finding(2, Severity::P1, "192.0.2.1", 5)].iter(), &POLICY, now(6));
    assert_eq!((joined.incidents[0].rating.severity, joined.incidents[0].scope.findings), (Severity::P3, 2));
    assert_eq!(kinds(&joined), ["incident.joined"], "another rule is graver than what the person said");
    let joined = join(known(), [finding(3, Severity::P0, "192.0.2.1", 5)].iter(), &POLICY, now(6));
    assert_eq!((joined.incidents[0].rating.severity, joined.notices[0].kind), (Severity::P0, "incident.escalated"));
}

#[test]
fn silence_starts_another_incident_and_old_events_page_nobody() {
    let findings = [finding(1, Severity::P1, "192.0.2.1", 0), finding(2, Severity::P1, "192.0.2.1", 3601 + 3600)];
    assert_eq!(join(Known::default(), findings.iter(), &POLICY, now(7300)).incidents.len(), 2);
    assert_eq!(join(Known::default(), findings.iter(), &POLICY, now(10 * 86_400)).notices, []);
    let replay = JoinPolicy { notify_age_us: None, ..POLICY };
    assert_eq!(join(Known::default(), findings.iter(), &replay, now(7300)).notices, []);
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

#[test]
fn an_incident_is_called_by_its_gravest_finding_and_of_equals_by_the_first() {
    let named = |number, severity, score| {
        let base = finding(number, severity, "192.0.2.1", 5);
        Finding { rating: FindingRating { score, ..base.rating }, ..base }
    };
    let opened = join(Known::default(), [named(1, Severity::P2, 60)].iter(), &POLICY, now(5));
    let after = |findings: &[Finding]| {
        let known = known(&opened, &opened.incidents[0]);
        join(known, findings.iter(), &POLICY, now(6)).incidents[0].title.clone()
    };
    assert_eq!(opened.incidents[0].title, "rule 1: source.ip 192.0.2.1");
    assert_eq!(after(&[named(2, Severity::P0, 92)]), "rule 2: source.ip 192.0.2.1");
    assert_eq!(after(&[named(2, Severity::P2, 60)]), "rule 1: source.ip 192.0.2.1");
    assert_eq!(after(&[named(2, Severity::P2, 61), named(3, Severity::P2, 61)]), "rule 2: source.ip 192.0.2.1");
    let grown = {
        let base = named(1, Severity::P1, 75);
        Finding { span: FindingSpan { count: 9, ..base.span }, ..base }
    };
    assert_eq!(after(&[grown, named(2, Severity::P1, 74)]), "rule 1: source.ip 192.0.2.1");
}

#[test]
fn an_event_that_several_findings_count_counts_once() {
    let one = |number, events| counting(finding(number, Severity::P2, "192.0.2.1", 5), events);
    let findings = [one(1, 0..76), one(2, 0..40), one(3, 62..76)];
    let joined = join(Known::default(), findings.iter(), &POLICY, now(6));
    let incident = &joined.incidents[0];
    assert_eq!((incident.scope.events, incident.scope.events_are_estimated), (76, false));
    let more = join(known(&joined, incident), [one(2, 0..80)].iter(), &POLICY, now(7));
    assert_eq!((more.incidents[0].scope.events, more.incidents[0].scope.events_are_estimated), (80, false));
    // One finding knows its count, however many events that are; several only about.
    let flood = join(Known::default(), [one(1, 0..100_000)].iter(), &POLICY, now(6));
    assert_eq!((flood.incidents[0].scope.events, flood.incidents[0].scope.events_are_estimated), (100_000, false));
    let second = join(known(&flood, &flood.incidents[0]), [one(2, 0..90_000)].iter(), &POLICY, now(7));
    let events = second.incidents[0].scope.events;
    assert!(second.incidents[0].scope.events_are_estimated && (100_000..108_000).contains(&events), "{events}");
}

#[test]
fn a_rule_as_grave_as_the_incident_that_joins_is_told_once_with_its_name() {
    let mut opened = join(Known::default(), [finding(1, Severity::P1, "192.0.2.1", 5)].iter(), &POLICY, now(6));
    let mut tell = |findings: &[Finding]| {
        let joined = join(known(&opened, &opened.incidents[0]), findings.iter(), &POLICY, now(7));
        opened = Joined { links: [opened.links.clone(), joined.links.clone()].concat(), ..joined.clone() };
        joined
    };
    let minor = tell(&[finding(2, Severity::P2, "192.0.2.1", 5)]);
    assert_eq!(kinds(&minor), [""; 0], "less grave");
    let same = tell(&[finding(3, Severity::P1, "192.0.2.1", 5)]);
    assert_eq!(kinds(&same), ["incident.joined"]);
    assert_eq!(same.notices[0].body.sentence(), "found as well by `rule 3`, of severity P1");
    let again = {
        let base = finding(4, Severity::P1, "192.0.2.1", 6);
        Finding { rule: FindingRule { id: "r3".into(), ..base.rule }, ..base }
    };
    assert_eq!(kinds(&tell(&[again])), [""; 0], "once per rule and incident");
    let grown = {
        let base = finding(2, Severity::P1, "192.0.2.1", 5);
        Finding { span: FindingSpan { count: 40, ..base.span }, ..base }
    };
    assert_eq!(kinds(&tell(&[grown])), ["incident.joined"], "it grew as grave");
    let raised = tell(&[finding(5, Severity::P0, "192.0.2.1", 7)]);
    assert_eq!(kinds(&raised), ["incident.escalated"]);
    assert_eq!(raised.notices[0].body.sentence(), "severity from P1 to P0 by `rule 5`");
}
