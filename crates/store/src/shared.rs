//! Queries that both databases understand, written once: PostgreSQL and SQLite both take `$1`, and these tables hold
//! texts and 64-bit numbers only. What differs (lists, row locks, rows from JSON) comes in as literals.

/// Implements the traits of `people` and the joining of findings for one database.
macro_rules! implement_shared {
    ($store:ty, $database:ty, begin = $begin:literal, list = [$l1:literal, $l2:literal, $l3:literal],
     sixth = $l6:literal, lock = $lock:literal,
     rows = { incidents: $incidents:literal, links: $links:literal, keys: $keys:literal, history: $history:literal,
              notices: $notices:literal, held: $held:literal }, rules_of = $rules_of:literal) => {
        mod shared_queries {
            use std::collections::BTreeSet;

            use async_trait::async_trait;
            use event::block::digest;
            use event::incident::{HistoryEntry, Illegal, Link};
            use event::{FindingId, Incident, IncidentChange, IncidentId, Timestamp};
            use sqlx::Row;

            use super::*;
            use crate::join::{self, Joined};
            use crate::known::{Home, Known, Part};
            use crate::mutes;
            use crate::notice::{self, Notice, NoticeBody, What};
            use crate::parts::Prepared;
            use crate::people::*;
            use crate::rows::*;
            use crate::audit::{self, AuditEntry, By, Outcome};
            use crate::{Commit, StoreError};

            type Connection = <$database as sqlx::Database>::Connection;
            type DatabaseRow = <$database as sqlx::Database>::Row;

            const PARTS_OF: &str = concat!(
                "SELECT finding_id, events, continued, incident_id, '' FROM incident_findings WHERE finding_id ", $l1,
                " UNION ALL SELECT finding_id, events, continued, '', mute_id FROM held_findings WHERE finding_id ", $l1
            );
            const MUTES_OF: &str = concat!(
                "SELECT rule_id, key, id FROM mutes WHERE ended_at = 0 AND until > $2 AND key ", $l1, " ORDER BY until"
            );
            const OPEN_BY_KEY: &str = concat!(
                "SELECT k.key, k.incident_id FROM incident_keys k JOIN incidents i ON i.id = k.incident_id
                 WHERE i.status NOT IN ('resolved', 'closed') AND k.key ", $l1
            );
            /// People may be changing these at the moment: their rows are held until the commit's end.
            const LOCK_MANY: &str = concat!("SELECT doc, memory FROM incidents WHERE id ", $l1, " ORDER BY id", $lock);
            const LIST: &str = concat!(
                "SELECT doc FROM incidents
                 WHERE ($1 = '[]' OR CAST(severity AS TEXT) ", $l1, ")
                   AND ($2 = '[]' OR stage ", $l2, ")
                   AND ($3 = '[]' OR status ", $l3, ")
                   AND ($4 = '' OR assignee = $4) AND sort_time >= $5
                   AND ($6 = '[]' OR id IN (SELECT incident_id FROM incident_keys WHERE key ", $l6, "))
                   AND ($8 = '' OR sort_time < $7 OR (sort_time = $7 AND id < $8))
                 ORDER BY sort_time DESC, id DESC LIMIT $9"
            );
            const LOCK_ONE: &str = concat!("SELECT doc FROM incidents WHERE id = $1", $lock);
            fn wrote(error: sqlx::Error) -> StoreError {
                StoreError::Write(error)
            }

            fn incident_of(row: &DatabaseRow, at: usize) -> Result<Incident, StoreError> {
                read_doc(row.get::<&str, _>(at), "an incident")
            }

            /// What the commit's findings may be joined to, inside its transaction. `None`: there is nothing to join.
            pub(super) async fn read_known(connection: &mut Connection, commit: &Commit) -> Result<Option<Known>, StoreError> {
                if commit.join.is_none() || commit.findings.is_empty() {
                    return Ok(None);
                }
                let mut known = Known::default();
                let mut ids: BTreeSet<FindingId> = commit.findings.iter().map(|finding| finding.id).collect();
                while !ids.is_empty() {
                    let rows = sqlx::query(PARTS_OF).bind(texts(&ids)).fetch_all(&mut *connection).await;
                    // Of what is done with, what goes on is looked up as well: rarely more than one step.
                    ids.clear();
                    for row in rows.map_err(StoreError::Read)? {
                        let (id, part) = part_of(&row)?;
                        ids.extend(part.continued.filter(|next| !known.parts.contains_key(next)));
                        known.parts.insert(id, part);
                    }
                }
                let mut keys: Vec<String> = commit.findings.iter().flat_map(|one| join::keys(&one.entities)).collect();
                keys.sort_unstable();
                keys.dedup();
                let keys = texts(&keys);
                let rows = sqlx::query(MUTES_OF).bind(&keys).bind(commit.now.0).fetch_all(&mut *connection).await;
                let mute = |row: &DatabaseRow| ((row.get(0), row.get(1)), row.get(2));
                known.mutes = rows.map_err(StoreError::Read)?.iter().map(mute).collect();
                let mut incidents: BTreeSet<IncidentId> =
                    known.parts.keys().filter_map(|id| known.link(*id)).map(|(incident, _)| incident).collect();
                let rows = sqlx::query(OPEN_BY_KEY).bind(&keys).fetch_all(&mut *connection).await;
                for row in rows.map_err(StoreError::Read)? {
                    let incident = IncidentId(hexadecimal(row.get(1), "an incident's id")?);
                    known.by_key.entry(row.get(0)).or_default().push(incident);
                    incidents.insert(incident);
                }
                if !incidents.is_empty() {
                    let rows = sqlx::query(LOCK_MANY).bind(texts(incidents)).fetch_all(&mut *connection).await;
                    for row in rows.map_err(StoreError::Read)? {
                        let incident = incident_of(&row, 0)?;
                        if let Some(memory) = row.get::<Option<&str>, _>(1) {
                            known.memories.insert(incident.id, read_doc(memory, "what is remembered of an incident")?);
                        }
                        known.incidents.insert(incident.id, incident);
                    }
                }
                for id in known.wanted(&commit.findings) {
                    if let Some(stored) = super::read::part(&mut *connection, id).await? {
                        known.stored.insert(id, stored);
                    }
                }
                Ok(Some(known))
            }

            fn part_of(row: &DatabaseRow) -> Result<(FindingId, Part), StoreError> {
                let (continued, incident, mute): (&str, &str, &str) = (row.get(2), row.get(3), row.get(4));
                let home = match (incident, mute) {
                    ("", "") => Home::Nowhere,
                    ("", mute) => Home::Mute(mute.to_owned()),
                    (incident, _) => Home::Incident(IncidentId(hexadecimal(incident, "an incident's id")?)),
                };
                let next = (!continued.is_empty()).then(|| hexadecimal(continued, "a finding's id").map(FindingId));
                let id = FindingId(hexadecimal(row.get(0), "a finding's id")?);
                Ok((id, Part { home, events: row.get::<i64, _>(1) as u64, continued: next.transpose()? }))
            }

            /// What the commit's findings become: rows of other tables, once the findings are written.
            pub(super) async fn write_joined(
                connection: &mut Connection,
                mut rows: JoinedRows,
                prepared: &Prepared<'_>,
            ) -> Result<(), StoreError> {
                rows.held = (!prepared.held.is_empty()).then(|| held_rows(prepared.held.iter()));
                write_rows(&mut *connection, rows).await?;
                for (done, next) in &prepared.done_with {
                    let done = sqlx::query("UPDATE incident_findings SET continued = $2 WHERE finding_id = $1")
                        .bind(done.to_string())
                        .bind(next.to_string());
                    done.execute(&mut *connection).await.map_err(wrote)?;
                }
                Ok(())
            }

            pub(super) async fn write_rows(connection: &mut Connection, rows: JoinedRows) -> Result<(), StoreError> {
                for (statement, rows) in [
                    ($incidents, rows.incidents),
                    ($links, rows.links),
                    ($keys, rows.keys),
                    ($history, rows.history),
                    ($notices, rows.notices),
                    ($held, rows.held),
                ] {
                    if let Some(rows) = rows {
                        sqlx::query(statement).bind(rows).execute(&mut *connection).await.map_err(wrote)?;
                    }
                }
                Ok(())
            }

            #[async_trait]
            impl Incidents for $store {
                async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError> {
                    let (after_time, after_id) = query.after.map_or((0, String::new()), |(time, id)| (time, id.to_string()));
                    let entities = query.entity.iter().chain(&query.entities);
                    let entities = texts(entities.map(|(kind, value)| join::entity_key(kind, value).replace('\0', "")));
                    let rows = sqlx::query(LIST)
                        .bind(texts(query.severities.iter().map(|severity| *severity as i64)))
                        .bind(texts(&query.stages))
                        .bind(texts(&query.statuses))
                        .bind(query.assignee.as_deref().unwrap_or(""))
                        .bind(query.since.map_or(i64::MIN, |time| time.0))
                        .bind(entities)
                        .bind(after_time)
                        .bind(after_id)
                        .bind(i64::from(query.limit.clamp(1, PAGE_MAX + 1)))
                        .fetch_all(&self.pool)
                        .await
                        .map_err(StoreError::Read)?;
                    rows.iter().map(|row| incident_of(row, 0)).collect()
                }

                async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
                    let row = sqlx::query("SELECT doc FROM incidents WHERE id = $1").bind(id.to_string());
                    let row = row.fetch_optional(&self.pool).await.map_err(StoreError::Read)?;
                    row.map(|row| incident_of(&row, 0)).transpose()
                }

                async fn links(&self, id: IncidentId, limit: u32) -> Result<Vec<Link>, StoreError> {
                    let rows = sqlx::query(
                        "SELECT doc, events FROM incident_findings WHERE incident_id = $1 ORDER BY added_at, finding_id LIMIT $2",
                    );
                    let rows = rows.bind(id.to_string()).bind(i64::from(limit)).fetch_all(&self.pool).await;
                    let link = |row: &DatabaseRow| {
                        let link: Link = read_doc(row.get(0), "a link")?;
                        Ok(Link { events: row.get::<i64, _>(1) as u64, ..link })
                    };
                    rows.map_err(StoreError::Read)?.iter().map(link).collect()
                }

                async fn incident_of(&self, finding: FindingId) -> Result<Option<IncidentId>, StoreError> {
                    let row = sqlx::query("SELECT incident_id FROM incident_findings WHERE finding_id = $1");
                    let row = row.bind(finding.to_string()).fetch_optional(&self.pool).await.map_err(StoreError::Read)?;
                    row.map(|row| hexadecimal(row.get(0), "an incident's id").map(IncidentId)).transpose()
                }

                async fn history(&self, id: IncidentId, after: u64, limit: u32) -> Result<Vec<HistoryEntry>, StoreError> {
                    let rows = sqlx::query(
                        "SELECT doc FROM incident_history WHERE incident_id = $1 AND number > $2 ORDER BY number LIMIT $3",
                    );
                    let rows = rows.bind(id.to_string()).bind(after as i64).bind(i64::from(limit));
                    let rows = rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?;
                    rows.iter().map(|row| read_doc(row.get(0), "a history entry")).collect()
                }

                async fn change_by(
                    &self,
                    id: IncidentId,
                    versions: Option<&[u64]>,
                    change: &IncidentChange,
                    by: &By,
                    now: Timestamp,
                ) -> Result<Changed, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    let row = sqlx::query(LOCK_ONE).bind(id.to_string()).fetch_optional(&mut *transaction).await;
                    let Some(row) = row.map_err(StoreError::Read)? else { return Ok(Changed::Missing) };
                    let mut incident = incident_of(&row, 0)?;
                    if versions.is_some_and(|versions| !versions.contains(&incident.version)) {
                        return Ok(Changed::Stale(incident));
                    }
                    let mut entries = match incident.apply(change, &by.actor, now) {
                        Ok(entries) => entries,
                        Err(illegal) => return Ok(Changed::Illegal(illegal)),
                    };
                    if let Some(until) = change.mute_until {
                        let made = mutes_of(&mut transaction, &incident, change, (&by.actor, now, until)).await?;
                        match made {
                            Ok(told) => entries
                                .iter_mut()
                                .filter(|entry| entry.field == "mute_until")
                                .for_each(|entry| entry.to = Some(told.clone())),
                            Err(illegal) => return Ok(Changed::Illegal(vec![illegal])),
                        }
                    }
                    if change.verdict.is_some_and(|verdict| verdict != event::Verdict::FalsePositive) {
                        entries.extend(end_mutes_of(&mut transaction, &mut incident, &by.actor, now).await?);
                    }
                    let told = settle(&mut transaction, &incident, &entries).await?;
                    let entry = audit::of_change(now, by, &incident, &entries);
                    let joined = Joined {
                        history: entries.into_iter().map(|entry| (id, entry)).collect(),
                        notices: told.into_iter().collect(),
                        incidents: vec![incident.clone()],
                        ..Joined::default()
                    };
                    write_rows(&mut transaction, JoinedRows::of(&joined, now)).await?;
                    write_audit(&mut transaction, &[entry]).await?;
                    transaction.commit().await.map_err(wrote)?;
                    Ok(Changed::Done(incident))
                }
            }

            crate::outbox::implement_outbox!($store, begin = $begin, lock = $lock);
            crate::mutes::implement_mutes!($store, begin = $begin, rules_of = $rules_of);

            fn summary_of(row: &DatabaseRow) -> Result<StoredSummary, StoreError> {
                Ok(StoredSummary {
                    incident: IncidentId(hexadecimal(row.get(0), "an incident's id")?),
                    facts_version: row.get::<i64, _>(1) as u64,
                    key: row.get(2),
                    source: row.get(3),
                    text: row.get(4),
                    attempts: row.get::<i64, _>(5) as u64,
                    updated_at: Timestamp(row.get(6)),
                })
            }

            #[async_trait]
            impl Summaries for $store {
                async fn summary(&self, id: IncidentId) -> Result<Option<StoredSummary>, StoreError> {
                    let row = sqlx::query(
                        "SELECT incident_id, facts_version, key, source, text, attempts, updated_at FROM summaries WHERE incident_id = $1",
                    );
                    let row = row.bind(id.to_string()).fetch_optional(&self.pool).await.map_err(StoreError::Read)?;
                    row.as_ref().map(summary_of).transpose()
                }

                async fn summary_by_key(&self, key: &str) -> Result<Option<StoredSummary>, StoreError> {
                    let row = sqlx::query(
                        "SELECT incident_id, facts_version, key, source, text, attempts, updated_at FROM summaries
                         WHERE key = $1 AND source = 'llm' LIMIT 1",
                    );
                    let row = row.bind(key).fetch_optional(&self.pool).await.map_err(StoreError::Read)?;
                    row.as_ref().map(summary_of).transpose()
                }

                async fn put_summary(&self, summary: &StoredSummary, again: Option<Timestamp>) -> Result<(), StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    sqlx::query(
                        "INSERT INTO summaries (incident_id, facts_version, key, source, text, attempts, updated_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7)
                         ON CONFLICT (incident_id) DO UPDATE SET facts_version = excluded.facts_version,
                            key = excluded.key, source = excluded.source, text = excluded.text,
                            attempts = excluded.attempts, updated_at = excluded.updated_at
                         WHERE summaries.facts_version <= excluded.facts_version",
                    )
                    .bind(summary.incident.to_string())
                    .bind(summary.facts_version as i64)
                    .bind(&summary.key)
                    .bind(&summary.source)
                    .bind(&summary.text)
                    .bind(summary.attempts as i64)
                    .bind(summary.updated_at.0)
                    .execute(&mut *transaction)
                    .await
                    .map_err(wrote)?;
                    sqlx::query(
                        "UPDATE incidents SET
                            summary_state = CASE WHEN facts_version > $2 THEN 1 WHEN $3 = 0 THEN 0 ELSE 2 END,
                            summary_due = CASE WHEN facts_version > $2 THEN $4 ELSE $3 END
                         WHERE id = $1",
                    )
                    .bind(summary.incident.to_string())
                    .bind(summary.facts_version as i64)
                    .bind(again.map_or(0, |time| time.0))
                    .bind(summary.updated_at.saturating_add_us(SUMMARY_PAUSE_US).0)
                    .execute(&mut *transaction)
                    .await
                    .map_err(wrote)?;
                    transaction.commit().await.map_err(wrote)
                }

                async fn to_summarise(
                    &self,
                    now: Timestamp,
                    with_model: bool,
                    limit: u32,
                ) -> Result<Vec<IncidentId>, StoreError> {
                    let rows = sqlx::query(
                        "SELECT id FROM incidents
                         WHERE summary_state > 0 AND summary_due <= $1 AND (summary_state = 1 OR $2 = 1)
                         ORDER BY severity, summary_due LIMIT $3",
                    );
                    let rows = rows.bind(now.0).bind(i64::from(with_model)).bind(i64::from(limit)).fetch_all(&self.pool).await;
                    let rows = rows.map_err(StoreError::Read)?;
                    rows.iter().map(|row| hexadecimal(row.get(0), "an incident's id").map(IncidentId)).collect()
                }
            }

            fn token_of(row: &DatabaseRow) -> Result<Token, StoreError> {
                let role: String = row.get(2);
                Ok(Token {
                    id: row.get(0),
                    name: row.get(1),
                    role: role.parse().map_err(StoreError::Damaged)?,
                    hash: row.get(3),
                    created_at: Timestamp(row.get(4)),
                    expires_at: row.get::<Option<i64>, _>(5).map(Timestamp),
                    revoked: row.get::<i64, _>(6) != 0,
                })
            }

            #[async_trait]
            impl Tokens for $store {
                async fn token(&self, id: &str) -> Result<Option<Token>, StoreError> {
                    let row = sqlx::query(
                        "SELECT id, name, role, hash, created_at, expires_at, revoked FROM tokens WHERE id = $1",
                    );
                    let row = row.bind(id).fetch_optional(&self.pool).await.map_err(StoreError::Read)?;
                    row.as_ref().map(token_of).transpose()
                }

                async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
                    let rows = sqlx::query(
                        "SELECT id, name, role, hash, created_at, expires_at, revoked FROM tokens ORDER BY created_at, id",
                    );
                    rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?.iter().map(token_of).collect()
                }

                async fn add_token_by(&self, token: &Token, by: &By) -> Result<(), StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    sqlx::query(
                        "INSERT INTO tokens (id, name, role, hash, created_at, expires_at, revoked)
                         VALUES ($1, $2, $3, $4, $5, $6, 0)",
                    )
                    .bind(&token.id)
                    .bind(&token.name)
                    .bind(token.role.name())
                    .bind(&token.hash)
                    .bind(token.created_at.0)
                    .bind(token.expires_at.map(|time| time.0))
                    .execute(&mut *transaction)
                    .await
                    .map_err(wrote)?;
                    write_audit(&mut transaction, &[audit::of_token(by, token)]).await?;
                    transaction.commit().await.map_err(wrote)
                }

                async fn revoke_token_by(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                    let done = sqlx::query("UPDATE tokens SET revoked = 1 WHERE id = $1 AND revoked = 0").bind(id);
                    if done.execute(&mut *transaction).await.map_err(wrote)?.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let entry = AuditEntry::new(now, by.clone(), "token.revoke", id, Outcome::Done);
                    write_audit(&mut transaction, &[entry]).await?;
                    transaction.commit().await.map_err(wrote)?;
                    Ok(true)
                }
            }
        }
        use shared_queries::{read_known, write_joined};
    };
}
pub(crate) use implement_shared;
