//! The server store: PostgreSQL 15 or newer. Written in batches, one statement for all findings of a commit; read by
//! keyset. Each use has its own pool and its own patience, so that people and the committer do not starve each other.

mod read;
mod write;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use event::{FindingId, Position, Source, SourceId, Timestamp};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::query::{FindingQuery, Page};
use crate::records::implement_records;
use crate::rows::{bytes, number};
use crate::shared::implement_shared;
use crate::{Commit, Committed, Findings, Lease, Ledger, Mark, Resume, SourceCheckpoint, StoreError, StoredFinding};

/// Who works with the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The committer: few connections, patient.
    Commit,
    /// People and their tools: more connections, answers soon or not at all.
    Ask,
}

impl Use {
    fn connections_max(self) -> u32 {
        match self {
            Use::Commit => 3,
            Use::Ask => 10,
        }
    }

    /// Longest that a statement may run, in milliseconds.
    fn statement_timeout_ms(self) -> &'static str {
        match self {
            Use::Commit => "60000",
            Use::Ask => "5000",
        }
    }

    /// The committer finds rows by their keys, a few thousand at a time. A planner that takes a growing table for a small
    /// one would read all of it instead, with workers that cost more to start than the work takes.
    fn planner(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Use::Commit => &[
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("enable_seqscan", "off"),
                ("max_parallel_workers_per_gather", "0"),
                ("jit", "off"),
            ],
            // Compiling takes longer than any of these questions; and no question is answered by reading everything.
            Use::Ask => &[("jit", "off"), ("enable_seqscan", "off")],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Use::Commit => "c0di3-commit",
            Use::Ask => "c0di3-ask",
        }
    }
}

/// Longest wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Only one process brings tables up to date or makes partitions at a time.
const LAYOUT_LOCK: i64 = 0x0C0D_1300;

#[derive(Debug)]
pub struct PostgresStore {
    pool: PgPool,
    /// Days that have a partition of their own.
    days: Mutex<BTreeSet<i32>>,
}

implement_shared!(
    PostgresStore, sqlx::Postgres, begin = "BEGIN",
    list = [
        "= ANY(ARRAY(SELECT json_array_elements_text($1::json)))",
        "= ANY(ARRAY(SELECT json_array_elements_text($2::json)))",
        "= ANY(ARRAY(SELECT json_array_elements_text($3::json)))"
    ],
    sixth = "= ANY(ARRAY(SELECT json_array_elements_text($6::json)))",
    lock = " FOR UPDATE",
    rows = {
        incidents: "INSERT INTO incidents (id, severity, stage, status, assignee, sort_time, version, facts_version, doc,
                summary_state, summary_due, memory)
            SELECT id, severity, stage, status, assignee, sort_time, version, facts_version, doc, 1, summary_due, memory
            FROM json_to_recordset($1::json) AS x(id TEXT, severity BIGINT, stage TEXT, status TEXT, assignee TEXT,
                sort_time BIGINT, version BIGINT, facts_version BIGINT, doc TEXT, summary_due BIGINT, memory TEXT)
            ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, stage = excluded.stage, status = excluded.status,
                assignee = excluded.assignee, sort_time = excluded.sort_time, version = excluded.version,
                facts_version = excluded.facts_version, doc = excluded.doc,
                memory = coalesce(excluded.memory, incidents.memory),
                summary_due = CASE WHEN incidents.summary_state = 1 OR incidents.facts_version = excluded.facts_version
                    THEN incidents.summary_due ELSE excluded.summary_due + 60000000 END,
                summary_state = CASE WHEN incidents.facts_version = excluded.facts_version
                    THEN incidents.summary_state ELSE 1 END",
        links: "INSERT INTO incident_findings (finding_id, incident_id, events, added_at, doc)
            SELECT finding_id, incident_id, events, added_at, doc
            FROM json_to_recordset($1::json) AS x(finding_id TEXT, incident_id TEXT, events BIGINT, added_at BIGINT, doc TEXT)
            ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events",
        keys: "INSERT INTO incident_keys (key, incident_id) SELECT key, incident_id
            FROM json_to_recordset($1::json) AS x(key TEXT, incident_id TEXT) ON CONFLICT DO NOTHING",
        history: "INSERT INTO incident_history (incident_id, number, doc) SELECT incident_id, number, doc
            FROM json_to_recordset($1::json) AS x(incident_id TEXT, number BIGINT, doc TEXT) ON CONFLICT DO NOTHING",
        notices: "INSERT INTO notices (id, kind, severity, created_at, body, incident_id)
            SELECT id, kind, severity, created_at, body, incident_id
            FROM json_to_recordset($1::json) AS x(id TEXT, kind TEXT, severity BIGINT, created_at BIGINT, body TEXT,
                incident_id TEXT)
            ON CONFLICT DO NOTHING",
        held: "INSERT INTO held_findings (finding_id, mute_id, events, continued)
            SELECT finding_id, mute_id, events, continued
            FROM json_to_recordset($1::json) AS x(finding_id TEXT, mute_id TEXT, events BIGINT, continued TEXT)
            ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events, continued = excluded.continued"
    },
    rules_of = "SELECT DISTINCT f.rule_id, f.rule_title FROM incident_findings l
        JOIN findings f ON f.id = decode(l.finding_id, 'hex') WHERE l.incident_id = $1 ORDER BY f.rule_id"
);

crate::recount::implement_upkeep!(
    PostgresStore,
    sqlx::Postgres,
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ",
    findings =
        "SELECT encode(id, 'hex'), count, score::bigint, severity, first_seen, last_seen, sort_time, status::bigint,
            details, events, evidence, array_to_json(entities)::text,
            (SELECT l.events FROM incident_findings l WHERE l.finding_id = encode(f.id, 'hex')),
            (SELECT h.events FROM held_findings h WHERE h.finding_id = encode(f.id, 'hex'))
        FROM findings f WHERE id > decode($1, 'hex') ORDER BY id LIMIT 1000",
    links = "SELECT l.finding_id, l.events, f.count, f.severity, f.events, l.continued,
            (SELECT count(*) FROM findings n WHERE n.id = decode(l.continued, 'hex'))
        FROM incident_findings l LEFT JOIN findings f ON f.id = decode(l.finding_id, 'hex')
        WHERE l.incident_id = $1 ORDER BY l.finding_id",
    id = "decode($1, 'hex')",
    entities = [
        "UPDATE findings SET entities = ARRAY(SELECT json_array_elements_text($2::json)) WHERE id = decode($1, 'hex')"
    ]
);

implement_records!(
    PostgresStore, sqlx::Postgres, begin = "BEGIN", list = "= ANY(ARRAY(SELECT json_array_elements_text($1::json)))",
    rows = {
        addresses: "INSERT INTO addresses (key, value) SELECT key, value
            FROM json_to_recordset($1::json) AS x(key TEXT, value TEXT) ON CONFLICT DO NOTHING",
        titles: "INSERT INTO rule_titles (title, rule_id) SELECT title, rule_id
            FROM json_to_recordset($1::json) AS x(title TEXT, rule_id TEXT) ON CONFLICT DO NOTHING"
    },
    filling = {
        // All findings are read, and one process does it: the number is that of the layout lock.
        alone: ["SET LOCAL statement_timeout = 0", "SELECT pg_advisory_xact_lock(202183424)"],
        addresses: "SELECT DISTINCT substr(entity, 11) FROM findings, unnest(entities) AS entity
            WHERE entity LIKE 'source.ip=%'"
    }
);

impl PostgresStore {
    /// Connects to `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE` and brings the tables up to date.
    pub async fn open(url: &str, use_as: Use) -> Result<Self, StoreError> {
        let shown = without_password(url);
        let failed = |source| StoreError::Open { url: shown.clone(), source };
        let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name(use_as.name()).options([
            ("statement_timeout", use_as.statement_timeout_ms()),
            ("idle_in_transaction_session_timeout", "60000"),
            // Filters that are not used vanish from the plan only when it is made for the values.
            ("plan_cache_mode", "force_custom_plan"),
        ]);
        let options = options.options(use_as.planner().iter().copied());
        let pool = PgPoolOptions::new()
            .max_connections(use_as.connections_max())
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(failed)?;
        sqlx::migrate!("migrations/postgres").run(&pool).await?;
        fill_seen(&pool).await?;
        Ok(PostgresStore { pool, days: Mutex::new(BTreeSet::new()) })
    }

    /// Makes the partitions of the days, where they are missing. A day that cannot have one goes to the default.
    async fn ensure_days(&self, wanted: &BTreeSet<i32>) -> Result<(), StoreError> {
        let known = self.days.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for day in wanted.difference(&known) {
            let mut transaction = self.pool.begin().await.map_err(StoreError::Write)?;
            let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LAYOUT_LOCK);
            lock.execute(&mut *transaction).await.map_err(StoreError::Write)?;
            let statement = format!(
                "CREATE TABLE IF NOT EXISTS findings_day_{day} PARTITION OF findings FOR VALUES FROM ({day}) TO ({})",
                day + 1
            );
            // The text holds nothing but our own number.
            let made = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await;
            match made {
                Ok(_) => transaction.commit().await.map_err(StoreError::Write)?,
                Err(error) if StoreError::is_passing_error(&error) => return Err(StoreError::Write(error)),
                Err(error) => tracing::warn!(%error, day, "findings of this day stay in the default partition"),
            }
            self.days.lock().unwrap_or_else(PoisonError::into_inner).insert(*day);
        }
        Ok(())
    }
}

/// `scheme://user:secret@host` with the secret as `***`; other texts as they are.
pub fn without_password(url: &str) -> String {
    let hidden = url.split_once("://").and_then(|(scheme, rest)| {
        let (account, host) = rest.rsplit_once('@')?;
        let (user, _) = account.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    });
    hidden.unwrap_or_else(|| url.to_owned())
}

#[async_trait]
impl Ledger for PostgresStore {
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        self.ensure_days(&write::days(commit)).await?;
        write::commit(&self.pool, commit).await
    }

    async fn take_over(&self, instance: &str, _now: Timestamp) -> Result<(Lease, Resume), StoreError> {
        let row = sqlx::query(
            "INSERT INTO instances (name, epoch) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET epoch = instances.epoch + 1 RETURNING epoch",
        );
        let row = row.bind(instance).fetch_one(&self.pool).await.map_err(StoreError::Write)?;
        let lease = Lease { instance: instance.to_owned(), epoch: row.get::<i64, _>(0) as u64 };
        let rows = sqlx::query("SELECT key, value FROM state WHERE instance = $1").bind(instance);
        let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
        let state = crate::state_of(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        let rows = sqlx::query(
            "SELECT id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, epoch FROM sources ORDER BY updated_at, id",
        );
        let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
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
        Ok((lease, Resume { sources, state }))
    }

    async fn claim(&self, source: &Source, now: Timestamp) -> Result<(u64, Option<Position>), StoreError> {
        let row = sqlx::query(
            "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
             VALUES ($1, $2, 0, $3, 0, 0, 0, $4, 1) ON CONFLICT (id) DO UPDATE SET epoch = sources.epoch + 1
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

    fn connections(&self) -> Option<(u32, u32)> {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        Some((self.pool.size().saturating_sub(idle), self.pool.options().get_max_connections()))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Findings for PostgresStore {
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
