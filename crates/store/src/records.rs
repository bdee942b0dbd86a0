//! Audit log, receivers of webhooks, and what findings have named so far: queries that both databases understand, written
//! once, as in `shared`.

/// Implements the traits of `audit`, `endpoints` and `seen` for one database.
macro_rules! implement_records {
    ($store:ty, $database:ty, begin = $begin:literal, list = $list:literal,
     rows = { addresses: $addresses:literal, titles: $titles:literal },
     filling = { alone: [$($alone:literal),*], addresses: $old_addresses:literal }) => {
        mod record_queries {
            use async_trait::async_trait;
            use event::block::digest;
            use event::{Finding, Network, Timestamp};
            use sqlx::Row;

            use super::*;
            use crate::StoreError;
            use crate::audit::{Audit, AuditEntry, AuditQuery, By, Outcome, kept};
            use crate::endpoints::{ENDPOINT_DISABLED, EndpointState, Endpoints};
            use crate::rows::{PAGE_MAX, texts};
            use crate::seen::{Seen, SeenRows, TITLED_MAX, key_range, title_key};

            type Connection = <$database as sqlx::Database>::Connection;
            type Pool = sqlx::Pool<$database>;
            type DatabaseRow = <$database as sqlx::Database>::Row;

            fn wrote(error: sqlx::Error) -> StoreError {
                StoreError::Write(error)
            }

            /// Writes entries within the transaction of what they tell.
            pub(super) async fn write_audit(connection: &mut Connection, entries: &[AuditEntry]) -> Result<(), StoreError> {
                for entry in entries {
                    sqlx::query(
                        "INSERT INTO audit (id, at, actor, actor_id, role, address, forwarded, action, method, route, target,
                                            outcome, status, request_id, count, detail)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                         ON CONFLICT (id) DO UPDATE SET count = audit.count + excluded.count",
                    )
                    .bind(&entry.id)
                    .bind(entry.at.0)
                    .bind(kept(&entry.by.actor))
                    .bind(kept(&entry.by.actor_id))
                    .bind(kept(&entry.by.role))
                    .bind(kept(&entry.by.address))
                    .bind(kept(&entry.by.forwarded))
                    .bind(kept(&entry.action))
                    .bind(kept(&entry.by.method))
                    .bind(kept(&entry.by.route))
                    .bind(kept(&entry.target))
                    .bind(entry.outcome.name())
                    .bind(i64::from(entry.status))
                    .bind(kept(&entry.by.request_id))
                    .bind(i64::try_from(entry.count).unwrap_or(i64::MAX))
                    .bind(kept(&entry.detail))
                    .execute(&mut *connection)
                    .await
                    .map_err(wrote)?;
                }
                Ok(())
            }

            async fn write_seen_rows(connection: &mut Connection, rows: SeenRows) -> Result<(), StoreError> {
                for (statement, rows) in [($addresses, rows.addresses), ($titles, rows.titles)] {
                    if let Some(rows) = rows {
                        sqlx::query(statement).bind(rows).execute(&mut *connection).await.map_err(wrote)?;
                    }
                }
                Ok(())
            }

            /// What the findings name, within the transaction that writes them.
            pub(super) async fn write_seen(connection: &mut Connection, findings: &[Finding]) -> Result<(), StoreError> {
                write_seen_rows(connection, SeenRows::of(findings)).await
            }

            const FILLED: &str = "SELECT 1 FROM addresses WHERE key = ''";

            /// Takes in what findings named before there were these tables. Once in the life of a store.
            pub(super) async fn fill_seen(pool: &Pool) -> Result<(), StoreError> {
                if sqlx::query(FILLED).fetch_optional(pool).await.map_err(StoreError::Read)?.is_some() {
                    return Ok(());
                }
                let mut transaction = pool.begin_with($begin).await.map_err(wrote)?;
                $(sqlx::query($alone).execute(&mut *transaction).await.map_err(wrote)?;)*
                if sqlx::query(FILLED).fetch_optional(&mut *transaction).await.map_err(StoreError::Read)?.is_some() {
                    return Ok(());
                }
                let rows = sqlx::query($old_addresses).fetch_all(&mut *transaction).await.map_err(StoreError::Read)?;
                let values: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                let rows = sqlx::query("SELECT DISTINCT rule_title, rule_id FROM findings").fetch_all(&mut *transaction);
                let rows = rows.await.map_err(StoreError::Read)?;
                let titles: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
                let titles = titles.iter().map(|(title, id)| (title.as_str(), id.as_str()));
                write_seen_rows(&mut transaction, SeenRows::from_parts(values.iter().map(String::as_str), titles)).await?;
                let filled = sqlx::query("INSERT INTO addresses (key, value) VALUES ('', '')");
                filled.execute(&mut *transaction).await.map_err(wrote)?;
                transaction.commit().await.map_err(wrote)
            }

            fn entry_of(row: &DatabaseRow) -> Result<AuditEntry, StoreError> {
                let outcome = Outcome::from_name(row.get(11));
                Ok(AuditEntry {
                    id: row.get(0),
                    at: Timestamp(row.get(1)),
                    by: By {
                        actor: row.get(2),
                        actor_id: row.get(3),
                        role: row.get(4),
                        address: row.get(5),
                        forwarded: row.get(6),
                        method: row.get(8),
                        route: row.get(9),
                        request_id: row.get(13),
                    },
                    action: row.get(7),
                    target: row.get(10),
                    outcome: outcome.ok_or_else(|| StoreError::Damaged("outcome of an audit entry".to_owned()))?,
                    status: u16::try_from(row.get::<i64, _>(12)).unwrap_or(0),
                    count: row.get::<i64, _>(14) as u64,
                    detail: row.get(15),
                })
            }

            #[async_trait]
            impl Audit for $store {
                async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    write_audit(&mut transaction, entries).await?;
                    transaction.commit().await.map_err(wrote)
                }

                async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
                    let text = |text: &Option<String>| text.as_deref().unwrap_or("").replace('\0', "");
                    let (after_time, after_id) = query.after.clone().unwrap_or((i64::MAX, String::new()));
                    let rows = sqlx::query(
                        "SELECT id, at, actor, actor_id, role, address, forwarded, action, method, route, target, outcome,
                                status, request_id, count, detail
                         FROM audit
                         WHERE at >= $1 AND at < $2 AND ($3 = '' OR actor = $3) AND ($4 = '' OR action = $4)
                           AND ($5 = '' OR outcome = $5) AND ($6 = '' OR address = $6 OR forwarded = $6)
                           AND ($7 = '' OR target = $7) AND (at < $8 OR (at = $8 AND id < $9))
                         ORDER BY at DESC, id DESC LIMIT $10",
                    )
                    .bind(query.since.map_or(i64::MIN, |time| time.0))
                    .bind(query.until.map_or(i64::MAX, |time| time.0))
                    .bind(text(&query.actor))
                    .bind(text(&query.action))
                    .bind(query.outcome.map_or("", Outcome::name))
                    .bind(text(&query.address))
                    .bind(text(&query.target))
                    .bind(after_time)
                    .bind(after_id)
                    .bind(i64::from(query.limit.clamp(1, PAGE_MAX + 1)))
                    .fetch_all(&self.pool)
                    .await
                    .map_err(StoreError::Read)?;
                    rows.iter().map(entry_of).collect()
                }
            }

            #[async_trait]
            impl Seen for $store {
                async fn addresses(&self, network: Network, limit: u32) -> Result<Vec<String>, StoreError> {
                    let (first, last) = key_range(network);
                    let rows = sqlx::query("SELECT value FROM addresses WHERE key >= $1 AND key <= $2 ORDER BY key, value LIMIT $3");
                    let rows = rows.bind(first).bind(last).bind(i64::from(limit)).fetch_all(&self.pool).await;
                    Ok(rows.map_err(StoreError::Read)?.iter().map(|row| row.get(0)).collect())
                }

                async fn rules_titled(&self, title: &str) -> Result<Vec<String>, StoreError> {
                    let rows = sqlx::query("SELECT rule_id FROM rule_titles WHERE title = $1 ORDER BY rule_id LIMIT $2");
                    let rows = rows.bind(title_key(title)).bind(TITLED_MAX).fetch_all(&self.pool).await;
                    Ok(rows.map_err(StoreError::Read)?.iter().map(|row| row.get(0)).collect())
                }
            }

            fn own_entry(now: Timestamp, action: &str, name: &str, detail: String) -> AuditEntry {
                AuditEntry::new(now, By::named("c0di3"), action, name, Outcome::Done).saying(detail)
            }

            /// What is told to the other receivers, and a delivery for each of them that wants anything.
            async fn tell_others(
                connection: &mut Connection,
                body: serde_json::Value,
                others: &[String],
                now: Timestamp,
            ) -> Result<(), StoreError> {
                let body = body.to_string();
                let id = digest(&[ENDPOINT_DISABLED.as_bytes(), body.as_bytes(), &now.0.to_be_bytes()]);
                let id = format!("{id:032x}");
                let notice = sqlx::query(
                    "INSERT INTO notices (id, kind, severity, created_at, fanned_out, body) VALUES ($1, $2, 0, $3, 1, $4)
                     ON CONFLICT DO NOTHING",
                );
                let notice = notice.bind(&id).bind(ENDPOINT_DISABLED).bind(now.0).bind(body);
                notice.execute(&mut *connection).await.map_err(wrote)?;
                for other in others {
                    let delivery = sqlx::query(
                        "INSERT INTO deliveries (notice_id, endpoint, state, attempts, next_at, lease_until, created_at)
                         SELECT $1, $2, 'pending', 0, $3, 0, $3
                         WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE name = $2 AND disabled_at IS NOT NULL)
                         ON CONFLICT DO NOTHING",
                    );
                    let delivery = delivery.bind(&id).bind(other).bind(now.0);
                    delivery.execute(&mut *connection).await.map_err(wrote)?;
                }
                Ok(())
            }

            #[async_trait]
            impl Endpoints for $store {
                async fn register_endpoints(
                    &self,
                    known: &[(String, String)],
                    now: Timestamp,
                ) -> Result<Vec<String>, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    let names = texts(known.iter().map(|(name, _)| name));
                    let gone = sqlx::query(concat!("DELETE FROM endpoints WHERE NOT (name ", $list, ")")).bind(names);
                    gone.execute(&mut *transaction).await.map_err(wrote)?;
                    let mut enabled = Vec::new();
                    for (name, target) in known {
                        let changed = sqlx::query(
                            "SELECT 1 FROM endpoints WHERE name = $1 AND target <> $2 AND disabled_at IS NOT NULL",
                        );
                        let changed = changed.bind(name).bind(target).fetch_optional(&mut *transaction).await;
                        if changed.map_err(StoreError::Read)?.is_some() {
                            let detail = "its address was changed".to_owned();
                            write_audit(&mut transaction, &[own_entry(now, "endpoint.enable", name, detail)]).await?;
                            enabled.push(name.clone());
                        }
                        let put = sqlx::query(
                            "INSERT INTO endpoints (name, target, registered_at) VALUES ($1, $2, $3)
                             ON CONFLICT (name) DO UPDATE SET target = excluded.target,
                                registered_at = excluded.registered_at, disabled_at = NULL, reason = NULL
                             WHERE endpoints.target <> excluded.target",
                        );
                        let put = put.bind(name).bind(target).bind(now.0);
                        put.execute(&mut *transaction).await.map_err(wrote)?;
                    }
                    transaction.commit().await.map_err(wrote)?;
                    Ok(enabled)
                }

                async fn endpoints(&self) -> Result<Vec<EndpointState>, StoreError> {
                    let rows = sqlx::query("SELECT name, registered_at, disabled_at, reason FROM endpoints ORDER BY name");
                    let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
                    let state = |row: &DatabaseRow| {
                        let reason = row.get::<Option<String>, _>(3).unwrap_or_default();
                        let disabled = row.get::<Option<i64>, _>(2).map(|at| (Timestamp(at), reason));
                        EndpointState { name: row.get(0), registered_at: Timestamp(row.get(1)), disabled }
                    };
                    Ok(rows.iter().map(state).collect())
                }

                async fn disable_endpoint(
                    &self,
                    name: &str,
                    target: &str,
                    reason: &str,
                    others: &[String],
                    now: Timestamp,
                ) -> Result<bool, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    let done = sqlx::query(
                        "UPDATE endpoints SET disabled_at = $3, reason = $4
                         WHERE name = $1 AND target = $2 AND disabled_at IS NULL",
                    );
                    let done = done.bind(name).bind(target).bind(now.0).bind(reason).execute(&mut *transaction).await;
                    if done.map_err(wrote)?.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let given_up = sqlx::query(
                        "UPDATE deliveries SET state = 'dead', next_at = $2, lease_until = 0,
                            last_error = 'not sent: the endpoint is disabled'
                         WHERE endpoint = $1 AND state = 'pending'",
                    );
                    let given_up = given_up.bind(name).bind(now.0).execute(&mut *transaction).await.map_err(wrote)?;
                    let body = serde_json::json!({
                        "endpoint": name, "reason": reason, "disabled_at": now.to_string(),
                        "deliveries_given_up": given_up.rows_affected(),
                    });
                    tell_others(&mut transaction, body, others, now).await?;
                    let entry = own_entry(now, "endpoint.disable", name, reason.to_owned());
                    write_audit(&mut transaction, &[entry]).await?;
                    transaction.commit().await.map_err(wrote)?;
                    Ok(true)
                }

                async fn enable_endpoint(&self, name: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    let done = sqlx::query(
                        "UPDATE endpoints SET disabled_at = NULL, reason = NULL WHERE name = $1 AND disabled_at IS NOT NULL",
                    );
                    let done = done.bind(name).execute(&mut *transaction).await.map_err(wrote)?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let entry = AuditEntry::new(now, by.clone(), "endpoint.enable", name, Outcome::Done).answered(200);
                    write_audit(&mut transaction, &[entry]).await?;
                    transaction.commit().await.map_err(wrote)?;
                    Ok(true)
                }
            }
        }
        use record_queries::{fill_seen, write_audit, write_seen};
    };
}
pub(crate) use implement_records;
