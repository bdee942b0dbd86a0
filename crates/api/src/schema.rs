//! Shapes of bodies that handlers write as JSON, or whose types know nothing of OpenAPI: for the description alone. A test
//! holds real answers against them, so that they cannot fall behind.
#![allow(dead_code, reason = "the description is made from the types, nobody makes values of them")]

pub(crate) mod finding;
mod incident;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use incident::Incident;

/// What is to be changed; what is absent stays.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentChange {
    /// detection, assessment, communication, investigation, mitigation, resolution or post_mortem.
    stage: Option<String>,
    /// on_hold, in_progress or closed; the others follow the stage.
    status: Option<String>,
    /// null takes it away.
    assignee: Option<String>,
    /// false_positive, true_positive, disregard, suspicious, benign, test, insufficient_data, security_risk,
    /// managed_externally or duplicate.
    verdict: Option<String>,
    /// P0 to P3.
    severity: Option<String>,
    post_mortem: Option<String>,
    comment: Option<String>,
    /// RFC 3339, at most 90 days ahead, with a verdict of false_positive: until then its rules find nothing about whom it is
    /// about.
    mute_until: Option<String>,
}

/// What a false positive hides.
#[derive(Serialize, ToSchema)]
pub(crate) struct Mute {
    /// 32 hexadecimal digits.
    id: String,
    #[serde(rename = "rule.id")]
    rule_id: String,
    #[serde(rename = "rule.title")]
    rule_title: String,
    /// Such as `source.ip 192.0.2.1`.
    key: String,
    /// The incident that it was made for.
    incident: String,
    actor: String,
    reason: String,
    created_at: String,
    until: String,
    #[serde(flatten)]
    #[schema(inline)]
    end: MuteEnd,
    /// What it has hidden.
    findings: u64,
    events: u64,
}

/// Who ended a mute before its time, and when.
#[derive(Serialize, ToSchema)]
struct MuteEnd {
    ended_at: Option<String>,
    ended_by: Option<String>,
}

/// A mute that was ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct MuteEnded {
    id: String,
    /// ended
    state: String,
}

/// A finding's place in an incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct Link {
    finding: String,
    /// Why it belongs there.
    reason: String,
    added_at: String,
    added_by: String,
    events: u64,
}

/// One change: who, when, what, from, to.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    number: u64,
    at: String,
    actor: String,
    field: String,
    from: Option<String>,
    to: Option<String>,
}

/// A finding with why it belongs here, or a change.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Moment {
    Finding {
        /// finding
        kind: String,
        at: Option<String>,
        link: Link,
        finding: Box<crate::view::FindingView>,
    },
    Change {
        /// change
        kind: String,
        at: Option<String>,
        entry: HistoryEntry,
    },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Timeline {
    data: Vec<Moment>,
    /// False where there is more than is shown.
    complete: bool,
}

/// A statement that the store proves.
#[derive(Serialize, ToSchema)]
pub(crate) struct Fact {
    id: String,
    text: String,
}

/// A sentence and the facts that it rests on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sentence {
    text: String,
    facts: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Summary {
    headline: String,
    sentences: Vec<Sentence>,
    /// template or llm.
    source: String,
    /// The model that reworded it.
    model: Option<String>,
    /// Sentences of the model that were not borne out by their facts.
    dropped_sentences: u32,
    facts: Vec<Fact>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentSummary {
    incident: String,
    written_at: String,
    summary: Summary,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RuleFindings {
    #[serde(rename = "rule.id")]
    rule_id: String,
    #[serde(rename = "rule.title")]
    rule_title: String,
    findings: u64,
}

/// Everything that is known of one address, account or host.
#[derive(Serialize, ToSchema)]
pub(crate) struct Entity {
    kind: String,
    value: String,
    /// Absent while the cache does not answer.
    risk: Option<f64>,
    findings: u64,
    events: u64,
    first_seen: Option<String>,
    last_seen: Option<String>,
    by_severity: std::collections::BTreeMap<String, u64>,
    /// A finding counts for the rule that found it and for each that it names under `also`.
    rules: Vec<RuleFindings>,
    /// False where there are more findings than were added up.
    complete: bool,
    incidents: Vec<Incident>,
    latest: Vec<crate::view::FindingView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClearedParts {
    /// Keys of the hot aggregates.
    hot: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Cleared {
    cleared: ClearedParts,
    /// Who counts: redis or memory.
    source: String,
    /// Memory stands in for Redis, which is cleared when it is back.
    degraded: bool,
}

/// One notice on its way to one endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct Delivery {
    notice_id: String,
    endpoint: String,
    /// What the receiver knows it by.
    webhook_id: String,
    #[serde(rename = "type")]
    kind: String,
    /// pending, delivered or dead.
    state: String,
    attempts: u64,
    next_at: String,
    created_at: String,
    last_error: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryList {
    data: Vec<Delivery>,
    /// False where there are more than are shown.
    complete: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Retried {
    /// pending
    state: String,
}

/// A process that runs, or is stopping.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    /// pass or fail.
    status: String,
    output: Option<String>,
}

/// How many rules of each kind there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleCounts {
    detection: u64,
    correlation: u64,
    filter: u64,
    rejected: u64,
    disabled: u64,
}

/// What is wrong with a rule file.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleProblem {
    path: String,
    line: u64,
    column: u64,
    /// warning or error.
    gravity: String,
    reason: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RulesInForce {
    /// Sets that were put in force, the first one included.
    generation: u64,
    loaded_at: String,
    loaded: RuleCounts,
    /// Why the last reload was refused.
    refused: Vec<RuleProblem>,
}

/// Ids of rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleChanges {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    unchanged: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reloaded {
    /// unchanged or replaced.
    status: String,
    generation: u64,
    loaded: Option<RuleCounts>,
    changes: Option<RuleChanges>,
    seconds: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RuleName {
    id: String,
    title: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Decoded {
    /// Rounds of percent-decoding.
    rounds: u64,
    value: String,
}

/// A pattern found in a value.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternFound {
    pattern: String,
    what: String,
    /// Who read it: a language such as `sql`, `expression`, or `text`.
    reader: String,
    points: u32,
    /// The parameter whose value was read.
    parameter: Option<String>,
    /// What the surroundings made of the points of the reading, where that is something else.
    context: Option<String>,
    technique: Option<String>,
    part: String,
    view: String,
    matched: String,
    original: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Standing {
    points: u32,
    threshold: u32,
    /// Everything that was found stands among words of prose, or is a phrase that somebody looked for.
    doubtful: bool,
    found: Vec<PatternFound>,
}

/// A value of the event where a test looked.
#[derive(Serialize, ToSchema)]
pub(crate) struct ValueFound {
    column: String,
    value: String,
    decoded: Option<Decoded>,
    patterns: Option<Standing>,
    lists: Option<Vec<String>>,
}

/// One part of a condition, and what decided it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConditionPart {
    held: bool,
    what: String,
    found: Option<Vec<ValueFound>>,
    missing: Option<String>,
    #[schema(no_recursion)]
    parts: Option<Vec<ConditionPart>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LineExplained {
    line_no: u64,
    matched: bool,
    parts: Vec<ConditionPart>,
}

/// One group of a correlation, as its window is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Group {
    /// Pairs of a field and its value.
    group: Vec<Vec<String>>,
    firing: bool,
    over: Option<bool>,
    events: u64,
    aggregate: Option<f64>,
    rules_missing: Option<Vec<String>>,
    missing: Option<String>,
    first: Option<String>,
    last: Option<String>,
    values: Option<Vec<String>>,
    /// Pairs of a source and a line.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    evidence: Vec<(String, u64)>,
}

/// What became of one event.
#[derive(Serialize, ToSchema)]
pub(crate) struct Step {
    line_no: u64,
    rule: String,
    group: Option<String>,
    aggregate: Option<f64>,
    left_out: Option<String>,
    fires: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Judged {
    held: bool,
    window: Group,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Nearest {
    group: String,
    line_no: u64,
    fired_at: Option<u64>,
    window: Group,
}

/// Why a rule does or does not match lines, or a correlation over them does or does not fire.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Explained {
    Rule {
        rule: RuleName,
        lines: Vec<LineExplained>,
        /// Lines beyond those that are explained.
        lines_left_out: u64,
    },
    Correlation {
        title: String,
        asks_for: String,
        steps: Vec<Step>,
        steps_left_out: u64,
        judged: Vec<Judged>,
        nearest: Vec<Nearest>,
        groups_left_out: u64,
        /// Reasons of the findings.
        fired: Vec<String>,
    },
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Groups {
    rule: RuleName,
    asks_for: String,
    groups: Vec<Group>,
}
