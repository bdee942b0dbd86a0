//! Asking for findings: filters, and cursors that name the last row seen instead of counting rows.

use event::{FindingId, Level, Severity, Status, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoredFinding;

/// Most findings of one page.
pub const LIMIT_MAX: u32 = 500;

/// Filters are joined by AND; values of one filter by OR.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FindingQuery {
    /// Last event at or after this time.
    pub since: Option<Timestamp>,
    /// First event before this time.
    pub until: Option<Timestamp>,
    pub severities: Vec<Severity>,
    pub levels: Vec<Level>,
    /// Rule ids.
    pub rules: Vec<String>,
    pub statuses: Vec<Status>,
    /// `(ECS name, value)`: `source.ip`, `user.name`, `host.name`.
    pub entities: Vec<(String, String)>,
    pub after: Option<Cursor>,
    pub limit: u32,
}

/// The sort key of the last finding of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    pub sort_time: i64,
    pub id: FindingId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub findings: Vec<StoredFinding>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Cursor>,
}

/// What of a finding is not a column of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) score_parts: Vec<event::ScorePart>,
    pub(crate) entities: event::Entities,
    pub(crate) techniques: Vec<String>,
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) response: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) continues: Option<FindingId>,
    /// The mute that hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) muted_by: Option<String>,
}

impl Details {
    pub(crate) fn of(finding: &event::Finding, muted_by: Option<&String>) -> Self {
        Details {
            score_parts: finding.score_parts.clone(),
            entities: finding.entities.clone(),
            techniques: finding.techniques.clone(),
            reason: finding.reason.clone(),
            response: finding.response.clone(),
            continues: finding.continues,
            muted_by: muted_by.cloned(),
        }
    }
}

/// Sort key: findings without any event time come last.
pub(crate) fn sort_time(last_seen: Option<Timestamp>) -> i64 {
    last_seen.map_or(i64::MIN, |time| time.0)
}
