//! The months of the audit log on PostgreSQL: where entries go, that the program before reads and writes them as well, what can
//! be dropped. The embedded store has one table.

use std::collections::BTreeMap;

use sqlx::postgres::PgPool;

use super::*;
use crate::audit::{AuditEntry, AuditQuery, By, Outcome};

const DAY: i64 = 86_400_000_000;
/// As the program before writes an entry.
const BEFORE: &str =
    "INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target,
                                outcome, status, request_id, count, detail)
             VALUES ($1, $2, 'old', '', '', '', '', 'login', '', '', '', 'refused', 401, '', $3, '')
             ON CONFLICT (id) DO UPDATE SET count = audit.count + excluded.count";

#[expect(clippy::disallowed_methods, reason = "the database goes by its own clock")]
fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64
}

/// An entry that is counted up where it is known.
fn counted(name: &str, at: i64, count: u64) -> AuditEntry {
    AuditEntry::new(Timestamp(at), By::default(), "login", "", Outcome::Refused).counted_as(&[name.as_bytes()], count)
}

async fn before_writes(pool: &PgPool, entry: &AuditEntry) {
    let add = sqlx::query(BEFORE).bind(&entry.id).bind(entry.at.0).bind(entry.count as i64);
    add.execute(pool).await.unwrap();
}

async fn entries(store: &dyn Store) -> Vec<AuditEntry> {
    store.audit(&AuditQuery { limit: 500, ..AuditQuery::default() }).await.unwrap()
}

/// How many rows each table of the log holds.
async fn tables(pool: &PgPool) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT tableoid::regclass::text, count(*) FROM audit GROUP BY 1")
        .fetch_all(pool)
        .await
        .unwrap();
    rows.into_iter().collect()
}

async fn months(pool: &PgPool) -> Vec<String> {
    let all = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1";
    sqlx::query_as::<_, (String,)>(all).fetch_all(pool).await.unwrap().into_iter().map(|(name,)| name).collect()
}

async fn month_of(pool: &PgPool, at: i64) -> String {
    let name = "SELECT to_char(to_timestamp($1 / 1000000) AT TIME ZONE 'UTC', '\"audit_\"YYYY_MM')";
    sqlx::query_as::<_, (String,)>(name).bind(at).fetch_one(pool).await.unwrap().0
}

/// Why the database refuses the statement; `None` where it does not.
async fn refusal(pool: &PgPool, statement: String) -> Option<String> {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.err().map(|error| error.to_string())
}

#[tokio::test]
async fn entries_of_both_versions_go_to_their_month_and_stand_in_one_table() {
    let server = servers::Postgres::start();
    let url = server.database();
    let store = store(&url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let now = now();
    let this = month_of(&pool, now).await;
    // The program before has written, and there is no month yet.
    before_writes(&pool, &counted("early", now, 2)).await;
    assert_eq!(months(&pool).await, [""; 0]);
    store.append(&[counted("early", now, 3), counted("both", now, 1)]).await.unwrap();
    before_writes(&pool, &counted("both", now, 4)).await;
    before_writes(&pool, &counted("late", now, 7)).await;
    before_writes(&pool, &counted("early", now, 10)).await;
    assert_eq!(months(&pool).await, [this.as_str()]);
    assert_eq!(tables(&pool).await, BTreeMap::from([("audit".to_owned(), 1), (this.clone(), 2)]));
    let all = entries(&*store).await;
    let count = |name: &str| {
        let found: Vec<_> = all.iter().filter(|entry| entry.id == counted(name, now, 1).id).collect();
        assert_eq!(found.len(), 1, "{name} stands there once");
        found[0].count
    };
    assert_eq!((all.len(), count("early"), count("both"), count("late")), (3, 15, 5, 7));
    // Pages go through all tables as through one.
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|entry: &AuditEntry| (entry.at.0, entry.id.clone()));
        let page = store.audit(&AuditQuery { after, limit: 1, ..AuditQuery::default() }).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    // A change and its entry are one transaction, with the month made before it.
    assert!(!store.revoke_token_by("absent", &By::default(), Timestamp(now)).await.unwrap());
    for statement in [
        format!("DELETE FROM {this}"),
        format!("UPDATE {this} SET actor = 'eve', count = count + 1"),
        format!("UPDATE {this} SET count = 1"),
        format!("TRUNCATE {this}"),
        "DELETE FROM audit".to_owned(),
        "TRUNCATE audit".to_owned(),
    ] {
        let why = refusal(&pool, statement.clone()).await.expect(&statement);
        assert!(why.contains("append-only"), "{statement}: {why}");
    }
    let moved = format!(
        "INSERT INTO {this} SELECT (jsonb_populate_record(a, '{{\"id\": \"x\", \"at\": 0}}')).* FROM ONLY audit a"
    );
    assert!(refusal(&pool, moved).await.unwrap().contains("check constraint"), "a month holds no other time");
    let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = to_regclass($1)";
    for table in ["audit", this.as_str()] {
        let (count,): (i64,) = sqlx::query_as(indexes).bind(table).fetch_one(&pool).await.unwrap();
        assert_eq!(count, 4, "{table}");
    }
}

#[tokio::test]
async fn forged_times_make_no_tables() {
    let server = servers::Postgres::start();
    let url = server.database();
    let store = store(&url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let now = now();
    let mut all: Vec<_> = (-400..400).map(|month| counted("far", now + month * 30 * DAY, 1)).collect();
    all.extend([i64::MIN, -1, 0, i64::MAX].map(|at| counted("far", at, 1)));
    for (entry, number) in all.iter_mut().zip(0..) {
        entry.id = format!("{number:032x}");
    }
    store.append(&all).await.unwrap();
    let made = months(&pool).await;
    assert!((2..=4).contains(&made.len()) && made.contains(&month_of(&pool, now).await), "{made:?}");
    assert_eq!(tables(&pool).await.values().sum::<i64>(), all.len() as i64);
    assert_eq!(tables(&pool).await["audit"], all.len() as i64 - 3, "a month before, now, a month after");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_while_a_month_is_made_make_one_entry() {
    let server = servers::Postgres::start();
    let url = server.database();
    store(&url).await.close().await;
    let pool = PgPool::connect(&url).await.unwrap();
    let now = now();
    let writers = (0..6).map(|number| {
        let (url, pool) = (url.clone(), pool.clone());
        tokio::spawn(async move {
            // Each is a process of its own, that does not know of the month.
            let store = open(&url, Use::Ask).await.unwrap();
            for _ in 0..20 {
                if number % 2 == 0 {
                    store.append(&[counted("one", now, 1)]).await.unwrap();
                } else {
                    before_writes(&pool, &counted("one", now, 1)).await;
                }
            }
            store.close().await;
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let all = entries(&*store(&url).await).await;
    assert_eq!(all.iter().map(|entry| entry.count).collect::<Vec<_>>(), [120]);
    assert_eq!(months(&pool).await.len(), 1);
}

#[tokio::test]
async fn whole_months_are_dropped_and_none_of_the_last_ninety_days() {
    let server = servers::Postgres::start();
    let url = server.database();
    let store = store(&url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let now = now();
    // As if the program had run for two years.
    let (near,): (String,) =
        sqlx::query_as("SELECT pg_get_functiondef('audit_month'::regproc)").fetch_one(&pool).await.unwrap();
    assert_eq!(refusal(&pool, near.replace("40 * 86400", "800 * 86400")).await, None);
    for day in (0..700).step_by(7) {
        store.append(&[counted(&format!("day {day}"), now - day * DAY, 1)]).await.unwrap();
    }
    assert_eq!(refusal(&pool, near).await, None);
    let (all, total) = (months(&pool).await, entries(&*store).await.len());
    assert!((23..=25).contains(&all.len()), "{all:?}");
    let kept = month_of(&pool, now - 90 * DAY).await;
    let drop = |part: &str, days: i64| format!("SELECT audit_month_drop('{part}', {days}, 'ann')");
    for part in all.iter().filter(|part| **part >= kept) {
        assert!(refusal(&pool, drop(part, 90)).await.unwrap().contains("append-only"), "{part}");
    }
    assert!(refusal(&pool, drop(&all[0], 89)).await.unwrap().contains("append-only"));
    assert!(refusal(&pool, drop(&all[0], 800)).await.unwrap().contains("append-only"));
    for other in ["audit", "findings", "audit_1999_01", "audit_x; --"] {
        assert!(refusal(&pool, drop(other, 400)).await.unwrap().contains("no month"), "{other}");
    }
    // Somebody reads it: the one that drops waits two seconds and no longer.
    let mut reading = pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM audit").execute(&mut *reading).await.unwrap();
    let asked = std::time::Instant::now();
    assert!(refusal(&pool, drop(&all[0], 400)).await.unwrap().contains("lock timeout"));
    assert!(asked.elapsed() < std::time::Duration::from_secs(10));
    reading.rollback().await.unwrap();
    let (held,): (i64,) =
        sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {}", all[0]))).fetch_one(&pool).await.unwrap();
    let (gone,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(drop(&all[0], 400))).fetch_one(&pool).await.unwrap();
    assert!(gone == held && gone >= 1);
    assert_eq!(months(&pool).await, all[1..]);
    let left = entries(&*store).await;
    assert_eq!(left.len(), total - gone as usize + 1);
    assert_eq!(
        (left[0].action.as_str(), left[0].target.as_str(), left[0].by.actor.as_str()),
        ("audit.retention", all[0].as_str(), "ann")
    );
    assert_eq!(left[0].detail, format!("the month of {held} entries, all older than 400 days, was dropped"));
    // A child by another hand, which says that it is old and is not.
    let forged =
        format!("CREATE TABLE audit_2001_01 () INHERITS (audit); INSERT INTO audit_2001_01 SELECT * FROM {kept}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(forged)).execute(&pool).await.unwrap();
    assert!(refusal(&pool, drop("audit_2001_01", 400)).await.unwrap().contains("append-only"));
}

#[tokio::test]
async fn who_may_make_no_month_writes_to_the_table_of_all() {
    let server = servers::Postgres::start();
    let url = server.database();
    let owner = store(&url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let (now, database) = (now(), url.rsplit_once('/').unwrap().1);
    let rights = format!(
        "CREATE ROLE lesser LOGIN; GRANT CREATE ON SCHEMA public TO lesser;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO lesser;
         GRANT CONNECT ON DATABASE {database} TO lesser;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rights)).execute(&pool).await.unwrap();
    let lesser = format!("postgres://lesser@127.0.0.1:{}/{database}", server.port());
    let lesser = open(&lesser, Use::Ask).await.unwrap();
    lesser.append(&[counted("one", now, 1)]).await.unwrap();
    assert_eq!(tables(&pool).await, BTreeMap::from([("audit".to_owned(), 1)]));
    // The owner makes the month, with the rights that others have.
    owner.append(&[counted("two", now, 1)]).await.unwrap();
    lesser.append(&[counted("one", now, 1), counted("two", now, 1), counted("three", now, 1)]).await.unwrap();
    assert_eq!(tables(&pool).await, BTreeMap::from([("audit".to_owned(), 1), (month_of(&pool, now).await, 2)]));
    let counts: BTreeMap<_, _> = entries(&*lesser).await.into_iter().map(|entry| (entry.id, entry.count)).collect();
    assert_eq!(counts.values().sum::<u64>(), 5);
    // Without the rights on the month, entries stay where they can be written.
    assert_eq!(refusal(&pool, format!("REVOKE ALL ON {} FROM lesser", month_of(&pool, now).await)).await, None);
    lesser.append(&[counted("four", now, 1)]).await.unwrap();
    assert_eq!(tables(&pool).await["audit"], 2);
}
