//! Counting again, for both databases: everything is read in one transaction, page by page, and what can be derived is written
//! in the same. The repair that writes nothing does the same work and takes it back.

/// Implements the upkeep for one database, beside the macro of [`crate::shared`].
macro_rules! implement_upkeep {
    ($store:ty, $database:ty, begin = $begin:literal, findings = $findings:literal, links = $links:literal,
     id = $id:literal, entities = [$($entities:literal),+]) => {
        mod upkeep_queries {
            use event::{EventSet, Thresholds, Timestamp};
            use sqlx::Row;

            use super::*;
            use crate::join::Joined;
            use crate::rows::{JoinedRows, read_doc};
            use crate::upkeep::{Fault, FindingRow, Fix, Found, IncidentRow, LinkRow, MENDER, Recount, Upkeep, Value, found};
            use crate::StoreError;

            type Connection = <$database as sqlx::Database>::Connection;
            type DatabaseRow = <$database as sqlx::Database>::Row;

            /// Rows that must have another: table, what they are, statement for those that have none, statement that removes one.
            const ORPHANS: &[(&str, &str, &str, &str)] = &[
                ("incident_findings", "the link is to an incident that does not exist",
                 "SELECT finding_id FROM incident_findings l WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
                 "DELETE FROM incident_findings WHERE finding_id = $1"),
                ("incident_keys", "an entity is kept for an incident that does not exist",
                 "SELECT DISTINCT incident_id FROM incident_keys l WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
                 "DELETE FROM incident_keys WHERE incident_id = $1"),
                ("incident_history", "it is the history of an incident that does not exist",
                 "SELECT DISTINCT incident_id FROM incident_history l WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
                 ""),
                ("summaries", "it sums up an incident that does not exist",
                 "SELECT incident_id FROM summaries l WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
                 "DELETE FROM summaries WHERE incident_id = $1"),
                ("notices", "it tells of an incident that does not exist",
                 "SELECT id FROM notices l WHERE incident_id <> '' AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = l.incident_id)",
                 "DELETE FROM notices WHERE id = $1"),
                ("deliveries", "it delivers a notice that does not exist",
                 "SELECT DISTINCT notice_id FROM deliveries l WHERE NOT EXISTS (SELECT 1 FROM notices n WHERE n.id = l.notice_id)",
                 "DELETE FROM deliveries WHERE notice_id = $1"),
                ("held_findings", "it is hidden by a mute that does not exist",
                 "SELECT finding_id FROM held_findings l WHERE mute_id <> '' AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.id = l.mute_id)",
                 "DELETE FROM held_findings WHERE finding_id = $1"),
            ];

            fn statement(fix: Fix) -> &'static str {
                match fix {
                    Fix::Count => concat!("UPDATE findings SET count = $2 WHERE id = ", $id),
                    Fix::Score => concat!("UPDATE findings SET score = $2 WHERE id = ", $id),
                    Fix::SortTime => concat!("UPDATE findings SET sort_time = $2 WHERE id = ", $id),
                    Fix::Severity => concat!("UPDATE findings SET severity = $2 WHERE id = ", $id),
                    Fix::Events => concat!("UPDATE findings SET events = $2 WHERE id = ", $id),
                    Fix::Link => "UPDATE incident_findings SET events = $2 WHERE finding_id = $1",
                    Fix::Held => "UPDATE held_findings SET events = $2 WHERE finding_id = $1",
                    Fix::Unlink => "DELETE FROM incident_findings WHERE finding_id = $1",
                    Fix::Continue => "UPDATE incident_findings SET continued = '' WHERE finding_id = $1",
                    Fix::Entities => "",
                }
            }

            /// Tells the fault and mends it, inside the transaction.
            async fn take(connection: &mut Connection, recount: &mut Recount, one: Found) -> Result<(), StoreError> {
                if let Some((fix, id, value)) = one.fix {
                    let entities: &[&'static str] = &[$($entities),+];
                    let statements = if fix == Fix::Entities { entities } else { &[statement(fix)] };
                    for (at, statement) in statements.iter().enumerate() {
                        let query = sqlx::query(*statement).bind(&id);
                        let query = match &value {
                            Value::Number(number) => query.bind(*number),
                            // Of several statements the last takes the value.
                            Value::Text(text) if at + 1 == statements.len() => query.bind(text),
                            Value::Text(_) | Value::None => query,
                        };
                        query.execute(&mut *connection).await.map_err(StoreError::Write)?;
                    }
                }
                recount.take(one.fault);
                Ok(())
            }

            async fn findings(
                connection: &mut Connection,
                recount: &mut Recount,
                thresholds: Thresholds,
            ) -> Result<(), StoreError> {
                let mut after = String::new();
                loop {
                    let rows = sqlx::query($findings).bind(&after).fetch_all(&mut *connection).await;
                    let rows = rows.map_err(StoreError::Read)?;
                    let Some(last) = rows.last() else { return Ok(()) };
                    after = last.get(0);
                    for row in &rows {
                        recount.findings += 1;
                        let row = FindingRow {
                            id: row.get(0),
                            count: row.get(1),
                            score: row.get(2),
                            severity: row.get(3),
                            first_seen: row.get(4),
                            last_seen: row.get(5),
                            sort_time: row.get(6),
                            status: row.get(7),
                            details: row.get(8),
                            events: row.get(9),
                            evidence: row.get(10),
                            entities: row.get(11),
                            linked: row.get(12),
                            held: row.get(13),
                        };
                        for one in row.check(thresholds) {
                            take(&mut *connection, recount, one).await?;
                        }
                    }
                }
            }

            async fn orphans(connection: &mut Connection, recount: &mut Recount) -> Result<(), StoreError> {
                for (table, what, lost, remove) in ORPHANS {
                    let rows = sqlx::query(*lost).fetch_all(&mut *connection).await.map_err(StoreError::Read)?;
                    for row in rows {
                        let id: String = row.get(0);
                        let is_mendable = !remove.is_empty();
                        let remedy = if is_mendable { "it is removed" } else { "restore the incident from a backup" };
                        if is_mendable {
                            let removed = sqlx::query(*remove).bind(&id).execute(&mut *connection).await;
                            removed.map_err(StoreError::Write)?;
                        }
                        recount.take(Fault { table, id, what: (*what).to_owned(), remedy: remedy.to_owned(), is_mendable });
                    }
                }
                Ok(())
            }

            async fn links(connection: &mut Connection, recount: &mut Recount, id: &str) -> Result<Vec<LinkRow>, StoreError> {
                let rows = sqlx::query($links).bind(id).fetch_all(&mut *connection).await.map_err(StoreError::Read)?;
                let mut links = Vec::new();
                for row in rows {
                    recount.linked += 1;
                    let (finding, continued): (String, String) = (row.get(0), row.get(5));
                    let found_at = row.get::<Option<i64>, _>(2).map(|count| {
                        let set = EventSet::read(row.get::<Option<&str>, _>(4).unwrap_or(""));
                        (count, row.get::<Option<&str>, _>(3).and_then(|severity| severity.parse().ok()), set)
                    });
                    if found_at.is_none() {
                        let what = "the link is of a finding that does not exist".to_owned();
                        let fix = Some((Fix::Unlink, Value::None));
                        take(&mut *connection, recount, found("incident_findings", &finding, what, "it is removed", fix)).await?;
                    }
                    if !continued.is_empty() && row.get::<i64, _>(6) == 0 {
                        let what = format!("what goes on from it, finding {continued}, does not exist");
                        let fix = Some((Fix::Continue, Value::None));
                        let remedy = "it goes on itself";
                        take(&mut *connection, recount, found("incident_findings", &finding, what, remedy, fix)).await?;
                    }
                    links.push(LinkRow { found: found_at });
                }
                Ok(links)
            }

            async fn incident(
                connection: &mut Connection,
                recount: &mut Recount,
                row: &DatabaseRow,
                now: Timestamp,
            ) -> Result<(), StoreError> {
                let id: String = row.get(0);
                let Ok(incident) = read_doc::<event::Incident>(row.get(1), "an incident") else {
                    let what = "it cannot be read".to_owned();
                    recount.take(found("incidents", &id, what, "restore it from a backup", None).fault);
                    return Ok(());
                };
                let links = links(&mut *connection, recount, &id).await?;
                let rows = sqlx::query("SELECT number, doc FROM incident_history WHERE incident_id = $1 ORDER BY number");
                let rows = rows.bind(&id).fetch_all(&mut *connection).await.map_err(StoreError::Read)?;
                let entry = |row: &DatabaseRow| {
                    let entry: Option<event::incident::HistoryEntry> = read_doc(row.get(1), "").ok();
                    let (field, actor) = entry.map(|entry| (entry.field, entry.actor)).unwrap_or_default();
                    (row.get(0), field, actor)
                };
                let whole = IncidentRow {
                    incident,
                    columns: (row.get(3), row.get(4), row.get(5), row.get(6), row.get(7)),
                    memory: row.get::<Option<&str>, _>(2).and_then(|memory| read_doc(memory, "").ok()),
                    links,
                    history: rows.iter().map(entry).collect(),
                };
                let (faults, mended) = whole.check();
                if let Some((mut right, memory)) = mended {
                    let words: Vec<&str> = faults.iter().map(|one| one.fault.what.as_str()).collect();
                    let entry = right.note(now, MENDER, "repaired", None, Some(words.join("; ")));
                    right.version += 1;
                    right.facts_version += 1;
                    right.version = right.version.max(right.facts_version);
                    right.updated_at = now;
                    let joined = Joined {
                        history: vec![(right.id, entry)],
                        memories: [(right.id, memory)].into(),
                        incidents: vec![right],
                        ..Joined::default()
                    };
                    super::shared_queries::write_rows(&mut *connection, JoinedRows::of(&joined, now)).await?;
                }
                faults.into_iter().for_each(|one| recount.take(one.fault));
                Ok(())
            }

            #[async_trait]
            impl Upkeep for $store {
                async fn recount(
                    &self,
                    mend: bool,
                    thresholds: Thresholds,
                    now: Timestamp,
                ) -> Result<Recount, StoreError> {
                    let mut transaction = self.pool.begin_with($begin).await.map_err(StoreError::Write)?;
                    let mut recount = Recount::default();
                    findings(&mut transaction, &mut recount, thresholds).await?;
                    orphans(&mut transaction, &mut recount).await?;
                    let mut after = String::new();
                    loop {
                        let rows = sqlx::query(
                            "SELECT id, doc, memory, severity, stage, status, version, facts_version FROM incidents
                             WHERE id > $1 ORDER BY id LIMIT 500",
                        );
                        let rows = rows.bind(&after).fetch_all(&mut *transaction).await.map_err(StoreError::Read)?;
                        let Some(last) = rows.last() else { break };
                        after = last.get(0);
                        for row in &rows {
                            recount.incidents += 1;
                            incident(&mut transaction, &mut recount, row, now).await?;
                        }
                    }
                    if mend {
                        transaction.commit().await.map_err(StoreError::Write)?;
                    } else {
                        transaction.rollback().await.map_err(StoreError::Write)?;
                    }
                    Ok(recount)
                }
            }
        }
    };
}
pub(crate) use implement_upkeep;
