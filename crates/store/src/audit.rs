//! Who changed what, when, from where: entries that are written once and stay. Refused logins of one address within one
//! minute are one entry with a count, so that a flood of them cannot fill the table.

use async_trait::async_trait;
use event::block::digest;
use event::incident::HistoryEntry;
use event::{Incident, Timestamp};

use crate::StoreError;
use crate::people::Token;

/// Longest text of an entry's field that comes from outside, in characters.
const FIELD_CHARS_MAX: usize = 500;

/// By whom, from where, with which request. Empty where it is not known or does not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct By {
    /// Name of the token, user of the operating system, or `c0di3` itself.
    pub actor: String,
    /// Id of the token.
    pub actor_id: String,
    pub role: String,
    /// Who was connected.
    pub address: String,
    /// Whom a trusted proxy names.
    pub forwarded: String,
    pub method: String,
    /// Such as `/api/v1/incidents/{id}`.
    pub route: String,
    pub request_id: String,
}

impl By {
    /// Somebody of whom nothing but a name is known.
    pub fn named(actor: &str) -> Self {
        By { actor: actor.to_owned(), ..By::default() }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Done,
    /// Not allowed, or not possible as things are.
    Refused,
    /// Something went wrong on our side.
    Failed,
}

impl Outcome {
    pub const ALL: [Outcome; 3] = [Outcome::Done, Outcome::Refused, Outcome::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// 32 hexadecimal digits, derived from what the entry says.
    pub id: String,
    pub at: Timestamp,
    pub by: By,
    /// Such as `incident.change`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    pub outcome: Outcome,
    /// Status of the answer; 0 where there was none.
    pub status: u16,
    pub count: u64,
    /// What changed, in words.
    pub detail: String,
}

impl AuditEntry {
    pub fn new(at: Timestamp, by: By, action: &str, target: &str, outcome: Outcome) -> Self {
        let time = at.0.to_be_bytes();
        let parts: [&[u8]; 6] = [
            &time,
            by.actor.as_bytes(),
            by.actor_id.as_bytes(),
            by.request_id.as_bytes(),
            action.as_bytes(),
            target.as_bytes(),
        ];
        let id = format!("{:032x}", digest(&parts));
        let (action, target) = (action.to_owned(), target.to_owned());
        AuditEntry { id, at, by, action, target, outcome, status: 0, count: 1, detail: String::new() }
    }

    /// With another identity: entries of the same one are counted together.
    #[must_use]
    pub fn counted_as(mut self, parts: &[&[u8]], count: u64) -> Self {
        self.id = format!("{:032x}", digest(parts));
        AuditEntry { count, ..self }
    }

    #[must_use]
    pub fn answered(self, status: u16) -> Self {
        let id = format!("{:032x}", digest(&[self.id.as_bytes(), &status.to_be_bytes()]));
        AuditEntry { id, status, ..self }
    }

    #[must_use]
    pub fn saying(self, detail: impl Into<String>) -> Self {
        AuditEntry { detail: detail.into(), ..self }
    }
}

/// What changed of an incident: of long texts only that they did.
pub(crate) fn of_change(now: Timestamp, by: &By, incident: &Incident, entries: &[HistoryEntry]) -> AuditEntry {
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

pub(crate) fn of_token(by: &By, token: &Token) -> AuditEntry {
    let until = token.expires_at.map_or_else(|| "never expires".to_owned(), |time| format!("expires at {time}"));
    let detail = format!("role {}, name {}, {until}", token.role.name(), token.name);
    AuditEntry::new(token.created_at, by.clone(), "token.create", &token.id, Outcome::Done).saying(detail)
}

/// Text from outside as it is kept: bounded, without characters that steer.
pub(crate) fn kept(text: &str) -> String {
    let mut kept: String = text.chars().filter(|one| !one.is_control()).take(FIELD_CHARS_MAX + 1).collect();
    if kept.chars().count() > FIELD_CHARS_MAX {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// Filters are joined by AND.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    pub actor: Option<String>,
    pub action: Option<String>,
    pub outcome: Option<Outcome>,
    /// Who was connected, or whom a trusted proxy named.
    pub address: Option<String>,
    pub target: Option<String>,
    /// Time and id of the last entry of the page before.
    pub after: Option<(i64, String)>,
    pub limit: u32,
}

#[async_trait]
pub trait Audit: Send + Sync + std::fmt::Debug {
    /// Writes the entries, all or none; one that is known already is counted up.
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;
    /// Newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;
}
