//! What the API asks of an archive of events, and what it is answered. Who answers knows files and SQL; nothing here does.

use std::collections::BTreeMap;

use async_trait::async_trait;
use event::FindingId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A line of a source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceLine {
    /// Its number in the source, from 1.
    pub line_no: u64,
    /// As it was received.
    pub original: String,
    /// It is evidence of the finding.
    pub is_evidence: bool,
}

/// The lines around some evidence, of one source.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinesAround {
    /// The path, address or topic.
    pub source: String,
    /// In the order of their numbers.
    pub lines: Vec<SourceLine>,
    /// Why lines are missing; absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Rows of the archive: fields by name, those without a value left out.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct EventRows {
    /// One object for each row.
    pub data: Vec<BTreeMap<String, Value>>,
    /// There are more rows than were asked for.
    pub has_more: bool,
}

/// What is known of the runs of a scheduled hunt.
#[derive(Debug, Serialize, ToSchema)]
pub struct HuntRunsView {
    /// Events before it were looked at.
    #[schema(format = "date-time")]
    pub until: String,
    /// Runs that were done.
    pub runs: u64,
    /// Runs that failed; each is done again.
    pub failures: u64,
    /// Findings of all runs.
    pub findings: u64,
    /// When the last run ended.
    #[schema(format = "date-time")]
    pub last_at: String,
    /// How long it took, in milliseconds.
    pub last_took_ms: u64,
    /// Rows of its answer.
    pub last_rows: u64,
    /// Why it failed; empty where it did not.
    pub last_error: String,
}

/// A saved hunt.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedHuntView {
    /// Its id, which is the rule of its findings.
    pub id: String,
    /// For people.
    pub title: String,
    /// For people; may be empty.
    pub description: String,
    /// What it asks, as `POST /api/v1/hunts` takes it.
    pub question: String,
    /// Level of its findings.
    pub level: String,
    /// Seconds between two runs; absent where it runs when somebody asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
    /// Its runs; absent where it has never been due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<HuntRunsView>,
}

/// Why the archive gives no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// No such finding is in the store.
    NoSuchFinding,
    /// What was asked cannot be understood, or may not be asked.
    Refused(String),
    /// It took too long, or too much is asked at once.
    Busy(String),
    /// The files cannot be reached for now, and why.
    Away(String),
    /// The files or the catalogue cannot be read; the log says why.
    Failed,
}

impl Unanswerable {
    /// Why, for people.
    pub fn words(&self) -> String {
        match self {
            Unanswerable::NoSuchFinding => "there is no such finding".to_owned(),
            Unanswerable::Refused(words) | Unanswerable::Busy(words) | Unanswerable::Away(words) => words.clone(),
            Unanswerable::Failed => "the archive cannot be read at the moment".to_owned(),
        }
    }
}

/// Events at rest.
#[async_trait]
pub trait EventArchive: Send + Sync {
    /// Lines around the evidence of a finding: so many before and behind each.
    async fn around(&self, finding: FindingId, before: u64, after: u64) -> Result<Vec<LinesAround>, Unanswerable>;
    /// The newest events that a search describes.
    async fn search(&self, search: String, rows: usize) -> Result<EventRows, Unanswerable>;
    /// The answer to a question in SQL.
    async fn hunt(&self, question: String, rows: usize) -> Result<EventRows, Unanswerable>;
    /// Saved hunts, by id.
    async fn saved(&self) -> Result<Vec<SavedHuntView>, Unanswerable>;
}
