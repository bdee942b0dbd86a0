//! `/health`, `/ready`, `/live`: how the service is, whether to send it traffic, whether to restart it.
//!
//! `/live` depends on nothing. `/ready` asks only what is required, and fails while draining. `/health` tells all. Parts are
//! asked side by side ([`crate::checks`]), so that one that stands still delays neither the answer nor the others.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::checks::Observed;
pub use crate::checks::{CheckResult, Checks, HealthCheck, HealthStatus};
use crate::state::HealthState;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    status: HealthStatus,
    version: &'static str,
    service_id: &'static str,
    checks: BTreeMap<&'static str, Observed>,
}

impl Health {
    fn of(service_id: &'static str, observed: Vec<(&'static str, bool, Observed)>) -> Self {
        let weight = |required: bool, seen: &Observed| {
            if required { seen.result.status } else { seen.result.status.min(HealthStatus::Warn) }
        };
        let statuses = observed.iter().map(|(_, required, seen)| weight(*required, seen));
        let status = statuses.max().unwrap_or(HealthStatus::Pass);
        let checks = observed.into_iter().map(|(name, _, seen)| (name, seen)).collect();
        Health { status, version: env!("CARGO_PKG_VERSION"), service_id, checks }
    }

    fn answer(self) -> Response {
        let failed = self.status == HealthStatus::Fail;
        answer(if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, Json(self))
    }
}

fn answer(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/health+json"));
    response
}

/// The state of every part, within a second; 503 when a required part fails.
#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, description = "pass or warn", body = Health), (status = 503, description = "fail", body = Health))
)]
pub(crate) async fn health(State(state): State<HealthState>) -> Response {
    Health::of(state.service, state.checks.all().await).answer()
}

/// Whether requests should be sent here: the required parts alone, within half a second.
#[utoipa::path(
    get, path = "/ready", tag = "operations",
    responses((status = 200, description = "Ready", body = Health), (status = 503, description = "Draining, or a required part fails", body = Health))
)]
pub(crate) async fn ready(State(state): State<HealthState>) -> Response {
    if state.draining.load(Ordering::Relaxed) {
        let body = serde_json::json!({"status": "fail", "output": "the service is stopping"});
        return answer(StatusCode::SERVICE_UNAVAILABLE, Json(body));
    }
    Health::of(state.service, state.checks.required().await).answer()
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/live", tag = "operations", responses((status = 200, description = "Alive")))]
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, Json(serde_json::json!({"status": "pass"})))
}
