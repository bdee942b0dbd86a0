//! The vocabulary of the pipeline: blocks of raw lines, batches of events, hits and findings.
//!
//! ```text
//! Block ──parse──▶ EventBatch ──match──▶ Hit ──correlate──▶ Finding
//! ```
//! **Absent on purpose:** no I/O, no clock, no async, no format and no rule language.

#![warn(missing_docs)]

mod archive_file;
pub mod batch;
pub mod block;
pub mod builder;
pub mod catalog;
mod column;
pub mod dataset;
pub mod event_set;
pub mod finding;
pub mod hit;
pub mod incident;
pub mod json;
mod network;
pub mod record;
mod restored;
mod risk;
pub mod severity;
pub mod summary;
pub mod time;
mod values;
mod views;
mod word;

pub use archive_file::ArchiveFile;
pub use batch::{EventBatch, LongColumn, TextColumn};
pub use block::{Block, EventId, Layout, Position, Source, SourceId};
pub use builder::BatchBuilder;
pub use catalog::{Field, FieldId, FieldType};
pub use column::ValueTag;
pub use dataset::{BadLogSource, Dataset, DatasetId, LogSource};
pub use event_set::EventSet;
pub use finding::{
    ALSO_FIRED_MAX, AlsoFired, Counted, Entities, Evidence, Finding, FindingId, FindingRating, FindingRule,
    FindingSpan, ScorePart, Status,
};
pub use hit::{Answer, EventRef, EventTexts, GUESSED_SOURCE, Hit, PatternsFound, RuleKey, Whom};
pub use incident::{
    Incident, IncidentChange, IncidentId, IncidentRating, IncidentRecord, IncidentScope, IncidentStatus, IncidentWork,
    Stage, TitledBy, Verdict,
};
pub use network::{BadNetwork, Network};
pub use restored::{RestoredColumns, RestoredRows};
pub use risk::{RISK_HALF_LIFE_US, Risk};
pub use severity::{Level, Severity, Thresholds};
pub use summary::{FactSheet, Summary};
pub use time::Timestamp;
pub use values::HitValues;
pub use word::UnknownWord;
