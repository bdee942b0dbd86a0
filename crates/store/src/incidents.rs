//! Incidents in the store: lists, history, and people's changes, each in one transaction with what it tells.

use async_trait::async_trait;
use event::incident::{HistoryEntry, Link};
use event::{FindingId, Incident, IncidentChange, IncidentId, Timestamp, Verdict};

use crate::audit::{AuditEntry, By, Outcome, write_audit};
use crate::entity_keys::entity_key;
use crate::error::StoreError;
use crate::join::Joined;
use crate::join_rows::{incident_id, incident_of, lock_incident, write_rows};
use crate::mutes::{end_mutes_of, make_mutes_of};
use crate::outbox::settle;
use crate::people::{Changed, IncidentQuery, Incidents};
use crate::rows::{JoinedRows, PAGE_MAX, read_doc, texts};
use crate::sql::{Row, Text, both, sql};
use crate::sql_store::SqlStore;

const LIST: Text = both!(
    "SELECT doc FROM incidents
     WHERE ($1 = '[]' OR CAST(severity AS TEXT) " in 1 ")
       AND ($2 = '[]' OR stage " in 2 ")
       AND ($3 = '[]' OR status " in 3 ")
       AND ($4 = '' OR assignee = $4) AND sort_time >= $5
       AND ($6 = '[]' OR id IN (SELECT incident_id FROM incident_keys WHERE key " in 6 "))
       AND ($8 = '' OR sort_time < $7 OR (sort_time = $7 AND id < $8))
     ORDER BY sort_time DESC, id DESC LIMIT $9"
);

/// What changed of an incident: of long texts only that they did.
fn audit_entry(now: Timestamp, by: &By, incident: &Incident, entries: &[HistoryEntry]) -> AuditEntry {
    let changed = entries.iter().map(|entry| match entry.field.as_str() {
        "comment" | "post_mortem" => entry.field.clone(),
        field => format!(
            "{field}: {} to {}",
            entry.from.as_deref().unwrap_or("nothing"),
            entry.to.as_deref().unwrap_or("nothing")
        ),
    });
    let changed: Vec<String> = changed.collect();
    let target = incident.id.to_string();
    AuditEntry::new(now, by.clone(), "incident.change", &target, Outcome::Done).answered(200).saying(changed.join("; "))
}

#[async_trait]
impl Incidents for SqlStore {
    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError> {
        let (after_time, after_id) = query.after.map_or((0, String::new()), |(time, id)| (time, id.to_string()));
        let entities = query.entity.iter().chain(&query.entities);
        let entities = texts(entities.map(|(kind, value)| entity_key(kind, value).replace('\0', "")));
        let list = sql(LIST)
            .bind(texts(query.severities.iter().map(|severity| *severity as i64)))
            .bind(texts(&query.stages))
            .bind(texts(&query.statuses))
            .bind(query.assignee.as_deref().unwrap_or(""))
            .bind(query.since.map_or(i64::MIN, |time| time.0))
            .bind(entities)
            .bind(after_time)
            .bind(after_id)
            .bind(i64::from(query.limit.clamp(1, PAGE_MAX + 1)));
        self.pool.rows(list).await?.iter().map(|row| incident_of(row, 0)).collect()
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let row = self.pool.row(sql("SELECT doc FROM incidents WHERE id = $1").bind(id.to_string())).await?;
        row.map(|row| incident_of(&row, 0)).transpose()
    }

    async fn links(&self, id: IncidentId, limit: u32) -> Result<Vec<Link>, StoreError> {
        let links = sql(
            "SELECT doc, events FROM incident_findings WHERE incident_id = $1 ORDER BY added_at, finding_id LIMIT $2",
        );
        let link = |row: &Row| Ok(Link { events: row.count(1), ..read_doc(row.get(0), "a link")? });
        self.pool.rows(links.bind(id.to_string()).bind(i64::from(limit))).await?.iter().map(link).collect()
    }

    async fn incident_of(&self, finding: FindingId) -> Result<Option<IncidentId>, StoreError> {
        let link = sql("SELECT incident_id FROM incident_findings WHERE finding_id = $1").bind(finding.to_string());
        self.pool.row(link).await?.map(|row| incident_id(&row, 0)).transpose()
    }

    async fn history(&self, id: IncidentId, after: u64, limit: u32) -> Result<Vec<HistoryEntry>, StoreError> {
        let history =
            sql("SELECT doc FROM incident_history WHERE incident_id = $1 AND number > $2 ORDER BY number LIMIT $3");
        let history = history.bind(id.to_string()).bind(after as i64).bind(i64::from(limit));
        self.pool.rows(history).await?.iter().map(|row| read_doc(row.get(0), "a history entry")).collect()
    }

    async fn change_by(
        &self,
        id: IncidentId,
        versions: Option<&[u64]>,
        change: &IncidentChange,
        by: &By,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.begin_audited(&[now]).await?;
        let Some(mut incident) = lock_incident(&mut transaction, &id.to_string()).await? else {
            return Ok(Changed::Missing);
        };
        if versions.is_some_and(|versions| !versions.contains(&incident.record.version)) {
            return Ok(Changed::Stale(incident));
        }
        let mut entries = match incident.apply(change, &by.actor, now) {
            Ok(entries) => entries,
            Err(illegal) => return Ok(Changed::Illegal(illegal)),
        };
        if let Some(until) = change.mute_until {
            match make_mutes_of(&mut transaction, &incident, change, (&by.actor, now, until)).await? {
                Ok(told) => {
                    let muted = entries.iter_mut().filter(|entry| entry.field == "mute_until");
                    muted.for_each(|entry| entry.to = Some(told.clone()));
                }
                Err(illegal) => return Ok(Changed::Illegal(vec![illegal])),
            }
        }
        if change.verdict.is_some_and(|verdict| verdict != Verdict::FalsePositive) {
            entries.extend(end_mutes_of(&mut transaction, &mut incident, &by.actor, now).await?);
        }
        let notice = settle(&mut transaction, &incident, &entries).await?;
        let entry = audit_entry(now, by, &incident, &entries);
        let joined = Joined {
            history: entries.into_iter().map(|entry| (id, entry)).collect(),
            notices: notice.into_iter().collect(),
            incidents: vec![incident.clone()],
            ..Joined::default()
        };
        write_rows(&mut transaction, JoinedRows::of(&joined, now)).await?;
        write_audit(&mut transaction, &[entry]).await?;
        transaction.commit().await?;
        Ok(Changed::Done(incident))
    }
}
