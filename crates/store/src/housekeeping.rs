//! What the embedded store has no server for: copying it while it is in use, and removing what is older than it has to be kept, a
//! few hundred rows in each transaction, so that the committer never waits long. PostgreSQL has `pg_dump`, and its days and
//! months are dropped whole by `deploy/scripts/retention-db.sh`.

use async_trait::async_trait;
use event::Timestamp;

use crate::error::StoreError;
use crate::sql::{Pool, sql};
use crate::sql_store::SqlStore;

/// Rows that one transaction removes, of each kind.
const BATCH: u64 = 500;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Closed incidents, findings in no incident, and notices that were told stay from this time on.
    pub from: Timestamp,
    /// Entries of the audit log do. The store refuses to lose any of the last 90 days.
    pub audit_from: Timestamp,
}

/// How much was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Closed incidents, with links, history and summaries.
    pub incidents: u64,
    /// Findings that no incident holds.
    pub findings: u64,
    /// Notices that were told.
    pub notices: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// What the embedded store has no server for.
#[async_trait]
pub trait Housekeeping: Send + Sync + std::fmt::Debug {
    /// Removes what is older than what is kept, or counts it where `counts_only`. `None` from a server store.
    async fn remove_old(&self, kept: Kept, counts_only: bool) -> Result<Option<Removed>, StoreError>;
    /// Copies the store as it is at one moment into a new file, while others write. `false` from a server store.
    async fn copy_to(&self, path: &str) -> Result<bool, StoreError>;
}

/// Which rows of a table are old; `$1` is the time from which on they are kept.
struct Old {
    /// Statements that remove what hangs on them without being bound to them; `{old}` selects their keys.
    before: Option<&'static str>,
    remove: &'static str,
    count: &'static str,
}

macro_rules! old {
    ($table:literal, $rows:literal $(, $before:literal)?) => {
        Old {
            before: [$(concat!($before, " (SELECT lower(hex(id)) FROM ", $table, " AS t WHERE ", $rows, " LIMIT $2)"))?].first().copied(),
            remove: concat!("DELETE FROM ", $table, " WHERE id IN (SELECT id FROM ", $table, " AS t WHERE ", $rows, " LIMIT $2)"),
            count: concat!("SELECT count(*) FROM ", $table, " AS t WHERE ", $rows),
        }
    };
}

const INCIDENTS: Old = old!("incidents", "status = 'closed' AND sort_time < $1");
const FINDINGS: Old = old!(
    "findings",
    "sort_time < $1 AND NOT EXISTS (SELECT 1 FROM incident_findings AS l JOIN incidents AS i ON i.id = l.incident_id
        WHERE l.finding_id = lower(hex(t.id)) AND NOT (i.status = 'closed' AND i.sort_time < $1))",
    "DELETE FROM held_findings WHERE finding_id IN"
);
const NOTICES: Old = old!(
    "notices",
    "fanned_out = 1 AND created_at < $1
     AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.notice_id = t.id AND d.state = 'pending')"
);
const AUDIT: Old = old!("audit", "at < $1");

impl SqlStore {
    async fn remove(&self, old: &Old, from: Timestamp, counts_only: bool) -> Result<u64, StoreError> {
        if counts_only {
            return Ok(self.pool.row(sql(old.count).bind(from.0)).await?.map_or(0, |row| row.count(0)));
        }
        let mut removed = 0;
        loop {
            let mut transaction = self.pool.begin().await?;
            if let Some(before) = old.before {
                transaction.write(sql(before).bind(from.0).bind(BATCH as i64)).await?;
            }
            let gone = transaction.write(sql(old.remove).bind(from.0).bind(BATCH as i64)).await?;
            transaction.commit().await?;
            removed += gone;
            if gone < BATCH {
                return Ok(removed);
            }
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Housekeeping for SqlStore {
    async fn remove_old(&self, kept: Kept, counts_only: bool) -> Result<Option<Removed>, StoreError> {
        if matches!(self.pool, Pool::Postgres(_)) {
            return Ok(None);
        }
        let incidents = self.remove(&INCIDENTS, kept.from, counts_only).await?;
        let findings = self.remove(&FINDINGS, kept.from, counts_only).await?;
        let notices = self.remove(&NOTICES, kept.from, counts_only).await?;
        let audit = self.remove(&AUDIT, kept.audit_from, counts_only).await?;
        Ok(Some(Removed { incidents, findings, notices, audit }))
    }
    async fn copy_to(&self, path: &str) -> Result<bool, StoreError> {
        if matches!(self.pool, Pool::Postgres(_)) {
            return Ok(false);
        }
        self.pool.write(sql("VACUUM INTO $1").bind(path)).await.map(|_| true)
    }
}
