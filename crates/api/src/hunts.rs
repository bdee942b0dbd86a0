//! `/api/v1/hunts`: questions to the archive in SQL. A hunt goes on while nobody waits for it, says how far it is, can be ended, and
//! its answer is fetched in the form that somebody wants. Nothing here knows files or SQL.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::archive::{ROWS, archive, bad, problem};
use crate::asked::Asked;
use crate::event_archive::{HuntId, HuntOrder, HuntPhase, HuntState, RowsForm, Unanswerable};
use crate::filter::limit;
use crate::problem::Problem;
use crate::state::{ApiState, BODY_BYTES_MAX};

/// Rows of an answer that is kept, where nobody says how many, and at most.
const ROWS_KEPT: u64 = 100_000;
const ROWS_KEPT_MAX: u64 = 10_000_000;

/// Seconds that a hunt may take where nobody says how many, and at most.
pub(crate) const SECONDS: u64 = 600;
pub(crate) const SECONDS_MAX: u64 = 3600;

/// Seconds that a request waits for the end of a hunt where nobody says how many, and at most: below the limit of requests.
pub(crate) const WAIT: u64 = 10;
pub(crate) const WAIT_MAX: u64 = 25;

/// A question to the archive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HuntQuestion {
    /// Such as `SELECT source.ip, count(*) FROM events GROUP BY source.ip`.
    question: String,
    /// Rows that come with the reply: 1 to 500, 100 where absent.
    limit: Option<u32>,
    /// Rows that are kept: 1 to 10,000,000, 100,000 where absent.
    rows_max: Option<u64>,
    /// Seconds that the hunt may take: 1 to 3600, 600 where absent.
    seconds_max: Option<u64>,
    /// Seconds that the reply waits for the end: 0 to 25, 10 where absent.
    wait: Option<u64>,
}

/// A hunt, and the first rows of its answer where it has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hunt {
    #[serde(flatten)]
    hunt: HuntState,
    /// One object for each row, fields without a value left out.
    data: Vec<BTreeMap<String, Value>>,
    /// The answer has more rows: `/api/v1/hunts/{id}/rows` has all.
    has_more: bool,
}

/// Hunts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hunts {
    data: Vec<HuntState>,
}

pub(crate) fn within(
    pointer: &str,
    number: Option<u64>,
    otherwise: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, Problem> {
    let number = number.unwrap_or(otherwise);
    let (first, last) = (range.start(), range.end());
    let wrong = || bad(pointer, format!("`{number}` is not a number from {first} to {last}"));
    range.contains(&number).then_some(number).ok_or_else(wrong)
}

fn missing() -> Problem {
    Problem::not_found("there is no such hunt: it was removed, or the service has started anew since")
}

fn id_of(id: Result<Path<HuntId>, PathRejection>) -> Result<HuntId, Problem> {
    id.map(|Path(id)| id).map_err(|_| missing())
}

/// Asks a question in SQL over the table `events`. It only reads, within limits on memory, time, rows and bytes. The reply waits a
/// little for the end; a hunt that takes longer goes on.
#[utoipa::path(
    post, path = "/api/v1/hunts", tag = "events", request_body = HuntQuestion,
    responses(
        (status = 200, description = "The hunt has ended: its first rows", body = Hunt),
        (status = 202, description = "The hunt goes on", body = Hunt),
        (status = 400, description = "The question cannot be answered, and why", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|_| Problem::too_large(format!("a question has at most {BODY_BYTES_MAX} bytes")))?;
    let wanted: HuntQuestion = serde_json::from_slice(&body).map_err(|error| bad("", error.to_string()))?;
    let rows = limit(&wanted.limit.unwrap_or(ROWS).to_string()).map_err(|detail| bad("/limit", detail))?;
    let rows_max = within("/rows_max", wanted.rows_max, ROWS_KEPT, 1..=ROWS_KEPT_MAX)?;
    let seconds = within("/seconds_max", wanted.seconds_max, SECONDS, 1..=SECONDS_MAX)?;
    let wait = within("/wait", wanted.wait, WAIT, 0..=WAIT_MAX)?;
    let order = HuntOrder {
        question: wanted.question,
        asked_by: asked.by().actor,
        rows_max,
        time_max: Duration::from_secs(seconds),
    };
    let archive = archive(&state)?;
    let id = archive.start(order).await.map_err(|error| problem("/question", error))?;
    let hunt = archive.state(id, Duration::from_secs(wait)).await.ok_or_else(missing)?;
    match hunt.state {
        HuntPhase::Failed => {
            archive.remove(id).await;
            let why = hunt.error.unwrap_or_default();
            let error = if hunt.is_away { Unanswerable::Away(why) } else { Unanswerable::Refused(why) };
            Err(problem("/question", error))
        }
        HuntPhase::Running => {
            let place = HeaderValue::from_str(&format!("/api/v1/hunts/{id}")).unwrap_or(HeaderValue::from_static(""));
            let body = Json(Hunt { hunt, data: Vec::new(), has_more: true });
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], body).into_response())
        }
        HuntPhase::Done => {
            let first = archive.first_rows(id, rows as usize).await.map_err(|error| problem("/question", error))?;
            Ok(Json(Hunt { hunt, data: first.data, has_more: first.has_more }).into_response())
        }
    }
}

/// Hunts that are running, and those whose answers are kept.
#[utoipa::path(
    get, path = "/api/v1/hunts", tag = "events",
    responses(
        (status = 200, description = "Hunts", body = Hunts),
        (status = 404, description = "There is no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Hunts>, Problem> {
    Ok(Json(Hunts { data: archive(&state)?.hunts().await }))
}

/// How a hunt is, and how far.
#[utoipa::path(
    get, path = "/api/v1/hunts/{id}", tag = "events", params(("id" = u64, Path, description = "Number of the hunt")),
    responses(
        (status = 200, description = "The hunt", body = HuntState),
        (status = 404, description = "There is no such hunt", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detail(
    State(state): State<ApiState>,
    id: Result<Path<HuntId>, PathRejection>,
) -> Result<Json<HuntState>, Problem> {
    archive(&state)?.state(id_of(id)?, Duration::ZERO).await.map(Json).ok_or_else(missing)
}

/// Ends a hunt, and forgets its answer.
#[utoipa::path(
    delete, path = "/api/v1/hunts/{id}", tag = "events", params(("id" = u64, Path, description = "Number of the hunt")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such hunt", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    id: Result<Path<HuntId>, PathRejection>,
) -> Result<StatusCode, Problem> {
    match archive(&state)?.remove(id_of(id)?).await {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing()),
    }
}

/// All rows of an answer.
#[utoipa::path(
    get, path = "/api/v1/hunts/{id}/rows", tag = "events",
    params(
        ("id" = u64, Path, description = "Number of the hunt"),
        ("format" = Option<String>, Query, description = "ndjson (where absent), csv, parquet or arrow"),
    ),
    responses(
        (status = 200, description = "The rows", content_type = "application/x-ndjson"),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such hunt", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The hunt has not ended", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rows(
    State(state): State<ApiState>,
    id: Result<Path<HuntId>, PathRejection>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let mut form = RowsForm::Ndjson;
    for (name, text) in &parameters {
        form = match (name.as_str(), text.as_str()) {
            ("format", "ndjson") => RowsForm::Ndjson,
            ("format", "csv") => RowsForm::Csv,
            ("format", "parquet") => RowsForm::Parquet,
            ("format", "arrow") => RowsForm::Arrow,
            _ => return Err(bad(name, "the only parameter is format: ndjson, csv, parquet or arrow")),
        };
    }
    let (archive, id) = (archive(&state)?, id_of(id)?);
    let hunt = archive.state(id, Duration::ZERO).await.ok_or_else(missing)?;
    if hunt.state != HuntPhase::Done {
        return Err(Problem::conflict("the hunt has no answer yet"));
    }
    let pieces = archive.rows(id, form).await.map_err(|error| problem("id", error))?;
    let pieces = stream::unfold(pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    let media = match form {
        RowsForm::Ndjson => "application/x-ndjson",
        RowsForm::Csv => "text/csv; charset=utf-8",
        RowsForm::Parquet => "application/vnd.apache.parquet",
        RowsForm::Arrow => "application/vnd.apache.arrow.stream",
    };
    Ok(([(header::CONTENT_TYPE, media)], Body::from_stream(pieces)).into_response())
}
