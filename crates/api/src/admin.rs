//! For whoever runs the service: clearing the cache, looking after deliveries.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use crate::ApiState;
use crate::problem::{PartProblem, Problem};

/// Deliveries that are shown.
const DELIVERIES_MAX: u32 = 200;

/// Forgets the hot aggregates; they are rebuilt from the store. Where Redis is away the memory that stands in for it is
/// cleared at once, and Redis when it is back.
#[utoipa::path(
    post, path = "/admin/cache/clear", tag = "operations",
    responses((status = 200, description = "What was cleared", body = Object), (status = 503, description = "The cache does not answer any more", body = Problem, content_type = "application/problem+json"))
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
    responses((status = 200, description = "Deliveries", body = Object))
)]
pub(crate) async fn deliveries(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let mut wanted = None;
    for (name, text) in &parameters {
        let known = name == "state" && matches!(text.as_str(), "pending" | "delivered" | "dead");
        if !known {
            let detail = "the only parameter is state: pending, delivered or dead".to_owned();
            return Err(Problem::bad_request(vec![PartProblem { pointer: name.clone(), detail }]));
        }
        wanted = Some(text.as_str());
    }
    let deliveries = state.store.deliveries(wanted, DELIVERIES_MAX).await?;
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
    Ok(Json(json!({"data": shown})))
}

/// Sends a dead delivery again.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{notice_id}/{endpoint}/retry", tag = "operations",
    params(("notice_id" = String, Path), ("endpoint" = String, Path)),
    responses((status = 200, description = "It will be sent again", body = Object), (status = 404, description = "There is no such dead delivery", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("there is no such delivery that was given up");
    let Path((notice, endpoint)) = path.map_err(|_| missing())?;
    if !state.store.revive(&notice, &endpoint, (state.clock)()).await? {
        return Err(missing());
    }
    Ok(Json(json!({"state": "pending"})))
}
