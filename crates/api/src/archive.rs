//! The archive over HTTP: lines around a finding, and searches. Who answers is told by a trait: nothing here knows files or SQL.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use event::FindingId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::event_archive::{EventArchive, FoundEvents, LinesAround, SearchOrder, Unanswerable};
use crate::filter::limit;
use crate::problem::{PartProblem, Problem};
use crate::state::ApiState;

/// Lines before and behind a line of evidence where nobody says how many, and at most.
const LINES: u64 = 20;
const LINES_MAX: u64 = 500;

/// Rows of an answer where nobody says how many.
pub(crate) const ROWS: u32 = 100;

/// Lines around the evidence of a finding.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingContext {
    data: Vec<LinesAround>,
}

pub(crate) fn archive(state: &ApiState) -> Result<Arc<dyn EventArchive>, Problem> {
    let missing = || Problem::not_found("no events are kept: archive.folder is empty");
    state.archive.clone().ok_or_else(missing)
}

pub(crate) fn problem(part: &str, error: Unanswerable) -> Problem {
    match error {
        Unanswerable::NoSuchFinding => Problem::not_found("there is no such finding"),
        Unanswerable::NoSuchRule(detail) => Problem::not_found(detail),
        Unanswerable::Refused(detail) => bad(part, detail),
        Unanswerable::RuleRefused(problems) => {
            let part = |detail: String| PartProblem { pointer: "body".to_owned(), detail };
            Problem::rules_refused(problems.into_iter().map(part).collect())
        }
        Unanswerable::Busy(detail) | Unanswerable::Away(detail) => Problem::busy(detail),
        Unanswerable::Failed => Problem::busy("the archive cannot be read at the moment"),
    }
}

pub(crate) fn bad(pointer: &str, detail: impl Into<String>) -> Problem {
    Problem::bad_request(vec![PartProblem { pointer: pointer.to_owned(), detail: detail.into() }])
}

/// The lines around a finding's evidence, from the same sources.
#[utoipa::path(
    get, path = "/api/v1/findings/{id}/context", tag = "findings",
    params(
        ("id" = String, Path, description = "32 hexadecimal digits"),
        ("before" = Option<u64>, Query, description = "Lines before each line of evidence: 0 to 500, 20 where absent"),
        ("after" = Option<u64>, Query, description = "Lines behind it: 0 to 500, 20 where absent"),
    ),
    responses(
        (status = 200, description = "Lines by source", body = FindingContext),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such finding, or no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn context(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<FindingContext>, Problem> {
    let (mut before, mut after) = (LINES, LINES);
    for (name, text) in &parameters {
        let number = text.parse().ok().filter(|number| *number <= LINES_MAX);
        let number = number.ok_or_else(|| bad(name, format!("`{text}` is not a number from 0 to {LINES_MAX}")));
        match name.as_str() {
            "before" => before = number?,
            "after" => after = number?,
            _ => return Err(bad(name, "unknown parameter; known are before, after")),
        }
    }
    let missing = || Problem::not_found("a finding's id has 32 hexadecimal digits");
    let Path(id) = id.map_err(|_| missing())?;
    let id = FindingId::from_str(&id).ok().filter(|_| id.len() == 32).ok_or_else(missing)?;
    let data = archive(&state)?.around(id, before, after).await.map_err(|error| problem("id", error))?;
    Ok(Json(FindingContext { data }))
}

/// Fields whose values are counted in one request, values of each where nobody says how many, and at most.
const FACETS_MAX: usize = 5;
const FACET_VALUES: usize = 10;
const FACET_VALUES_MAX: usize = 100;

/// The newest events that a search describes: `source.ip:203.0.113.7 status>=500 "union select" last 2h`; beside them the most
/// frequent values of fields, and how many events there were in each span of time.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(
        ("q" = Option<String>, Query, description = "The search: field:value, field>=number, field~expression, \"text\", NOT, OR, brackets, last 2h, since TIME, until TIME"),
        ("limit" = Option<u32>, Query, description = "Events: 0 to 500, 100 where absent"),
        ("facet" = Option<String>, Query, description = "Fields whose most frequent values are told, with commas between them: at most 5"),
        ("facet_values" = Option<u32>, Query, description = "Values of each of them: 1 to 100, 10 where absent"),
        ("histogram" = Option<String>, Query, description = "Events are counted in spans of this length: 5m, 1h, 1d; the newest 1,000 spans that have any"),
    ),
    responses(
        (status = 200, description = "Events, newest first", body = FoundEvents),
        (status = 400, description = "The search cannot be understood", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no archive", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<FoundEvents>, Problem> {
    let mut order = SearchOrder { rows: ROWS as usize, facet_values: FACET_VALUES, ..SearchOrder::default() };
    for (name, text) in parameters {
        match name.as_str() {
            "q" => order.search = text,
            "limit" if text == "0" => order.rows = 0,
            "limit" => order.rows = limit(&text).map_err(|detail| bad("limit", detail))? as usize,
            "facet" => order.facets.extend(text.split(',').filter(|field| !field.is_empty()).map(str::to_owned)),
            "facet_values" => {
                let number = text.parse().ok().filter(|number| (1..=FACET_VALUES_MAX).contains(number));
                let wrong = || bad("facet_values", format!("`{text}` is not a number from 1 to {FACET_VALUES_MAX}"));
                order.facet_values = number.ok_or_else(wrong)?;
            }
            "histogram" => {
                let wrong = || bad("histogram", format!("`{text}` is no time span such as 5m, 1h or 1d"));
                order.histogram_us = Some(event::time::parse_span_us(&text).ok_or_else(wrong)?);
            }
            _ => {
                let known = "unknown parameter; known are q, limit, facet, facet_values, histogram";
                return Err(bad(&name, known));
            }
        }
    }
    if order.facets.len() > FACETS_MAX {
        return Err(bad("facet", format!("at most {FACETS_MAX} fields")));
    }
    let found = archive(&state)?.search(order).await;
    found.map(Json).map_err(|error| problem("q", error))
}
