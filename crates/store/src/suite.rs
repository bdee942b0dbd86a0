//! What every store must do. Each member is run through the same checks.

use event::{Entities, EventId, Evidence, Level, ScorePart, Severity};

use super::*;

async fn sqlite() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&format!("sqlite:{}/deep/c0di3.db", folder.path().display())).await.unwrap();
    (folder, store)
}

fn finding(number: u64, severity: Severity, address: &str) -> Finding {
    Finding {
        id: FindingId(u128::from(number) << 64),
        rule_id: format!("rule-{}", number % 3),
        rule_title: "a title".into(),
        level: Level::High,
        score: 75,
        score_parts: vec![ScorePart { part: "rule level high".into(), points: 75 }],
        severity,
        first_seen: Some(Timestamp(number as i64 * 1000)),
        last_seen: Some(Timestamp(number as i64 * 1000 + 5)),
        count: number + 1,
        entities: Entities { source_ip: vec![address.into()], user_name: vec!["root".into()], ..Entities::default() },
        techniques: vec!["T1110".into()],
        reason: "it matched".into(),
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

#[tokio::test]
async fn a_finding_comes_back_as_it_was_and_a_second_commit_adds_nothing() {
    let (_folder, store) = sqlite().await;
    let original = finding(1, Severity::P1, "192.0.2.1");
    assert_eq!(store.commit(&commit(vec![original.clone()])).await.unwrap(), Committed { new: 1, changed: 0 });
    assert_eq!(store.commit(&commit(vec![original.clone()])).await.unwrap(), Committed { new: 0, changed: 1 });
    let stored = store.get(original.id).await.unwrap().unwrap();
    assert_eq!(stored.finding, original);
    assert_eq!((stored.status, stored.created_at, stored.revision), (Status::New, Timestamp(42), 2));
    assert_eq!(store.list(&query(10)).await.unwrap().findings.len(), 1);
    assert_eq!(store.get(FindingId(9)).await.unwrap(), None);
}

#[tokio::test]
async fn pages_hold_every_finding_once_newest_first_while_others_arrive() {
    let (_folder, store) = sqlite().await;
    let findings = (1..=25).map(|number| finding(number, Severity::P2, "192.0.2.1")).collect();
    store.commit(&commit(findings)).await.unwrap();
    let mut seen = Vec::new();
    let mut query = query(7);
    loop {
        let page = store.list(&query).await.unwrap();
        seen.extend(page.findings.iter().map(|stored| stored.finding.count - 1));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
        store.commit(&commit(vec![finding(100 + seen.len() as u64, Severity::P2, "192.0.2.1")])).await.unwrap();
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn filters_select_and_combine() {
    let (_folder, store) = sqlite().await;
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
        page.findings.iter().map(|stored| stored.finding.count - 1).collect()
    };
    assert_eq!(ask(|query| query.severities = vec![Severity::P1]).await, [3, 2]);
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

#[tokio::test]
async fn positions_and_state_come_back_after_a_reopen() {
    let (folder, store) = sqlite().await;
    let checkpoint = SourceCheckpoint {
        id: SourceId(u128::MAX),
        name: "a.log".into(),
        fingerprint_bytes: 11,
        fingerprint_hash: 3,
        position: Position { offset: 1 << 40, line: 12 },
        seen: (1 << 40) + 5,
    };
    let commit = Commit { sources: vec![checkpoint.clone()], state: Some("state".into()), ..Commit::default() };
    store.commit(&commit).await.unwrap();
    store.close().await;
    let again = SqliteStore::open(&format!("sqlite:{}/deep/c0di3.db", folder.path().display())).await.unwrap();
    let resume = again.resume().await.unwrap();
    assert_eq!((resume.sources, resume.state.as_deref()), (vec![checkpoint.clone()], Some("state")));
    again.commit(&Commit { forgotten: vec![checkpoint.id], ..Commit::default() }).await.unwrap();
    assert_eq!(again.resume().await.unwrap().sources, []);
}

#[tokio::test]
async fn changes_are_told_by_revision_and_hot_counts_follow_them() {
    let (_folder, store) = sqlite().await;
    store.commit(&commit(vec![finding(1, Severity::P0, "192.0.2.1")])).await.unwrap();
    store.commit(&commit(vec![finding(2, Severity::P1, "192.0.2.2")])).await.unwrap();
    let mut grown = finding(1, Severity::P0, "192.0.2.1");
    grown.count = 50;
    store.commit(&commit(vec![grown])).await.unwrap();
    let changed = store.changed_after(Mark { revision: 1, id: FindingId(u128::MAX) }, 10).await.unwrap();
    assert_eq!(changed.iter().map(|stored| stored.revision).collect::<Vec<_>>(), [2, 3]);

    let hot = MemoryHot::default();
    hot.record(&store.changed_after(Mark::START, 10).await.unwrap());
    hot.record(&store.changed_after(Mark::START, 10).await.unwrap());
    let snapshot = hot.snapshot(5);
    assert_eq!((snapshot.findings, snapshot.events, snapshot.distinct_sources), (2, 53, 2));
    assert_eq!(snapshot.by_severity.get("P0"), Some(&1));
    assert_eq!(snapshot.top_sources[0], ("192.0.2.1".to_owned(), 50));
    hot.clear();
    assert_eq!(hot.snapshot(5), hot::Snapshot::default());
}

#[tokio::test]
async fn an_unknown_url_is_refused_with_the_remedy() {
    let error = SqliteStore::open("mysql://x").await.unwrap_err().to_string();
    assert_eq!(error, "`mysql://x` is no store that this version knows: use sqlite:PATH");
}
