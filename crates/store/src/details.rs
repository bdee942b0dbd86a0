//! What of a finding is not a column of its own, as JSON, and the key that lists are sorted by. Names of fields are
//! stored: they must not change.

use event::{AlsoFired, Entities, Finding, FindingId, ScorePart, Timestamp};
use serde::{Deserialize, Serialize};

/// The column `details` of a finding.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) score_parts: Vec<ScorePart>,
    pub(crate) entities: Entities,
    pub(crate) techniques: Vec<String>,
    pub(crate) reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) also: Vec<AlsoFired>,
    #[serde(default)]
    pub(crate) response: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) continues: Option<FindingId>,
    /// The mute that hides it, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) muted_by: Option<String>,
}

impl Details {
    pub(crate) fn of(finding: &Finding, muted_by: Option<&String>) -> Self {
        // As `finding_also` has them: texts of PostgreSQL cannot hold a zero byte.
        let mut also = finding.also.clone();
        also.iter_mut().filter(|other| other.rule_id.contains('\0')).for_each(|other| {
            other.rule_id = other.rule_id.replace('\0', "\u{2400}");
        });
        Details {
            also,
            score_parts: finding.rating.parts.clone(),
            entities: finding.entities.clone(),
            techniques: finding.techniques.clone(),
            reason: finding.reason.clone(),
            response: finding.response.clone(),
            continues: finding.continues,
            muted_by: muted_by.cloned(),
        }
    }
}

/// The rules that a stored finding names; none where its details cannot be read, of which `db check` tells.
pub(crate) fn also_of(details: &str) -> Vec<AlsoFired> {
    serde_json::from_str::<Details>(details).map(|details| details.also).unwrap_or_default()
}

/// Sort key in microseconds since 1970: findings without any event time come last.
pub(crate) fn sort_time(last_seen: Option<Timestamp>) -> i64 {
    last_seen.map_or(i64::MIN, |time| time.0)
}
