//! Saved hunts: what they ask, when they run by themselves, and what came of the runs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{archive, problem};
use crate::event_archive::SavedHuntView;
use crate::problem::Problem;
use crate::state::ApiState;

/// All saved hunts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedHuntList {
    data: Vec<SavedHuntView>,
}

/// Saved hunts, with what came of their runs.
#[utoipa::path(
    get, path = "/api/v1/hunts/saved", tag = "events",
    responses(
        (status = 200, description = "All of them, by id", body = SavedHuntList),
        (status = 404, description = "There is no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn saved(State(state): State<ApiState>) -> Result<Json<SavedHuntList>, Problem> {
    let data = archive(&state)?.saved().await.map_err(|error| problem("", error))?;
    Ok(Json(SavedHuntList { data }))
}
