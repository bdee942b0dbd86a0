//! Shapes of the parts of a finding, for the description alone.
#![allow(dead_code, reason = "the description is made from the types, nobody makes values of them")]

use serde::Serialize;
use utoipa::ToSchema;

/// Who was involved; each value once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Entities {
    #[serde(rename = "source.ip")]
    source_ip: Option<Vec<String>>,
    #[serde(rename = "user.name")]
    user_name: Option<Vec<String>>,
    #[serde(rename = "host.name")]
    host_name: Option<Vec<String>>,
}

/// A rule that matched events of a finding which a stronger rule leads.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlsoFired {
    #[serde(rename = "rule.id")]
    rule_id: String,
    #[serde(rename = "rule.title")]
    rule_title: String,
    /// Events of the finding that it matched.
    count: u64,
}

/// One reason for a score.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScorePart {
    part: String,
    points: i16,
}

/// One event that proves a finding.
#[derive(Serialize, ToSchema)]
pub(crate) struct Evidence {
    event_id: String,
    /// Path or address of the source.
    source: String,
    line_no: u64,
    /// Bytes from the start of the decompressed source.
    offset: u64,
    #[serde(rename = "@timestamp")]
    time: Option<String>,
    /// The raw line.
    original: String,
}
