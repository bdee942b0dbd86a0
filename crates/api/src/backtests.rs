//! `/api/v1/rules/{id}/backtest`: a rule over the events at rest, before it goes live. A backtest goes on while nobody waits for it, says
//! how far it is and can be ended, as hunts do. Nothing here knows files or rules.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use event::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{archive, bad, problem};
use crate::asked::Asked;
use crate::event_archive::{BacktestOrder, BacktestState, HuntId, HuntPhase, Unanswerable};
use crate::hunts::{SECONDS, SECONDS_MAX, WAIT, WAIT_MAX, within};
use crate::problem::Problem;
use crate::state::{ApiState, BODY_BYTES_MAX};

/// Backtests, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backtests {
    data: Vec<BacktestState>,
}

fn missing() -> Problem {
    Problem::not_found("there is no such backtest: it was removed, or the service has started anew since")
}

fn id_of(id: Result<Path<HuntId>, PathRejection>) -> Result<HuntId, Problem> {
    id.map(|Path(id)| id).map_err(|_| missing())
}

/// A moment, or a time span back from now.
fn since_of(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let span = event::time::parse_span_us(text).map(|span| now.saturating_sub_us(span));
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let wrong = || bad("since", format!("`{text}` is neither a time span such as 30d nor a time"));
    span.or_else(|| Timestamp::parse_rfc3339(whole.as_bytes())).ok_or_else(wrong)
}

/// What the rule would have found in the events at rest: hits by day, top entities, and the open incidents that its findings
/// would join. The rule is the configured one of this id, name or title; where the body holds a rule file in YAML, the rule of that
/// file, with the configured ones that it refers to. The reply waits a little for the end.
#[utoipa::path(
    post, path = "/api/v1/rules/{id}/backtest", tag = "events",
    params(
        ("id" = String, Path, description = "Id, name or title"),
        ("since" = Option<String>, Query, description = "Events since then: 30d, or a time; all where absent"),
        ("seconds_max" = Option<u64>, Query, description = "Seconds that it may take: 1 to 3600, 600 where absent"),
        ("wait" = Option<u64>, Query, description = "Seconds that the reply waits for the end: 0 to 25, 10 where absent"),
    ),
    request_body(content = String, description = "A rule file that is not live, in YAML; empty: the configured rule", content_type = "application/yaml"),
    responses(
        (status = 200, description = "It has ended: the report", body = BacktestState),
        (status = 202, description = "It goes on", body = BacktestState),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such rule, or no archive", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The rule of the body has problems", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    Path(rule): Path<String>,
    Query(parameters): Query<Vec<(String, String)>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|_| Problem::too_large(format!("a rule file has at most {BODY_BYTES_MAX} bytes")))?;
    let text = String::from_utf8(body.to_vec()).map_err(|_| bad("body", "the rule file is not UTF-8 text"))?;
    let (mut since, mut seconds, mut wait) = (None, None, None);
    for (name, text) in &parameters {
        let number = || text.parse().map(Some).map_err(|_| bad(name, format!("`{text}` is not a whole number")));
        match name.as_str() {
            "since" => since = Some(since_of(text, (state.clock)())?),
            "seconds_max" => seconds = number()?,
            "wait" => wait = number()?,
            _ => return Err(bad(name, "unknown parameter; known are since, seconds_max, wait")),
        }
    }
    let seconds = within("seconds_max", seconds, SECONDS, 1..=SECONDS_MAX)?;
    let wait = within("wait", wait, WAIT, 0..=WAIT_MAX)?;
    let order = BacktestOrder {
        rule,
        text: (!text.trim().is_empty()).then_some(text),
        since,
        asked_by: asked.by().actor,
        time_max: Duration::from_secs(seconds),
    };
    let archive = archive(&state)?;
    let id = archive.backtest(order).await.map_err(|error| problem("id", error))?;
    let backtest = archive.backtest_state(id, Duration::from_secs(wait)).await.ok_or_else(missing)?;
    match backtest.state {
        HuntPhase::Failed => {
            archive.end_backtest(id).await;
            Err(problem("id", Unanswerable::Away(backtest.error.unwrap_or_default())))
        }
        HuntPhase::Running => {
            let place = format!("/api/v1/backtests/{id}");
            let place = HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static(""));
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(backtest)).into_response())
        }
        HuntPhase::Done => Ok(Json(backtest).into_response()),
    }
}

/// Backtests that are running, and those whose reports are kept; without the reports.
#[utoipa::path(
    get, path = "/api/v1/backtests", tag = "events",
    responses(
        (status = 200, description = "Backtests", body = Backtests),
        (status = 404, description = "There is no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<Backtests>, Problem> {
    Ok(Json(Backtests { data: archive(&state)?.backtests().await }))
}

/// How a backtest is, how far, and its report where it has ended.
#[utoipa::path(
    get, path = "/api/v1/backtests/{id}", tag = "events",
    params(("id" = u64, Path, description = "Number of the backtest")),
    responses(
        (status = 200, description = "The backtest", body = BacktestState),
        (status = 404, description = "There is no such backtest", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detail(
    State(state): State<ApiState>,
    id: Result<Path<HuntId>, PathRejection>,
) -> Result<Json<BacktestState>, Problem> {
    archive(&state)?.backtest_state(id_of(id)?, Duration::ZERO).await.map(Json).ok_or_else(missing)
}

/// Ends a backtest, and forgets its report.
#[utoipa::path(
    delete, path = "/api/v1/backtests/{id}", tag = "events",
    params(("id" = u64, Path, description = "Number of the backtest")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such backtest", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    id: Result<Path<HuntId>, PathRejection>,
) -> Result<StatusCode, Problem> {
    match archive(&state)?.end_backtest(id_of(id)?).await {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing()),
    }
}
