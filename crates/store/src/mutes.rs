//! Mutes, for both databases: a verdict of false positive hides what the incident's rules find about whom it is about, until
//! a stated end. What is hidden is stored, counted and listed; it joins nothing and tells nobody.

/// Most mutes that one incident makes: its rules times what ties its findings.
pub(crate) const MUTES_MAX: usize = 1000;

/// Rules and keys as they are told.
pub(crate) fn told(rules: &[(String, String)], keys: &[String], until: event::Timestamp) -> String {
    let some = |all: Vec<&str>| match all.len() {
        0..=5 => all.join(", "),
        many => format!("{} and {} more", all[..5].join(", "), many - 5),
    };
    let titles = some(rules.iter().map(|(_, title)| title.as_str()).collect());
    format!("{until}: {titles}; for {}", some(keys.iter().map(String::as_str).collect()))
}

/// Implements mutes for one database, inside the module of [`crate::shared`].
macro_rules! implement_mutes {
    ($store:ty, begin = $begin:literal, rules_of = $rules_of:literal) => {
        const MUTES: &str =
            "SELECT m.id, m.rule_id, m.rule_title, m.key, m.incident_id, m.actor, m.reason, m.created_at, m.until,
                m.ended_at, m.ended_by,
                (SELECT count(*) FROM held_findings h WHERE h.mute_id = m.id),
                (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM held_findings h WHERE h.mute_id = m.id)
             FROM mutes m WHERE $1 = 1 OR (m.ended_at = 0 AND m.until > $2) ORDER BY m.created_at DESC, m.id LIMIT $3";

        fn mute_of(row: &DatabaseRow) -> Result<Mute, StoreError> {
            Ok(Mute {
                id: row.get(0),
                rule_id: row.get(1),
                rule_title: row.get(2),
                key: row.get(3),
                incident: IncidentId(hexadecimal(row.get(4), "an incident's id")?),
                actor: row.get(5),
                reason: row.get(6),
                created_at: Timestamp(row.get(7)),
                until: Timestamp(row.get(8)),
                ended_at: Some(Timestamp(row.get(9))).filter(|time| time.0 != 0),
                ended_by: Some(row.get::<String, _>(10)).filter(|name| !name.is_empty()),
                findings: row.get::<i64, _>(11) as u64,
                events: row.get::<i64, _>(12) as u64,
            })
        }

        /// Makes the mutes that a person wants for an incident: what was made, in words, or why not.
        async fn mutes_of(
            connection: &mut Connection,
            incident: &Incident,
            change: &IncidentChange,
            (actor, now, until): (&str, Timestamp, Timestamp),
        ) -> Result<Result<String, Illegal>, StoreError> {
            let illegal = |reason: String| Ok(Err(Illegal { field: "mute_until", reason }));
            let id = incident.id.to_string();
            let rows = sqlx::query($rules_of).bind(&id).fetch_all(&mut *connection).await.map_err(StoreError::Read)?;
            let rules: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let keys = "SELECT key FROM incident_keys WHERE incident_id = $1 AND key NOT LIKE 'entity %' ORDER BY key";
            let rows = sqlx::query(keys).bind(&id).fetch_all(&mut *connection).await.map_err(StoreError::Read)?;
            let keys: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            if rules.is_empty() || keys.is_empty() {
                return illegal("its findings name nobody that could be muted".to_owned());
            }
            if rules.len() * keys.len() > mutes::MUTES_MAX {
                let (rules, keys, most) = (rules.len(), keys.len(), mutes::MUTES_MAX);
                return illegal(format!("{rules} rules times {keys} entities are more than {most} mutes"));
            }
            let reason = change.comment.clone().unwrap_or_else(|| format!("incident {id} is a false positive"));
            for (rule, title) in &rules {
                for key in &keys {
                    let version = incident.version.to_be_bytes();
                    let own = digest(&[b"mute", id.as_bytes(), &version, rule.as_bytes(), key.as_bytes()]);
                    sqlx::query(
                        "INSERT INTO mutes (id, rule_id, rule_title, key, incident_id, actor, reason, created_at, until)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    )
                    .bind(format!("{own:032x}"))
                    .bind(rule)
                    .bind(title)
                    .bind(key)
                    .bind(&id)
                    .bind(actor)
                    .bind(&reason)
                    .bind(now.0)
                    .bind(until.0)
                    .execute(&mut *connection)
                    .await
                    .map_err(wrote)?;
                }
            }
            Ok(Ok(mutes::told(&rules, &keys, until)))
        }

        /// It is no false positive after all: what it muted is told again.
        async fn end_mutes_of(
            connection: &mut Connection,
            incident: &mut Incident,
            actor: &str,
            now: Timestamp,
        ) -> Result<Option<HistoryEntry>, StoreError> {
            let done = sqlx::query(
                "UPDATE mutes SET ended_at = $2, ended_by = $3 WHERE incident_id = $1 AND ended_at = 0 AND until > $2",
            );
            let done = done.bind(incident.id.to_string()).bind(now.0).bind(actor).execute(&mut *connection).await;
            let ended = done.map_err(wrote)?.rows_affected();
            let what = || Some(format!("all {ended}: the verdict is no longer false_positive"));
            Ok((ended > 0).then(|| incident.note(now, actor, "mute_ended", None, what())))
        }

        #[async_trait]
        impl Mutes for $store {
            async fn mutes(&self, ended_too: bool, limit: u32, now: Timestamp) -> Result<Vec<Mute>, StoreError> {
                let rows = sqlx::query(MUTES).bind(i64::from(ended_too)).bind(now.0).bind(i64::from(limit));
                rows.fetch_all(&self.pool).await.map_err(StoreError::Read)?.iter().map(mute_of).collect()
            }

            async fn end_mute(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
                let mut transaction = self.pool.begin_with($begin).await.map_err(wrote)?;
                let row = sqlx::query(
                    "UPDATE mutes SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at = 0 AND until > $2
                     RETURNING incident_id, rule_title, key",
                );
                let row = row.bind(id).bind(now.0).bind(&by.actor).fetch_optional(&mut *transaction).await.map_err(wrote)?;
                let Some(row) = row else { return Ok(false) };
                let what = format!("{}; for {}", row.get::<&str, _>(1), row.get::<&str, _>(2));
                let incident = sqlx::query(LOCK_ONE).bind(row.get::<&str, _>(0)).fetch_optional(&mut *transaction).await;
                if let Some(row) = incident.map_err(StoreError::Read)? {
                    let mut incident = incident_of(&row, 0)?;
                    let entry = incident.note(now, &by.actor, "mute_ended", None, Some(what.clone()));
                    incident.version += 1;
                    incident.updated_at = now;
                    let joined = Joined {
                        history: vec![(incident.id, entry)],
                        incidents: vec![incident],
                        ..Joined::default()
                    };
                    write_rows(&mut transaction, JoinedRows::of(&joined, now)).await?;
                }
                let entry = AuditEntry::new(now, by.clone(), "mute.end", id, Outcome::Done).answered(200).saying(what);
                write_audit(&mut transaction, &[entry]).await?;
                transaction.commit().await.map_err(wrote)?;
                Ok(true)
            }
        }
    };
}
pub(crate) use implement_mutes;
