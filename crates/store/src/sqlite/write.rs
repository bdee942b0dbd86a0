//! Writing findings, their evidence and the correlation state, inside the transaction of a commit: rows that
//! are many in statements of few sizes.

use event::{AlsoFired, Finding, FindingId, Status};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::details::{Details, sort_time};
use crate::error::StoreError;
use crate::ledger::{Committed, HEAD, StateChange};
use crate::parts::Prepared;
use crate::rows::{bytes, doc};

/// Writes the findings as they now are: how many are new, and how many have changed.
pub(crate) async fn write_findings(
    connection: &mut SqliteConnection,
    prepared: &Prepared<'_>,
    now: i64,
    revision: i64,
) -> Result<Committed, StoreError> {
    let mut done = Committed::default();
    for finding in &prepared.findings {
        let mute = prepared.muted.get(&finding.id);
        match write_finding(connection, finding, mute, now, revision).await? {
            Some(true) => done.new += 1,
            Some(false) => done.changed += 1,
            None => {}
        }
    }
    Ok(done)
}

/// Rows of one statement: as many as pay for handing it to the connection's thread, in few sizes, so that statements stay
/// prepared.
const ROWS: [usize; 4] = [200, 20, 4, 1];

/// Cuts rows into statements, largest first.
fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len())?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

/// Writes what changed in the correlation state of an instance.
pub(crate) async fn write_state(
    connection: &mut SqliteConnection,
    instance: &str,
    state: &StateChange,
) -> Result<(), StoreError> {
    // In the order of the table's index, so that each of its pages is read and written once.
    let mut gone: Vec<&str> = state.gone.iter().map(String::as_str).collect();
    gone.sort_unstable();
    for keys in parts(&gone) {
        let mut gone = QueryBuilder::<Sqlite>::new("DELETE FROM state WHERE instance = ");
        gone.push_bind(instance).push(" AND key IN (");
        let mut list = gone.separated(", ");
        for key in keys {
            list.push_bind(*key);
        }
        gone.push(")").build().execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    let head = std::iter::once((HEAD, state.head.as_str()));
    let mut rows: Vec<_> = head.chain(state.put.iter().map(|(key, value)| (key.as_str(), value.as_str()))).collect();
    rows.sort_unstable();
    for rows in parts(&rows) {
        let mut put = QueryBuilder::<Sqlite>::new("INSERT INTO state (instance, key, value) ");
        put.push_values(rows, |mut row, (key, value)| {
            row.push_bind(instance).push_bind(*key).push_bind(*value);
        });
        put.push(" ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value");
        put.build().execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    Ok(())
}

/// Writes the finding as it now is, but for the status, which people set. Gives whether it is new; `None` where the
/// store has counted more of its events already and it was not written.
async fn write_finding(
    connection: &mut SqliteConnection,
    finding: &Finding,
    mute: Option<&String>,
    now: i64,
    revision: i64,
) -> Result<Option<bool>, StoreError> {
    let details = Details::of(finding, mute);
    let status = if mute.is_some() { Status::Suppressed } else { Status::New };
    let written = sqlx::query(
        "INSERT INTO findings (id, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                               details, created_at, updated_at, revision, status, events)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
            rule_title = excluded.rule_title, level = excluded.level, score = excluded.score,
            severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
            sort_time = excluded.sort_time, count = excluded.count, details = excluded.details,
            events = excluded.events, updated_at = excluded.updated_at, revision = excluded.revision
         WHERE findings.count <= excluded.count
         RETURNING (SELECT count(*) FROM evidence WHERE finding_id = id)",
    )
    .bind(bytes(finding.id.0))
    .bind(&finding.rule.id)
    .bind(&finding.rule.title)
    .bind(finding.rule.level as i64)
    .bind(i64::from(finding.rating.score))
    .bind(finding.rating.severity.name())
    .bind(finding.span.first_seen.map(|time| time.0))
    .bind(finding.span.last_seen.map(|time| time.0))
    .bind(sort_time(finding.span.last_seen))
    .bind(i64::try_from(finding.span.count).unwrap_or(i64::MAX))
    .bind(doc(&details))
    .bind(now)
    .bind(now)
    .bind(revision)
    .bind(status as i64)
    .bind(finding.counted.events.text())
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::Write)?;
    // The store has counted more already: these events were read again after a crash.
    let Some(row) = written else { return Ok(None) };
    write_entities(connection, finding).await?;
    write_also(connection, finding.id, &details.also).await?;
    write_evidence(connection, finding).await?;
    // A finding always has evidence: one without any is new.
    Ok(Some(row.get::<i64, _>(0) == 0))
}

async fn write_entities(connection: &mut SqliteConnection, finding: &Finding) -> Result<(), StoreError> {
    let pairs: Vec<_> = finding.entities.pairs().collect();
    for pairs in parts(&pairs) {
        let mut put = QueryBuilder::<Sqlite>::new("INSERT INTO finding_entities (kind, value, finding_id) ");
        put.push_values(pairs, |mut row, (kind, value)| {
            row.push_bind(*kind).push_bind(*value).push_bind(bytes(finding.id.0));
        });
        put.push(" ON CONFLICT DO NOTHING").build().execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    Ok(())
}

async fn write_also(
    connection: &mut SqliteConnection,
    finding: FindingId,
    also: &[AlsoFired],
) -> Result<(), StoreError> {
    for other in also {
        sqlx::query(
            "INSERT INTO finding_also (rule_id, finding_id, count) VALUES (?, ?, ?)
             ON CONFLICT (rule_id, finding_id) DO UPDATE SET count = excluded.count",
        )
        .bind(&other.rule_id)
        .bind(bytes(finding.0))
        .bind(i64::try_from(other.count).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await
        .map_err(StoreError::Write)?;
    }
    Ok(())
}

async fn write_evidence(connection: &mut SqliteConnection, finding: &Finding) -> Result<(), StoreError> {
    let placed: Vec<_> = finding.evidence.iter().enumerate().collect();
    for placed in parts(&placed) {
        let mut put = QueryBuilder::<Sqlite>::new(
            "INSERT INTO evidence (finding_id, place, event_id, source, line_no, \"offset\", time, original) ",
        );
        put.push_values(placed, |mut row, (place, evidence)| {
            row.push_bind(bytes(finding.id.0)).push_bind(*place as i64).push_bind(bytes(evidence.event_id.0));
            row.push_bind(&evidence.source).push_bind(evidence.line_no as i64).push_bind(evidence.offset as i64);
            row.push_bind(evidence.time.map(|time| time.0)).push_bind(&evidence.original);
        });
        put.push(
            " ON CONFLICT (finding_id, place) DO UPDATE SET event_id = excluded.event_id, source = excluded.source,
                 line_no = excluded.line_no, \"offset\" = excluded.\"offset\", time = excluded.time,
                 original = excluded.original",
        );
        put.build().execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    Ok(())
}
