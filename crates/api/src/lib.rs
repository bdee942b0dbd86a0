//! Answers to people and programs: findings, incidents, entities, statistics, health, metrics, and the description of it
//! all; and the port where shippers push events.
//!
//! One file per resource, one route line each. **Absent on purpose:** business logic; handlers translate between HTTP
//! and the store's traits.

#![warn(missing_docs)]

mod access;
mod admin;
mod archive;
mod asked;
pub mod audit;
pub mod auth;
pub mod backtest_report;
mod backtests;
mod checks;
mod cursor;
#[doc(hidden)]
pub mod describe;
mod endpoints;
mod entities;
pub mod event_archive;
pub mod exemplars;
mod filter;
mod findings;
mod guard;
pub mod health;
mod hunts;
mod incidents;
pub mod ingest;
mod measured;
mod mutes;
mod observe;
mod openmetrics;
mod problem;
mod push_paths;
pub mod rules;
mod saved_hunts;
mod schema;
mod senders;
mod shippers;
mod state;
mod stats;
mod store_watch;
mod tap;
mod view;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::Value;
use store::ChangeCursor;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Auth, authorise};
use crate::ingest::IngestState;
use crate::problem::Problem;
use crate::rules::RuleService;
use crate::state::BODY_BYTES_MAX;
use crate::store_watch::{StoreWatch, unless_away};

pub use crate::measured::Metrics;

pub use access::TrustedProxies;
pub use audit::AuditLog;
pub use observe::{Surroundings, surrounded};
pub use shippers::HangUp;
pub use state::{ApiState, HealthState};
pub use tap::{Tap, TapStage};

#[derive(OpenApi)]
#[openapi(
    info(title = "C0Di3", description = "Findings from security logs, with their evidence.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags(
        (name = "findings", description = "What rules found"),
        (name = "events", description = "Events at rest"),
        (name = "incidents", description = "Findings that belong together, and how people work on them"),
        (name = "operations", description = "State of the service, its changes and its webhooks")
    )
)]
struct Description;

#[derive(OpenApi)]
#[openapi(
    info(title = "C0Di3 analyzer", description = "Events in. Shippers of Elasticsearch, Splunk, Loki, OpenTelemetry, GELF, the journal, Firehose and Datadog are answered as the documentation of their own servers has it: deploy/shippers/README.md.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags((name = "ingest", description = "Events in"), (name = "rules", description = "Rules in force"), (name = "operations", description = "State of the service"))
)]
struct AnalyzerDescription;

/// Routes of the API, and their OpenAPI 3.1 description.
fn described() -> (Router<ApiState>, Value) {
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(findings::list))
        .routes(routes!(findings::detail))
        .routes(routes!(archive::context))
        .routes(routes!(archive::search))
        .routes(routes!(hunts::list, hunts::start))
        .routes(routes!(hunts::detail, hunts::remove))
        .routes(routes!(hunts::rows))
        .routes(routes!(backtests::start))
        .routes(routes!(backtests::list))
        .routes(routes!(backtests::detail, backtests::remove))
        .routes(routes!(saved_hunts::saved))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::detail, incidents::change))
        .routes(routes!(incidents::timeline))
        .routes(routes!(incidents::summary))
        .routes(routes!(mutes::list))
        .routes(routes!(mutes::end))
        .routes(routes!(entities::entity))
        .routes(routes!(stats::stats))
        .routes(routes!(admin::deliveries))
        .routes(routes!(admin::retry))
        .routes(routes!(endpoints::list))
        .routes(routes!(endpoints::enable))
        .routes(routes!(audit::list::list))
        .routes(routes!(admin::clear_cache))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(metrics))
        .split_for_parts();
    (router, describe::complete(&description))
}

/// The OpenAPI description as JSON text.
pub fn openapi_json() -> String {
    serde_json::to_string_pretty(&described().1).unwrap_or_else(|_| "{}".to_owned())
}

/// The whole API of the agent: port 3000.
pub fn router(state: ApiState) -> Router {
    let (router, description) = described();
    let parameterless = describe::parameterless(&description);
    let description = Arc::new(description);
    let auth = state.auth.clone();
    let asked = Arc::clone(&state.store);
    let watch = StoreWatch::new(move || {
        let store = Arc::clone(&asked);
        async move { store.changed_after(ChangeCursor::END, 1).await.map(|_| ()) }
    });
    let router = router
        .route("/openapi.json", get(move || async move { Json(Arc::unwrap_or_clone(description)) }))
        .route("/", get(index))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(watch, unless_away));
    finish(router, state, Some((auth, parameterless)))
}

/// The analyzer's OpenAPI description.
pub fn analyzer_document() -> Value {
    let (_, of_operations) = health_routes().split_for_parts();
    let (_, mut description) = OpenApiRouter::with_openapi(AnalyzerDescription::openapi())
        .routes(routes!(ingest::ingest))
        .routes(routes!(senders::accounts))
        .split_for_parts();
    description.merge(tap_routes().split_for_parts().1);
    description.merge(rule_routes().split_for_parts().1);
    description.merge(of_operations);
    describe::complete(&description)
}

fn tap_routes() -> OpenApiRouter<Tap> {
    OpenApiRouter::<Tap>::new().routes(routes!(tap::sample))
}

fn rule_routes() -> OpenApiRouter<rules::Rules> {
    OpenApiRouter::<rules::Rules>::new()
        .routes(routes!(rules::status))
        .routes(routes!(rules::reload))
        .routes(routes!(rules::explain))
        .routes(routes!(rules::groups))
}

/// The analyzer's port 5001: events in, and how the analyzer is.
pub fn analyzer_router(
    ingest: IngestState,
    rules: Arc<dyn RuleService>,
    tap: Tap,
    health: HealthState,
    auth: Auth,
) -> Router {
    let (operations, _) = health_routes().split_for_parts();
    let ingest_routes = OpenApiRouter::new().routes(routes!(ingest::ingest)).routes(routes!(senders::accounts));
    let ingest_routes = ingest_routes.split_for_parts().0;
    let rule_routes = rule_routes().split_for_parts().0;
    let rule_routes = rule_routes.layer(DefaultBodyLimit::max(rules::LINES_BYTES_MAX)).with_state(rules);
    let description = analyzer_document();
    let parameterless = describe::parameterless(&description);
    let description = Arc::new(description);
    let operations = operations
        .route("/openapi.json", get(move || async move { Json(Arc::unwrap_or_clone(description)) }))
        .with_state(health);
    let pushed = ingest_routes.merge(shippers::routes()).with_state::<()>(ingest);
    let tapped = tap_routes().split_for_parts().0.with_state(tap);
    let checked = with_checks(pushed.merge(operations).merge(rule_routes).merge(tapped), auth, parameterless);
    // Who speaks for shippers stands outside of whatever refuses.
    answered(checked).layer(middleware::from_fn(shippers::speak)).layer(middleware::from_fn(observe::observe))
}

/// Health alone: port 3001, answered even while the API is busy.
pub fn health_router(state: HealthState) -> Router {
    finish(health_routes().split_for_parts().0, state, None)
}

fn health_routes() -> OpenApiRouter<HealthState> {
    OpenApiRouter::<HealthState>::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(metrics))
}

fn finish<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    state: S,
    checked: Option<(Auth, guard::Parameterless)>,
) -> Router {
    let router = match checked {
        Some((auth, parameterless)) => with_checks(router, auth, parameterless),
        None => router,
    };
    answered(router).layer(middleware::from_fn(observe::observe)).with_state(state)
}

fn with_checks<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    auth: Auth,
    parameterless: guard::Parameterless,
) -> Router<S> {
    router
        .layer(middleware::from_fn_with_state(parameterless, guard::refuse_unread))
        .layer(middleware::from_fn_with_state(auth, authorise))
}

/// Every request is answered, in time.
fn answered<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(async || Problem::not_found("there is no such path; /openapi.json lists them all"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn(guard::guard))
}

async fn index() -> Response {
    let links = serde_json::json!({
        "service": "c0di3",
        "version": env!("CARGO_PKG_VERSION"),
        "links": ["/api/v1/findings", "/api/v1/incidents", "/api/v1/mutes", "/api/v1/stats", "/api/v1/deliveries", "/api/v1/endpoints", "/api/v1/audit", "/health", "/ready", "/live", "/metrics", "/openapi.json"],
    });
    Json(links).into_response()
}

/// Metrics in the Prometheus text format, or as OpenMetrics with exemplars where `Accept` names it.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "Prometheus text format", body = String)))]
async fn metrics(axum::extract::State(state): axum::extract::State<HealthState>, headers: HeaderMap) -> Response {
    let text = state.metrics.render().await;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    if openmetrics::is_wanted(accept) {
        return ([(CONTENT_TYPE, openmetrics::CONTENT)], openmetrics::of_text(&text)).into_response();
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[cfg(test)]
mod tests;
