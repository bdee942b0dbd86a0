//! The one transaction: findings with their evidence, incidents, positions and state together. Findings go in one
//! statement, whatever their number.

use std::collections::{BTreeMap, BTreeSet};

use event::block::digest;
use event::{Finding, FindingId, Status};
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row};

use crate::parts::Prepared;
use crate::postgres::{bytes, read_known, write_joined, write_seen};
use crate::query::{Details, sort_time};
use crate::rows::doc;
use crate::{Commit, Committed, HEAD, StateChange, StoreError};

const DAY_US: i64 = 86_400_000_000;
/// Days around now that have a partition of their own.
const DAYS_BACK: i64 = 35;
const DAYS_AHEAD: i64 = 2;
/// Between entities of one finding, on their way into an array.
const SEPARATOR: &str = "\u{1f}";

/// The day of the event that the finding is named after: it never changes.
fn day(finding: &Finding) -> i32 {
    let first = finding.evidence.first().and_then(|evidence| evidence.time);
    first.map_or(0, |time| time.0.div_euclid(DAY_US) as i32)
}

/// The days of the commit's findings that can have a partition.
pub(super) fn days(commit: &Commit) -> BTreeSet<i32> {
    let today = commit.now.0.div_euclid(DAY_US);
    let near = (today - DAYS_BACK) as i32..=(today + DAYS_AHEAD) as i32;
    // A finding may be parted: what goes on begins on the day of a later event.
    let last = |finding: &Finding| finding.evidence.last()?.time.map(|time| time.0.div_euclid(DAY_US) as i32);
    let days = commit.findings.iter().flat_map(|finding| [Some(day(finding)), last(finding)]);
    days.flatten().filter(|day| near.contains(day)).collect()
}

pub(super) async fn commit(pool: &PgPool, commit: &Commit) -> Result<Committed, StoreError> {
    let mut transaction = pool.begin().await.map_err(StoreError::Write)?;
    if let Some(lease) = &commit.lease {
        let held = sqlx::query("SELECT 1 FROM instances WHERE name = $1 AND epoch = $2 FOR SHARE");
        let held = held.bind(&lease.instance).bind(lease.epoch as i64);
        let held = held.fetch_optional(&mut *transaction).await.map_err(StoreError::Read)?;
        held.ok_or_else(|| StoreError::Fenced(lease.instance.clone()))?;
    }
    let revision: i64 = sqlx::query("UPDATE revision SET number = number + 1 RETURNING number")
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::Write)?
        .get(0);
    // While the server works on a statement, the next ones are made ready.
    let whole = async { Columns::of(commit.findings.iter(), &BTreeMap::new()) };
    let (known, mut columns) = tokio::join!(read_known(&mut transaction, commit), whole);
    let mut known = known?;
    let prepared = Prepared::of(known.as_mut(), commit);
    if !prepared.is_whole() || prepared.findings.len() < commit.findings.len() {
        columns = Columns::of(prepared.findings.iter().map(AsRef::as_ref), &prepared.muted);
    }
    let written = write_findings(&mut transaction, columns, commit, revision);
    let (done, rows) = tokio::join!(written, async { prepared.join(known, commit) });
    let done = Committed { continued: prepared.continued, muted: prepared.newly_muted, ..done? };
    write_joined(&mut transaction, rows, &prepared).await?;
    write_seen(&mut transaction, &commit.findings).await?;
    write_sources(&mut transaction, commit).await?;
    write_state(&mut transaction, commit).await?;
    transaction.commit().await.map_err(StoreError::Write)?;
    Ok(done)
}

/// Bytes of state in one statement, about.
const STATE_BYTES: usize = 4 << 20;

fn key_hash(key: &str) -> Vec<u8> {
    bytes(digest(&[key.as_bytes()]))
}

/// Texts of PostgreSQL cannot hold a zero byte; nothing in a key or in JSON needs one.
fn without_zero(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

async fn write_state(connection: &mut PgConnection, commit: &Commit) -> Result<(), StoreError> {
    let Some(state) = &commit.state else { return Ok(()) };
    let instance = commit.lease.as_ref().map_or("replay", |lease| lease.instance.as_str());
    if !state.gone.is_empty() {
        let hashes: Vec<Vec<u8>> = state.gone.iter().map(|key| key_hash(&without_zero(key))).collect();
        let gone =
            sqlx::query("DELETE FROM state WHERE instance = $1 AND key_hash = ANY($2)").bind(instance).bind(hashes);
        gone.execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    for (hashes, keys, values) in state_parts(state) {
        sqlx::query(
            "INSERT INTO state (instance, key_hash, key, value)
             SELECT $1, x.key_hash, x.key, x.value FROM UNNEST($2::bytea[], $3::text[], $4::text[]) AS x(key_hash, key, value)
             ON CONFLICT (instance, key_hash) DO UPDATE SET value = excluded.value",
        )
        .bind(instance)
        .bind(hashes)
        .bind(keys)
        .bind(values)
        .execute(&mut *connection)
        .await
        .map_err(StoreError::Write)?;
    }
    Ok(())
}

/// Hashes, keys and values of one statement.
type StatePart = (Vec<Vec<u8>>, Vec<String>, Vec<String>);

/// The head and all entries, in statements of a bounded size.
fn state_parts(state: &StateChange) -> Vec<StatePart> {
    let mut parts: Vec<StatePart> = vec![StatePart::default()];
    let mut size = 0;
    let head = (HEAD.to_owned(), state.head.clone());
    for (key, value) in std::iter::once(&head).chain(&state.put) {
        if size > STATE_BYTES {
            parts.push(StatePart::default());
            size = 0;
        }
        let key = without_zero(key);
        size += key.len() + value.len();
        if let Some((hashes, keys, values)) = parts.last_mut() {
            hashes.push(key_hash(&key));
            keys.push(key);
            values.push(value.clone());
        }
    }
    parts
}

/// The columns of all findings, each as one array.
#[derive(Default)]
struct Columns {
    id: Vec<Vec<u8>>,
    day: Vec<i32>,
    rule_id: Vec<String>,
    rule_title: Vec<String>,
    level: Vec<i16>,
    score: Vec<i16>,
    severity: Vec<String>,
    first_seen: Vec<Option<i64>>,
    last_seen: Vec<Option<i64>>,
    sort_time: Vec<i64>,
    count: Vec<i64>,
    entities: Vec<String>,
    details: Vec<String>,
    evidence: Vec<String>,
    status: Vec<i16>,
    events: Vec<String>,
}

impl Columns {
    /// In the order of ids, so that two writers never wait for each other; of one finding the last form counts.
    fn of<'a>(findings: impl Iterator<Item = &'a Finding>, muted: &BTreeMap<FindingId, String>) -> Self {
        let findings: BTreeMap<FindingId, &Finding> = findings.map(|finding| (finding.id, finding)).collect();
        let mut columns = Columns::default();
        findings.values().for_each(|finding| columns.push(finding, muted.get(&finding.id)));
        columns
    }

    fn push(&mut self, finding: &Finding, mute: Option<&String>) {
        self.id.push(bytes(finding.id.0));
        self.day.push(day(finding));
        self.rule_id.push(without_zero(&finding.rule_id));
        self.rule_title.push(without_zero(&finding.rule_title));
        self.level.push(finding.level as i16);
        self.score.push(i16::from(finding.score));
        self.severity.push(finding.severity.name().to_owned());
        self.first_seen.push(finding.first_seen.map(|time| time.0));
        self.last_seen.push(finding.last_seen.map(|time| time.0));
        self.sort_time.push(sort_time(finding.last_seen));
        self.count.push(i64::try_from(finding.count).unwrap_or(i64::MAX));
        let pairs = finding.entities.pairs().map(|(kind, value)| format!("{kind}={value}"));
        self.entities
            .push(pairs.map(|pair| without_zero(&pair).replace(SEPARATOR, " ")).collect::<Vec<_>>().join(SEPARATOR));
        self.details.push(doc(&Details::of(finding, mute)));
        self.status.push(if mute.is_some() { Status::Suppressed } else { Status::New } as i16);
        self.events.push(finding.counted.events.text());
        self.evidence.push(doc(&finding.evidence));
    }
}

async fn write_findings(
    connection: &mut PgConnection,
    columns: Columns,
    commit: &Commit,
    revision: i64,
) -> Result<Committed, StoreError> {
    if columns.id.is_empty() {
        return Ok(Committed::default());
    }
    let row = sqlx::query(
        "WITH written AS (
            INSERT INTO findings (id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time,
                                  count, entities, details, evidence, created_at, updated_at, revision, created_revision,
                                  status, events)
            SELECT id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                   string_to_array(entities, E'\\x1f'), details, evidence, $15, $15, $16, $16, status, events
            FROM UNNEST($1::bytea[], $2::int[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::text[],
                        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[],
                        $17::smallint[], $18::text[])
                 AS x(id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                      entities, details, evidence, status, events)
            ON CONFLICT (id, day) DO UPDATE SET
                rule_title = excluded.rule_title, level = excluded.level, score = excluded.score,
                severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
                sort_time = excluded.sort_time, count = excluded.count, entities = excluded.entities,
                details = excluded.details, evidence = excluded.evidence, events = excluded.events, updated_at = excluded.updated_at,
                revision = excluded.revision
            WHERE findings.count <= excluded.count
            RETURNING created_revision = revision AS is_new)
         SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written",
    )
    .bind(columns.id)
    .bind(columns.day)
    .bind(columns.rule_id)
    .bind(columns.rule_title)
    .bind(columns.level)
    .bind(columns.score)
    .bind(columns.severity)
    .bind(columns.first_seen)
    .bind(columns.last_seen)
    .bind(columns.sort_time)
    .bind(columns.count)
    .bind(columns.entities)
    .bind(columns.details)
    .bind(columns.evidence)
    .bind(commit.now.0)
    .bind(revision)
    .bind(columns.status)
    .bind(columns.events)
    .fetch_one(connection)
    .await
    .map_err(StoreError::Write)?;
    Ok(Committed { new: row.get::<i64, _>(0) as u64, changed: row.get::<i64, _>(1) as u64, ..Committed::default() })
}

async fn write_sources(connection: &mut PgConnection, commit: &Commit) -> Result<(), StoreError> {
    for id in &commit.forgotten {
        let gone = sqlx::query("DELETE FROM sources WHERE id = $1").bind(bytes(id.0));
        gone.execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    for source in &commit.sources {
        let written = sqlx::query(
            "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, fingerprint_bytes = excluded.fingerprint_bytes,
                fingerprint_hash = excluded.fingerprint_hash, \"offset\" = excluded.\"offset\",
                line = excluded.line, seen = excluded.seen, updated_at = excluded.updated_at
             WHERE sources.epoch <= excluded.epoch",
        )
        .bind(bytes(source.id.0))
        .bind(&source.name)
        .bind(source.fingerprint_bytes as i64)
        .bind(bytes(source.fingerprint_hash))
        .bind(source.position.offset as i64)
        .bind(source.position.line as i64)
        .bind(source.seen as i64)
        .bind(commit.now.0)
        .bind(source.epoch as i64)
        .execute(&mut *connection)
        .await
        .map_err(StoreError::Write)?;
        if written.rows_affected() == 0 {
            return Err(StoreError::Fenced(source.name.clone()));
        }
    }
    Ok(())
}
