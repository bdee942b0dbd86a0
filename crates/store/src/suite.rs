//! What every store must do. Each member is run through the same checks.

use std::sync::Arc;

use event::{
    Entities, EventId, Evidence, Finding, FindingId, FindingRating, FindingRule, FindingSpan, IncidentChange,
    IncidentStatus, Level, Position, ScorePart, Severity, Source, SourceId, Stage, Status, Timestamp, Verdict,
};

use super::*;
use crate::people::{Attempt, Changed, IncidentQuery, Role, SUMMARY_PAUSE_US, StoredSummary, Token};
use crate::tasks::TaskDone;

/// Runs every check on an empty store of its own.
macro_rules! checks {
    ($($check:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $check() {
                let folder = tempfile::tempdir().unwrap();
                super::$check(&format!("sqlite:{}/deep/c0di3.db", folder.path().display())).await;
            })+
        }

        #[tokio::test]
        async fn on_postgres() {
            let server = servers::Postgres::start();
            $(println!("{}", stringify!($check));
            $check(&server.database()).await;)+
        }
    };
}

checks!(
    a_finding_comes_back_as_it_was_and_a_second_commit_adds_nothing,
    less_than_is_known_changes_nothing,
    pages_hold_every_finding_once_newest_first_while_others_arrive,
    filters_select_and_combine,
    positions_and_state_come_back_after_a_reopen,
    who_was_taken_over_cannot_commit,
    changes_are_told_by_revision_and_hot_counts_follow_them,
    findings_become_incidents_in_the_same_commit,
    incidents_are_listed_by_filters,
    changes_to_an_incident_need_its_version_and_leave_a_history,
    notices_are_delivered_once_to_each_endpoint,
    summaries_are_kept_by_content,
    tokens_are_kept_and_revoked,
    the_last_success_of_a_task_is_kept,
    files_of_events_are_named_by_commits_and_taken_away_in_one_step,
    one_of_several_takes_a_run_and_a_failed_one_is_done_again,
    what_would_be_joined_is_what_a_commit_joins,
);

mod archive;
mod audit_months;
mod hot_aggregates;
mod hunts;
mod records;
mod rehearsal;

use archive::files_of_events_are_named_by_commits_and_taken_away_in_one_step;
use hot_aggregates::changes_are_told_by_revision_and_hot_counts_follow_them;
use hunts::one_of_several_takes_a_run_and_a_failed_one_is_done_again;
use rehearsal::what_would_be_joined_is_what_a_commit_joins;

async fn store(url: &str) -> Arc<dyn Store> {
    open(url, Use::Commit).await.unwrap()
}

pub(crate) fn finding(number: u64, severity: Severity, address: &str) -> Finding {
    Finding {
        id: FindingId(u128::from(number) << 64),
        rule: FindingRule { id: format!("rule-{}", number % 3), title: "a title".into(), level: Level::High },
        also: Vec::new(),
        rating: FindingRating {
            score: 75,
            parts: vec![ScorePart { part: "rule level high".into(), points: 75 }],
            severity,
        },
        span: FindingSpan {
            first_seen: Some(Timestamp(number as i64 * 1000)),
            last_seen: Some(Timestamp(number as i64 * 1000 + 5)),
            count: number + 1,
        },
        entities: Entities { source_ip: vec![address.into()], user_name: vec!["root".into()], ..Entities::default() },
        techniques: vec!["T1110".into()],
        reason: "it matched".into(),
        response: vec!["look at it".into()],
        continues: None,
        counted: event::Counted::default(),
        evidence: vec![Evidence {
            event_id: EventId(7),
            source: "a.log".into(),
            line_no: number,
            offset: 10,
            time: None,
            original: "raw line".into(),
        }],
    }
}

fn query(limit: u32) -> FindingQuery {
    FindingQuery { limit, ..FindingQuery::default() }
}

fn commit(findings: Vec<Finding>) -> Commit {
    Commit { findings, now: Timestamp(42), ..Commit::default() }
}

async fn a_finding_comes_back_as_it_was_and_a_second_commit_adds_nothing(url: &str) {
    let store = store(url).await;
    let original = finding(1, Severity::P1, "192.0.2.1");
    assert_eq!(
        store.commit(&commit(vec![original.clone()])).await.unwrap(),
        Committed { new: 1, ..Committed::default() }
    );
    assert_eq!(
        store.commit(&commit(vec![original.clone()])).await.unwrap(),
        Committed { changed: 1, ..Committed::default() }
    );
    let stored = store.get(original.id).await.unwrap().unwrap();
    assert_eq!(stored.finding, original);
    assert_eq!((stored.status, stored.created_at, stored.revision), (Status::New, Timestamp(42), 2));
    assert_eq!(store.list(&query(10)).await.unwrap().findings.len(), 1);
    assert_eq!(store.get(FindingId(9)).await.unwrap(), None);
}

async fn pages_hold_every_finding_once_newest_first_while_others_arrive(url: &str) {
    let store = store(url).await;
    let findings = (1..=25).map(|number| finding(number, Severity::P2, "192.0.2.1")).collect();
    store.commit(&commit(findings)).await.unwrap();
    let mut seen = Vec::new();
    let mut query = query(7);
    loop {
        let page = store.list(&query).await.unwrap();
        seen.extend(page.findings.iter().map(|stored| stored.finding.span.count - 1));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
        store.commit(&commit(vec![finding(100 + seen.len() as u64, Severity::P2, "192.0.2.1")])).await.unwrap();
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

async fn filters_select_and_combine(url: &str) {
    let store = store(url).await;
    let findings = vec![
        finding(1, Severity::P0, "192.0.2.1"),
        finding(2, Severity::P1, "192.0.2.2"),
        finding(3, Severity::P1, "192.0.2.1"),
    ];
    store.commit(&commit(findings)).await.unwrap();
    let ask = async |change: fn(&mut FindingQuery)| -> Vec<u64> {
        let mut query = query(10);
        change(&mut query);
        let page = store.list(&query).await.unwrap();
        page.findings.iter().map(|stored| stored.finding.span.count - 1).collect()
    };
    assert_eq!(ask(|query| query.severities = vec![Severity::P1]).await, [3, 2]);
    assert_eq!(ask(|query| query.severities = vec![Severity::P1, Severity::P0, Severity::P1]).await, [3, 2, 1]);
    assert_eq!(ask(|query| query.levels = vec![Level::Low]).await, [0_u64; 0]);
    assert_eq!(ask(|query| query.rules = vec!["rule-1".into(), "rule-2".into()]).await, [2, 1]);
    assert_eq!(ask(|query| query.since = Some(Timestamp(2000))).await, [3, 2]);
    assert_eq!(ask(|query| query.until = Some(Timestamp(3000))).await, [2, 1]);
    assert_eq!(ask(|query| query.statuses = vec![Status::Resolved]).await, [0_u64; 0]);
    let address = |value: &str| ("source.ip".to_owned(), value.to_owned());
    assert_eq!(ask(|query| query.entities = vec![("source.ip".into(), "192.0.2.1".into())]).await, [3, 1]);
    let mut both = query(10);
    both.entities = vec![address("192.0.2.1"), address("192.0.2.2"), ("user.name".into(), "root".into())];
    assert_eq!(store.list(&both).await.unwrap().findings.len(), 3);
    both.entities.push(("host.name".into(), "nowhere".into()));
    assert_eq!(store.list(&both).await.unwrap().findings.len(), 0);
}

async fn less_than_is_known_changes_nothing(url: &str) {
    let store = store(url).await;
    let full = finding(1, Severity::P1, "192.0.2.1");
    store.commit(&commit(vec![full.clone()])).await.unwrap();
    let before_the_crash =
        Finding { span: FindingSpan { count: 1, ..full.span }, reason: "less".into(), ..full.clone() };
    assert_eq!(store.commit(&commit(vec![before_the_crash])).await.unwrap(), Committed::default());
    assert_eq!(store.get(full.id).await.unwrap().unwrap().finding, full);
}

fn change(head: &str, put: &[(&str, &str)], gone: &[&str]) -> StateChange {
    let put = put.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    StateChange { head: head.to_owned(), put, gone: gone.iter().map(|key| (*key).to_owned()).collect() }
}

async fn positions_and_state_come_back_after_a_reopen(url: &str) {
    let first = store(url).await;
    let checkpoint = SourceCheckpoint {
        id: SourceId(u128::MAX),
        name: "a.log".into(),
        fingerprint_bytes: 11,
        fingerprint_hash: 3,
        position: Position { offset: 1 << 40, line: 12 },
        seen: (1 << 40) + 5,
        epoch: 0,
    };
    let (lease, resume) = first.take_over("replay").await.unwrap();
    assert_eq!((resume.sources.len(), resume.state), (0, None));
    let commit = Commit {
        sources: vec![checkpoint.clone()],
        state: Some(change("head 1", &[("a", "1"), ("b", "2")], &[])),
        lease: Some(lease),
        ..Commit::default()
    };
    first.commit(&commit).await.unwrap();
    let later = Commit {
        state: Some(change("head 2", &[("b", "3"), ("c\0", "{}")], &["a", "x"])),
        sources: Vec::new(),
        ..commit
    };
    first.commit(&later).await.unwrap();
    first.close().await;
    let again = store(url).await;
    let (lease, resume) = again.take_over("replay").await.unwrap();
    assert_eq!(resume.sources, vec![checkpoint.clone()]);
    let mut state = resume.state.unwrap();
    state.entries.sort();
    assert_eq!(
        (state.head.as_str(), state.entries.len(), &state.entries[0]),
        ("head 2", 2, &("b".to_owned(), "3".to_owned()))
    );
    assert_eq!(again.take_over("another").await.unwrap().1.state, None);
    let forget = Commit { forgotten: vec![checkpoint.id], lease: Some(lease), ..Commit::default() };
    again.commit(&forget).await.unwrap();
    assert_eq!(again.take_over("replay").await.unwrap().1.sources, []);
}

async fn who_was_taken_over_cannot_commit(url: &str) {
    let store = store(url).await;
    let (old, _) = store.take_over("analyzer").await.unwrap();
    let under = |lease: &Lease, findings| Commit { lease: Some(lease.clone()), ..commit(findings) };
    store.commit(&under(&old, vec![finding(1, Severity::P1, "192.0.2.1")])).await.unwrap();
    let (new, _) = store.take_over("analyzer").await.unwrap();
    let late = store.commit(&under(&old, vec![finding(2, Severity::P1, "192.0.2.1")])).await;
    assert!(matches!(late, Err(StoreError::Fenced(name)) if name == "analyzer"));
    assert_eq!(store.get(finding(2, Severity::P1, "192.0.2.1").id).await.unwrap(), None, "all of it or nothing");
    store.commit(&under(&new, vec![finding(2, Severity::P1, "192.0.2.1")])).await.unwrap();

    let source = Source { id: SourceId(9), name: "kafka://t/0".into() };
    let (first, position) = store.claim(&source, Timestamp(3)).await.unwrap();
    assert_eq!((first, position), (1, None));
    let reached = |epoch, offset| SourceCheckpoint {
        id: source.id,
        name: source.name.clone(),
        fingerprint_bytes: 0,
        fingerprint_hash: 0,
        position: Position { offset, line: offset },
        seen: offset,
        epoch,
    };
    let at = |epoch, offset| Commit { sources: vec![reached(epoch, offset)], ..Commit::default() };
    store.commit(&at(first, 5)).await.unwrap();
    let (second, position) = store.claim(&source, Timestamp(4)).await.unwrap();
    assert_eq!((second, position), (2, Some(Position { offset: 5, line: 5 })));
    assert!(matches!(store.commit(&at(first, 9)).await, Err(StoreError::Fenced(name)) if name == "kafka://t/0"));
    store.commit(&at(second, 7)).await.unwrap();
}

const JOIN: JoinPolicy =
    JoinPolicy { gap_us: 3_600_000_000, opens_from: Severity::P2, notify_age_us: Some(86_400_000_000) };

fn joining(findings: Vec<Finding>) -> Commit {
    Commit { join: Some(JOIN), ..commit(findings) }
}

async fn findings_become_incidents_in_the_same_commit(url: &str) {
    let store = store(url).await;
    let findings = vec![finding(1, Severity::P2, "192.0.2.1"), finding(2, Severity::P3, "192.0.2.1")];
    store.commit(&joining(findings.clone())).await.unwrap();
    store.commit(&joining(findings)).await.unwrap();
    let all = store.incidents(&IncidentQuery { limit: 10, ..IncidentQuery::default() }).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].scope.findings, all[0].scope.events, all[0].rating.severity), (2, 5, Severity::P2));
    let mut grown = finding(1, Severity::P0, "192.0.2.1");
    grown.span.count = 100;
    store.commit(&joining(vec![grown.clone(), finding(3, Severity::P1, "192.0.2.9")])).await.unwrap();
    let incident = store.incident(all[0].id).await.unwrap().unwrap();
    assert_eq!((incident.scope.findings, incident.scope.events, incident.rating.severity), (2, 103, Severity::P0));
    let links = store.links(incident.id, 10).await.unwrap();
    assert_eq!(links.iter().map(|link| link.events).sum::<u64>(), 103);
    assert!(links.iter().any(|link| link.reason.starts_with("same source.ip 192.0.2.1")), "{links:?}");
    assert_eq!(store.incident_of(grown.id).await.unwrap(), Some(incident.id));
    let history = store.history(incident.id, 0, 10).await.unwrap();
    let fields: Vec<_> = history.iter().map(|entry| (entry.number, entry.field.as_str())).collect();
    assert_eq!(fields, [(1, "opened"), (2, "finding"), (3, "severity")]);
}

async fn incidents_are_listed_by_filters(url: &str) {
    let store = store(url).await;
    let findings = (1..=5).map(|number| finding(number, Severity::P1, &format!("192.0.2.{number}"))).collect();
    store.commit(&joining(findings)).await.unwrap();
    let ask = async |query: IncidentQuery| store.incidents(&IncidentQuery { limit: 10, ..query }).await.unwrap();
    let all = ask(IncidentQuery::default()).await;
    assert!(all.windows(2).all(|pair| pair[0].scope.last_seen > pair[1].scope.last_seen), "newest first");
    let second = &all[1];
    let rest =
        ask(IncidentQuery { after: Some((second.scope.last_seen.unwrap().0, second.id)), ..IncidentQuery::default() })
            .await;
    assert_eq!(rest, all[2..]);
    assert_eq!(ask(IncidentQuery { severities: vec![Severity::P0], ..IncidentQuery::default() }).await, []);
    let p1 = IncidentQuery {
        severities: vec![Severity::P0, Severity::P1],
        stages: vec![Stage::Detection],
        ..IncidentQuery::default()
    };
    assert_eq!(ask(p1).await.len(), 5);
    assert_eq!(ask(IncidentQuery { statuses: vec![IncidentStatus::Closed], ..IncidentQuery::default() }).await, []);
    assert_eq!(ask(IncidentQuery { assignee: Some("ann".into()), ..IncidentQuery::default() }).await, []);
    assert_eq!(ask(IncidentQuery { since: Some(Timestamp(4000)), ..IncidentQuery::default() }).await.len(), 2);
    let entity =
        |value: &str| IncidentQuery { entity: Some(("source.ip".into(), value.into())), ..IncidentQuery::default() };
    assert_eq!(ask(entity("192.0.2.3")).await.len(), 1);
    let user = IncidentQuery { entity: Some(("user.name".into(), "root".into())), ..IncidentQuery::default() };
    assert_eq!(ask(user).await.len(), 5);
}

async fn changes_to_an_incident_need_its_version_and_leave_a_history(url: &str) {
    let store = store(url).await;
    store.commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1")])).await.unwrap();
    let incident = store.incidents(&IncidentQuery { limit: 1, ..IncidentQuery::default() }).await.unwrap().remove(0);
    let assess = IncidentChange {
        stage: Some(Stage::Assessment),
        assignee: Some(Some("ann".into())),
        comment: Some("looking".into()),
        ..IncidentChange::default()
    };
    let change = async |version, change: &IncidentChange| {
        store.change(incident.id, version, change, "ann", Timestamp(50)).await.unwrap()
    };
    let Changed::Done(now) = change(incident.record.version, &assess).await else { panic!("the version is right") };
    assert_eq!(
        (now.work.stage, now.work.status, now.record.version),
        (Stage::Assessment, IncidentStatus::InProgress, incident.record.version + 1)
    );
    let Changed::Stale(current) = change(incident.record.version, &assess).await else { panic!("the version is old") };
    assert_eq!(current, now);
    let jump = IncidentChange { stage: Some(Stage::Resolution), ..IncidentChange::default() };
    assert!(matches!(change(now.record.version, &jump).await, Changed::Illegal(_)));
    let missing = store.change(event::IncidentId(5), 1, &assess, "ann", Timestamp(50)).await.unwrap();
    assert_eq!(missing, Changed::Missing);
    let history = store.history(incident.id, 1, 10).await.unwrap();
    assert!(history.iter().all(|entry| entry.actor == "ann" && entry.at == Timestamp(50)));
    let fields: Vec<_> = history.iter().map(|entry| entry.field.as_str()).collect();
    assert_eq!(fields, ["assignee", "stage", "status", "comment"]);
    // What people set stays when findings join.
    store.commit(&joining(vec![finding(2, Severity::P2, "192.0.2.1")])).await.unwrap();
    let joined = store.incident(incident.id).await.unwrap().unwrap();
    assert_eq!(
        (joined.work.assignee.as_deref(), joined.work.stage, joined.scope.findings),
        (Some("ann"), Stage::Assessment, 2)
    );
    assert_eq!(joined.work.verdict, None::<Verdict>);
}

async fn notices_are_delivered_once_to_each_endpoint(url: &str) {
    let store = store(url).await;
    store.commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1")])).await.unwrap();
    let endpoints = [("ops".to_owned(), Severity::P3), ("pager".to_owned(), Severity::P1)];
    assert_eq!(store.fan_out(&endpoints, 0, Timestamp(100)).await.unwrap(), 1);
    assert_eq!(store.fan_out(&endpoints, 0, Timestamp(100)).await.unwrap(), 0);
    let due = store.due(Timestamp(100), Timestamp(200), 10).await.unwrap();
    assert_eq!((due.len(), due[0].kind.as_str(), due[0].attempts), (1, "incident.created", 1));
    assert!(due[0].body.contains("192.0.2.1"));
    assert_eq!(store.due(Timestamp(150), Timestamp(200), 10).await.unwrap(), [], "it is leased");
    let again = store.due(Timestamp(201), Timestamp(300), 10).await.unwrap();
    assert_eq!((again.len(), again[0].attempts), (1, 2), "the one that had it is gone");
    assert_eq!(again[0].webhook_id(), due[0].webhook_id());
    let retry = Attempt::Retry { at: Timestamp(500), error: "503".into() };
    store.settle(&again[0], &retry, Timestamp(300)).await.unwrap();
    assert_eq!(store.due(Timestamp(499), Timestamp(600), 10).await.unwrap(), []);
    assert_eq!(store.outbox().await.unwrap().pending, 1);
    let last = store.due(Timestamp(500), Timestamp(600), 10).await.unwrap().remove(0);
    store.settle(&last, &Attempt::Dead { error: "gone".into() }, Timestamp(500)).await.unwrap();
    let dead = store.deliveries(Some("dead"), 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].last_error.as_deref()), (1, Some("gone")));
    assert_eq!(store.outbox().await.unwrap().dead, 1);
    assert!(store.revive(&last.notice_id, "ops", Timestamp(600)).await.unwrap());
    assert!(!store.revive(&last.notice_id, "ops", Timestamp(600)).await.unwrap());
    let revived = store.due(Timestamp(600), Timestamp(700), 10).await.unwrap().remove(0);
    store.settle(&revived, &Attempt::Delivered, Timestamp(600)).await.unwrap();
    assert_eq!(store.deliveries(Some("delivered"), 10).await.unwrap().len(), 1);
    // A replay tells nobody.
    let quiet = Some(JoinPolicy { notify_age_us: None, ..JOIN });
    store.commit(&Commit { join: quiet, ..joining(vec![finding(2, Severity::P0, "192.0.2.2")]) }).await.unwrap();
    assert_eq!(store.fan_out(&endpoints, 0, Timestamp(700)).await.unwrap(), 0);
}

async fn summaries_are_kept_by_content(url: &str) {
    let store = store(url).await;
    store
        .commit(&joining(vec![finding(1, Severity::P2, "192.0.2.1"), finding(2, Severity::P0, "192.0.2.2")]))
        .await
        .unwrap();
    let now = Timestamp(5_000_000);
    let waiting = store.to_summarise(now, false, 10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    let gravest = store.incident(waiting[0]).await.unwrap().unwrap();
    assert_eq!(gravest.rating.severity, Severity::P0);
    let summary = StoredSummary {
        incident: gravest.id,
        facts_version: gravest.record.facts_version,
        key: "k1".into(),
        source: "llm".into(),
        text: "{}".into(),
        attempts: 1,
        updated_at: now,
    };
    store.put_summary(&summary, None).await.unwrap();
    assert_eq!(store.summary(gravest.id).await.unwrap().as_ref(), Some(&summary));
    assert_eq!(store.summary_by_key("k1").await.unwrap(), Some(summary.clone()));
    assert_eq!(store.summary_by_key("k2").await.unwrap(), None);
    assert_eq!(store.to_summarise(now, true, 10).await.unwrap(), waiting[1..]);
    store.put_summary(&summary, Some(Timestamp(6_000_000))).await.unwrap();
    let later = Timestamp(6_000_000);
    assert_eq!(store.to_summarise(later, false, 10).await.unwrap(), waiting[1..], "there is no model to ask");
    assert_eq!(store.to_summarise(later, true, 10).await.unwrap(), waiting);
    store.put_summary(&summary, None).await.unwrap();
    let more = joining(vec![finding(3, Severity::P2, "192.0.2.2")]);
    store.commit(&Commit { now: later, ..more }).await.unwrap();
    assert_eq!(store.to_summarise(later, true, 10).await.unwrap(), waiting[1..], "not again so soon");
    let due = later.saturating_add_us(SUMMARY_PAUSE_US);
    assert_eq!(store.to_summarise(due, false, 10).await.unwrap(), waiting);
    // Written from facts that have changed meanwhile: they are not forgotten.
    store.put_summary(&summary, None).await.unwrap();
    assert_eq!(store.to_summarise(due, false, 10).await.unwrap(), waiting);
    let older = StoredSummary { facts_version: 0, text: "old".into(), ..summary };
    store.put_summary(&older, None).await.unwrap();
    assert_eq!(
        store.summary(gravest.id).await.unwrap().unwrap().text,
        "{}",
        "an older summary does not replace a newer"
    );
}

async fn tokens_are_kept_and_revoked(url: &str) {
    let store = store(url).await;
    let token = Token {
        id: "abc".into(),
        name: "ann".into(),
        role: Role::Analyst,
        hash: "00ff".into(),
        created_at: Timestamp(1),
        expires_at: Some(Timestamp(2)),
        revoked: false,
    };
    store.add_token(&token).await.unwrap();
    assert!(store.add_token(&token).await.is_err(), "an id is given once");
    assert_eq!(store.token("abc").await.unwrap(), Some(token.clone()));
    assert_eq!(store.tokens().await.unwrap(), [token]);
    assert!(store.revoke_token("abc").await.unwrap());
    assert!(!store.revoke_token("abc").await.unwrap());
    assert!(store.token("abc").await.unwrap().unwrap().revoked);
    assert_eq!(store.token("xyz").await.unwrap(), None);
}

async fn the_last_success_of_a_task_is_kept(url: &str) {
    let store = store(url).await;
    assert_eq!(store.tasks().await.unwrap(), []);
    let done = |at, detail: &str| TaskDone { name: "backup".into(), at: Timestamp(at), detail: detail.into() };
    store.task_done(&done(2, "second")).await.unwrap();
    store.task_done(&done(1, "first, told late")).await.unwrap();
    assert_eq!(store.tasks().await.unwrap(), [done(2, "second")]);
    store.task_done(&done(3, "third")).await.unwrap();
    assert_eq!(store.tasks().await.unwrap(), [done(3, "third")]);
}

mod also;
mod parts;
mod small;
mod upkeep;
