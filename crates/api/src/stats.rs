//! `/api/v1/stats`: counts from the hot aggregates. Where Redis should count and is away, the memory of the process does.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::ApiState;

/// Rules and sources that are listed.
const TOP: usize = 10;
/// Minutes of the time series that are sent.
const MINUTES: usize = 1440;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleCount {
    #[serde(rename = "rule.id")]
    rule_id: String,
    #[serde(rename = "rule.title")]
    rule_title: String,
    findings: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceCount {
    #[serde(rename = "source.ip")]
    source_ip: String,
    events: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MinuteCount {
    minute: String,
    findings: u64,
}

/// Counts over all findings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// Who counted: `redis` or `memory`.
    source: &'static str,
    /// Redis should have counted, and is away.
    degraded: bool,
    /// The store has been followed to its end; false while all is being counted anew.
    complete: bool,
    findings: u64,
    /// Events that the findings stand for.
    events: u64,
    by_severity: BTreeMap<String, u64>,
    by_level: BTreeMap<String, u64>,
    by_status: BTreeMap<String, u64>,
    /// A finding counts for the rule that found it and for each that it names under `also`.
    top_rules: Vec<RuleCount>,
    top_sources: Vec<SourceCount>,
    distinct_sources: u64,
    /// Findings by the minute of their last event, the newest 1,440 minutes that have any.
    per_minute: Vec<MinuteCount>,
}

/// Counts by severity, level, status, rule, source and minute.
#[utoipa::path(get, path = "/api/v1/stats", tag = "findings", responses((status = 200, description = "Counts", body = Stats), (status = 503, description = "Neither the cache nor the store answers", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn stats(State(state): State<ApiState>) -> Result<Json<Stats>, Problem> {
    let (snapshot, standing) = state.hot.counts(TOP).await?;
    let skip = snapshot.per_minute.len().saturating_sub(MINUTES);
    let minutes = snapshot.per_minute.into_iter().skip(skip);
    Ok(Json(Stats {
        source: standing.counter.name(),
        degraded: standing.degraded,
        complete: standing.complete,
        findings: snapshot.findings,
        events: snapshot.events,
        by_severity: snapshot.by_severity,
        by_level: snapshot.by_level,
        by_status: snapshot.by_status,
        top_rules: snapshot
            .top_rules
            .into_iter()
            .map(|(rule_id, rule_title, findings)| RuleCount { rule_id, rule_title, findings })
            .collect(),
        top_sources: snapshot
            .top_sources
            .into_iter()
            .map(|(source_ip, events)| SourceCount { source_ip, events })
            .collect(),
        distinct_sources: snapshot.distinct_sources,
        per_minute: minutes.map(|(minute, findings)| MinuteCount { minute: minute.to_string(), findings }).collect(),
    }))
}
