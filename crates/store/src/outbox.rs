//! The outbox, for both databases: what people change settles before it is told, so that six steps that close an incident are
//! one notice; what has settled becomes a delivery for each endpoint. All of it stands in tables: a crash loses nothing.

/// Implements the outbox for one database, inside the module of [`crate::shared`].
macro_rules! implement_outbox {
    ($store:ty, begin = $begin:literal, lock = $lock:literal) => {
        /// Notices of people's changes wait from the first of them on; findings are told at once.
        const SETTLED: &str = concat!(
            "SELECT id, severity FROM notices WHERE fanned_out = 0
               AND (created_at <= $1 OR kind NOT IN ('incident.updated', 'incident.resolved'))
             ORDER BY created_at LIMIT 500", $lock
        );
        const SETTLING: &str = concat!(
            "SELECT id, body, severity FROM notices WHERE incident_id = $1 AND fanned_out = 0
               AND kind IN ('incident.updated', 'incident.resolved') LIMIT 1", $lock
        );
        const DUE: &str =
            "UPDATE deliveries SET lease_until = $2, attempts = attempts + 1
             WHERE state = 'pending' AND lease_until <= $1 AND (notice_id, endpoint) IN (
                SELECT notice_id, endpoint FROM deliveries
                WHERE state = 'pending' AND next_at <= $1 AND lease_until <= $1 ORDER BY next_at LIMIT $3)
             RETURNING notice_id, endpoint, state, attempts, next_at, created_at, last_error,
                (SELECT kind FROM notices n WHERE n.id = notice_id), (SELECT body FROM notices n WHERE n.id = notice_id)";


        fn delivery_of(row: &DatabaseRow) -> Delivery {
            Delivery {
                notice_id: row.get(0),
                endpoint: row.get(1),
                state: row.get(2),
                attempts: row.get::<i64, _>(3) as u64,
                next_at: Timestamp(row.get(4)),
                created_at: Timestamp(row.get(5)),
                last_error: row.get(6),
                kind: row.get(7),
                body: row.get(8),
            }
        }


        /// Adds a person's change to the notice that waits, or gives the notice that is to be written.
        async fn settle(
            connection: &mut Connection,
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
            let row = sqlx::query(SETTLING).bind(incident.id.to_string()).fetch_optional(&mut *connection).await;
            let Some(row) = row.map_err(StoreError::Read)? else {
                return Ok(Some(Notice::changed(incident, changes)));
            };
            let mut body: NoticeBody = read_doc(row.get(1), "a notice")?;
            body.take_up(incident.clone(), changes);
            metrics::counter!("notices_merged_total").increment(1);
            sqlx::query("UPDATE notices SET kind = $2, body = $3, severity = $4 WHERE id = $1")
                .bind(row.get::<&str, _>(0))
                .bind(notice::kind_of(incident))
                .bind(doc(&body))
                // Whoever was to be told of what it was is told what it became.
                .bind(row.get::<i64, _>(2).min(incident.severity as i64))
                .execute(&mut *connection)
                .await
                .map_err(wrote)?;
            Ok(None)
        }

        #[async_trait]
        impl Deliveries for $store {
            async fn fan_out(
                &self,
                endpoints: &[(String, event::Severity)],
                settle_us: i64,
                now: Timestamp,
            ) -> Result<u64, StoreError> {
                let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                let settled = now.saturating_sub_us(settle_us).0;
                let rows = sqlx::query(SETTLED).bind(settled).fetch_all(&mut *transaction).await.map_err(StoreError::Read)?;
                let mut made = 0;
                for row in &rows {
                    let (id, severity): (String, i64) = (row.get(0), row.get(1));
                    for (endpoint, _) in endpoints.iter().filter(|(_, least)| severity_of(severity) <= *least) {
                        sqlx::query(
                            "INSERT INTO deliveries (notice_id, endpoint, state, attempts, next_at, lease_until, created_at,
                                                     last_error)
                             SELECT $1, $2, CASE WHEN off = 0 THEN 'pending' ELSE 'dead' END, 0, $3, 0, $3,
                                CASE WHEN off = 0 THEN NULL ELSE 'not sent: the endpoint is disabled' END
                             FROM (SELECT count(*) AS off FROM endpoints WHERE name = $2 AND disabled_at IS NOT NULL) AS x
                             WHERE true ON CONFLICT DO NOTHING",
                        )
                        .bind(&id)
                        .bind(endpoint)
                        .bind(now.0)
                        .execute(&mut *transaction)
                        .await
                        .map_err(wrote)?;
                        made += 1;
                    }
                    let done = sqlx::query("UPDATE notices SET fanned_out = 1 WHERE id = $1").bind(&id);
                    done.execute(&mut *transaction).await.map_err(wrote)?;
                }
                transaction.commit().await.map_err(wrote)?;
                Ok(made)
            }

            async fn due(&self, now: Timestamp, lease_until: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
                let rows = sqlx::query(DUE).bind(now.0).bind(lease_until.0).bind(i64::from(limit));
                let rows = rows.fetch_all(&self.pool).await.map_err(wrote)?;
                Ok(rows.iter().map(delivery_of).collect())
            }

            async fn settle(&self, delivery: &Delivery, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
                let (state, at, error) = match attempt {
                    Attempt::Delivered => ("delivered", now, None),
                    Attempt::Retry { at, error } => ("pending", *at, Some(error)),
                    Attempt::Dead { error } => ("dead", now, Some(error)),
                };
                sqlx::query(
                    "UPDATE deliveries SET state = $3, next_at = $4, lease_until = 0, last_error = $5
                     WHERE notice_id = $1 AND endpoint = $2 AND state = 'pending' AND attempts = $6",
                )
                .bind(&delivery.notice_id)
                .bind(&delivery.endpoint)
                .bind(state)
                .bind(at.0)
                .bind(error)
                .bind(delivery.attempts as i64)
                .execute(&self.pool)
                .await
                .map_err(wrote)?;
                Ok(())
            }

            async fn deliveries(&self, state: Option<&str>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
                let rows = sqlx::query(
                    "SELECT d.notice_id, d.endpoint, d.state, d.attempts, d.next_at, d.created_at, d.last_error, n.kind, n.body
                     FROM deliveries d JOIN notices n ON n.id = d.notice_id WHERE ($1 = '' OR d.state = $1)
                     ORDER BY d.created_at DESC, d.notice_id, d.endpoint LIMIT $2",
                );
                let rows = rows.bind(state.unwrap_or("")).bind(i64::from(limit));
                let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
                Ok(rows.iter().map(delivery_of).collect())
            }

            async fn revive_by(
                &self,
                notice_id: &str,
                endpoint: &str,
                by: &By,
                now: Timestamp,
            ) -> Result<bool, StoreError> {
                let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                let done = sqlx::query(
                    "UPDATE deliveries SET state = 'pending', next_at = $3, lease_until = 0, attempts = 0
                     WHERE notice_id = $1 AND endpoint = $2 AND state = 'dead'",
                );
                let done = done.bind(notice_id).bind(endpoint).bind(now.0);
                if done.execute(&mut *transaction).await.map_err(wrote)?.rows_affected() == 0 {
                    return Ok(false);
                }
                let target = format!("{notice_id}/{endpoint}");
                let entry = AuditEntry::new(now, by.clone(), "delivery.retry", &target, Outcome::Done).answered(200);
                write_audit(&mut transaction, &[entry]).await?;
                transaction.commit().await.map_err(wrote)?;
                Ok(true)
            }

            async fn outbox(&self) -> Result<OutboxState, StoreError> {
                let row = sqlx::query(
                    "SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending'),
                            (SELECT count(*) FROM deliveries WHERE state = 'dead'),
                            (SELECT min(created_at) FROM deliveries WHERE state = 'pending')",
                );
                let row = row.fetch_one(&self.pool).await.map_err(StoreError::Read)?;
                Ok(OutboxState {
                    pending: row.get::<i64, _>(0) as u64,
                    dead: row.get::<i64, _>(1) as u64,
                    oldest_pending: row.get::<Option<i64>, _>(2).map(Timestamp),
                })
            }
        }
    };
}
pub(crate) use implement_outbox;
