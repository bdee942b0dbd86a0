//! The one transaction: findings, evidence, positions and state together.

use event::Finding;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};

use crate::query::sort_time;
use crate::sqlite::bytes;
use crate::{Commit, Committed, StoreError};

/// What of a finding is not a column of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Details {
    pub(super) score_parts: Vec<event::ScorePart>,
    pub(super) entities: event::Entities,
    pub(super) techniques: Vec<String>,
    pub(super) reason: String,
}

pub(super) async fn commit(pool: &SqlitePool, commit: &Commit) -> Result<Committed, StoreError> {
    // Takes the write lock at once: a deferred transaction could fail half-way when two processes write.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Write)?;
    let mut done = Committed::default();
    let revision: i64 = sqlx::query("UPDATE revision SET number = number + 1 RETURNING number")
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::Write)?
        .get(0);
    for finding in &commit.findings {
        if write_finding(&mut transaction, finding, commit.now.0, revision).await? {
            done.new += 1;
        } else {
            done.changed += 1;
        }
    }
    for id in &commit.forgotten {
        sqlx::query("DELETE FROM sources WHERE id = ?")
            .bind(bytes(id.0))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::Write)?;
    }
    for source in &commit.sources {
        sqlx::query(
            "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, fingerprint_bytes = excluded.fingerprint_bytes,
                fingerprint_hash = excluded.fingerprint_hash, \"offset\" = excluded.\"offset\",
                line = excluded.line, seen = excluded.seen, updated_at = excluded.updated_at",
        )
        .bind(bytes(source.id.0))
        .bind(&source.name)
        .bind(source.fingerprint_bytes as i64)
        .bind(bytes(source.fingerprint_hash))
        .bind(source.position.offset as i64)
        .bind(source.position.line as i64)
        .bind(source.seen as i64)
        .bind(commit.now.0)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::Write)?;
    }
    if let Some(state) = &commit.state {
        sqlx::query(
            "INSERT INTO state (name, value) VALUES ('correlator', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(state)
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::Write)?;
    }
    transaction.commit().await.map_err(StoreError::Write)?;
    Ok(done)
}

/// Writes the finding as it now is; what people set (status) stays. True where it is new.
async fn write_finding(
    connection: &mut SqliteConnection,
    finding: &Finding,
    now: i64,
    revision: i64,
) -> Result<bool, StoreError> {
    let details = Details {
        score_parts: finding.score_parts.clone(),
        entities: finding.entities.clone(),
        techniques: finding.techniques.clone(),
        reason: finding.reason.clone(),
    };
    let details = serde_json::to_string(&details).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let created: i64 = sqlx::query(
        "INSERT INTO findings (id, rule_id, rule_title, level, score, severity, first_seen, last_seen, sort_time, count,
                               details, created_at, updated_at, revision)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
            rule_title = excluded.rule_title, level = excluded.level, score = excluded.score,
            severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
            sort_time = excluded.sort_time, count = excluded.count, details = excluded.details,
            updated_at = excluded.updated_at, revision = excluded.revision
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
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::Write)?
    .get(0);
    write_entities(connection, finding).await?;
    write_evidence(connection, finding).await?;
    // A finding always has evidence: none before means that the row is new.
    Ok(created == 0)
}

async fn write_entities(connection: &mut SqliteConnection, finding: &Finding) -> Result<(), StoreError> {
    let entities = &finding.entities;
    for (kind, values) in
        [("source.ip", &entities.source_ip), ("user.name", &entities.user_name), ("host.name", &entities.host_name)]
    {
        for value in values {
            sqlx::query(
                "INSERT INTO finding_entities (kind, value, finding_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(kind)
            .bind(value)
            .bind(bytes(finding.id.0))
            .execute(&mut *connection)
            .await
            .map_err(StoreError::Write)?;
        }
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
