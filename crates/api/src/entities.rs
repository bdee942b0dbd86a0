//! `/api/v1/entities/{kind}/{value}`: everything about one address, account or host.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use store::FindingQuery;
use store::people::IncidentQuery;
use store::query::LIMIT_MAX;

use crate::filter::{SOURCE_IP, with_addresses};
use crate::incidents::IncidentView;
use crate::problem::{PartProblem, Problem};
use crate::schema;
use crate::state::ApiState;
use crate::view::FindingView;

/// Pages of findings that are added up: beyond it `complete` is false.
const PAGES_MAX: usize = 10;
/// Findings and incidents that are shown.
const SHOWN: usize = 20;

/// Counts, risk, incidents and latest findings of one entity.
#[utoipa::path(
    get, path = "/api/v1/entities/{kind}/{value}", tag = "findings",
    params(("kind" = String, Path, description = "source.ip, user.name or host.name"), ("value" = String, Path)),
    responses(
        (status = 200, description = "What is known of it", body = schema::Entity),
        (status = 404, description = "There are no entities of this kind", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn entity(
    State(state): State<ApiState>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let known = "entities are source.ip, user.name and host.name";
    let Path((kind, value)) = path.map_err(|_| Problem::not_found(known))?;
    if !matches!(kind.as_str(), "source.ip" | "user.name" | "host.name") {
        return Err(Problem::not_found(known));
    }
    if kind == SOURCE_IP && value.parse::<std::net::IpAddr>().is_err() {
        let detail = format!("`{value}` is no address; /api/v1/findings lists networks");
        return Err(Problem::bad_request(vec![PartProblem { pointer: "value".to_owned(), detail }]));
    }
    let entities = with_addresses(&*state.store, &[(kind.clone(), value.clone())]).await?;
    let mut query = FindingQuery { entities: entities.clone(), limit: LIMIT_MAX, ..FindingQuery::default() };
    let (mut findings, mut events) = (0_u64, 0_u64);
    let (mut first, mut last) = (None, None);
    let mut severities: BTreeMap<&str, u64> = BTreeMap::new();
    let mut rules: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut latest = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = state.store.list(&query).await?;
        for stored in page.findings {
            let finding = &stored.finding;
            findings += 1;
            events += finding.span.count;
            first = first.into_iter().chain(finding.span.first_seen).min();
            last = last.into_iter().chain(finding.span.last_seen).max();
            *severities.entry(finding.rating.severity.name()).or_insert(0) += 1;
            for (id, title) in finding.rules() {
                rules.entry(id.to_owned()).or_insert_with(|| (title.to_owned(), 0)).1 += 1;
            }
            if latest.len() < SHOWN {
                latest.push(FindingView::from(stored));
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let incidents =
        state.store.incidents(&IncidentQuery { entities, limit: SHOWN as u32, ..IncidentQuery::default() }).await?;
    // Without the cache everything else is still known.
    let risk = state.hot.risk(&kind, &value, (state.clock)()).await;
    let risk = risk.inspect_err(|error| tracing::warn!(%error, "the risk of an entity is not known"));
    let risk = risk.ok().map(|risk| (risk * 10.0).round() / 10.0);
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|(id, (title, count))| json!({"rule.id": id, "rule.title": title, "findings": count}))
        .collect();
    Ok(Json(json!({
        "kind": kind, "value": value, "risk": risk, "findings": findings, "events": events,
        "first_seen": first.map(|time| time.to_string()), "last_seen": last.map(|time| time.to_string()),
        "by_severity": severities, "rules": rules, "complete": query.after.is_none(),
        "incidents": incidents.into_iter().map(IncidentView::from).collect::<Vec<_>>(), "latest": latest,
    })))
}
