//! The one transaction of a commit: findings with their evidence, incidents, positions and state together. Whoever was
//! taken over is refused in it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use event::{Finding, FindingId, Position, Source, SourceId, Timestamp};

use crate::archive::write_files;
use crate::error::StoreError;
use crate::join_rows::{read_known, write_joined};
use crate::ledger::{
    Commit, Committed, INSTANCE_DEFAULT, Lease, Ledger, Rehearsed, Resume, SourceCheckpoint, StateText,
};
use crate::parts::Prepared;
use crate::postgres::write::Columns;
use crate::rows::{bytes, number};
use crate::seen::{names_of, write_names};
use crate::sql::{Pool, Row, Text, Transaction, sql};
use crate::sql_store::SqlStore;
use crate::{postgres, sqlite};

/// Nobody takes the name over before the transaction has ended.
const HOLD_LEASE: Text = Text {
    sqlite: "SELECT 1 FROM instances WHERE name = $1 AND epoch = $2",
    postgres: "SELECT 1 FROM instances WHERE name = $1 AND epoch = $2 FOR SHARE",
};
const NEXT_REVISION: &str = "UPDATE revision SET number = number + 1 RETURNING number";
const PUT_SOURCE: &str =
    "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, fingerprint_bytes = excluded.fingerprint_bytes,
        fingerprint_hash = excluded.fingerprint_hash, \"offset\" = excluded.\"offset\",
        line = excluded.line, seen = excluded.seen, updated_at = excluded.updated_at
     WHERE sources.epoch <= excluded.epoch";
const SOURCES: &str = "SELECT id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, epoch FROM sources
     ORDER BY updated_at, id";
const CLAIM: &str =
    "INSERT INTO sources (id, name, fingerprint_bytes, fingerprint_hash, \"offset\", line, seen, updated_at, epoch)
     VALUES ($1, $2, 0, $3, 0, 0, 0, $4, 1) ON CONFLICT (id) DO UPDATE SET epoch = sources.epoch + 1
     RETURNING epoch, \"offset\", line";
const TAKE_OVER: &str = "INSERT INTO instances (name, epoch) VALUES ($1, 1)
     ON CONFLICT (name) DO UPDATE SET epoch = instances.epoch + 1 RETURNING epoch";

/// What a statement must return that did not.
fn missing(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} is missing"))
}

fn source_of(row: &Row) -> Result<SourceCheckpoint, StoreError> {
    Ok(SourceCheckpoint {
        id: SourceId(number(row.get(0))?),
        name: row.get(1),
        fingerprint_bytes: row.count(2),
        fingerprint_hash: number(row.get(3))?,
        position: Position { offset: row.count(4), line: row.count(5) },
        seen: row.count(6),
        epoch: row.count(7),
    })
}

impl SqlStore {
    async fn write(&self, commit: &Commit) -> Result<Committed, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(lease) = &commit.lease {
            let held = sql(HOLD_LEASE).bind(&lease.instance).bind(lease.epoch as i64);
            transaction.row(held).await?.ok_or_else(|| StoreError::Fenced(lease.instance.clone()))?;
        }
        let revision = transaction.returned(sql(NEXT_REVISION)).await?;
        let revision = revision.ok_or_else(|| missing("the number of commits"))?.get(0);
        // While the database works on a statement, the next ones are made ready.
        let whole = async { self.columns(commit.findings.iter(), &BTreeMap::new()) };
        let (known, mut columns) = tokio::join!(read_known(&mut transaction, commit), whole);
        let mut known = known?;
        let prepared = Prepared::of(known.as_mut(), commit);
        if !prepared.is_whole() || prepared.findings.len() < commit.findings.len() {
            columns = self.columns(prepared.findings.iter().map(AsRef::as_ref), &prepared.muted);
        }
        let written = write_findings(&mut transaction, &prepared, columns, (commit.now, revision));
        let (done, rows) = tokio::join!(written, async { prepared.join(known, commit) });
        let done = Committed { continued: prepared.continued, muted: prepared.newly_muted, ..done? };
        write_joined(&mut transaction, rows, &prepared).await?;
        write_names(&mut transaction, &names_of(&commit.findings)).await?;
        write_sources(&mut transaction, commit).await?;
        write_state(&mut transaction, commit).await?;
        write_files(&mut transaction, &commit.files, commit.now).await?;
        transaction.commit().await?;
        Ok(done)
    }

    /// Findings as PostgreSQL takes them. SQLite takes them one by one: nothing is made ready for it.
    fn columns<'a>(&self, findings: impl Iterator<Item = &'a Finding>, muted: &BTreeMap<FindingId, String>) -> Columns {
        match self.pool {
            Pool::Sqlite(_) => Columns::default(),
            Pool::Postgres(_) => Columns::of(findings, muted),
        }
    }
}

async fn write_findings(
    transaction: &mut Transaction,
    prepared: &Prepared<'_>,
    columns: Columns,
    (now, revision): (Timestamp, i64),
) -> Result<Committed, StoreError> {
    match transaction {
        Transaction::Sqlite(connection) => sqlite::write::write_findings(connection, prepared, now.0, revision).await,
        Transaction::Postgres(connection) => {
            postgres::write::write_findings(connection, columns, now.0, revision).await
        }
    }
}

async fn write_sources(transaction: &mut Transaction, commit: &Commit) -> Result<(), StoreError> {
    for id in &commit.forgotten {
        transaction.write(sql("DELETE FROM sources WHERE id = $1").bind(bytes(id.0))).await?;
    }
    for source in &commit.sources {
        let put = sql(PUT_SOURCE)
            .bind(bytes(source.id.0))
            .bind(&source.name)
            .bind(source.fingerprint_bytes as i64)
            .bind(bytes(source.fingerprint_hash))
            .bind(source.position.offset as i64)
            .bind(source.position.line as i64)
            .bind(source.seen as i64)
            .bind(commit.now.0)
            .bind(source.epoch as i64);
        if transaction.write(put).await? == 0 {
            return Err(StoreError::Fenced(source.name.clone()));
        }
    }
    Ok(())
}

async fn write_state(transaction: &mut Transaction, commit: &Commit) -> Result<(), StoreError> {
    let Some(state) = &commit.state else { return Ok(()) };
    let instance = commit.lease.as_ref().map_or(INSTANCE_DEFAULT, |lease| lease.instance.as_str());
    match transaction {
        Transaction::Sqlite(connection) => sqlite::write::write_state(connection, instance, state).await,
        Transaction::Postgres(connection) => postgres::write::write_state(connection, instance, state).await,
    }
}

#[async_trait]
impl Ledger for SqlStore {
    async fn commit(&self, commit: &Commit) -> Result<Committed, StoreError> {
        if let Pool::Postgres(pool) = &self.pool {
            self.partitions.ensure(pool, &postgres::write::days(commit)).await?;
        }
        self.write(commit).await
    }

    async fn rehearse(&self, commit: &Commit) -> Result<Rehearsed, StoreError> {
        self.rehearsed(commit).await
    }

    async fn take_over(&self, instance: &str) -> Result<(Lease, Resume), StoreError> {
        let row = self.pool.returned(sql(TAKE_OVER).bind(instance)).await?;
        let epoch = row.first().ok_or_else(|| missing("the epoch of an instance"))?.count(0);
        let rows = self.pool.rows(sql("SELECT key, value FROM state WHERE instance = $1").bind(instance)).await?;
        let state = StateText::of(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        let rows = self.pool.rows(sql(SOURCES)).await?;
        let sources = rows.iter().map(source_of).collect::<Result<_, _>>()?;
        Ok((Lease { instance: instance.to_owned(), epoch }, Resume { sources, state }))
    }

    async fn claim(&self, source: &Source, now: Timestamp) -> Result<(u64, Option<Position>), StoreError> {
        let claim = sql(CLAIM).bind(bytes(source.id.0)).bind(&source.name).bind(bytes(0)).bind(now.0);
        let rows = self.pool.returned(claim).await?;
        let row = rows.first().ok_or_else(|| missing("the epoch of a source"))?;
        let position = Position { offset: row.count(1), line: row.count(2) };
        Ok((row.count(0), Some(position).filter(|known| *known != Position::default())))
    }

    fn connections(&self) -> Option<(u32, u32)> {
        let Pool::Postgres(pool) = &self.pool else { return None };
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        Some((pool.size().saturating_sub(idle), pool.options().get_max_connections()))
    }

    async fn reach(&self) -> Result<(), StoreError> {
        let Pool::Postgres(pool) = &self.pool else { return Ok(()) };
        postgres::reach(&pool.connect_options()).await
    }

    async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}
