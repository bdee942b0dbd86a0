//! Answers to people and programs: findings, statistics, health, metrics, and the description of it all.
//!
//! One file per resource, one route line each. **Absent on purpose:** business logic; handlers translate between HTTP
//! and the store's traits.

mod cursor;
mod findings;
pub mod health;
mod observe;
mod problem;
mod stats;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use store::{Findings, Hot};
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::health::HealthCheck;
use crate::problem::Problem;

/// Longest that a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    pub findings: Arc<dyn Findings>,
    pub hot: Arc<dyn Hot>,
    pub checks: Arc<[Box<dyn HealthCheck>]>,
    pub metrics: PrometheusHandle,
    /// Set when the process is about to stop: no longer ready, still alive.
    pub draining: Arc<AtomicBool>,
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ApiState {{ draining: {} }}", self.draining.load(Ordering::Relaxed))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "C0Di3", description = "Findings from security logs, with their evidence.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags((name = "findings", description = "What rules found"), (name = "operations", description = "State of the service"))
)]
struct Description;

/// Routes of the API, and their OpenAPI 3.1 description.
fn described() -> (Router<ApiState>, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(findings::list))
        .routes(routes!(findings::detail))
        .routes(routes!(stats::stats))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(metrics))
        .split_for_parts();
    env!("CARGO_PKG_VERSION").clone_into(&mut description.info.version);
    (router, description)
}

/// The OpenAPI description as JSON text.
pub fn openapi_json() -> String {
    described().1.to_pretty_json().unwrap_or_else(|_| "{}".to_owned())
}

/// The whole API: port 3000.
pub fn router(state: ApiState) -> Router {
    let (router, description) = described();
    let description = Arc::new(description);
    let router = router
        .route("/openapi.json", get(move || async move { Json(Arc::unwrap_or_clone(description)) }))
        .route("/", get(index));
    finish(router, state)
}

/// Health alone: port 3001, answered even while the API is busy.
pub fn health_router(state: ApiState) -> Router {
    let (router, _) = OpenApiRouter::<ApiState>::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(metrics))
        .split_for_parts();
    finish(router, state)
}

fn finish(router: Router<ApiState>, state: ApiState) -> Router {
    router
        .fallback(async || Problem::not_found("there is no such path; /openapi.json lists them all"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(middleware::from_fn(observe::observe))
        .with_state(state)
}

async fn index() -> Response {
    let links = serde_json::json!({
        "service": "c0di3",
        "version": env!("CARGO_PKG_VERSION"),
        "links": ["/api/v1/findings", "/api/v1/stats", "/health", "/ready", "/live", "/metrics", "/openapi.json"],
    });
    Json(links).into_response()
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "Prometheus text format", body = String)))]
async fn metrics(axum::extract::State(state): axum::extract::State<ApiState>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response()
}

#[cfg(test)]
mod tests;
