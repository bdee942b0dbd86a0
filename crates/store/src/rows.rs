//! Rows as JSON: all rows of one table are bound as one JSON text, which both databases can unpack in a statement. Also
//! how single values are stored and read.

use event::event_set::EventSet;
use event::incident::{HistoryEntry, Link};
use event::{FindingId, Incident, IncidentId, Severity, Timestamp};
use serde_json::{Value, json};

use crate::error::StoreError;
use crate::join::Joined;
use crate::known::{Home, Part};
use crate::notice::Notice;

/// Most rows of one page of incidents or audit entries.
pub(crate) const PAGE_MAX: u32 = 500;

/// A value out of its JSON; `what` names it where it cannot be read.
pub(crate) fn read_doc<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
}

/// A set of events out of its text.
pub(crate) fn event_set(text: &str) -> Result<EventSet, StoreError> {
    EventSet::read(text).ok_or_else(|| StoreError::Damaged("the events of a finding".to_owned()))
}

/// A value as JSON.
pub(crate) fn doc<T: serde::Serialize>(value: &T) -> String {
    // These types hold texts and numbers only: writing them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Sort key of an incident, in microseconds since 1970.
pub(crate) fn sort_time(incident: &Incident) -> i64 {
    incident.scope.last_seen.unwrap_or(incident.record.created_at).0
}

/// A number out of hexadecimal digits; `what` names it where it cannot be read.
pub(crate) fn hexadecimal(text: &str, what: &str) -> Result<u128, StoreError> {
    u128::from_str_radix(text, 16).map_err(|_| StoreError::Damaged(format!("{what}: `{text}`")))
}

/// What joining has to write, table by table, as JSON for one statement each; `None` where there is nothing.
#[derive(Debug, Default)]
pub(crate) struct JoinedRows {
    pub(crate) incidents: Option<String>,
    pub(crate) links: Option<String>,
    pub(crate) keys: Option<String>,
    pub(crate) history: Option<String>,
    pub(crate) notices: Option<String>,
    pub(crate) held: Option<String>,
}

impl JoinedRows {
    pub(crate) fn of(joined: &Joined, now: Timestamp) -> Self {
        JoinedRows {
            incidents: (!joined.incidents.is_empty()).then(|| incident_rows(joined)),
            links: (!joined.links.is_empty()).then(|| link_rows(&joined.links)),
            keys: (!joined.keys.is_empty()).then(|| key_rows(joined)),
            history: (!joined.history.is_empty()).then(|| history_rows(&joined.history)),
            notices: (!joined.notices.is_empty()).then(|| notice_rows(&joined.notices, now.0)),
            held: None,
        }
    }
}

/// The facts have changed since the summary was written, or there is none.
const SUMMARY_STATE_NEW: i64 = 1;

/// Rows of `incidents` as JSON, for one statement.
fn incident_rows(joined: &Joined) -> String {
    let row = |incident: &Incident| {
        json!({
            "id": incident.id.to_string(), "severity": incident.rating.severity as i64, "stage": incident.work.stage.name(),
            "status": incident.work.status.name(), "assignee": incident.work.assignee.as_deref().unwrap_or(""),
            "sort_time": sort_time(incident), "version": incident.record.version, "facts_version": incident.record.facts_version,
            "doc": doc(incident), "summary_state": SUMMARY_STATE_NEW, "summary_due": incident.record.updated_at.0,
            "memory": joined.memories.get(&incident.id).map(doc),
        })
    };
    Value::Array(joined.incidents.iter().map(row).collect()).to_string()
}

fn link_rows(links: &[(IncidentId, Link)]) -> String {
    // A finding may change twice in one commit: its last count is written.
    let mut last: std::collections::BTreeMap<_, (IncidentId, Link)> = std::collections::BTreeMap::new();
    for (incident, link) in links {
        last.entry(link.finding).or_insert_with(|| (*incident, link.clone())).1.events = link.events;
    }
    let row = |(incident, link): &(IncidentId, Link)| {
        json!({
            "finding_id": link.finding.to_string(), "incident_id": incident.to_string(), "events": link.events,
            "added_at": link.added_at.0, "doc": doc(link),
        })
    };
    Value::Array(last.values().map(row).collect()).to_string()
}

fn key_rows(joined: &Joined) -> String {
    let row = |(key, id): &(String, IncidentId)| json!({"key": key, "incident_id": id.to_string()});
    Value::Array(joined.keys.iter().map(row).collect()).to_string()
}

fn history_rows(history: &[(IncidentId, HistoryEntry)]) -> String {
    let row = |(id, entry): &(IncidentId, HistoryEntry)| {
        let incident = id.to_string();
        json!({"incident_id": incident, "number": entry.number, "doc": doc(entry)})
    };
    Value::Array(history.iter().map(row).collect()).to_string()
}

fn notice_rows(notices: &[Notice], now: i64) -> String {
    let row = |notice: &Notice| {
        json!({
            "id": notice.id, "kind": notice.kind, "severity": notice.body.incident.rating.severity as i64, "created_at": now,
            "body": doc(&notice.body), "incident_id": notice.body.incident.id.to_string(),
        })
    };
    Value::Array(notices.iter().map(row).collect()).to_string()
}

/// Rows of `held_findings` as JSON, for one statement.
pub(crate) fn held_rows<'a>(held: impl Iterator<Item = (&'a FindingId, &'a Part)>) -> String {
    let row = |(id, part): (&FindingId, &Part)| {
        let mute = if let Home::Mute(mute) = &part.home { mute.as_str() } else { "" };
        let continued = part.continued.map(|next| next.to_string()).unwrap_or_default();
        json!({"finding_id": id.to_string(), "mute_id": mute, "events": part.events, "continued": continued})
    };
    Value::Array(held.map(row).collect()).to_string()
}

/// A JSON list of texts, for statements that ask for one of several.
pub(crate) fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    Value::Array(values.into_iter().map(|value| Value::String(value.to_string())).collect()).to_string()
}

/// A severity out of its number; an unknown number is the least severe.
pub(crate) fn severity_of(number: i64) -> Severity {
    Severity::ALL.into_iter().find(|known| *known as i64 == number).unwrap_or(Severity::P3)
}

/// Sixteen bytes as stored.
pub(crate) fn bytes(number: u128) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The number out of sixteen stored bytes.
pub(crate) fn number(bytes: Vec<u8>) -> Result<u128, StoreError> {
    let bytes: [u8; 16] =
        bytes.try_into().map_err(|_| StoreError::Damaged("an id that is not 16 bytes long".to_owned()))?;
    Ok(u128::from_be_bytes(bytes))
}
