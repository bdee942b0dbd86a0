//! `/api/v1/endpoints`: receivers of webhooks, and enabling one that wanted no more.

use axum::Extension;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use store::endpoints::EndpointState;
use utoipa::ToSchema;

use crate::asked::Asked;
use crate::problem::Problem;
use crate::state::ApiState;

/// A receiver of webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointView {
    name: String,
    /// enabled or disabled.
    state: &'static str,
    /// When it was configured with the address that it has.
    registered_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<String>,
    /// Why nothing is sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<EndpointState> for EndpointView {
    fn from(state: EndpointState) -> Self {
        let word = if state.disabled.is_some() { "disabled" } else { "enabled" };
        let (disabled_at, reason) = state.disabled.map(|(at, reason)| (at.to_string(), reason)).unzip();
        let registered_at = state.registered_at.to_string();
        EndpointView { name: state.name, state: word, registered_at, disabled_at, reason }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointList {
    data: Vec<EndpointView>,
}

/// Receivers of webhooks that are configured, by name.
#[utoipa::path(
    get, path = "/api/v1/endpoints", tag = "operations",
    responses((status = 200, description = "Receivers", body = EndpointList))
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<EndpointList>, Problem> {
    let endpoints = state.store.endpoints().await?;
    Ok(Json(EndpointList { data: endpoints.into_iter().map(EndpointView::from).collect() }))
}

/// What a receiver is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Enabled {
    /// enabled
    state: &'static str,
}

/// Sends to a disabled receiver again, from the next notice on. Needs the role admin.
#[utoipa::path(
    post, path = "/api/v1/endpoints/{name}/enable", tag = "operations", params(("name" = String, Path)),
    responses(
        (status = 200, description = "It is enabled", body = Enabled),
        (status = 404, description = "There is no such receiver that is disabled", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enable(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Enabled>, Problem> {
    let missing = || Problem::not_found("there is no such endpoint that is disabled");
    let Path(name) = name.map_err(|_| missing())?;
    if !state.store.enable_endpoint(&name, &asked.by(), (state.clock)()).await? {
        return Err(missing());
    }
    asked.is_audited();
    Ok(Json(Enabled { state: "enabled" }))
}
