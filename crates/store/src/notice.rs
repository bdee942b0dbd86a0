//! Notices: what webhooks tell about an incident. They are written in the transaction that changes the incident. No
//! I/O.

use event::block::digest;
use event::{FindingId, Incident};
use serde::{Deserialize, Serialize};

/// Kinds of notices about people's changes: these are held back for a while, so that several changes are told as one.
pub(crate) const UPDATED: &str = "incident.updated";
pub(crate) const RESOLVED: &str = "incident.resolved";

/// One thing that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct What {
    /// As in the incident's history: `severity`, `stage`, `status` …; `rule` where a rule's first finding joined.
    pub field: String,
    /// What it was before; absent where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The finding that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingId>,
    /// The title of that finding's rule.
    #[serde(default, rename = "rule.title", skip_serializing_if = "Option::is_none")]
    pub rule_title: Option<String>,
}

impl What {
    /// What changed, in words.
    pub fn sentence(&self) -> String {
        let from = self.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
        let to = self.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        let by = self.rule_title.as_ref().map(|title| format!(" by `{title}`")).unwrap_or_default();
        match self.field.as_str() {
            "rule" => format!("found as well{by}, of severity {}", self.to.as_deref().unwrap_or("unknown")),
            "opened" => format!("opened{by}"),
            "continues" => format!("goes on after incident{to} was over, found{by}"),
            field => format!("{field}{from}{to}{by}"),
        }
    }
}

/// What a notice tells: the incident as it was then, and what changed. Earlier versions wrote the incident alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeBody {
    /// The incident when the notice was written.
    #[serde(flatten)]
    pub incident: Incident,
    /// What changed, in the order it did.
    #[serde(default)]
    pub changes: Vec<What>,
    /// Span that it goes on from, as W3C Trace Context writes it. Nobody is told of it but as a header.
    #[serde(default, rename = "trace.parent", skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl NoticeBody {
    /// What changed, as one sentence.
    pub fn sentence(&self) -> String {
        self.changes.iter().map(What::sentence).collect::<Vec<_>>().join("; ")
    }

    /// Adds later changes: of each field the first `from` and the last `to` stay.
    pub(crate) fn take_up(&mut self, incident: Incident, changes: Vec<What>) {
        self.incident = incident;
        for change in changes {
            match self.changes.iter_mut().find(|known| known.field == change.field) {
                Some(known) => known.to = change.to,
                None => self.changes.push(change),
            }
        }
    }
}

/// One notice, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// 32 hexadecimal digits, derived from what happened, so that a second run writes no second notice.
    pub(crate) id: String,
    /// `incident.created`, `.continued`, `.escalated`, `.joined`, `.updated` or `.resolved`.
    pub(crate) kind: &'static str,
    pub(crate) body: NoticeBody,
}

impl Notice {
    /// A notice whose id follows from its kind, the incident, and `mark`, which tells occurrences of one kind apart.
    pub(crate) fn new(kind: &'static str, mark: &str, incident: &Incident, changes: Vec<What>) -> Self {
        let id = digest(&[kind.as_bytes(), &incident.id.0.to_be_bytes(), mark.as_bytes()]);
        Notice { id: format!("{id:032x}"), kind, body: NoticeBody { incident: incident.clone(), changes, trace: None } }
    }

    /// A notice that a person changed the incident.
    pub(crate) fn changed(incident: &Incident, changes: Vec<What>) -> Self {
        Self::new(kind_of(incident), &incident.record.version.to_string(), incident, changes)
    }
}

/// The kind of notice for a person's change, by whether the incident is still open.
pub(crate) fn kind_of(incident: &Incident) -> &'static str {
    if incident.is_open() { UPDATED } else { RESOLVED }
}
