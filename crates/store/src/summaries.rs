//! Summaries in the store, and which incidents need one next.

use async_trait::async_trait;
use event::{IncidentId, Timestamp};

use crate::error::StoreError;
use crate::join_rows::incident_id;
use crate::people::{SUMMARY_PAUSE_US, StoredSummary, Summaries};
use crate::sql::{Row, sql};
use crate::sql_store::SqlStore;

/// The columns that [`summary_of`] reads, in its order, and the rest of the query.
macro_rules! select_summary {
    ($rest:literal) => {
        concat!("SELECT incident_id, facts_version, key, source, text, attempts, updated_at FROM summaries ", $rest)
    };
}

fn summary_of(row: &Row) -> Result<StoredSummary, StoreError> {
    Ok(StoredSummary {
        incident: incident_id(row, 0)?,
        facts_version: row.count(1),
        key: row.get(2),
        source: row.get(3),
        text: row.get(4),
        attempts: row.count(5),
        updated_at: Timestamp(row.get(6)),
    })
}

#[async_trait]
impl Summaries for SqlStore {
    async fn summary(&self, id: IncidentId) -> Result<Option<StoredSummary>, StoreError> {
        let row = self.pool.row(sql(select_summary!("WHERE incident_id = $1")).bind(id.to_string())).await?;
        row.as_ref().map(summary_of).transpose()
    }

    async fn summary_by_key(&self, key: &str) -> Result<Option<StoredSummary>, StoreError> {
        let row = self.pool.row(sql(select_summary!("WHERE key = $1 AND source = 'llm' LIMIT 1")).bind(key)).await?;
        row.as_ref().map(summary_of).transpose()
    }

    async fn put_summary(&self, summary: &StoredSummary, again: Option<Timestamp>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let put = sql("INSERT INTO summaries (incident_id, facts_version, key, source, text, attempts, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (incident_id) DO UPDATE SET facts_version = excluded.facts_version,
                key = excluded.key, source = excluded.source, text = excluded.text,
                attempts = excluded.attempts, updated_at = excluded.updated_at
             WHERE summaries.facts_version <= excluded.facts_version")
        .bind(summary.incident.to_string())
        .bind(summary.facts_version as i64)
        .bind(&summary.key)
        .bind(&summary.source)
        .bind(&summary.text)
        .bind(summary.attempts as i64)
        .bind(summary.updated_at.0);
        transaction.write(put).await?;
        let next = sql("UPDATE incidents SET
                summary_state = CASE WHEN facts_version > $2 THEN 1 WHEN $3 = 0 THEN 0 ELSE 2 END,
                summary_due = CASE WHEN facts_version > $2 THEN $4 ELSE $3 END
             WHERE id = $1")
        .bind(summary.incident.to_string())
        .bind(summary.facts_version as i64)
        .bind(again.map_or(0, |time| time.0))
        .bind(summary.updated_at.saturating_add_us(SUMMARY_PAUSE_US).0);
        transaction.write(next).await?;
        transaction.commit().await
    }

    async fn to_summarise(&self, now: Timestamp, with_model: bool, limit: u32) -> Result<Vec<IncidentId>, StoreError> {
        let ids = sql("SELECT id FROM incidents
             WHERE summary_state > 0 AND summary_due <= $1 AND (summary_state = 1 OR $2 = 1)
             ORDER BY severity, summary_due LIMIT $3");
        let ids = ids.bind(now.0).bind(i64::from(with_model)).bind(i64::from(limit));
        self.pool.rows(ids).await?.iter().map(|row| incident_id(row, 0)).collect()
    }
}
