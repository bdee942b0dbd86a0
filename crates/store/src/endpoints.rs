//! Receivers of webhooks as the store knows them: one that wants no more is disabled until somebody says otherwise or
//! its address is changed.

use async_trait::async_trait;
use event::Timestamp;
use event::block::digest;

use crate::audit::{AuditEntry, By, Outcome, write_audit};
use crate::error::StoreError;
use crate::rows::texts;
use crate::sql::{Row, Text, Transaction, both, sql};
use crate::sql_store::SqlStore;

/// Kind of the notice that a receiver was disabled.
pub const ENDPOINT_DISABLED: &str = "endpoint.disabled";

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    /// As the configuration names it.
    pub name: String,
    /// When it was first configured with the address that it has.
    pub registered_at: Timestamp,
    /// Since when, and why, nothing is sent there.
    pub disabled: Option<(Timestamp, String)>,
}

/// Receivers of webhooks, and which of them are disabled.
#[async_trait]
pub trait Endpoints: Send + Sync + std::fmt::Debug {
    /// Takes down which receivers there are, `(name, hash of the address)`, and forgets all others. One whose address
    /// was changed is enabled again; gives the names of these.
    async fn register_endpoints(&self, known: &[(String, String)], now: Timestamp) -> Result<Vec<String>, StoreError>;
    /// All receivers, ordered by name.
    async fn endpoints(&self) -> Result<Vec<EndpointState>, StoreError>;
    /// Nothing is sent to the receiver any more, what waits for it is given up, and the others are told. False where it
    /// is disabled already, or has another address by now.
    async fn disable_endpoint(
        &self,
        name: &str,
        target: &str,
        reason: &str,
        others: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Enables a receiver, with its audit entry. False where there is no such receiver that is disabled.
    async fn enable_endpoint(&self, name: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}

const FORGET_OTHERS: Text = both!("DELETE FROM endpoints WHERE NOT (name " in 1 ")");

fn own_entry(now: Timestamp, action: &str, name: &str, detail: String) -> AuditEntry {
    AuditEntry::new(now, By::named("c0di3"), action, name, Outcome::Done).saying(detail)
}

/// What is told to the other receivers, and a delivery for each of them that wants anything.
async fn tell_others(
    transaction: &mut Transaction,
    body: &serde_json::Value,
    others: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let body = body.to_string();
    let id = digest(&[ENDPOINT_DISABLED.as_bytes(), body.as_bytes(), &now.0.to_be_bytes()]);
    let id = format!("{id:032x}");
    let notice =
        sql("INSERT INTO notices (id, kind, severity, created_at, fanned_out, body) VALUES ($1, $2, 0, $3, 1, $4)
         ON CONFLICT DO NOTHING");
    transaction.write(notice.bind(&id).bind(ENDPOINT_DISABLED).bind(now.0).bind(body)).await?;
    for other in others {
        let delivery =
            sql("INSERT INTO deliveries (notice_id, endpoint, state, attempts, next_at, lease_until, created_at)
             SELECT $1, $2, 'pending', 0, $3, 0, $3
             WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE name = $2 AND disabled_at IS NOT NULL)
             ON CONFLICT DO NOTHING");
        transaction.write(delivery.bind(&id).bind(other).bind(now.0)).await?;
    }
    Ok(())
}

fn state_of(row: &Row) -> EndpointState {
    let reason = row.get::<Option<String>>(3).unwrap_or_default();
    let disabled = row.get::<Option<i64>>(2).map(|at| (Timestamp(at), reason));
    EndpointState { name: row.get(0), registered_at: Timestamp(row.get(1)), disabled }
}

#[async_trait]
impl Endpoints for SqlStore {
    async fn register_endpoints(&self, known: &[(String, String)], now: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        transaction.write(sql(FORGET_OTHERS).bind(texts(known.iter().map(|(name, _)| name)))).await?;
        let mut enabled = Vec::new();
        for (name, target) in known {
            let changed = sql("SELECT 1 FROM endpoints WHERE name = $1 AND target <> $2 AND disabled_at IS NOT NULL");
            if transaction.row(changed.bind(name).bind(target)).await?.is_some() {
                let detail = "its address was changed".to_owned();
                write_audit(&mut transaction, &[own_entry(now, "endpoint.enable", name, detail)]).await?;
                enabled.push(name.clone());
            }
            let put = sql("INSERT INTO endpoints (name, target, registered_at) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET target = excluded.target,
                    registered_at = excluded.registered_at, disabled_at = NULL, reason = NULL
                 WHERE endpoints.target <> excluded.target");
            transaction.write(put.bind(name).bind(target).bind(now.0)).await?;
        }
        transaction.commit().await?;
        Ok(enabled)
    }

    async fn endpoints(&self) -> Result<Vec<EndpointState>, StoreError> {
        let all = sql("SELECT name, registered_at, disabled_at, reason FROM endpoints ORDER BY name");
        Ok(self.pool.rows(all).await?.iter().map(state_of).collect())
    }

    async fn disable_endpoint(
        &self,
        name: &str,
        target: &str,
        reason: &str,
        others: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let disable = sql("UPDATE endpoints SET disabled_at = $3, reason = $4
             WHERE name = $1 AND target = $2 AND disabled_at IS NULL");
        if transaction.write(disable.bind(name).bind(target).bind(now.0).bind(reason)).await? == 0 {
            return Ok(false);
        }
        let give_up = sql("UPDATE deliveries SET state = 'dead', next_at = $2, lease_until = 0,
                last_error = 'not sent: the endpoint is disabled'
             WHERE endpoint = $1 AND state = 'pending'");
        let given_up = transaction.write(give_up.bind(name).bind(now.0)).await?;
        let body = serde_json::json!({
            "endpoint": name, "reason": reason, "disabled_at": now.to_string(), "deliveries_given_up": given_up,
        });
        tell_others(&mut transaction, &body, others, now).await?;
        let entry = own_entry(now, "endpoint.disable", name, reason.to_owned());
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn enable_endpoint(&self, name: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let enable =
            sql("UPDATE endpoints SET disabled_at = NULL, reason = NULL WHERE name = $1 AND disabled_at IS NOT NULL");
        if transaction.write(enable.bind(name)).await? == 0 {
            return Ok(false);
        }
        let entry = AuditEntry::new(now, by.clone(), "endpoint.enable", name, Outcome::Done).answered(200);
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
