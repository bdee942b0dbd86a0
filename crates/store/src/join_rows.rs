//! What joining findings to incidents reads and writes, inside the transaction of a commit or of a person's change.
//! Decides nothing: that is `parts` and `join`.

use std::collections::BTreeSet;

use event::{FindingId, Incident, IncidentId};

use crate::entity_keys::keys;
use crate::error::StoreError;
use crate::known::{Home, Known, Part, StoredPart};
use crate::ledger::Commit;
use crate::parts::Prepared;
use crate::rows::{JoinedRows, held_rows, hexadecimal, read_doc, texts};
use crate::sql::{Row, Text, Transaction, both, sql};

const PARTS_OF: Text = both!(
    "SELECT finding_id, events, continued, incident_id, '' FROM incident_findings WHERE finding_id " in 1
    " UNION ALL SELECT finding_id, events, continued, '', mute_id FROM held_findings WHERE finding_id " in 1
);
const ANY_MUTE: &str = "SELECT 1 FROM mutes WHERE ended_at = 0 AND until > $1 LIMIT 1";
const MUTES_OF: Text = both!(
    "SELECT rule_id, key, id FROM mutes WHERE ended_at = 0 AND until > $2 AND key " in 1 " ORDER BY until"
);
const OPEN_BY_KEY: Text = both!(
    "SELECT k.key, k.incident_id FROM incident_keys k JOIN incidents i ON i.id = k.incident_id
     WHERE i.status NOT IN ('resolved', 'closed') AND k.key " in 1
);
/// People may be changing these at the moment: their rows are held until the commit's end.
const LOCK_MANY: Text = both!("SELECT doc, memory FROM incidents WHERE id " in 1 " ORDER BY id" lock);
const LOCK_ONE: Text = both!("SELECT doc FROM incidents WHERE id = $1" lock);

const PUT_INCIDENTS: Text = both!(
    "INSERT INTO incidents (id, severity, stage, status, assignee, sort_time, version, facts_version, doc,
        summary_state, summary_due, memory) "
    rows(id TEXT, severity BIGINT, stage TEXT, status TEXT, assignee TEXT, sort_time BIGINT, version BIGINT,
        facts_version BIGINT, doc TEXT, summary_state BIGINT, summary_due BIGINT, memory TEXT)
    " ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, stage = excluded.stage, status = excluded.status,
        assignee = excluded.assignee, sort_time = excluded.sort_time, version = excluded.version,
        facts_version = excluded.facts_version, doc = excluded.doc,
        memory = coalesce(excluded.memory, incidents.memory),
        summary_due = CASE WHEN incidents.summary_state = 1 OR incidents.facts_version = excluded.facts_version
            THEN incidents.summary_due ELSE excluded.summary_due + 60000000 END,
        summary_state = CASE WHEN incidents.facts_version = excluded.facts_version
            THEN incidents.summary_state ELSE 1 END"
);
const PUT_LINKS: Text = both!(
    "INSERT INTO incident_findings (finding_id, incident_id, events, added_at, doc) "
    rows(finding_id TEXT, incident_id TEXT, events BIGINT, added_at BIGINT, doc TEXT)
    " ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events"
);
const PUT_KEYS: Text = both!(
    "INSERT INTO incident_keys (key, incident_id) " rows(key TEXT, incident_id TEXT) " ON CONFLICT DO NOTHING"
);
const PUT_HISTORY: Text = both!(
    "INSERT INTO incident_history (incident_id, number, doc) " rows(incident_id TEXT, number BIGINT, doc TEXT)
    " ON CONFLICT DO NOTHING"
);
const PUT_NOTICES: Text = both!(
    "INSERT INTO notices (id, kind, severity, created_at, body, incident_id) "
    rows(id TEXT, kind TEXT, severity BIGINT, created_at BIGINT, body TEXT, incident_id TEXT)
    " ON CONFLICT DO NOTHING"
);
const PUT_HELD: Text = both!(
    "INSERT INTO held_findings (finding_id, mute_id, events, continued) "
    rows(finding_id TEXT, mute_id TEXT, events BIGINT, continued TEXT)
    " ON CONFLICT (finding_id) DO UPDATE SET events = excluded.events, continued = excluded.continued"
);

/// An incident out of a column that holds its `doc`.
pub(crate) fn incident_of(row: &Row, at: usize) -> Result<Incident, StoreError> {
    read_doc(row.get::<&str>(at), "an incident")
}

/// An incident id out of a column that holds it in hexadecimal digits.
pub(crate) fn incident_id(row: &Row, at: usize) -> Result<IncidentId, StoreError> {
    hexadecimal(row.get(at), "an incident's id").map(IncidentId)
}

/// An incident that nobody else changes until the transaction ends; `None` where there is none of this id.
pub(crate) async fn lock_incident(transaction: &mut Transaction, id: &str) -> Result<Option<Incident>, StoreError> {
    let row = transaction.row(sql(LOCK_ONE).bind(id)).await?;
    row.map(|row| incident_of(&row, 0)).transpose()
}

/// What the commit's findings may be joined to. `None`: there is nothing to join.
pub(crate) async fn read_known(transaction: &mut Transaction, commit: &Commit) -> Result<Option<Known>, StoreError> {
    if commit.join.is_none() || commit.findings.is_empty() {
        return Ok(None);
    }
    let mut known = Known::default();
    read_parts(transaction, commit, &mut known).await?;
    let mut names: Vec<String> = commit.findings.iter().flat_map(|finding| keys(&finding.entities)).collect();
    names.sort_unstable();
    names.dedup();
    let names = texts(&names);
    // Mutes are few, and most of the time there is none: then the keys are not looked up.
    if transaction.row(sql(ANY_MUTE).bind(commit.now.0)).await?.is_some() {
        let rows = transaction.rows(sql(MUTES_OF).bind(&names).bind(commit.now.0)).await?;
        known.mutes = rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    }
    read_incidents(transaction, names, &mut known).await?;
    for id in known.wanted(&commit.findings) {
        if let Some(stored) = stored_part(transaction, id).await? {
            known.stored.insert(id, stored);
        }
    }
    Ok(Some(known))
}

/// The parts of the commit's findings, and those that go on from them.
async fn read_parts(transaction: &mut Transaction, commit: &Commit, known: &mut Known) -> Result<(), StoreError> {
    let mut ids: BTreeSet<FindingId> = commit.findings.iter().map(|finding| finding.id).collect();
    while !ids.is_empty() {
        let rows = transaction.rows(sql(PARTS_OF).bind(texts(&ids))).await?;
        // Of what is done with, what goes on is looked up as well: rarely more than one step.
        ids.clear();
        for row in rows {
            let (id, part) = part_of(&row)?;
            ids.extend(part.continued.filter(|next| !known.parts.contains_key(next)));
            known.parts.insert(id, part);
        }
    }
    Ok(())
}

/// The incidents of the parts, and the open ones that the keys name.
async fn read_incidents(transaction: &mut Transaction, names: String, known: &mut Known) -> Result<(), StoreError> {
    let mut incidents: BTreeSet<IncidentId> =
        known.parts.keys().filter_map(|id| known.link(*id)).map(|(incident, _)| incident).collect();
    for row in transaction.rows(sql(OPEN_BY_KEY).bind(names)).await? {
        let incident = incident_id(&row, 1)?;
        known.by_key.entry(row.get(0)).or_default().push(incident);
        incidents.insert(incident);
    }
    if incidents.is_empty() {
        return Ok(());
    }
    for row in transaction.rows(sql(LOCK_MANY).bind(texts(incidents))).await? {
        let incident = incident_of(&row, 0)?;
        if let Some(memory) = row.get::<Option<&str>>(1) {
            known.memories.insert(incident.id, read_doc(memory, "what is remembered of an incident")?);
        }
        known.incidents.insert(incident.id, incident);
    }
    Ok(())
}

/// A finding as far as what goes on from it has to know it.
async fn stored_part(transaction: &mut Transaction, id: FindingId) -> Result<Option<StoredPart>, StoreError> {
    match transaction {
        Transaction::Sqlite(transaction) => crate::sqlite::read::part(transaction, id).await,
        Transaction::Postgres(transaction) => crate::postgres::read::part(transaction, id).await,
    }
}

fn part_of(row: &Row) -> Result<(FindingId, Part), StoreError> {
    let (continued, incident, mute): (&str, &str, &str) = (row.get(2), row.get(3), row.get(4));
    let home = match (incident, mute) {
        ("", "") => Home::Nowhere,
        ("", mute) => Home::Mute(mute.to_owned()),
        _ => Home::Incident(incident_id(row, 3)?),
    };
    let next = (!continued.is_empty()).then(|| hexadecimal(continued, "a finding's id").map(FindingId));
    let id = FindingId(hexadecimal(row.get(0), "a finding's id")?);
    Ok((id, Part { home, events: row.count(1), continued: next.transpose()? }))
}

/// What the commit's findings become: rows of other tables, once the findings are written.
pub(crate) async fn write_joined(
    transaction: &mut Transaction,
    mut rows: JoinedRows,
    prepared: &Prepared<'_>,
) -> Result<(), StoreError> {
    rows.held = (!prepared.held.is_empty()).then(|| held_rows(prepared.held.iter()));
    write_rows(transaction, rows).await?;
    for (done, next) in &prepared.done_with {
        let done = sql("UPDATE incident_findings SET continued = $2 WHERE finding_id = $1").bind(done.to_string());
        transaction.write(done.bind(next.to_string())).await?;
    }
    Ok(())
}

/// Writes rows of incidents and of what hangs on them, a statement for each table.
pub(crate) async fn write_rows(transaction: &mut Transaction, rows: JoinedRows) -> Result<(), StoreError> {
    for (statement, rows) in [
        (PUT_INCIDENTS, rows.incidents),
        (PUT_LINKS, rows.links),
        (PUT_KEYS, rows.keys),
        (PUT_HISTORY, rows.history),
        (PUT_NOTICES, rows.notices),
        (PUT_HELD, rows.held),
    ] {
        if let Some(rows) = rows {
            transaction.write(sql(statement).bind(rows)).await?;
        }
    }
    Ok(())
}
