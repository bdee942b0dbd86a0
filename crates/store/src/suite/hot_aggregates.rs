//! Hot aggregates: what they are told of by revision, and that memory and Redis say one thing.

use super::*;

pub(super) async fn changes_are_told_by_revision_and_hot_counts_follow_them(url: &str) {
    let store = store(url).await;
    store.commit(&commit(vec![finding(1, Severity::P0, "192.0.2.1")])).await.unwrap();
    store.commit(&commit(vec![finding(2, Severity::P1, "192.0.2.2")])).await.unwrap();
    let mut grown = finding(1, Severity::P0, "192.0.2.1");
    grown.span.count = 50;
    store.commit(&commit(vec![grown])).await.unwrap();
    let changed = store.changed_after(ChangeCursor { revision: 1, id: FindingId(u128::MAX) }, 10).await.unwrap();
    assert_eq!(changed.iter().map(|stored| stored.revision).collect::<Vec<_>>(), [2, 3]);

    check_hot(&*store, &MemoryHot::default()).await;
}

/// What hot aggregates must do, whoever keeps them: over the two findings of the check above.
async fn check_hot(store: &dyn Store, hot: &dyn Hot) {
    assert!(hot.leads().await.unwrap());
    assert_eq!(hot.mark().await.unwrap(), ChangeCursor::START);
    let all = store.changed_after(ChangeCursor::START, 10).await.unwrap();
    let mark = ChangeCursor::from(all.last().unwrap());
    assert!(hot.record(&all, ChangeCursor::START, mark).await.unwrap());
    let snapshot = hot.snapshot(5).await.unwrap();
    assert!(
        !hot.record(&all, ChangeCursor::START, mark).await.unwrap(),
        "who starts from an old mark has been overtaken"
    );
    assert!(hot.record(&all, mark, mark).await.unwrap());
    assert_eq!(hot.snapshot(5).await.unwrap(), snapshot, "what is known adds nothing");
    assert_eq!((snapshot.findings, snapshot.events, snapshot.distinct_sources), (2, 53, 2));
    assert_eq!(snapshot.by_severity.get("P0"), Some(&1));
    assert_eq!(snapshot.by_status.get("new"), Some(&2));
    assert_eq!(snapshot.top_sources[0], ("192.0.2.1".to_owned(), 50));
    assert_eq!(snapshot.top_rules.len(), 2);
    assert_eq!(snapshot.per_minute, [(Timestamp(0), 2)]);
    assert_eq!(hot.mark().await.unwrap(), mark);
    let risk = |value: &'static str, day: i64| hot.risk("source.ip", value, Timestamp(day * 86_400_000_000));
    assert!((risk("192.0.2.1", 0).await.unwrap() - 75.0).abs() < 0.01);
    assert!((risk("192.0.2.1", 1).await.unwrap() - 37.5).abs() < 0.01, "risk halves in a day");
    assert!(risk("198.51.100.1", 0).await.unwrap().abs() < 0.01);
    assert!(hot.clear().await.unwrap() > 0);
    assert_eq!(hot.snapshot(5).await.unwrap(), hot::Snapshot::default());
    assert_eq!(hot.mark().await.unwrap(), ChangeCursor::START, "all is rebuilt from the store");
}

#[tokio::test]
async fn hot_aggregates_in_redis_are_those_in_memory() {
    let server = servers::Redis::start();
    let folder = tempfile::tempdir().unwrap();
    let store = store(&format!("sqlite:{}/a.db", folder.path().display())).await;
    let mut grown = finding(1, Severity::P0, "192.0.2.1");
    grown.span.count = 50;
    store.commit(&commit(vec![grown])).await.unwrap();
    store.commit(&commit(vec![finding(2, Severity::P1, "192.0.2.2")])).await.unwrap();
    let hot = RedisHot::open(&server.url(), "agent-1".into()).unwrap();
    hot.ping().await.unwrap();
    check_hot(&*store, &hot).await;
    let other = RedisHot::open(&server.url(), "agent-2".into()).unwrap();
    assert!(!other.leads().await.unwrap(), "one agent records, the others read");
}
