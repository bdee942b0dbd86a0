//! Shape of an incident, for the description alone. The groups are parts of one object.
#![allow(dead_code, reason = "the description is made from the types, nobody makes values of them")]

use serde::Serialize;
use utoipa::ToSchema;

use super::finding::Entities;

/// Findings that belong together, and how people work on them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Incident {
    /// 32 hexadecimal digits.
    id: String,
    #[serde(flatten)]
    #[schema(inline)]
    title: Title,
    #[serde(flatten)]
    #[schema(inline)]
    rating: Rating,
    #[serde(flatten)]
    #[schema(inline)]
    work: Handling,
    #[serde(flatten)]
    #[schema(inline)]
    findings: Findings,
    #[serde(flatten)]
    #[schema(inline)]
    record: Record,
}

/// What it is called, and after what.
#[derive(Serialize, ToSchema)]
struct Title {
    title: String,
    /// The finding that it is called after.
    titled_by: Option<TitledBy>,
    /// The incident that this one goes on from.
    continues: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TitledBy {
    finding: String,
    severity: String,
    score: u8,
}

/// How grave it is.
#[derive(Serialize, ToSchema)]
struct Rating {
    /// P0 to P3.
    severity: String,
    /// The gravest of its findings.
    found_severity: String,
    /// Highest score of its findings, 0 to 100.
    score: u8,
    /// OCSF priority_id: 4 for P0 to 1 for P3.
    priority_id: u8,
}

/// What people do about it.
#[derive(Serialize, ToSchema)]
struct Handling {
    stage: String,
    status: String,
    /// OCSF status_id.
    status_id: u8,
    assignee: Option<String>,
    verdict: Option<String>,
    /// OCSF verdict_id.
    verdict_id: Option<u8>,
    post_mortem: Option<String>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
struct Findings {
    first_seen: Option<String>,
    last_seen: Option<String>,
    findings: u64,
    /// Events that its findings stand for.
    events: u64,
    /// There are too many events to know which of them several findings share.
    events_are_estimated: Option<bool>,
    entities: Entities,
    techniques: Vec<String>,
    /// Titles of the rules that found something.
    rules: Vec<String>,
}

/// When it was written, and how often.
#[derive(Serialize, ToSchema)]
struct Record {
    created_at: String,
    updated_at: String,
    /// What the ETag says.
    version: u64,
    facts_version: u64,
    /// Entries in its history.
    entries: u64,
}
