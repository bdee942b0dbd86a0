//! Rules that a finding names beside its own: what every store must find by them, count for them and keep of them.

use event::AlsoFired;

use super::parts::{at, attack, close, incidents};
use super::*;
use crate::hot::Snapshot;

checks!(
    a_finding_is_found_by_every_rule_that_it_names,
    pages_by_rule_hold_every_finding_once,
    what_goes_on_after_an_incident_names_what_came_after,
    statistics_count_a_finding_for_every_rule_that_it_names,
);

fn also(id: &str, count: u64) -> AlsoFired {
    AlsoFired { rule_id: id.into(), rule_title: format!("Title of {id}"), count }
}

fn naming(number: u64, names: &[(&str, u64)]) -> Finding {
    let names = names.iter().map(|(id, count)| also(id, *count)).collect();
    Finding { also: names, ..finding(number, Severity::P1, "192.0.2.1") }
}

/// Numbers of the findings that the rules find, newest first.
async fn found(store: &dyn Store, rules: &[&str], change: impl Fn(&mut FindingQuery)) -> Vec<u64> {
    let mut query = FindingQuery { rules: rules.iter().map(|rule| (*rule).to_owned()).collect(), ..query(10) };
    change(&mut query);
    let page = store.list(&query).await.unwrap();
    page.findings.iter().map(|stored| (stored.finding.id.0 >> 64) as u64).collect()
}

async fn a_finding_is_found_by_every_rule_that_it_names(url: &str) {
    let store = &*store(url).await;
    let first = naming(1, &[("scan", 2), ("odd\0id", 1)]);
    let others = vec![first.clone(), naming(2, &[]), naming(3, &[("scan", 1), ("rule-1", 1)])];
    store.commit(&commit(others)).await.unwrap();
    let all = |_: &mut FindingQuery| {};
    assert_eq!(found(store, &["scan"], all).await, [3, 1]);
    assert_eq!(found(store, &["rule-1"], all).await, [3, 1], "it leads the one and is named in the other");
    assert_eq!(found(store, &["rule-1", "scan", "scan", "rule-2"], all).await, [3, 2, 1], "each finding once");
    assert_eq!(found(store, &["sca"], all).await, [0_u64; 0]);
    assert_eq!(found(store, &["scan"], |query| query.until = Some(Timestamp(2000))).await, [1]);
    assert_eq!(found(store, &["scan"], |query| query.since = Some(Timestamp(2000))).await, [3]);
    assert_eq!(found(store, &["scan"], |query| query.severities = vec![Severity::P0]).await, [0_u64; 0]);
    assert_eq!(found(store, &["scan"], |query| query.severities = vec![Severity::P1]).await, [3, 1]);
    let by_address = |query: &mut FindingQuery| query.entities = vec![("source.ip".into(), "192.0.2.1".into())];
    assert_eq!(found(store, &["scan"], by_address).await, [3, 1]);
    let many: Vec<String> = (0..30).map(|number| format!("other-{number}")).chain(["scan".to_owned()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(found(store, &many, all).await, [3, 1], "too many rules to look up one by one");
    let by_severity = |query: &mut FindingQuery| query.severities = vec![Severity::P1, Severity::P2];
    assert_eq!(found(store, &many, by_severity).await, [3, 1]);
    assert_eq!(store.rules_titled("title of SCAN").await.unwrap(), ["scan"]);

    let stored = store.get(first.id).await.unwrap().unwrap().finding;
    assert_eq!(stored.also[0], first.also[0]);
    let less = Finding { also: vec![also("scan", 1)], span: FindingSpan { count: 1, ..first.span }, ..first.clone() };
    store.commit(&commit(vec![less])).await.unwrap();
    assert_eq!(store.get(first.id).await.unwrap().unwrap().finding.also, stored.also, "a count never goes down");
    let grown = Finding {
        also: vec![also("scan", 5), also("odd\0id", 1), also("late", 1)],
        span: FindingSpan { count: 9, last_seen: Some(Timestamp(9000)), ..first.span },
        ..first
    };
    for _ in 0..2 {
        store.commit(&commit(vec![grown.clone()])).await.unwrap();
        assert_eq!(found(store, &["scan"], all).await, [1, 3], "the newest first");
        assert_eq!(found(store, &["late"], all).await, [1]);
    }
    let recount = store.recount(false, event::Thresholds::default(), Timestamp(1)).await.unwrap();
    assert!(recount.faults.iter().all(|fault| fault.table != "finding_also"), "{:?}", recount.faults);
    assert!(recount.faults.iter().all(|fault| !fault.what.contains("names the rules")), "{:?}", recount.faults);
}

async fn pages_by_rule_hold_every_finding_once(url: &str) {
    let store = store(url).await;
    let findings = (1..=25).map(|number| naming(number, if number % 2 == 0 { &[("scan", 1)] } else { &[] })).collect();
    store.commit(&commit(findings)).await.unwrap();
    for (rules, expected) in [
        (vec!["scan".to_owned()], (1..=25).rev().filter(|number| number % 2 == 0).collect::<Vec<u64>>()),
        (
            vec!["scan".to_owned(), "rule-1".to_owned()],
            (1..=25).rev().filter(|number| number % 2 == 0 || number % 3 == 1).collect(),
        ),
    ] {
        let (mut seen, mut query) = (Vec::new(), FindingQuery { rules, ..query(4) });
        loop {
            let page = store.list(&query).await.unwrap();
            seen.extend(page.findings.iter().map(|stored| stored.finding.span.count - 1));
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

async fn what_goes_on_after_an_incident_names_what_came_after(url: &str) {
    let store = &*store(url).await;
    let grow = async |count: u64, fresh: u64, names: &[(&str, u64)], second: i64| {
        let names = names.iter().map(|(id, count)| also(id, *count)).collect();
        let grown = Finding { also: names, ..attack(count, fresh) };
        store.commit(&Commit { now: at(second), ..joining(vec![grown]) }).await.unwrap();
    };
    grow(20, 20, &[("scan", 20), ("odd", 3)], 21).await;
    let first = incidents(store).await.remove(0);
    assert_eq!(first.scope.rules, ["a title", "Title of scan", "Title of odd"]);
    close(store, first.id, 30).await;
    let names_of_part = async || -> Vec<(String, u64)> {
        let page = store.list(&query(10)).await.unwrap();
        let part = page.findings.into_iter().find(|stored| stored.finding.continues.is_some()).unwrap();
        part.finding.also.into_iter().map(|other| (other.rule_id, other.count)).collect()
    };
    grow(50, 30, &[("scan", 20), ("odd", 4), ("new", 2)], 51).await;
    assert_eq!(names_of_part().await, [("odd".into(), 1), ("new".into(), 2)], "nothing counts twice");
    grow(60, 10, &[("scan", 25), ("odd", 4), ("new", 2)], 61).await;
    assert_eq!(names_of_part().await, [("odd".into(), 1), ("new".into(), 2), ("scan".into(), 5)]);
}

/// Findings by rule, as the statistics have them.
fn by_rule(snapshot: &Snapshot) -> Vec<(&str, u64)> {
    snapshot.top_rules.iter().map(|(id, _, count)| (id.as_str(), *count)).collect()
}

/// Commits findings that come to name more rules, and records each commit.
async fn check_statistics(store: &dyn Store, hot: &dyn Hot) {
    for names in [&[("scan", 1)][..], &[("scan", 2)], &[("scan", 2), ("late", 1)]] {
        let mut grown = vec![naming(1, names)];
        grown[0].span.count += names[0].1;
        grown.extend((names[0].1 == 1).then(|| naming(2, &[("scan", 1)])));
        store.commit(&commit(grown)).await.unwrap();
        let mark = hot.mark().await.unwrap();
        let changed = store.changed_after(mark, 10).await.unwrap();
        assert!(hot.record(&changed, mark, ChangeCursor::from(changed.last().unwrap())).await.unwrap());
    }
    let snapshot = hot.snapshot(5).await.unwrap();
    assert_eq!(by_rule(&snapshot), [("scan", 2), ("late", 1), ("rule-1", 1), ("rule-2", 1)]);
    assert_eq!((snapshot.findings, snapshot.top_rules[0].1.as_str()), (2, "Title of scan"));
}

async fn statistics_count_a_finding_for_every_rule_that_it_names(url: &str) {
    check_statistics(&*store(url).await, &MemoryHot::default()).await;
}

#[tokio::test]
async fn statistics_in_redis_do_so_too() {
    let server = servers::Redis::start();
    let folder = tempfile::tempdir().unwrap();
    let store = store(&format!("sqlite:{}/a.db", folder.path().display())).await;
    check_statistics(&*store, &RedisHot::open(&server.url(), "agent-1".into()).unwrap()).await;
}
