//! How findings look from outside. ECS and OCSF names; times in RFC 3339.

use event::{AlsoFired, Entities, Evidence, Finding, Level, ScorePart, Severity, Status};
use serde::Serialize;
use store::StoredFinding;
use utoipa::ToSchema;

use crate::schema::finding as schema;

/// A finding as lists show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// 32 hexadecimal digits, derived from the rule and its first event.
    pub(crate) id: String,
    #[serde(flatten)]
    #[schema(inline)]
    rule: RuleView,
    /// Other rules that matched its events; absent where there are none. Filters by rule and the statistics know the
    /// finding under each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<schema::AlsoFired>)]
    also: Vec<AlsoFired>,
    #[serde(flatten)]
    #[schema(inline)]
    rating: RatingView,
    #[serde(flatten)]
    #[schema(inline)]
    span: SpanView,
    #[schema(value_type = schema::Entities)]
    entities: Entities,
    techniques: Vec<String>,
    /// Why it fired.
    reason: String,
    /// What to do, step by step.
    response: Vec<String>,
    #[serde(flatten)]
    #[schema(inline)]
    life: LifeView,
}

/// The rule that found it: of several that matched its events, the strongest.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct RuleView {
    #[serde(rename = "rule.id")]
    rule_id: String,
    #[serde(rename = "rule.title")]
    rule_title: String,
    /// Sigma level: informational, low, medium, high or critical.
    #[schema(value_type = String, example = "high")]
    level: Level,
    /// OCSF severity_id, 1 to 5.
    severity_id: u8,
}

/// How grave it is and where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct RatingView {
    /// 0 to 100.
    score: u8,
    #[schema(value_type = Vec<schema::ScorePart>)]
    score_parts: Vec<ScorePart>,
    /// P0 to P3.
    #[schema(value_type = String, example = "P1")]
    severity: Severity,
    #[schema(value_type = String, example = "new")]
    status: Status,
    /// OCSF status_id.
    status_id: u8,
}

/// The events that it stands for.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct SpanView {
    first_seen: Option<String>,
    last_seen: Option<String>,
    /// Events that the finding stands for.
    count: u64,
}

/// What became of it in the store.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct LifeView {
    /// The finding that this one goes on from: its incident was over, or it was muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    continues: Option<String>,
    /// The mute that hides it; its status is then suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_by: Option<String>,
    created_at: String,
    updated_at: String,
}

/// A finding with the events that prove it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingDetail {
    #[serde(flatten)]
    finding: FindingView,
    /// First and last events, each with its raw line.
    #[schema(value_type = Vec<schema::Evidence>)]
    evidence: Vec<Evidence>,
}

impl From<StoredFinding> for FindingView {
    fn from(stored: StoredFinding) -> Self {
        let StoredFinding { finding, status, muted_by, created_at, updated_at, .. } = stored;
        let Finding { id, rule, rating, span, .. } = finding;
        FindingView {
            id: id.to_string(),
            rule: RuleView {
                rule_id: rule.id,
                rule_title: rule.title,
                level: rule.level,
                severity_id: rule.level as u8,
            },
            also: finding.also,
            rating: RatingView {
                score: rating.score,
                score_parts: rating.parts,
                severity: rating.severity,
                status,
                status_id: status as u8,
            },
            span: SpanView {
                first_seen: span.first_seen.map(|time| time.to_string()),
                last_seen: span.last_seen.map(|time| time.to_string()),
                count: span.count,
            },
            entities: finding.entities,
            techniques: finding.techniques,
            reason: finding.reason,
            response: finding.response,
            life: LifeView {
                continues: finding.continues.map(|old| old.to_string()),
                muted_by,
                created_at: created_at.to_string(),
                updated_at: updated_at.to_string(),
            },
        }
    }
}

impl From<StoredFinding> for FindingDetail {
    fn from(mut stored: StoredFinding) -> Self {
        let evidence = std::mem::take(&mut stored.finding.evidence);
        FindingDetail { finding: stored.into(), evidence }
    }
}
