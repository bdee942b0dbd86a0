//! What a rule would have found in events at rest: the report that is read before the rule goes live. Shapes alone.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// What rules would have found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BacktestReport {
    /// Events before it were not judged; absent where all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    pub since: Option<String>,
    /// Events that were judged.
    pub events: u64,
    /// Those of them that statistics and filters of the files left out: no rule could match them.
    pub events_left_out: u64,
    /// Findings.
    pub findings: u64,
    /// There were more findings than are looked at: the report tells of the events up to there.
    pub is_cut: bool,
    /// Each rule, those with the most findings first. Rules that another one counts are among them.
    pub rules: Vec<RuleOutcome>,
    /// Which incidents the findings would be in.
    pub incidents: JoinOutcome,
}

/// What one rule would have said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleOutcome {
    /// Which rule.
    pub rule: TriedRule,
    /// Events that it matched; none where it is a correlation.
    pub hits: u64,
    /// Findings that are its own, or name it.
    pub findings: u64,
    /// Hits of each day of event time, UTC.
    pub hits_by_day: BTreeMap<String, u64>,
    /// Findings that began on each day.
    pub findings_by_day: BTreeMap<String, u64>,
    /// Who was involved most often: at most 10.
    pub entities: Vec<EntityOutcome>,
    /// The first event.
    pub example: Option<ExampleLine>,
}

/// A rule as people know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedRule {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How grave its findings are.
    pub level: String,
}

/// An entity of findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntityOutcome {
    /// `source.ip`, `user.name` or `host.name`.
    pub kind: String,
    /// Such as `192.0.2.1`.
    pub value: String,
    /// Findings that name it.
    pub findings: u64,
    /// Events that those count.
    pub events: u64,
}

/// A line that matched.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExampleLine {
    /// The path, address or topic.
    pub source: String,
    /// Its number there, from 1.
    pub line_no: u64,
    /// As it was received.
    pub original: String,
}

/// Which incidents findings would be in, by the rules that live findings are joined by.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct JoinOutcome {
    /// Open incidents that would take findings: at most 100, those that would take most first.
    pub would_join: Vec<JoinedIncident>,
    /// Findings that an incident counts already, because the rule ran live.
    pub counted_already: u64,
    /// Incidents that would be opened.
    pub would_open: u64,
    /// Findings that those would hold.
    pub in_opened: u64,
    /// Findings that a mute would hide.
    pub muted: u64,
    /// Findings that would be in no incident: not severe enough to open one.
    pub in_none: u64,
}

/// An open incident that would take findings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JoinedIncident {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity now.
    pub severity: String,
    /// How far work on it is.
    pub stage: String,
    /// Findings that it would take.
    pub findings: u64,
    /// Why it would take the first of them.
    pub because: String,
}
