//! What every store must do where an attack goes on after people were done with it, and how what they change is told.

use event::{Counted, EventSet, FindingRule, FindingSpan, IncidentId};

use super::*;
use crate::audit::By;
use crate::people::Mute;

checks!(
    what_comes_after_an_incident_was_closed_is_a_finding_of_its_own_and_told,
    the_next_incident_that_is_closed_is_continued_in_turn_and_counts_add_up,
    a_false_positive_mutes_visibly_until_its_end,
    a_mute_of_one_address_hides_no_other,
    six_changes_within_the_settle_time_are_one_notice,
);

const ADDRESS: &str = "192.0.2.1";
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const START: i64 = 1_800_000_000 * SECOND;

fn event_id(number: u64) -> EventId {
    EventId(u128::from(number) << 64 | 7)
}

fn line(number: u64) -> Evidence {
    Evidence {
        event_id: event_id(number),
        source: "a.log".into(),
        line_no: number,
        offset: number * 100,
        time: Some(Timestamp(START + number as i64 * SECOND)),
        original: format!("line {number}"),
    }
}

/// The correlator's finding when it has counted `count` events, of which the last `fresh` came since it was reported
/// last.
pub(super) fn attack(count: u64, fresh: u64) -> Finding {
    let mut events = EventSet::empty();
    (1..=count).for_each(|number| events.insert(event_id(number), 1));
    let tail = count.saturating_sub(4).max(6);
    let new = (count - fresh + 1)..tail;
    let base = finding(1, Severity::P1, ADDRESS);
    Finding {
        span: FindingSpan { first_seen: line(1).time, last_seen: line(count).time, count },
        evidence: (1..=count.min(5)).chain(tail..=count).map(line).collect(),
        counted: Counted { events: events.settled(false), fresh: new.take(5).map(line).collect() },
        ..base
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp(START + second * SECOND)
}

pub(super) async fn grow(store: &dyn Store, count: u64, fresh: u64, second: i64) -> Committed {
    let commit = Commit { now: at(second), ..joining(vec![attack(count, fresh)]) };
    store.commit(&commit).await.unwrap()
}

pub(super) async fn incidents(store: &dyn Store) -> Vec<event::Incident> {
    let mut all = store.incidents(&IncidentQuery { limit: 50, ..IncidentQuery::default() }).await.unwrap();
    all.sort_by_key(|incident| incident.record.created_at);
    all
}

async fn apply(store: &dyn Store, id: IncidentId, change: &IncidentChange, second: i64) -> Changed {
    let version = store.incident(id).await.unwrap().unwrap().record.version;
    store.change(id, version, change, "ann", at(second)).await.unwrap()
}

fn steps() -> Vec<IncidentChange> {
    let stage = |stage| IncidentChange { stage: Some(stage), ..IncidentChange::default() };
    vec![
        stage(Stage::Assessment),
        stage(Stage::Communication),
        stage(Stage::Investigation),
        stage(Stage::Mitigation),
        IncidentChange { verdict: Some(Verdict::TruePositive), ..stage(Stage::Resolution) },
        IncidentChange { post_mortem: Some("done".into()), ..stage(Stage::PostMortem) },
        IncidentChange { status: Some(IncidentStatus::Closed), ..IncidentChange::default() },
    ]
}

pub(super) async fn close(store: &dyn Store, id: IncidentId, second: i64) {
    for step in steps() {
        assert!(matches!(apply(store, id, &step, second).await, Changed::Done(_)), "{step:?}");
    }
}

async fn findings(store: &dyn Store) -> Vec<StoredFinding> {
    let mut all = Vec::new();
    for stored in store.list(&query(50)).await.unwrap().findings {
        all.push(store.get(stored.finding.id).await.unwrap().unwrap());
    }
    all.sort_by_key(|stored| stored.created_at);
    all
}

/// Kinds of the notices that are delivered now, with what they say.
async fn told(store: &dyn Store, settle_us: i64, now: Timestamp) -> Vec<(String, String)> {
    store.fan_out(&[("ops".to_owned(), Severity::P3)], settle_us, now).await.unwrap();
    let mut told = Vec::new();
    for delivery in store.due(now, now.saturating_add_us(1), 50).await.unwrap() {
        let body: NoticeBody = serde_json::from_str(&delivery.body).unwrap();
        told.push((delivery.kind.clone(), body.sentence()));
        store.settle(&delivery, &Attempt::Delivered, now).await.unwrap();
    }
    told.sort();
    told
}

async fn what_comes_after_an_incident_was_closed_is_a_finding_of_its_own_and_told(url: &str) {
    let store = &*store(url).await;
    grow(store, 20, 20, 21).await;
    let first = incidents(store).await.remove(0);
    close(store, first.id, 30).await;
    told(store, 0, at(31)).await;
    assert_eq!(grow(store, 20, 0, 40).await, Committed::default(), "told once more, without anything new");
    let done = grow(store, 320, 300, 400).await;
    assert_eq!((done.new, done.changed, done.continued), (1, 0, 1));

    let all = findings(store).await;
    let [old, new] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((old.finding.span.count, new.finding.span.count), (20, 300), "nothing counts twice");
    assert_eq!((new.finding.continues, new.finding.span.first_seen), (Some(old.finding.id), line(21).time));
    assert_eq!((old.finding.span.last_seen, new.finding.span.last_seen), (line(20).time, line(320).time));
    let lines: Vec<u64> = new.finding.evidence.iter().map(|evidence| evidence.line_no).collect();
    assert_eq!(lines, [21, 22, 23, 24, 25, 316, 317, 318, 319, 320]);

    let all = incidents(store).await;
    let [closed, open] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((closed.work.status, closed.scope.events, open.scope.events), (IncidentStatus::Closed, 20, 300));
    assert_eq!((open.continues, open.work.status, open.scope.findings), (Some(first.id), IncidentStatus::New, 1));
    let history = store.history(open.id, 0, 10).await.unwrap();
    assert!(history.iter().any(|entry| entry.field == "continues" && entry.to == Some(first.id.to_string())));
    let history = store.history(first.id, 0, 50).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.field.as_str(), last.to.clone()), ("continued", Some(open.id.to_string())));
    let reason = store.links(open.id, 5).await.unwrap()[0].reason.clone();
    assert!(reason.contains(&format!("goes on from finding {}", old.finding.id)), "{reason}");
    let told = told(store, 0, at(401)).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "incident.continued");

    // The first is opened again: what was parted stays so.
    let back = IncidentChange { stage: Some(Stage::Investigation), ..IncidentChange::default() };
    apply(store, first.id, &back, 402).await;
    grow(store, 330, 10, 410).await;
    let counts: Vec<u64> = findings(store).await.iter().map(|stored| stored.finding.span.count).collect();
    assert_eq!(counts, [20, 310]);
    // Read again after a crash, from before the end of the first incident.
    grow(store, 12, 12, 420).await;
    grow(store, 200, 188, 421).await;
    let counts: Vec<u64> = findings(store).await.iter().map(|stored| stored.finding.span.count).collect();
    assert_eq!(counts, [20, 310]);
}

async fn the_next_incident_that_is_closed_is_continued_in_turn_and_counts_add_up(url: &str) {
    let store = &*store(url).await;
    let mut count = 10;
    grow(store, count, 10, 11).await;
    for round in 0..4 {
        let open = incidents(store).await.into_iter().find(event::Incident::is_open).unwrap();
        close(store, open.id, count as i64).await;
        for _ in 0..3 {
            count += 7 + round;
            grow(store, count, 7 + round, count as i64).await;
        }
    }
    let all = findings(store).await;
    assert_eq!(all.iter().map(|stored| stored.finding.span.count).sum::<u64>(), count);
    let counts: Vec<u64> = all.iter().map(|stored| stored.finding.span.count).collect();
    assert_eq!(counts, [10, 21, 24, 27, 30]);
    for pair in all.windows(2) {
        assert_eq!(pair[1].finding.continues, Some(pair[0].finding.id));
        assert!(pair[1].finding.span.first_seen > pair[0].finding.span.last_seen);
    }
    let incidents = incidents(store).await;
    assert_eq!(incidents.iter().map(|incident| incident.scope.events).sum::<u64>(), count);
    assert!(incidents.windows(2).all(|pair| pair[1].continues == Some(pair[0].id)));
    // The events of a crash are read again in other portions and arrive at the same.
    for again in (5..=count).step_by(9) {
        grow(store, again, again.min(9), 5000).await;
    }
    grow(store, count, 5, 5001).await;
    let again: Vec<u64> = findings(store).await.iter().map(|stored| stored.finding.span.count).collect();
    assert_eq!(again, counts);
}

fn muting(until: Timestamp) -> IncidentChange {
    IncidentChange {
        verdict: Some(Verdict::FalsePositive),
        mute_until: Some(until),
        comment: Some("our own scanner".into()),
        ..IncidentChange::default()
    }
}

async fn mutes(store: &dyn Store, now: Timestamp) -> Vec<Mute> {
    store.mutes(false, 50, now).await.unwrap()
}

async fn a_false_positive_mutes_visibly_until_its_end(url: &str) {
    let store = &*store(url).await;
    grow(store, 10, 10, 11).await;
    let first = incidents(store).await.remove(0).id;
    let change = async |change: IncidentChange| apply(store, first, &change, 20).await;
    let refused = |changed: Changed| matches!(changed, Changed::Illegal(why) if why[0].field == "mute_until");
    assert!(refused(change(IncidentChange { verdict: Some(Verdict::TruePositive), ..muting(at(60)) }).await));
    assert!(refused(change(muting(at(20))).await), "in the past");
    assert!(refused(change(muting(at(91 * 86_400))).await), "too long");
    assert_eq!(mutes(store, at(20)).await, []);
    assert!(matches!(change(muting(at(3600))).await, Changed::Done(_)));
    told(store, 0, at(21)).await;

    let done = grow(store, 100, 90, 101).await;
    assert_eq!((done.new, done.muted), (1, 1));
    grow(store, 110, 10, 111).await;
    let other = Finding { id: FindingId(5), ..attack(30, 30) };
    store.commit(&Commit { now: at(112), ..joining(vec![other.clone()]) }).await.unwrap();
    let mute = mutes(store, at(112)).await.remove(0);
    assert_eq!((mute.rule.id.as_str(), mute.key.as_str()), ("rule-1", "source.ip 192.0.2.1"));
    assert_eq!((mute.actor.as_str(), mute.reason.as_str(), mute.until), ("ann", "our own scanner", at(3600)));
    assert_eq!((mute.hidden.findings, mute.hidden.events), (2, 130));
    let hidden = findings(store).await.into_iter().filter(|stored| stored.status == Status::Suppressed);
    let hidden: Vec<_> = hidden.collect();
    assert_eq!(hidden.len(), 2);
    assert!(hidden.iter().all(|stored| stored.muted_by.as_ref() == Some(&mute.id)));
    assert_eq!(hidden.iter().map(|stored| stored.finding.span.count).sum::<u64>(), 130);
    assert_eq!(incidents(store).await.len(), 1, "it joins nothing");
    assert_eq!(incidents(store).await[0].scope.events, 10);
    assert_eq!(told(store, 0, at(113)).await, []);
    let history = store.history(first, 0, 50).await.unwrap();
    let entry = history.iter().find(|entry| entry.field == "mute_until").unwrap();
    assert!(entry.to.as_ref().unwrap().contains("source.ip 192.0.2.1"), "{entry:?}");

    // The end of the mute: what goes on is told.
    grow(store, 150, 40, 3601).await;
    let counts: Vec<u64> = findings(store).await.iter().map(|stored| stored.finding.span.count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 150 + 30, "{counts:?}");
    assert_eq!(mutes(store, at(3601)).await, []);
    assert_eq!(store.mutes(true, 50, at(3601)).await.unwrap().len(), 1);
    let open = incidents(store).await.into_iter().find(|incident| incident.id == first).unwrap();
    assert_eq!(open.scope.events, 50, "it is still open: what goes on joins it");
}

async fn a_mute_of_one_address_hides_no_other(url: &str) {
    let store = &*store(url).await;
    grow(store, 10, 10, 11).await;
    let first = incidents(store).await.remove(0).id;
    apply(store, first, &muting(at(3600)), 20).await;
    let address = |addresses: &[&str]| Entities {
        source_ip: addresses.iter().map(|address| (*address).to_owned()).collect(),
        ..Entities::default()
    };
    let both = Finding { id: FindingId(5), entities: address(&[ADDRESS, "192.0.2.9"]), ..attack(30, 30) };
    let other = {
        let base = attack(30, 30);
        Finding { id: FindingId(6), rule: FindingRule { id: "another".into(), ..base.rule }, ..base }
    };
    let done = store.commit(&Commit { now: at(30), ..joining(vec![both, other]) }).await.unwrap();
    assert_eq!((done.new, done.muted), (2, 0), "another address beside it, another rule");
    // Somebody ends it before its time: what goes on is a finding that joins.
    grow(store, 15, 5, 40).await;
    let mute = mutes(store, at(41)).await.remove(0);
    assert!(store.end_mute(&mute.id, &By::named("bob"), at(42)).await.unwrap());
    assert!(!store.end_mute(&mute.id, &By::named("bob"), at(42)).await.unwrap());
    let history = store.history(first, 0, 50).await.unwrap();
    assert!(history.iter().any(|entry| entry.field == "mute_ended" && entry.actor == "bob"));
    let done = grow(store, 25, 10, 50).await;
    assert_eq!((done.new, done.continued, done.muted), (1, 1, 0));
    let last = findings(store).await.pop().unwrap();
    assert_eq!((last.finding.span.count, last.status, last.muted_by), (10, Status::New, None));
    // A verdict that is no false positive any more ends what it muted.
    apply(store, first, &muting(at(3600)), 60).await;
    let held = mutes(store, at(61)).await.len();
    let attack = IncidentChange { verdict: Some(Verdict::TruePositive), ..IncidentChange::default() };
    apply(store, first, &attack, 62).await;
    assert_eq!((held > 0, mutes(store, at(63)).await.len()), (true, 0));
}

async fn six_changes_within_the_settle_time_are_one_notice(url: &str) {
    let store = store(url).await;
    grow(&*store, 10, 10, 11).await;
    told(&*store, MINUTE, at(12)).await;
    let id = incidents(&*store).await.remove(0).id;
    for (step, second) in steps().iter().zip(20..) {
        apply(&*store, id, step, second).await;
    }
    assert_eq!(told(&*store, MINUTE, at(30)).await, [], "it settles");
    // Whoever held it back is gone: it stands in the store.
    store.close().await;
    let store = super::store(url).await;
    let all = told(&*store, MINUTE, at(81)).await;
    let (kind, what) = &all[0];
    assert_eq!((all.len(), kind.as_str()), (1, "incident.resolved"));
    assert_eq!(what, "stage from detection to post_mortem; status from new to closed");
    assert_eq!(told(&*store, MINUTE, at(500)).await, []);
    let back = IncidentChange { stage: Some(Stage::Investigation), ..IncidentChange::default() };
    apply(&*store, id, &back, 600).await;
    assert_eq!(told(&*store, MINUTE, at(659)).await, []);
    assert_eq!(told(&*store, MINUTE, at(660)).await[0].0, "incident.updated");
}
