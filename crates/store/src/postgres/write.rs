//! Writing findings and the correlation state, inside the transaction of a commit. Findings go in one statement,
//! whatever their number.

use std::collections::{BTreeMap, BTreeSet};

use event::block::digest;
use event::{Finding, FindingId, Status};
use sqlx::{PgConnection, Row};

use crate::details::{Details, sort_time};
use crate::error::StoreError;
use crate::ledger::{Commit, Committed, HEAD, StateChange};
use crate::rows::{bytes, doc};

pub(crate) const DAY_US: i64 = 86_400_000_000;
/// Days around now that have a partition of their own.
const DAYS_BACK: i64 = 35;
const DAYS_AHEAD: i64 = 2;
/// Separates the entities of one finding in a text, which the statement splits into an array.
const SEPARATOR: &str = "\u{1f}";

/// The day of the finding's first evidence, in days since 1970: it never changes.
fn day(finding: &Finding) -> i32 {
    let first = finding.evidence.first().and_then(|evidence| evidence.time);
    first.map_or(0, |time| time.0.div_euclid(DAY_US) as i32)
}

/// The days of the commit's findings that can have a partition.
pub(crate) fn days(commit: &Commit) -> BTreeSet<i32> {
    let today = commit.now.0.div_euclid(DAY_US);
    let near = (today - DAYS_BACK) as i32..=(today + DAYS_AHEAD) as i32;
    // A finding may be divided into parts: the new part begins on the day of a later event.
    let last = |finding: &Finding| finding.evidence.last()?.time.map(|time| time.0.div_euclid(DAY_US) as i32);
    let days = commit.findings.iter().flat_map(|finding| [Some(day(finding)), last(finding)]);
    days.flatten().filter(|day| near.contains(day)).collect()
}

/// Bytes of state in one statement, plus at most one entry.
const STATE_BYTES: usize = 4 << 20;

fn key_hash(key: &str) -> Vec<u8> {
    bytes(digest(&[key.as_bytes()]))
}

/// Texts of PostgreSQL cannot hold a zero byte; nothing in a key or in JSON needs one.
fn without_zero(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

/// Writes what changed in the correlation state of an instance.
pub(crate) async fn write_state(
    connection: &mut PgConnection,
    instance: &str,
    state: &StateChange,
) -> Result<(), StoreError> {
    if !state.gone.is_empty() {
        let hashes: Vec<Vec<u8>> = state.gone.iter().map(|key| key_hash(&without_zero(key))).collect();
        let gone =
            sqlx::query("DELETE FROM state WHERE instance = $1 AND key_hash = ANY($2)").bind(instance).bind(hashes);
        gone.execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    for (hashes, keys, values) in state_parts(state) {
        sqlx::query(
            "INSERT INTO state (instance, key_hash, key, value)
             SELECT $1, x.key_hash, x.key, x.value
             FROM UNNEST($2::bytea[], $3::text[], $4::text[]) AS x(key_hash, key, value)
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
pub(crate) struct Columns {
    id: Vec<Vec<u8>>,
    day: Vec<i32>,
    rule: RuleColumns,
    times: TimeColumns,
    severity: Vec<String>,
    score: Vec<i16>,
    count: Vec<i64>,
    events: Vec<String>,
    entities: Vec<String>,
    details: Vec<String>,
    evidence: Vec<String>,
    status: Vec<i16>,
}

/// Columns that say which rule found it.
#[derive(Default)]
struct RuleColumns {
    id: Vec<String>,
    title: Vec<String>,
    level: Vec<i16>,
    also: AlsoColumns,
}

/// Rules that the findings name, one row for each rule and finding.
#[derive(Default)]
struct AlsoColumns {
    id: Vec<String>,
    count: Vec<i64>,
    finding: Vec<Vec<u8>>,
    day: Vec<i32>,
}

impl AlsoColumns {
    fn push(&mut self, finding: &Finding) {
        for other in &finding.also {
            self.id.push(without_zero(&other.rule_id));
            self.count.push(i64::try_from(other.count).unwrap_or(i64::MAX));
            self.finding.push(bytes(finding.id.0));
            self.day.push(day(finding));
        }
    }
}

/// Columns of times, in microseconds since 1970.
#[derive(Default)]
struct TimeColumns {
    first_seen: Vec<Option<i64>>,
    last_seen: Vec<Option<i64>>,
    sort: Vec<i64>,
}

impl Columns {
    /// In the order of ids, so that two writers cannot block each other; of a finding given twice the last is taken.
    pub(crate) fn of<'a>(findings: impl Iterator<Item = &'a Finding>, muted: &BTreeMap<FindingId, String>) -> Self {
        let findings: BTreeMap<FindingId, &Finding> = findings.map(|finding| (finding.id, finding)).collect();
        let mut columns = Columns::default();
        findings.values().for_each(|finding| columns.push(finding, muted.get(&finding.id)));
        columns
    }

    fn push(&mut self, finding: &Finding, mute: Option<&String>) {
        self.id.push(bytes(finding.id.0));
        self.day.push(day(finding));
        self.rule.id.push(without_zero(&finding.rule.id));
        self.rule.title.push(without_zero(&finding.rule.title));
        self.rule.level.push(finding.rule.level as i16);
        self.rule.also.push(finding);
        self.score.push(i16::from(finding.rating.score));
        self.severity.push(finding.rating.severity.name().to_owned());
        self.times.first_seen.push(finding.span.first_seen.map(|time| time.0));
        self.times.last_seen.push(finding.span.last_seen.map(|time| time.0));
        self.times.sort.push(sort_time(finding.span.last_seen));
        self.count.push(i64::try_from(finding.span.count).unwrap_or(i64::MAX));
        let pairs = finding.entities.pairs().map(|(kind, value)| format!("{kind}={value}"));
        self.entities
            .push(pairs.map(|pair| without_zero(&pair).replace(SEPARATOR, " ")).collect::<Vec<_>>().join(SEPARATOR));
        self.details.push(doc(&Details::of(finding, mute)));
        self.status.push(if mute.is_some() { Status::Suppressed } else { Status::New } as i16);
        self.events.push(finding.counted.events.text());
        self.evidence.push(doc(&finding.evidence));
    }
}

/// Writes the findings as they now are: how many are new, and how many have changed.
pub(crate) async fn write_findings(
    connection: &mut PgConnection,
    columns: Columns,
    now: i64,
    revision: i64,
) -> Result<Committed, StoreError> {
    if columns.id.is_empty() {
        return Ok(Committed::default());
    }
    let also = columns.rule.also;
    let row = sqlx::query(
        "WITH written AS (
            INSERT INTO findings (id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen,
                                  sort_time, count, entities, details, evidence, created_at, updated_at, revision,
                                  created_revision, status, events)
            SELECT id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                   string_to_array(entities, E'\\x1f'), details, evidence, $15, $15, $16, $16, status, events
            FROM UNNEST($1::bytea[], $2::int[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::text[],
                        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[],
                        $14::text[], $17::smallint[], $18::text[])
                 AS x(id, day, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                      entities, details, evidence, status, events)
            ON CONFLICT (id, day) DO UPDATE SET
                rule_title = excluded.rule_title, level = excluded.level, score = excluded.score,
                severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
                sort_time = excluded.sort_time, count = excluded.count, entities = excluded.entities,
                details = excluded.details, evidence = excluded.evidence, events = excluded.events,
                updated_at = excluded.updated_at, revision = excluded.revision
            WHERE findings.count <= excluded.count
            RETURNING created_revision = revision AS is_new)
         SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written",
    )
    .bind(columns.id)
    .bind(columns.day)
    .bind(columns.rule.id)
    .bind(columns.rule.title)
    .bind(columns.rule.level)
    .bind(columns.score)
    .bind(columns.severity)
    .bind(columns.times.first_seen)
    .bind(columns.times.last_seen)
    .bind(columns.times.sort)
    .bind(columns.count)
    .bind(columns.entities)
    .bind(columns.details)
    .bind(columns.evidence)
    .bind(now)
    .bind(revision)
    .bind(columns.status)
    .bind(columns.events)
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::Write)?;
    write_also(connection, also, revision).await?;
    Ok(Committed { new: row.get::<i64, _>(0) as u64, changed: row.get::<i64, _>(1) as u64, ..Committed::default() })
}

/// Writes the rules that findings name, of those that the commit has written.
async fn write_also(connection: &mut PgConnection, also: AlsoColumns, revision: i64) -> Result<(), StoreError> {
    if also.id.is_empty() {
        return Ok(());
    }
    let put = sqlx::query(
        "INSERT INTO finding_also (rule_id, finding_id, count, day, sort_time)
         SELECT other.rule_id, other.finding_id, other.count, other.day, findings.sort_time
         FROM UNNEST($1::text[], $2::bigint[], $3::bytea[], $4::int[]) AS other(rule_id, count, finding_id, day)
              JOIN findings ON findings.id = other.finding_id AND findings.day = other.day
         WHERE findings.revision = $5
         ON CONFLICT (rule_id, finding_id) DO UPDATE SET count = excluded.count, sort_time = excluded.sort_time",
    );
    let put = put.bind(also.id).bind(also.count).bind(also.finding).bind(also.day).bind(revision);
    put.execute(connection).await.map_err(StoreError::Write)?;
    Ok(())
}
