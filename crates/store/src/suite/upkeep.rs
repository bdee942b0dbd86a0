//! What every store must find and mend where what is stored does not add up.

use event::Thresholds;
use sqlx::{ConnectOptions, Connection};

use super::parts::{at, attack, close, grow, incidents};
use super::*;
use crate::upkeep::Recount;

checks!(
    what_does_not_add_up_is_found_and_mended,
    what_cannot_be_derived_is_named_and_left,
    what_cannot_be_read_is_told
);

/// Changes rows behind the store's back.
async fn damage(url: &str, statement: &'static str) {
    if url.starts_with("sqlite:") {
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        let mut connection = options.foreign_keys(false).connect().await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

async fn recount(store: &dyn Store, mend: bool) -> Recount {
    store.recount(mend, Thresholds::default(), at(9000)).await.unwrap()
}

/// Tables of the faults.
fn tables(recount: &Recount) -> Vec<&'static str> {
    recount.faults.iter().map(|fault| fault.table).collect()
}

fn named() -> Vec<event::AlsoFired> {
    vec![event::AlsoFired { rule_id: "scan".into(), rule_title: "a scan".into(), count: 4 }]
}

/// An incident that was closed, its continuation, and a finding of another rule in that.
async fn filled(store: &dyn Store) {
    grow(store, 20, 20, 21).await;
    let first = incidents(store).await.remove(0).id;
    close(store, first, 30).await;
    grow(store, 120, 100, 121).await;
    let other = {
        let base = attack(30, 30);
        Finding {
            id: FindingId(5),
            rule: event::FindingRule { id: "another".into(), ..base.rule },
            also: named(),
            ..base
        }
    };
    store.commit(&Commit { now: at(122), ..joining(vec![other]) }).await.unwrap();
    let none = recount(store, false).await;
    assert_eq!(none.faults, [], "all adds up");
    assert_eq!((none.findings, none.incidents, none.linked), (3, 2, 3));
}

/// Statements that the databases say differently: entities that go, and a rule that is named for no finding.
fn statements(url: &str) -> (&'static str, &'static str) {
    let entities = if url.starts_with("sqlite:") {
        "DELETE FROM finding_entities WHERE kind = 'user.name'"
    } else {
        "UPDATE findings SET entities = ARRAY['source.ip=192.0.2.1']"
    };
    let orphan = if url.starts_with("sqlite:") {
        "INSERT INTO finding_also (rule_id, finding_id, count) VALUES ('scan', x'09', 1)"
    } else {
        "INSERT INTO finding_also (rule_id, finding_id, count, day, sort_time) VALUES ('scan', '\\x09', 1, 1, 1)"
    };
    (entities, orphan)
}

async fn what_does_not_add_up_is_found_and_mended(url: &str) {
    let store = &*store(url).await;
    filled(store).await;
    let (entities, orphan) = statements(url);
    for (statement, table, word) in [
        ("UPDATE findings SET count = -5 WHERE count = 20", "findings", "its count is -5"),
        ("UPDATE findings SET count = 0 WHERE count = 20", "findings", "its count is 0"),
        ("UPDATE findings SET count = 3 WHERE count = 100", "findings", "its count is 3"),
        ("UPDATE findings SET count = 5000 WHERE count = 100", "findings", "its count is 5000"),
        ("UPDATE findings SET severity = 'P3' WHERE count = 20", "findings", "a score of 75 is P1"),
        ("UPDATE findings SET score = 7 WHERE count = 20", "findings", "its parts make 75"),
        ("UPDATE findings SET sort_time = 4 WHERE count = 20", "findings", "it is sorted by 4"),
        ("UPDATE findings SET events = 'e12' WHERE count = 20", "findings", "its events cannot be read"),
        ("UPDATE incident_findings SET events = 7 WHERE events = 20", "findings", "its link 7"),
        ("UPDATE incidents SET status = 'on_hold' WHERE status = 'closed'", "incidents", "its columns"),
        (
            "UPDATE incidents SET doc = replace(doc, '\"events\":20,', '\"events\":99,')",
            "incidents",
            "it has 99 events, its findings make 20",
        ),
        (
            "UPDATE incidents SET doc = replace(doc, '\"findings\":2,', '\"findings\":8,')",
            "incidents",
            "it has 8 findings, its links 2",
        ),
        (
            "UPDATE incidents SET severity = 3, doc = replace(doc, '\"severity\":\"P1\"', '\"severity\":\"P3\"')",
            "incidents",
            "its severity is P3, its gravest finding P1",
        ),
        (
            "INSERT INTO notices (id, kind, severity, created_at, body, incident_id)
             VALUES ('n', 'incident.created', 1, 5, '{}', 'gone')",
            "notices",
            "an incident that does not exist",
        ),
        (
            "INSERT INTO incident_findings (finding_id, incident_id, events, added_at, doc)
             SELECT '00000000000000000000000000000009', id, 5, 5, '{}' FROM incidents WHERE status = 'closed'",
            "incident_findings",
            "of a finding that does not exist",
        ),
        (
            "INSERT INTO incident_findings (finding_id, incident_id, events, added_at, doc)
             VALUES ('00000000000000000000000000000009', 'gone', 5, 5, '{}')",
            "incident_findings",
            "to an incident that does not exist",
        ),
        (entities, "findings", "can be asked for"),
        ("DELETE FROM finding_also", "findings", "it names the rules {\"scan\":4}, it is found by {}"),
        ("UPDATE finding_also SET count = 9", "findings", "it names the rules {\"scan\":4}"),
        ("UPDATE findings SET sort_time = 5 WHERE rule_id = 'another'", "findings", "it is sorted by 5"),
        (orphan, "finding_also", "a finding that does not exist"),
    ] {
        damage(url, statement).await;
        let checked = recount(store, false).await;
        let fault = checked.faults.iter().find(|fault| fault.table == table && fault.what.contains(word));
        assert!(fault.is_some_and(|fault| fault.is_mendable && !fault.remedy.is_empty()), "{statement}: {checked:?}");
        assert_eq!(recount(store, false).await, checked, "a check changes nothing: {statement}");
        let mended = recount(store, true).await;
        assert_eq!(mended, checked, "what is told is done: {statement}");
        assert_eq!(recount(store, false).await.faults, [], "{statement}");
    }
    let counts =
        incidents(store).await.into_iter().map(|one| (one.scope.events, one.scope.findings, one.rating.severity));
    assert_eq!(counts.collect::<Vec<_>>(), [(20, 1, Severity::P1), (120, 2, Severity::P1)]);
    let first = incidents(store).await.remove(0);
    let last = store.history(first.id, 0, 500).await.unwrap().pop().unwrap();
    assert_eq!((last.field.as_str(), last.number), ("repaired", first.record.entries), "its history says so");
}

async fn what_cannot_be_derived_is_named_and_left(url: &str) {
    let store = &*store(url).await;
    filled(store).await;
    damage(url, "DELETE FROM incident_history WHERE number = 2").await;
    let mended = recount(store, true).await;
    assert_eq!(tables(&mended), ["incident_history"; 2]);
    assert!(mended.faults.iter().all(|fault| !fault.is_mendable));
    assert_eq!(recount(store, false).await, mended, "it is still told");
    damage(url, "DELETE FROM incident_findings").await;
    damage(url, "UPDATE findings SET count = -5, events = ''").await;
    damage(url, "UPDATE findings SET details = 'x' WHERE status = 1").await;
    let mended = recount(store, true).await;
    let left = recount(store, false).await;
    assert!(left.faults.iter().all(|fault| !fault.is_mendable), "{left:?}");
    let told = |word: &str| left.faults.iter().filter(|fault| fault.what.contains(word)).count();
    assert_eq!((told("its count is -5"), told("it has no findings"), told("details cannot be read")), (3, 2, 3));
    assert!(mended.faults.len() >= left.faults.len());
}

async fn what_cannot_be_read_is_told(url: &str) {
    let store = &*store(url).await;
    grow(store, 20, 20, 21).await;
    damage(url, "UPDATE incidents SET memory = 'x'; UPDATE incident_history SET doc = 'x' WHERE number = 1").await;
    let found = recount(store, false).await;
    let told: Vec<_> = found.faults.iter().map(|fault| (fault.what.as_str(), fault.is_mendable)).collect();
    let (entry, memory) = ("entry 1 of its history cannot be read", "what is remembered of it cannot be read");
    assert_eq!(told, [(entry, false), (memory, true)]);
    recount(store, true).await;
    assert_eq!(tables(&recount(store, false).await), ["incident_history"]);
    grow(store, 30, 10, 31).await;
}
