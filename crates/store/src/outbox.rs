//! The outbox in the store: what people change waits until it has settled, so that six steps that close an incident are
//! one notice; each settled notice becomes a delivery for each endpoint. All of it stands in tables: a crash loses
//! nothing.

use async_trait::async_trait;
use event::incident::HistoryEntry;
use event::{Incident, Severity, Timestamp};

use crate::audit::{AuditEntry, By, Outcome, write_audit};
use crate::error::StoreError;
use crate::notice::{self, Notice, NoticeBody, What};
use crate::people::{Attempt, Deliveries, Delivery, OutboxState};
use crate::rows::{doc, read_doc, severity_of};
use crate::sql::{Row, Text, Transaction, both, sql};
use crate::sql_store::SqlStore;

/// Notices of people's changes wait from the first of them on; findings are told at once.
const SETTLED: Text = both!(
    "SELECT id, severity FROM notices WHERE fanned_out = 0
       AND (created_at <= $1 OR kind NOT IN ('incident.updated', 'incident.resolved'))
     ORDER BY created_at LIMIT 500" lock
);
const SETTLING: Text = both!(
    "SELECT id, body, severity FROM notices WHERE incident_id = $1 AND fanned_out = 0
       AND kind IN ('incident.updated', 'incident.resolved') LIMIT 1" lock
);
const LEASE_DUE: &str = "UPDATE deliveries SET lease_until = $2, attempts = attempts + 1
     WHERE state = 'pending' AND lease_until <= $1 AND (notice_id, endpoint) IN (
        SELECT notice_id, endpoint FROM deliveries
        WHERE state = 'pending' AND next_at <= $1 AND lease_until <= $1 ORDER BY next_at LIMIT $3)
     RETURNING notice_id, endpoint, state, attempts, next_at, created_at, last_error,
        (SELECT kind FROM notices n WHERE n.id = notice_id), (SELECT body FROM notices n WHERE n.id = notice_id)";
const ADD_DELIVERY: &str =
    "INSERT INTO deliveries (notice_id, endpoint, state, attempts, next_at, lease_until, created_at, last_error)
     SELECT $1, $2, CASE WHEN off = 0 THEN 'pending' ELSE 'dead' END, 0, $3, 0, $3,
        CASE WHEN off = 0 THEN NULL ELSE 'not sent: the endpoint is disabled' END
     FROM (SELECT count(*) AS off FROM endpoints WHERE name = $2 AND disabled_at IS NOT NULL) AS x
     WHERE true ON CONFLICT DO NOTHING";

fn delivery_of(row: &Row) -> Delivery {
    Delivery {
        notice_id: row.get(0),
        endpoint: row.get(1),
        state: row.get(2),
        attempts: row.count(3),
        next_at: Timestamp(row.get(4)),
        created_at: Timestamp(row.get(5)),
        last_error: row.get(6),
        kind: row.get(7),
        body: row.get(8),
    }
}

/// Adds a person's change to the notice that waits, or gives the notice that is to be written.
pub(crate) async fn settle(
    transaction: &mut Transaction,
    incident: &Incident,
    entries: &[HistoryEntry],
) -> Result<Option<Notice>, StoreError> {
    let told = |entry: &&HistoryEntry| matches!(entry.field.as_str(), "stage" | "status" | "severity");
    let what = |entry: &HistoryEntry| What {
        field: entry.field.clone(),
        from: entry.from.clone(),
        to: entry.to.clone(),
        ..What::default()
    };
    let changes: Vec<What> = entries.iter().filter(told).map(what).collect();
    if changes.is_empty() {
        return Ok(None);
    }
    let Some(row) = transaction.row(sql(SETTLING).bind(incident.id.to_string())).await? else {
        return Ok(Some(Notice::changed(incident, changes)));
    };
    let mut body: NoticeBody = read_doc(row.get(1), "a notice")?;
    body.take_up(incident.clone(), changes);
    metrics::counter!("notices_merged_total").increment(1);
    let put = sql("UPDATE notices SET kind = $2, body = $3, severity = $4 WHERE id = $1")
        .bind(row.get::<&str>(0))
        .bind(notice::kind_of(incident))
        .bind(doc(&body))
        // Whoever was to be told of what it was is told what it became.
        .bind(row.get::<i64>(2).min(incident.rating.severity as i64));
    transaction.write(put).await?;
    Ok(None)
}

#[async_trait]
impl Deliveries for SqlStore {
    async fn fan_out(
        &self,
        endpoints: &[(String, Severity)],
        settle_us: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut made = 0;
        for row in transaction.rows(sql(SETTLED).bind(now.saturating_sub_us(settle_us).0)).await? {
            let (id, severity): (&str, i64) = (row.get(0), row.get(1));
            for (endpoint, _) in endpoints.iter().filter(|(_, least)| severity_of(severity) <= *least) {
                transaction.write(sql(ADD_DELIVERY).bind(id).bind(endpoint).bind(now.0)).await?;
                made += 1;
            }
            transaction.write(sql("UPDATE notices SET fanned_out = 1 WHERE id = $1").bind(id)).await?;
        }
        transaction.commit().await?;
        Ok(made)
    }

    async fn due(&self, now: Timestamp, lease_until: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let due = sql(LEASE_DUE).bind(now.0).bind(lease_until.0).bind(i64::from(limit));
        Ok(self.pool.returned(due).await?.iter().map(delivery_of).collect())
    }

    async fn settle(&self, delivery: &Delivery, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
        let (state, at, error) = match attempt {
            Attempt::Delivered => ("delivered", now, None),
            Attempt::Retry { at, error } => ("pending", *at, Some(error.as_str())),
            Attempt::Dead { error } => ("dead", now, Some(error.as_str())),
        };
        let settle = sql("UPDATE deliveries SET state = $3, next_at = $4, lease_until = 0, last_error = $5
             WHERE notice_id = $1 AND endpoint = $2 AND state = 'pending' AND attempts = $6")
        .bind(&delivery.notice_id)
        .bind(&delivery.endpoint)
        .bind(state)
        .bind(at.0)
        .bind(error)
        .bind(delivery.attempts as i64);
        self.pool.write(settle).await?;
        Ok(())
    }

    async fn deliveries(&self, state: Option<&str>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let list = sql(
            "SELECT d.notice_id, d.endpoint, d.state, d.attempts, d.next_at, d.created_at, d.last_error, n.kind, n.body
             FROM deliveries d JOIN notices n ON n.id = d.notice_id WHERE ($1 = '' OR d.state = $1)
             ORDER BY d.created_at DESC, d.notice_id, d.endpoint LIMIT $2",
        );
        let list = list.bind(state.unwrap_or("")).bind(i64::from(limit));
        Ok(self.pool.rows(list).await?.iter().map(delivery_of).collect())
    }

    async fn revive_by(&self, notice_id: &str, endpoint: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let revive = sql("UPDATE deliveries SET state = 'pending', next_at = $3, lease_until = 0, attempts = 0
             WHERE notice_id = $1 AND endpoint = $2 AND state = 'dead'");
        if transaction.write(revive.bind(notice_id).bind(endpoint).bind(now.0)).await? == 0 {
            return Ok(false);
        }
        let target = format!("{notice_id}/{endpoint}");
        let entry = AuditEntry::new(now, by.clone(), "delivery.retry", &target, Outcome::Done).answered(200);
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn outbox(&self) -> Result<OutboxState, StoreError> {
        let counts = sql("SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending'),
                    (SELECT count(*) FROM deliveries WHERE state = 'dead'),
                    (SELECT min(created_at) FROM deliveries WHERE state = 'pending')");
        let Some(row) = self.pool.row(counts).await? else { return Ok(OutboxState::default()) };
        Ok(OutboxState {
            pending: row.count(0),
            dead: row.count(1),
            oldest_pending: row.get::<Option<i64>>(2).map(Timestamp),
        })
    }
}
