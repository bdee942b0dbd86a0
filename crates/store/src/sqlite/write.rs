//! The one transaction: findings, evidence, positions and state together.

use event::{Finding, Status};
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};

use crate::parts::Prepared;
use crate::query::{Details, sort_time};
use crate::rows::doc;
use crate::sqlite::{bytes, read_known, write_joined, write_seen};
use crate::{Commit, Committed, HEAD, StoreError};

pub(super) async fn commit(pool: &SqlitePool, commit: &Commit) -> Result<Committed, StoreError> {
    // Takes the write lock at once: a deferred transaction could fail half-way when two processes write.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Write)?;
    let mut done = Committed::default();
    if let Some(lease) = &commit.lease {
        let held = sqlx::query("SELECT 1 FROM instances WHERE name = ? AND epoch = ?").bind(&lease.instance);
        let held = held.bind(lease.epoch as i64).fetch_optional(&mut *transaction).await.map_err(StoreError::Read)?;
        held.ok_or_else(|| StoreError::Fenced(lease.instance.clone()))?;
    }
    let revision: i64 = sqlx::query("UPDATE revision SET number = number + 1 RETURNING number")
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::Write)?
        .get(0);
    let mut known = read_known(&mut transaction, commit).await?;
    let prepared = Prepared::of(known.as_mut(), commit);
    (done.continued, done.muted) = (prepared.continued, prepared.newly_muted);
    for finding in &prepared.findings {
        let mute = prepared.muted.get(&finding.id);
        match write_finding(&mut transaction, finding, mute, commit.now.0, revision).await? {
            Some(true) => done.new += 1,
            Some(false) => done.changed += 1,
            None => {}
        }
    }
    write_joined(&mut transaction, prepared.join(known, commit), &prepared).await?;
    write_seen(&mut transaction, &commit.findings).await?;
    for id in &commit.forgotten {
        sqlx::query("DELETE FROM sources WHERE id = ?")
            .bind(bytes(id.0))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::Write)?;
    }
    for source in &commit.sources {
        let written = sqlx::query(
            "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
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
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::Write)?;
        if written.rows_affected() == 0 {
            return Err(StoreError::Fenced(source.name.clone()));
        }
    }
    write_state(&mut transaction, commit).await?;
    transaction.commit().await.map_err(StoreError::Write)?;
    Ok(done)
}

async fn write_state(connection: &mut SqliteConnection, commit: &Commit) -> Result<(), StoreError> {
    let Some(state) = &commit.state else { return Ok(()) };
    let instance = commit.lease.as_ref().map_or("replay", |lease| lease.instance.as_str());
    for key in &state.gone {
        let gone = sqlx::query("DELETE FROM state WHERE instance = ? AND key = ?").bind(instance).bind(key);
        gone.execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    let head = [(HEAD, state.head.as_str())];
    for (key, value) in head.into_iter().chain(state.put.iter().map(|(key, value)| (key.as_str(), value.as_str()))) {
        let put = sqlx::query(
            "INSERT INTO state (instance, key, value) VALUES (?, ?, ?)
             ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value",
        );
        let put = put.bind(instance).bind(key).bind(value);
        put.execute(&mut *connection).await.map_err(StoreError::Write)?;
    }
    Ok(())
}

/// Writes the finding as it now is; what people set (status) stays. Whether it is new; `None` where it was left alone.
async fn write_finding(
    connection: &mut SqliteConnection,
    finding: &Finding,
    mute: Option<&String>,
    now: i64,
    revision: i64,
) -> Result<Option<bool>, StoreError> {
    let details = doc(&Details::of(finding, mute));
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
    .bind(&finding.rule_id)
    .bind(&finding.rule_title)
    .bind(finding.level as i64)
    .bind(i64::from(finding.score))
    .bind(finding.severity.name())
    .bind(finding.first_seen.map(|time| time.0))
    .bind(finding.last_seen.map(|time| time.0))
    .bind(sort_time(finding.last_seen))
    .bind(i64::try_from(finding.count).unwrap_or(i64::MAX))
    .bind(details)
    .bind(now)
    .bind(now)
    .bind(revision)
    .bind(status as i64)
    .bind(finding.counted.events.text())
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::Write)?;
    // More is known already: events that are read again after a crash.
    let Some(row) = written else { return Ok(None) };
    write_entities(connection, finding).await?;
    write_evidence(connection, finding).await?;
    // A finding always has evidence: none before means that the row is new.
    Ok(Some(row.get::<i64, _>(0) == 0))
}

async fn write_entities(connection: &mut SqliteConnection, finding: &Finding) -> Result<(), StoreError> {
    for (kind, value) in finding.entities.pairs() {
        sqlx::query("INSERT INTO finding_entities (kind, value, finding_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(kind)
            .bind(value)
            .bind(bytes(finding.id.0))
            .execute(&mut *connection)
            .await
            .map_err(StoreError::Write)?;
    }
    Ok(())
}

async fn write_evidence(connection: &mut SqliteConnection, finding: &Finding) -> Result<(), StoreError> {
    for (place, evidence) in finding.evidence.iter().enumerate() {
        sqlx::query(
            "INSERT INTO evidence (finding_id, place, event_id, source, line_no, \"offset\", time, original)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (finding_id, place) DO UPDATE SET event_id = excluded.event_id, source = excluded.source,
                line_no = excluded.line_no, \"offset\" = excluded.\"offset\", time = excluded.time,
                original = excluded.original",
        )
        .bind(bytes(finding.id.0))
        .bind(place as i64)
        .bind(bytes(evidence.event_id.0))
        .bind(&evidence.source)
        .bind(evidence.line_no as i64)
        .bind(evidence.offset as i64)
        .bind(evidence.time.map(|time| time.0))
        .bind(&evidence.original)
        .execute(&mut *connection)
        .await
        .map_err(StoreError::Write)?;
    }
    Ok(())
}
