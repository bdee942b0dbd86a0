//! `/health`, `/ready`, `/live`: how the service is, whether to send it traffic, whether to restart it.
//!
//! `/live` depends on nothing. `/ready` fails while draining or when the store does not answer. `/health` tells all.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::HealthState;

/// Longest that one part may take to answer.
const CHECK_MAX: Duration = Duration::from_secs(3);

/// After draft-inadarei-api-health-check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    Pass,
    /// Works, but somebody should look.
    Warn,
    Fail,
}

/// One part of the service.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    pub status: HealthStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_unit: Option<String>,
    /// What is wrong and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl CheckResult {
    pub fn observed(status: HealthStatus, value: f64, unit: &str) -> Self {
        CheckResult { status, observed_value: Some(value), observed_unit: Some(unit.to_owned()), output: None }
    }

    pub fn saying(self, output: impl Into<String>) -> Self {
        CheckResult { output: Some(output.into()), ..self }
    }
}

/// Looks after one part.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;
    /// Whether the service can answer without this part.
    fn is_required(&self) -> bool;
    async fn check(&self) -> CheckResult;
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    status: HealthStatus,
    version: &'static str,
    service_id: &'static str,
    checks: BTreeMap<&'static str, CheckResult>,
}

async fn gather(state: &HealthState) -> Health {
    let mut checks = BTreeMap::new();
    let mut status = HealthStatus::Pass;
    for check in state.checks.iter() {
        // A part that does not answer must not keep the others from being seen.
        let result = tokio::time::timeout(CHECK_MAX, check.check()).await.unwrap_or_else(|_| {
            let seconds = CHECK_MAX.as_secs_f64();
            CheckResult::observed(HealthStatus::Fail, seconds, "s").saying("it does not answer in time")
        });
        let weight = if check.is_required() { result.status } else { result.status.min(HealthStatus::Warn) };
        status = status.max(weight);
        checks.insert(check.name(), result);
    }
    Health { status, version: env!("CARGO_PKG_VERSION"), service_id: state.service, checks }
}

fn answer(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/health+json"));
    response
}

/// The state of every part; 503 when a required part fails.
#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, description = "pass or warn", body = Health), (status = 503, description = "fail", body = Health))
)]
pub(crate) async fn health(State(state): State<HealthState>) -> Response {
    let health = gather(&state).await;
    let status = if health.status == HealthStatus::Fail { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(status, Json(health))
}

/// Whether requests should be sent here.
#[utoipa::path(
    get, path = "/ready", tag = "operations",
    responses((status = 200, description = "Ready", body = Health), (status = 503, description = "Draining, or a required part fails", body = Health))
)]
pub(crate) async fn ready(State(state): State<HealthState>) -> Response {
    if state.draining.load(Ordering::Relaxed) {
        let body = serde_json::json!({"status": "fail", "output": "the service is stopping"});
        return answer(StatusCode::SERVICE_UNAVAILABLE, Json(body));
    }
    health(State(state)).await
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/live", tag = "operations", responses((status = 200, description = "Alive")))]
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, Json(serde_json::json!({"status": "pass"})))
}
