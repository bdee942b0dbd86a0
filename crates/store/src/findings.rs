//! Findings in the store: pages, single findings, and what changed. How a list is asked for differs by database and is
//! in `sqlite::read` and `postgres::read`.

use async_trait::async_trait;
use event::FindingId;

use crate::details::sort_time;
use crate::error::StoreError;
use crate::finding_columns::{select_findings, stored};
use crate::query::{ChangeCursor, Cursor, FindingQuery, Findings, LIMIT_MAX, Page, StoredFinding};
use crate::rows::bytes;
use crate::sql::{Pool, Row, sql};
use crate::sql_store::SqlStore;
use crate::{postgres, sqlite};

#[async_trait]
impl Findings for SqlStore {
    async fn list(&self, query: &FindingQuery) -> Result<Page, StoreError> {
        let limit = query.limit.clamp(1, LIMIT_MAX);
        // One more than the page holds tells whether there is another.
        let asked = i64::from(limit) + 1;
        let rows: Vec<Row> = match &self.pool {
            Pool::Sqlite(pool) => sqlite::read::page(pool, query, asked).await?.into_iter().map(Row::Sqlite).collect(),
            Pool::Postgres(pool) => {
                postgres::read::page(pool, query, asked).await?.into_iter().map(Row::Postgres).collect()
            }
        };
        let mut findings = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        let more = findings.len() > limit as usize;
        findings.truncate(limit as usize);
        let last = findings.last().filter(|_| more);
        let next =
            last.map(|stored| Cursor { sort_time: sort_time(stored.finding.span.last_seen), id: stored.finding.id });
        Ok(Page { findings, next })
    }

    async fn get(&self, id: FindingId) -> Result<Option<StoredFinding>, StoreError> {
        let row = match &self.pool {
            Pool::Sqlite(pool) => sqlite::read::get(pool, id).await?.map(|(row, proof)| (Row::Sqlite(row), proof)),
            Pool::Postgres(pool) => {
                postgres::read::get(pool, id).await?.map(|(row, proof)| (Row::Postgres(row), proof))
            }
        };
        let Some((row, evidence)) = row else { return Ok(None) };
        let mut stored = stored(&row)?;
        stored.finding.evidence = evidence;
        Ok(Some(stored))
    }

    async fn changed_after(&self, mark: ChangeCursor, limit: u32) -> Result<Vec<StoredFinding>, StoreError> {
        let changed = sql(select_findings!("WHERE (revision, id) > ($1, $2) ORDER BY revision, id LIMIT $3"))
            .bind(i64::try_from(mark.revision).unwrap_or(i64::MAX))
            .bind(bytes(mark.id.0))
            .bind(i64::from(limit));
        self.pool.rows(changed).await?.iter().map(stored).collect()
    }
}
