//! What people and their tools work with: incidents, deliveries to webhooks, summaries, tokens.

use async_trait::async_trait;
use event::block::digest;
use event::incident::{HistoryEntry, Illegal, Link};
use event::{FactSheet, Finding, Incident, IncidentChange, IncidentId, IncidentStatus, Severity, Stage, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::By;
use crate::error::StoreError;
use crate::query::Findings;

/// Filters are joined by AND; values of one filter by OR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Severities; empty: all.
    pub severities: Vec<Severity>,
    /// Stages of the response; empty: all.
    pub stages: Vec<Stage>,
    /// Statuses; empty: all.
    pub statuses: Vec<IncidentStatus>,
    /// Who works on it; `None`: anybody or nobody.
    pub assignee: Option<String>,
    /// Last event at or after this time.
    pub since: Option<Timestamp>,
    /// An entity that it names, as kind and value: `source.ip`, `192.0.2.1`.
    pub entity: Option<(String, String)>,
    /// Of these it names at least one; with `entity`, either.
    pub entities: Vec<(String, String)>,
    /// Sort time in microseconds since 1970 and id of the last incident of the page before.
    pub after: Option<(i64, IncidentId)>,
    /// Most incidents of the page, from 1 to 501.
    pub limit: u32,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was made: the incident as it is now.
    Done(Incident),
    /// There is no such incident.
    Missing,
    /// Somebody else changed it: as it is now.
    Stale(Incident),
    /// It asks for what cannot be: each field and why not.
    Illegal(Vec<Illegal>),
}

/// Incidents and people's changes to them.
#[async_trait]
pub trait Incidents: Send + Sync + std::fmt::Debug {
    /// Newest first.
    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError>;
    /// One incident; `None` where there is none of this id.
    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError>;
    /// Findings of an incident, in the order they joined; `limit` of them at most.
    async fn links(&self, id: IncidentId, limit: u32) -> Result<Vec<Link>, StoreError>;
    /// The incident that a finding is in; `None` where it is in none.
    async fn incident_of(&self, finding: event::FindingId) -> Result<Option<IncidentId>, StoreError>;
    /// Entries with numbers greater than `after`, oldest first; `limit` of them at most.
    async fn history(&self, id: IncidentId, after: u64, limit: u32) -> Result<Vec<HistoryEntry>, StoreError>;
    /// Applies the change if the incident has one of the versions; `None`: whichever it has. Change, history, notice
    /// and audit entry are one transaction.
    async fn change_by(
        &self,
        id: IncidentId,
        versions: Option<&[u64]>,
        change: &IncidentChange,
        by: &By,
        now: Timestamp,
    ) -> Result<Changed, StoreError>;
    /// Applies the change if the incident still has the version, for a person of whom only the name is known.
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
}

/// The rule whose findings a mute hides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MutedRule {
    /// Its id.
    #[serde(rename = "rule.id")]
    pub id: String,
    /// Its title when the mute was made.
    #[serde(rename = "rule.title")]
    pub title: String,
}

/// What a mute has hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// How many findings.
    pub findings: u64,
    /// How many events these count.
    pub events: u64,
}

/// What hides findings: of one rule, about whom one key names. As JSON it is one flat object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mute {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Findings of this rule are hidden.
    #[serde(flatten)]
    pub rule: MutedRule,
    /// Such as `source.ip 192.0.2.1`. A finding is hidden where everything that ties it is muted.
    pub key: String,
    /// The false positive that it was made for.
    pub incident: IncidentId,
    /// Who made it.
    pub actor: String,
    /// Why, in that person's words.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// When somebody ended it before that.
    pub ended_at: Option<Timestamp>,
    /// Who ended it before that.
    pub ended_by: Option<String>,
    /// What it has hidden.
    #[serde(flatten)]
    pub hidden: Hidden,
}

/// Mutes: see [`Mute`].
#[async_trait]
pub trait Mutes: Send + Sync + std::fmt::Debug {
    /// Newest first: those that hold, or all; `limit` of them at most.
    async fn mutes(&self, ended_too: bool, limit: u32, now: Timestamp) -> Result<Vec<Mute>, StoreError>;
    /// Ends a mute, with an entry in its incident's history. False where there is none that holds.
    async fn end_mute(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}

/// Most findings that an incident's facts are taken from.
pub const FACT_FINDINGS_MAX: u32 = 200;

/// The incident's facts, from the first [`FACT_FINDINGS_MAX`] of its findings.
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
    /// 32 hexadecimal digits.
    pub notice_id: String,
    /// Name of the receiver.
    pub endpoint: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// How often it was sent.
    pub attempts: u64,
    /// When it is to be sent; once it is delivered or dead, since when.
    pub next_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Such as `incident.created`.
    pub kind: String,
    /// A [`crate::NoticeBody`] as JSON.
    #[serde(skip)]
    pub body: String,
}

impl Delivery {
    /// What receivers know the delivery by, over all attempts: `msg_` and 32 hexadecimal digits.
    pub fn webhook_id(&self) -> String {
        let id = digest(&[b"delivery", self.notice_id.as_bytes(), self.endpoint.as_bytes()]);
        format!("msg_{id:032x}")
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered,
    /// It failed, and is to be tried again.
    Retry {
        /// Not before this time.
        at: Timestamp,
        /// Why it failed.
        error: String,
    },
    /// Given up: kept until somebody sends it again.
    Dead {
        /// Why it failed.
        error: String,
    },
}

/// What stands in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Deliveries to be sent.
    pub pending: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// When the oldest delivery to be sent was made.
    pub oldest_pending: Option<Timestamp>,
}

/// The outbox: notices become deliveries, which are leased, sent and settled.
#[async_trait]
pub trait Deliveries: Send + Sync + std::fmt::Debug {
    /// Makes a delivery for each new notice and each endpoint, `(name, least severity)`, that wants it; gives their
    /// number. Notices of people's changes are held back until `settle_us` microseconds after the first change, so that
    /// several changes are one notice.
    async fn fan_out(
        &self,
        endpoints: &[(String, Severity)],
        settle_us: i64,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Deliveries that are due, `limit` at most, leased until `lease_until`: nobody else gets them before.
    async fn due(&self, now: Timestamp, lease_until: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError>;
    /// Takes down how an attempt ended. Does nothing where the delivery was leased anew or settled meanwhile.
    async fn settle(&self, delivery: &Delivery, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError>;
    /// Newest first, of one state or of all; `limit` of them at most.
    async fn deliveries(&self, state: Option<&str>, limit: u32) -> Result<Vec<Delivery>, StoreError>;
    /// Sends a dead delivery again. False where there is none.
    async fn revive(&self, notice_id: &str, endpoint: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.revive_by(notice_id, endpoint, &By::default(), now).await
    }
    /// Sends a dead delivery again, with its audit entry in one transaction. False where there is none.
    async fn revive_by(&self, notice_id: &str, endpoint: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
    /// How much is in the outbox.
    async fn outbox(&self) -> Result<OutboxState, StoreError>;
}

/// A summary as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSummary {
    /// The incident that it sums up.
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
    /// When it was written.
    pub updated_at: Timestamp,
}

/// A summary is not written again sooner than this after the facts changed, in microseconds; the first one is at once.
pub const SUMMARY_PAUSE_US: i64 = 60_000_000;

/// Summaries, one for each incident.
#[async_trait]
pub trait Summaries: Send + Sync + std::fmt::Debug {
    /// The incident's summary; `None` where there is none yet.
    async fn summary(&self, id: IncidentId) -> Result<Option<StoredSummary>, StoreError>;
    /// A summary that a model wrote earlier from content of this key, for whichever incident.
    async fn summary_by_key(&self, key: &str) -> Result<Option<StoredSummary>, StoreError>;
    /// Keeps it in place of the one before, unless that was written from later facts. The model is to be asked at
    /// `again`, or with `None` not until the facts change.
    async fn put_summary(&self, summary: &StoredSummary, again: Option<Timestamp>) -> Result<(), StoreError>;
    /// Incidents whose facts have changed, and, `with_model`, those for which the model is to be asked again; the
    /// gravest first, `limit` of them at most.
    async fn to_summarise(&self, now: Timestamp, with_model: bool, limit: u32) -> Result<Vec<IncidentId>, StoreError>;
}

/// What a token may do; each role may do what the one before may, but for `ingest`, which only delivers events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Delivers events.
    Ingest,
    /// Reads.
    Viewer,
    /// Changes incidents and ends mutes.
    Analyst,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Role; 4] = [Role::Ingest, Role::Viewer, Role::Analyst, Role::Admin];

    /// As it is written in the store, on the command line and in JSON.
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

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of ingest, viewer, analyst, admin")]
pub struct UnknownRole(pub String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = Role::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A token as it is kept: never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The public part of it, by which it is found.
    pub id: String,
    /// Who it is for: named in history.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret, hexadecimal.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; `None`: it never expires.
    pub expires_at: Option<Timestamp>,
    /// It is refused for good.
    pub revoked: bool,
}

/// Tokens of the API.
#[async_trait]
pub trait Tokens: Send + Sync + std::fmt::Debug {
    /// One token, also one that is no longer valid; `None` where there is none of this id.
    async fn token(&self, id: &str) -> Result<Option<Token>, StoreError>;
    /// All tokens, oldest first.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
    /// Adds a token on nobody's behalf.
    async fn add_token(&self, token: &Token) -> Result<(), StoreError> {
        self.add_token_by(token, &By::default()).await
    }
    /// Adds a token, with its audit entry in one transaction. An error where there is one of its id.
    async fn add_token_by(&self, token: &Token, by: &By) -> Result<(), StoreError>;
    /// Revokes a token on nobody's behalf. False where there is no valid token of this id.
    async fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        self.revoke_token_by(id, &By::default(), Timestamp(0)).await
    }
    /// Revokes a token, with its audit entry in one transaction. False where there is no valid token of this id.
    async fn revoke_token_by(&self, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError>;
}
