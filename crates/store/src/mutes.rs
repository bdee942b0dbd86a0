//! Mutes in the store: a verdict of false positive hides what the incident's rules find about whom it is about, until a
//! stated end. What is hidden is stored, counted and listed; it joins nothing and tells nobody.

use async_trait::async_trait;
use event::block::digest;
use event::incident::{HistoryEntry, Illegal};
use event::{Incident, IncidentChange, Timestamp};

use crate::audit::{AuditEntry, By, Outcome, write_audit};
use crate::error::StoreError;
use crate::join::Joined;
use crate::join_rows::{incident_id, lock_incident, write_rows};
use crate::people::{Hidden, Mute, MutedRule, Mutes};
use crate::rows::JoinedRows;
use crate::sql::{Row, Text, Transaction, both, sql};
use crate::sql_store::SqlStore;

/// Most mutes that one incident makes: its rules times what ties its findings.
const MUTES_MAX: usize = 1000;

const LIST: &str =
    "SELECT m.id, m.rule_id, m.rule_title, m.key, m.incident_id, m.actor, m.reason, m.created_at, m.until,
        m.ended_at, m.ended_by,
        (SELECT count(*) FROM held_findings h WHERE h.mute_id = m.id),
        (SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM held_findings h WHERE h.mute_id = m.id)
     FROM mutes m WHERE $1 = 1 OR (m.ended_at = 0 AND m.until > $2) ORDER BY m.created_at DESC, m.id LIMIT $3";
const RULES_OF: Text = both!(
    "SELECT DISTINCT f.rule_id, f.rule_title FROM incident_findings l JOIN findings f ON f.id = " unhex("l.finding_id")
    " WHERE l.incident_id = $1 ORDER BY f.rule_id"
);

fn mute_of(row: &Row) -> Result<Mute, StoreError> {
    Ok(Mute {
        id: row.get(0),
        rule: MutedRule { id: row.get(1), title: row.get(2) },
        key: row.get(3),
        incident: incident_id(row, 4)?,
        actor: row.get(5),
        reason: row.get(6),
        created_at: Timestamp(row.get(7)),
        until: Timestamp(row.get(8)),
        ended_at: Some(Timestamp(row.get(9))).filter(|time| time.0 != 0),
        ended_by: Some(row.get::<String>(10)).filter(|name| !name.is_empty()),
        hidden: Hidden { findings: row.count(11), events: row.count(12) },
    })
}

/// Rules and keys as they are told.
fn told(rules: &[(String, String)], keys: &[String], until: Timestamp) -> String {
    let some = |all: Vec<&str>| match all.len() {
        0..=5 => all.join(", "),
        many => format!("{} and {} more", all[..5].join(", "), many - 5),
    };
    let titles = some(rules.iter().map(|(_, title)| title.as_str()).collect());
    format!("{until}: {titles}; for {}", some(keys.iter().map(String::as_str).collect()))
}

/// Makes the mutes that a person wants for an incident: what was made, in words, or why not.
pub(crate) async fn make_mutes_of(
    transaction: &mut Transaction,
    incident: &Incident,
    change: &IncidentChange,
    (actor, now, until): (&str, Timestamp, Timestamp),
) -> Result<Result<String, Illegal>, StoreError> {
    let illegal = |reason: String| Ok(Err(Illegal { field: "mute_until", reason }));
    let id = incident.id.to_string();
    let rows = transaction.rows(sql(RULES_OF).bind(&id)).await?;
    let rules: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let keys = sql("SELECT key FROM incident_keys WHERE incident_id = $1 AND key NOT LIKE 'entity %' ORDER BY key");
    let keys: Vec<String> = transaction.rows(keys.bind(&id)).await?.iter().map(|row| row.get(0)).collect();
    if rules.is_empty() || keys.is_empty() {
        return illegal("its findings name nobody that could be muted".to_owned());
    }
    if rules.len() * keys.len() > MUTES_MAX {
        let (rules, keys) = (rules.len(), keys.len());
        return illegal(format!("{rules} rules times {keys} entities are more than {MUTES_MAX} mutes"));
    }
    let reason = change.comment.clone().unwrap_or_else(|| format!("incident {id} is a false positive"));
    for (rule, title) in &rules {
        for key in &keys {
            let version = incident.record.version.to_be_bytes();
            let own = digest(&[b"mute", id.as_bytes(), &version, rule.as_bytes(), key.as_bytes()]);
            let add =
                sql("INSERT INTO mutes (id, rule_id, rule_title, key, incident_id, actor, reason, created_at, until)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
                .bind(format!("{own:032x}"))
                .bind(rule)
                .bind(title)
                .bind(key)
                .bind(&id)
                .bind(actor)
                .bind(&reason)
                .bind(now.0)
                .bind(until.0);
            transaction.write(add).await?;
        }
    }
    Ok(Ok(told(&rules, &keys, until)))
}

/// It is no false positive after all: what it muted is told again.
pub(crate) async fn end_mutes_of(
    transaction: &mut Transaction,
    incident: &mut Incident,
    actor: &str,
    now: Timestamp,
) -> Result<Option<HistoryEntry>, StoreError> {
    let end =
        sql("UPDATE mutes SET ended_at = $2, ended_by = $3 WHERE incident_id = $1 AND ended_at = 0 AND until > $2");
    let ended = transaction.write(end.bind(incident.id.to_string()).bind(now.0).bind(actor)).await?;
    let what = || Some(format!("all {ended}: the verdict is no longer false_positive"));
    Ok((ended > 0).then(|| incident.note(now, actor, "mute_ended", None, what())))
}

#[async_trait]
impl Mutes for SqlStore {
    async fn mutes(&self, ended_too: bool, limit: u32, now: Timestamp) -> Result<Vec<Mute>, StoreError> {
        let list = sql(LIST).bind(i64::from(ended_too)).bind(now.0).bind(i64::from(limit));
        self.pool.rows(list).await?.iter().map(mute_of).collect()
    }

    async fn end_mute(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let end = sql("UPDATE mutes SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at = 0 AND until > $2
             RETURNING incident_id, rule_title, key");
        let ended = transaction.returned(end.bind(id).bind(now.0).bind(&by.actor)).await?;
        let Some(row) = ended else { return Ok(false) };
        let what = format!("{}; for {}", row.get::<&str>(1), row.get::<&str>(2));
        if let Some(mut incident) = lock_incident(&mut transaction, row.get(0)).await? {
            let entry = incident.note(now, &by.actor, "mute_ended", None, Some(what.clone()));
            incident.record.version += 1;
            incident.record.updated_at = now;
            let joined = Joined { history: vec![(incident.id, entry)], incidents: vec![incident], ..Joined::default() };
            write_rows(&mut transaction, JoinedRows::of(&joined, now)).await?;
        }
        let entry = AuditEntry::new(now, by.clone(), "mute.end", id, Outcome::Done).answered(200).saying(what);
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
