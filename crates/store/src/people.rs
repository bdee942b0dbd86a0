//! What people and their tools work with: incidents, deliveries to webhooks, summaries, tokens.

use async_trait::async_trait;
use event::incident::{HistoryEntry, Illegal, Link};
use event::{FactSheet, Finding, Incident, IncidentChange, IncidentId, IncidentStatus, Severity, Stage, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::{Findings, StoreError};

/// Filters are joined by AND; values of one filter by OR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentQuery {
    pub severities: Vec<Severity>,
    pub stages: Vec<Stage>,
    pub statuses: Vec<IncidentStatus>,
    pub assignee: Option<String>,
    /// Last event at or after this time.
    pub since: Option<Timestamp>,
    /// Such as `source.ip 192.0.2.1`.
    pub entity: Option<(String, String)>,
    /// Of these it names at least one; with `entity`, either.
    pub entities: Vec<(String, String)>,
    /// Sort time and id of the last incident of the page before.
    pub after: Option<(i64, IncidentId)>,
    pub limit: u32,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Done(Incident),
    /// There is no such incident.
    Missing,
    /// Somebody else changed it: as it is now.
    Stale(Incident),
    Illegal(Vec<Illegal>),
}

#[async_trait]
pub trait Incidents: Send + Sync + std::fmt::Debug {
    /// Newest first.
    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError>;
    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError>;
    /// Findings of an incident, in the order they joined.
    async fn links(&self, id: IncidentId, limit: u32) -> Result<Vec<Link>, StoreError>;
    /// The incident that a finding is in.
    async fn incident_of(&self, finding: event::FindingId) -> Result<Option<IncidentId>, StoreError>;
    /// Entries after `after`, oldest first.
    async fn history(&self, id: IncidentId, after: u64, limit: u32) -> Result<Vec<HistoryEntry>, StoreError>;
    /// Applies the change if the incident still has the version.
    async fn change(
        &self,
        id: IncidentId,
        version: u64,
        change: &IncidentChange,
        actor: &str,
        now: Timestamp,
    ) -> Result<Changed, StoreError> {
        self.change_by(id, Some(&[version]), change, &By::named(actor), now).await
    }
    /// Applies the change if the incident has one of the versions; `None`: whichever it has. Change, history, notice and
    /// audit entry are one transaction.
    async fn change_by(
        &self,
        id: IncidentId,
        versions: Option<&[u64]>,
        change: &IncidentChange,
        by: &By,
        now: Timestamp,
    ) -> Result<Changed, StoreError>;
}

/// What hides findings: of one rule, about whom one key names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mute {
    pub id: String,
    #[serde(rename = "rule.id")]
    pub rule_id: String,
    #[serde(rename = "rule.title")]
    pub rule_title: String,
    /// Such as `source.ip 192.0.2.1`. A finding is hidden where everything that ties it is muted.
    pub key: String,
    /// The false positive that it was made for.
    pub incident: IncidentId,
    pub actor: String,
    pub reason: String,
    pub created_at: Timestamp,
    pub until: Timestamp,
    /// When somebody ended it before, and who.
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<String>,
    /// What it has hidden.
    pub findings: u64,
    pub events: u64,
}

#[async_trait]
pub trait Mutes: Send + Sync + std::fmt::Debug {
    /// Newest first: those that hold, or all.
    async fn mutes(&self, ended_too: bool, limit: u32, now: Timestamp) -> Result<Vec<Mute>, StoreError>;
    /// False where there is none that holds.
    async fn end_mute(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}

/// Findings that an incident's facts are taken from.
pub const FACT_FINDINGS_MAX: u32 = 200;

/// The incident's facts, as the store has them.
pub async fn facts<S: Findings + Incidents + ?Sized>(store: &S, incident: &Incident) -> Result<FactSheet, StoreError> {
    let mut findings: Vec<Finding> = Vec::new();
    for link in store.links(incident.id, FACT_FINDINGS_MAX).await? {
        findings.extend(store.get(link.finding).await?.map(|stored| stored.finding));
    }
    Ok(FactSheet::of(incident, &findings))
}

/// One notice on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub notice_id: String,
    pub endpoint: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    pub attempts: u64,
    pub next_at: Timestamp,
    pub created_at: Timestamp,
    pub last_error: Option<String>,
    pub kind: String,
    /// A [`crate::NoticeBody`] as JSON.
    #[serde(skip)]
    pub body: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Delivered,
    /// To be tried again at this time.
    Retry {
        at: Timestamp,
        error: String,
    },
    /// Given up: kept until somebody sends it again.
    Dead {
        error: String,
    },
}

/// What stands in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    pub pending: u64,
    pub dead: u64,
    pub oldest_pending: Option<Timestamp>,
}

#[async_trait]
pub trait Deliveries: Send + Sync + std::fmt::Debug {
    /// Makes a delivery for each new notice and endpoint: `(name, least severity)`. How many. What people changed waits for
    /// `settle_us` after the first change, so that more of them are one notice.
    async fn fan_out(
        &self,
        endpoints: &[(String, Severity)],
        settle_us: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Deliveries that are due, leased until `lease_until`: nobody else gets them before.
    async fn due(&self, now: Timestamp, lease_until: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError>;
    async fn settle(&self, delivery: &Delivery, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError>;
    /// Newest first, of one state or of all.
    async fn deliveries(&self, state: Option<&str>, limit: u32) -> Result<Vec<Delivery>, StoreError>;
    /// Sends a dead delivery again. False where there is none.
    async fn revive(&self, notice_id: &str, endpoint: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.revive_by(notice_id, endpoint, &By::default(), now).await
    }
    /// The same, with its audit entry in the same transaction.
    async fn revive_by(&self, notice_id: &str, endpoint: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
    async fn outbox(&self) -> Result<OutboxState, StoreError>;
}

/// A summary as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSummary {
    pub incident: IncidentId,
    /// The facts it was written from.
    pub facts_version: u64,
    /// Hash of facts, prompt and model.
    pub key: String,
    /// `template` or `llm`.
    pub source: String,
    /// The summary as JSON.
    pub text: String,
    /// Answers of the model to these facts that were not borne out.
    pub attempts: u64,
    pub updated_at: Timestamp,
}

/// A summary is not written again sooner than this after the facts changed, in microseconds; the first one is at once.
pub const SUMMARY_PAUSE_US: i64 = 60_000_000;

#[async_trait]
pub trait Summaries: Send + Sync + std::fmt::Debug {
    async fn summary(&self, id: IncidentId) -> Result<Option<StoredSummary>, StoreError>;
    /// A summary written earlier from the same content.
    async fn summary_by_key(&self, key: &str) -> Result<Option<StoredSummary>, StoreError>;
    /// Keeps it; the model is to be asked `again` then, or not until the facts change.
    async fn put_summary(&self, summary: &StoredSummary, again: Option<Timestamp>) -> Result<(), StoreError>;
    /// Incidents whose facts have changed, and those that wait for the model where it can be asked; the gravest first.
    async fn to_summarise(&self, now: Timestamp, with_model: bool, limit: u32) -> Result<Vec<IncidentId>, StoreError>;
}

/// What a token may do; each role may do what the one before may, but for `ingest`, which only delivers events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Ingest,
    Viewer,
    Analyst,
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Ingest, Role::Viewer, Role::Analyst, Role::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Role::Ingest => "ingest",
            Role::Viewer => "viewer",
            Role::Analyst => "analyst",
            Role::Admin => "admin",
        }
    }

    /// Whether a holder of this role may do what needs the other.
    pub fn may(self, needed: Role) -> bool {
        match needed {
            Role::Ingest => matches!(self, Role::Ingest | Role::Admin),
            _ => self >= needed,
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Role::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| format!("`{text}` is not one of ingest, viewer, analyst, admin"))
    }
}

/// A token as it is kept: never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    /// Who it is for: named in history.
    pub name: String,
    pub role: Role,
    /// SHA-256 of the secret, hexadecimal.
    pub hash: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}

#[async_trait]
pub trait Tokens: Send + Sync + std::fmt::Debug {
    async fn token(&self, id: &str) -> Result<Option<Token>, StoreError>;
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
    async fn add_token(&self, token: &Token) -> Result<(), StoreError> {
        self.add_token_by(token, &By::default()).await
    }
    /// The same, with its audit entry in the same transaction.
    async fn add_token_by(&self, token: &Token, by: &By) -> Result<(), StoreError>;
    /// False where there is no such token.
    async fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        self.revoke_token_by(id, &By::default(), Timestamp(0)).await
    }
    /// The same, with its audit entry in the same transaction.
    async fn revoke_token_by(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}
