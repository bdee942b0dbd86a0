//! What the API asks of an archive of events, and what it is answered. Who answers knows files and SQL; nothing here does.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use event::{FindingId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use utoipa::ToSchema;

use crate::backtest_report::BacktestReport;

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

/// A search, and what is told of its events beside the newest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchOrder {
    /// As people type it.
    pub search: String,
    /// Events that are wanted.
    pub rows: usize,
    /// Fields whose most frequent values are wanted.
    pub facets: Vec<String>,
    /// Values of each.
    pub facet_values: usize,
    /// Length of the spans whose events are counted, in microseconds.
    pub histogram_us: Option<i64>,
}

/// The newest events that a search describes, and what all of them have in common.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct FoundEvents {
    /// The newest events.
    #[serde(flatten)]
    pub rows: EventRows,
    /// For each field that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// Where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
}

/// The most frequent values of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facet {
    /// As it was asked for.
    pub field: String,
    /// The most frequent first. Events without a value are not counted.
    pub values: Vec<FacetValue>,
    /// There are more values.
    pub has_more: bool,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    /// Text or number.
    pub value: Value,
    /// Events that have it.
    pub count: u64,
}

/// How many events there were, span by span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Histogram {
    /// Length of each span, in seconds.
    pub width_seconds: u64,
    /// In the order of time; spans without events are left out.
    pub bars: Vec<HistogramBar>,
    /// There are earlier ones.
    pub has_more: bool,
}

/// A span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistogramBar {
    /// When it begins, RFC 3339.
    #[schema(format = "date-time")]
    pub time: String,
    /// Events in it.
    pub count: u64,
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
    /// No rule has the id, name or title.
    NoSuchRule(String),
    /// What is wrong with a rule.
    RuleRefused(Vec<String>),
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
            Unanswerable::RuleRefused(problems) => problems.join("; "),
            Unanswerable::NoSuchRule(words)
            | Unanswerable::Refused(words)
            | Unanswerable::Busy(words)
            | Unanswerable::Away(words) => words.clone(),
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
    async fn search(&self, order: SearchOrder) -> Result<FoundEvents, Unanswerable>;
    /// Begins to answer a question in SQL.
    async fn start(&self, order: HuntOrder) -> Result<HuntId, Unanswerable>;
    /// How the hunt is once it has ended, or after so long.
    async fn state(&self, hunt: HuntId, wait: Duration) -> Option<HuntState>;
    /// All hunts that are known, the newest first.
    async fn hunts(&self) -> Vec<HuntState>;
    /// The first rows of an answer.
    async fn first_rows(&self, hunt: HuntId, rows: usize) -> Result<EventRows, Unanswerable>;
    /// The whole answer in a form, piece by piece. A piece that is missing at the end makes the receiver's reading fail.
    async fn rows(&self, hunt: HuntId, form: RowsForm) -> Result<Receiver<std::io::Result<Vec<u8>>>, Unanswerable>;
    /// Ends a hunt and forgets its answer. False where there is none.
    async fn remove(&self, hunt: HuntId) -> bool;
    /// Begins to judge the events by a rule.
    async fn backtest(&self, order: BacktestOrder) -> Result<HuntId, Unanswerable>;
    /// How the backtest is once it has ended, or after so long.
    async fn backtest_state(&self, backtest: HuntId, wait: Duration) -> Option<BacktestState>;
    /// All backtests that are known, the newest first, without their reports.
    async fn backtests(&self) -> Vec<BacktestState>;
    /// Ends a backtest and forgets its report. False where there is none.
    async fn end_backtest(&self, backtest: HuntId) -> bool;
    /// Saved hunts, by id.
    async fn saved(&self) -> Result<Vec<SavedHuntView>, Unanswerable>;
}

/// Number of a hunt since the process began.
pub type HuntId = u64;

/// A question, and what it may take.
#[derive(Clone, Debug)]
pub struct HuntOrder {
    /// In SQL.
    pub question: String,
    /// Who asks.
    pub asked_by: String,
    /// Rows of the answer.
    pub rows_max: u64,
    /// From the question to the last row.
    pub time_max: Duration,
}

/// The form in which an answer is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsForm {
    /// A JSON object for each row.
    Ndjson,
    /// A line of names, then one for each row.
    Csv,
    /// A Parquet file.
    Parquet,
    /// A stream of Arrow batches.
    Arrow,
}

/// How a hunt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HuntPhase {
    /// It is being answered.
    Running,
    /// The answer is there.
    Done,
    /// It cannot be answered; `error` says why.
    Failed,
}

/// A hunt: a question to the archive, how far it is, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HuntState {
    /// Number of the hunt.
    pub id: HuntId,
    /// In SQL.
    pub question: String,
    /// Who asked.
    pub asked_by: String,
    /// How it is.
    pub state: HuntPhase,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// How long it took, or takes so far, in seconds.
    pub seconds: f64,
    /// How far it is.
    pub progress: HuntCounts,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The events could not be read where they lie: the question may be asked again.
    #[serde(skip)]
    pub is_away: bool,
}

/// Numbers of a hunt. What statistics leave out inside a file is never read: `read_bytes` need not reach `file_bytes`.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct HuntCounts {
    /// Files that can hold what is asked for.
    pub files: u64,
    /// Their size.
    pub file_bytes: u64,
    /// Bytes of them that were read.
    pub read_bytes: u64,
    /// Rows of the answer so far.
    pub rows: u64,
    /// There were more rows, or bytes, than the limits allow.
    pub is_cut: bool,
}

/// A rule over the events at rest, and what it may take.
#[derive(Clone, Debug)]
pub struct BacktestOrder {
    /// Id, name or title.
    pub rule: String,
    /// A rule file that holds it; `None`: the rule is a configured one.
    pub text: Option<String>,
    /// Events before it make no hits.
    pub since: Option<Timestamp>,
    /// Who asks.
    pub asked_by: String,
    /// From its beginning to the report.
    pub time_max: Duration,
}

/// A backtest: a rule over the events at rest, how far it is, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BacktestState {
    /// Number of the backtest.
    pub id: HuntId,
    /// The rule, as it was asked for.
    pub rule: String,
    /// It came with the request.
    pub is_new: bool,
    /// Who asked.
    pub asked_by: String,
    /// How it is.
    pub state: HuntPhase,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// How long it took, or takes so far, in seconds.
    pub seconds: f64,
    /// How far it is.
    pub progress: BacktestCounts,
    /// Why there is no report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the rule would have found, where it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<BacktestReport>,
}

/// Numbers of a backtest.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct BacktestCounts {
    /// Files to judge.
    pub files: u64,
    /// Files that were judged.
    pub files_read: u64,
    /// Events that were judged.
    pub events: u64,
    /// Findings so far.
    pub findings: u64,
}
