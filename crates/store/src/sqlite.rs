//! The embedded store: one SQLite file, write-ahead log, one writer. Every query is fixed text with bound values.

mod read;
mod write;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use event::{FindingId, Position, Source, SourceId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::query::{FindingQuery, Page};
use crate::records::implement_records;
use crate::rows::{bytes, number};
use crate::shared::implement_shared;
use crate::{Commit, Committed, Findings, Lease, Ledger, Mark, Resume, SourceCheckpoint, StoreError, StoredFinding};

implement_shared!(
    SqliteStore, sqlx::Sqlite, begin = "BEGIN IMMEDIATE",
    list = ["IN (SELECT value FROM json_each($1))", "IN (SELECT value FROM json_each($2))", "IN (SELECT value FROM json_each($3))"],
    sixth = "IN (SELECT value FROM json_each($6))",
    lock = "",
    rows = {
        incidents: "INSERT INTO incidents (id, severity, stage, status, assignee, sort_time, version, facts_version, doc,
                summary_state, summary_due, memory)
            SELECT value ->> 'id', value ->> 'severity', value ->> 'stage', value ->> 'status', value ->> 'assignee',
                value ->> 'sort_time', value ->> 'version', value ->> 'facts_version', value ->> 'doc',
                1, value ->> 'summary_due', value ->> 'memory'
            FROM json_each($1) WHERE true
            ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, stage = excluded.stage, status = excluded.status,
                assignee = excluded.assignee, sort_time = excluded.sort_time, version = excluded.version,
                facts_version = excluded.facts_version, doc = excluded.doc,
                memory = coalesce(excluded.memory, incidents.memory),
                summary_due = CASE WHEN incidents.summary_state = 1 OR incidents.facts_version = excluded.facts_version
                    THEN incidents.summary_due ELSE excluded.summary_due + 60000000 END,
                summary_state = CASE WHEN incidents.facts_version = excluded.facts_version
                    THEN incidents.summary_state ELSE 1 END",
        links: "INSERT INTO incident_findings (finding_id, incident_id, events, added_at, doc)
            SELECT value ->> 'finding_id', value ->> 'incident_id', value ->> 'events', value ->> 'added_at', value ->> 'doc'
            FROM json_each($1) WHERE true
            ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events",
        keys: "INSERT INTO incident_keys (key, incident_id) SELECT value ->> 'key', value ->> 'incident_id'
            FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
        history: "INSERT INTO incident_history (incident_id, number, doc)
            SELECT value ->> 'incident_id', value ->> 'number', value ->> 'doc' FROM json_each($1) WHERE true
            ON CONFLICT DO NOTHING",
        notices: "INSERT INTO notices (id, kind, severity, created_at, body, incident_id)
            SELECT value ->> 'id', value ->> 'kind', value ->> 'severity', value ->> 'created_at', value ->> 'body',
                value ->> 'incident_id'
            FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
        held: "INSERT INTO held_findings (finding_id, mute_id, events, continued)
            SELECT value ->> 'finding_id', value ->> 'mute_id', value ->> 'events', value ->> 'continued'
            FROM json_each($1) WHERE true
            ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events, continued = excluded.continued"
    },
    rules_of = "SELECT DISTINCT f.rule_id, f.rule_title FROM incident_findings l JOIN findings f ON f.id = unhex(l.finding_id)
        WHERE l.incident_id = $1 ORDER BY f.rule_id"
);

crate::recount::implement_upkeep!(
    SqliteStore, sqlx::Sqlite, begin = "BEGIN IMMEDIATE",
    findings = "SELECT lower(hex(id)), count, score, severity, first_seen, last_seen, sort_time, status, details, events,
            (SELECT json_group_array(json_object('event_id', hex(event_id))) FROM evidence e WHERE e.finding_id = f.id),
            (SELECT json_group_array(kind || '=' || value) FROM finding_entities n WHERE n.finding_id = f.id),
            (SELECT l.events FROM incident_findings l WHERE l.finding_id = lower(hex(f.id))),
            (SELECT h.events FROM held_findings h WHERE h.finding_id = lower(hex(f.id)))
        FROM findings f WHERE id > unhex($1) ORDER BY id LIMIT 1000",
    links = "SELECT l.finding_id, l.events, f.count, f.severity, f.events, l.continued,
            (SELECT count(*) FROM findings n WHERE n.id = unhex(l.continued))
        FROM incident_findings l LEFT JOIN findings f ON f.id = unhex(l.finding_id)
        WHERE l.incident_id = $1 ORDER BY l.finding_id",
    id = "unhex($1)",
    entities = [
        "DELETE FROM finding_entities WHERE finding_id = unhex($1)",
        "INSERT INTO finding_entities (kind, value, finding_id)
         SELECT substr(value, 1, instr(value, '=') - 1), substr(value, instr(value, '=') + 1), unhex($1) FROM json_each($2)"
    ]
);

implement_records!(
    SqliteStore, sqlx::Sqlite, begin = "BEGIN IMMEDIATE", list = "IN (SELECT value FROM json_each($1))",
    rows = {
        addresses: "INSERT INTO addresses (key, value) SELECT value ->> 'key', value ->> 'value' FROM json_each($1)
            WHERE true ON CONFLICT DO NOTHING",
        titles: "INSERT INTO rule_titles (title, rule_id) SELECT value ->> 'title', value ->> 'rule_id' FROM json_each($1)
            WHERE true ON CONFLICT DO NOTHING"
    },
    filling = {
        alone: [],
        addresses: "SELECT DISTINCT value FROM finding_entities WHERE kind = 'source.ip'"
    }
);

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECTIONS_MAX: u32 = 8;

#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens `sqlite:PATH`, creating file and folder, and brings the tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = url.strip_prefix("sqlite:").ok_or_else(|| StoreError::UnknownUrl(url.to_owned()))?;
        if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        let failed = |source| StoreError::Open { url: url.to_owned(), source };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(failed)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool =
            SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await.map_err(failed)?;
        sqlx::migrate!("migrations/sqlite").run(&pool).await?;
        fill_seen(&pool).await?;
        Ok(SqliteStore { pool })
    }
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        write::commit(&self.pool, commit).await
    }

    async fn take_over(&self, instance: &str, _now: Timestamp) -> Result<(Lease, Resume), StoreError> {
        let epoch: i64 = sqlx::query(
            "INSERT INTO instances (name, epoch) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
        )
        .bind(instance)
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::Write)?
        .get(0);
        let rows = sqlx::query("SELECT key, value FROM state WHERE instance = ?").bind(instance);
        let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
        let state = crate::state_of(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        let rows = sqlx::query(
            "SELECT id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, epoch FROM sources ORDER BY updated_at, id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::Read)?;
        let mut sources = Vec::with_capacity(rows.len());
        for row in rows {
            sources.push(SourceCheckpoint {
                id: SourceId(number(row.get(0))?),
                name: row.get(1),
                fingerprint_bytes: row.get::<i64, _>(2) as u64,
                fingerprint_hash: number(row.get(3))?,
                position: Position { offset: row.get::<i64, _>(4) as u64, line: row.get::<i64, _>(5) as u64 },
                seen: row.get::<i64, _>(6) as u64,
                epoch: row.get::<i64, _>(7) as u64,
            });
        }
        let lease = Lease { instance: instance.to_owned(), epoch: epoch as u64 };
        Ok((lease, Resume { sources, state }))
    }

    async fn claim(&self, source: &Source, now: Timestamp) -> Result<(u64, Option<Position>), StoreError> {
        let row = sqlx::query(
            "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
             VALUES (?, ?, 0, ?, 0, 0, 0, ?, 1) ON CONFLICT (id) DO UPDATE SET epoch = epoch + 1
             RETURNING epoch, \"offset\", line",
        )
        .bind(bytes(source.id.0))
        .bind(&source.name)
        .bind(bytes(0))
        .bind(now.0)
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::Write)?;
        let position = Position { offset: row.get::<i64, _>(1) as u64, line: row.get::<i64, _>(2) as u64 };
        Ok((row.get::<i64, _>(0) as u64, Some(position).filter(|known| *known != Position::default())))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Findings for SqliteStore {
    async fn list(&self, query: &FindingQuery) -> Result<Page, StoreError> {
        read::list(&self.pool, query).await
    }

    async fn get(&self, id: FindingId) -> Result<Option<StoredFinding>, StoreError> {
        read::get(&self.pool, id).await
    }

    async fn changed_after(&self, mark: Mark, limit: u32) -> Result<Vec<StoredFinding>, StoreError> {
        read::changed_after(&self.pool, mark, limit).await
    }
}
