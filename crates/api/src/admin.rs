//! For whoever runs the service: clearing the cache, looking after deliveries.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::asked::Asked;
use crate::filter::Once;
use crate::problem::{PartProblem, Problem};
use crate::schema;
use crate::state::ApiState;

/// Deliveries that are shown.
const DELIVERIES_MAX: u32 = 200;

/// Forgets the hot aggregates; they are rebuilt from the store. Where Redis is away the memory that stands in for it is
/// cleared at once, and Redis when it is back.
#[utoipa::path(
    post, path = "/admin/cache/clear", tag = "operations",
    responses((status = 200, description = "What was cleared", body = schema::Cleared), (status = 503, description = "The cache does not answer any more", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn clear_cache(State(state): State<ApiState>) -> Result<Json<Value>, Problem> {
    let cleared = state.hot.clear().await?;
    let standing = state.hot.standing();
    tracing::info!(cleared, source = standing.counter.name(), "the cache was cleared");
    Ok(Json(json!({
        "cleared": {"hot": cleared}, "source": standing.counter.name(), "degraded": standing.degraded,
    })))
}

/// Deliveries to webhooks, newest first; `state` is pending, delivered or dead.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "operations", params(("state" = Option<String>, Query, description = "pending, delivered or dead")),
    responses((status = 200, description = "Deliveries", body = schema::DeliveryList))
)]
pub(crate) async fn deliveries(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let mut wanted = None;
    let mut once = Once::default();
    for (name, text) in &parameters {
        if once.is_again(name) {
            let detail = "the parameter is given twice".to_owned();
            return Err(Problem::bad_request(vec![PartProblem { pointer: name.clone(), detail }]));
        }
        let known = name == "state" && matches!(text.as_str(), "pending" | "delivered" | "dead");
        if !known {
            let detail = "the only parameter is state: pending, delivered or dead".to_owned();
            return Err(Problem::bad_request(vec![PartProblem { pointer: name.clone(), detail }]));
        }
        wanted = Some(text.as_str());
    }
    let mut deliveries = state.store.deliveries(wanted, DELIVERIES_MAX + 1).await?;
    let complete = deliveries.len() <= DELIVERIES_MAX as usize;
    deliveries.truncate(DELIVERIES_MAX as usize);
    let shown: Vec<Value> = deliveries
        .iter()
        .map(|delivery| {
            json!({
                "notice_id": delivery.notice_id, "endpoint": delivery.endpoint, "webhook_id": delivery.webhook_id(),
                "type": delivery.kind, "state": delivery.state, "attempts": delivery.attempts,
                "next_at": delivery.next_at.to_string(), "created_at": delivery.created_at.to_string(),
                "last_error": delivery.last_error,
            })
        })
        .collect();
    Ok(Json(json!({"data": shown, "complete": complete})))
}

/// Sends a dead delivery again.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{notice_id}/{endpoint}/retry", tag = "operations",
    params(("notice_id" = String, Path), ("endpoint" = String, Path)),
    responses((status = 200, description = "It will be sent again", body = schema::Retried), (status = 409, description = "The endpoint is disabled", body = Problem, content_type = "application/problem+json"), (status = 404, description = "There is no such dead delivery", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("there is no such delivery that was given up");
    let Path((notice, endpoint)) = path.map_err(|_| missing())?;
    let known = state.store.endpoints().await?;
    if known.iter().any(|known| known.name == endpoint && known.disabled.is_some()) {
        let detail = format!("the endpoint is disabled: POST /api/v1/endpoints/{endpoint}/enable first");
        return Err(Problem::conflict(detail));
    }
    if !state.store.revive_by(&notice, &endpoint, &asked.by(), (state.clock)()).await? {
        return Err(missing());
    }
    asked.is_audited();
    Ok(Json(json!({"state": "pending"})))
}
