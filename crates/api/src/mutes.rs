//! `/api/v1/mutes`: what false positives hide, with who said so and why, how much of it there was, and an end before its time.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};
use store::people::Mute;
use utoipa::ToSchema;

use crate::asked::Asked;
use crate::problem::{PartProblem, Problem};
use crate::schema;
use crate::state::ApiState;

/// Mutes that are shown.
const SHOWN_MAX: u32 = 1000;

/// Mutes, newest first. They are made with `mute_until` in the change of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MutePage {
    #[schema(value_type = Vec<schema::Mute>)]
    data: Vec<Mute>,
    /// Older ones are not shown.
    has_more: bool,
}

/// Mutes that hold; with `ended=true` also those whose time is over or that somebody ended.
#[utoipa::path(
    get, path = "/api/v1/mutes", tag = "incidents", params(("ended" = Option<bool>, Query, description = "true: ended ones as well")),
    responses(
        (status = 200, description = "Mutes", body = MutePage),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<MutePage>, Problem> {
    let mut ended_too = false;
    for (name, text) in &parameters {
        ended_too = match (name.as_str(), text.as_str()) {
            ("ended", "true") => true,
            ("ended", "false") => false,
            _ => {
                let detail = "the only parameter is ended: true or false".to_owned();
                return Err(Problem::bad_request(vec![PartProblem { pointer: name.clone(), detail }]));
            }
        };
    }
    let mut data = state.store.mutes(ended_too, SHOWN_MAX + 1, (state.clock)()).await?;
    let has_more = data.len() > SHOWN_MAX as usize;
    data.truncate(SHOWN_MAX as usize);
    Ok(Json(MutePage { data, has_more }))
}

/// Ends a mute now: what goes on is told from then on. The incident's history says who did.
#[utoipa::path(
    delete, path = "/api/v1/mutes/{id}", tag = "incidents", params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses(
        (status = 200, description = "It has ended", body = schema::MuteEnded),
        (status = 404, description = "There is no such mute that holds", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("there is no such mute that holds");
    let Path(id) = id.map_err(|_| missing())?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id || !state.store.end_mute(&id, &asked.by(), (state.clock)()).await? {
        return Err(missing());
    }
    asked.is_audited();
    Ok(Json(json!({"id": id, "state": "ended"})))
}
