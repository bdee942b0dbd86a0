//! `/api/v1/findings`: lists with filters and cursors, and one finding with its proof.

use std::str::FromStr;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use event::{FindingId, Status};
use serde::Serialize;
use store::FindingQuery;
use utoipa::{IntoParams, ToSchema};

use crate::cursor;
use crate::filter::{self, Once, after_since, limit, names, time, values, words};
use crate::problem::{PartProblem, Problem};
use crate::state::ApiState;
use crate::view::{FindingDetail, FindingView};

const LIMIT_DEFAULT: u32 = 50;

/// A page of findings, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingPage {
    data: Vec<FindingView>,
    /// Pass as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    has_more: bool,
    /// Of an empty first page: what nothing is known of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// What can be asked for. Values of one parameter are alternatives (repeat it or separate with commas); parameters combine.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read one by one so that unknown names are refused")]
struct FindingParameters {
    /// RFC 3339: last event at or after.
    since: Option<String>,
    /// RFC 3339: first event before.
    until: Option<String>,
    /// P0 to P3.
    severity: Option<String>,
    /// informational, low, medium, high or critical.
    level: Option<String>,
    /// Id or title of a rule that found it or that it names under `also`; titles in upper or lower case.
    rule: Option<String>,
    /// new, in_progress, suppressed, resolved or archived.
    status: Option<String>,
    /// An address, or a network such as 192.0.2.0/24.
    #[param(rename = "source.ip")]
    source_ip: Option<String>,
    /// Whole name; a star that is meant is written `\*`.
    #[param(rename = "user.name")]
    user_name: Option<String>,
    /// Whole name; a star that is meant is written `\*`.
    #[param(rename = "host.name")]
    host_name: Option<String>,
    /// 1 to 500, 50 where absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// From `next_cursor` of the page before, with the same filter.
    cursor: Option<String>,
}

const PARAMETERS: [&str; 11] =
    ["since", "until", "severity", "level", "rule", "status", "source.ip", "user.name", "host.name", "limit", "cursor"];

/// Findings, newest first.
#[utoipa::path(
    get, path = "/api/v1/findings", tag = "findings", params(FindingParameters),
    responses(
        (status = 200, description = "One page", body = FindingPage),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<FindingPage>, Problem> {
    let query = read_query(&parameters)?;
    let page = state.store.list(&filter::resolved(&*state.store, &query).await?).await?;
    let next_cursor = page.next.map(|next| cursor::write(next, &query));
    let notes = if page.findings.is_empty() && query.after.is_none() {
        filter::notes(&*state.store, &query.rules, &query.entities).await?
    } else {
        Vec::new()
    };
    let data = page.findings.into_iter().map(FindingView::from).collect();
    Ok(Json(FindingPage { data, has_more: next_cursor.is_some(), next_cursor, notes }))
}

/// One finding with its evidence.
#[utoipa::path(
    get, path = "/api/v1/findings/{id}", tag = "findings",
    params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses(
        (status = 200, description = "The finding", body = FindingDetail),
        (status = 404, description = "There is no such finding", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detail(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<FindingDetail>, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found("a finding's id has 32 hexadecimal digits"))?;
    let missing = || Problem::not_found(format!("there is no finding `{}`", id.chars().take(64).collect::<String>()));
    let wanted = FindingId::from_str(&id).ok().filter(|_| id.len() == 32).ok_or_else(missing)?;
    let stored = state.store.get(wanted).await?.ok_or_else(missing)?;
    Ok(Json(stored.into()))
}

fn read_query(parameters: &[(String, String)]) -> Result<FindingQuery, Problem> {
    let mut query = FindingQuery { limit: LIMIT_DEFAULT, ..FindingQuery::default() };
    let mut errors = Vec::new();
    let mut after = None;
    let mut once = Once::default();
    for (name, text) in parameters {
        let read = match name.as_str() {
            _ if text.trim().is_empty() => Err("the parameter has no value".to_owned()),
            _ if once.is_again(name) => Err("the parameter is given twice".to_owned()),
            "since" => time(text).map(|time| query.since = Some(time)),
            "until" => time(text).map(|time| query.until = Some(time)),
            "severity" => words(text, &mut query.severities, "P0, P1, P2, P3"),
            "level" => words(text, &mut query.levels, "informational, low, medium, high, critical"),
            "status" => statuses(text, &mut query.statuses),
            "rule" => names(text).map(|names| query.rules.extend(names)),
            "source.ip" | "user.name" | "host.name" => filter::entities(name, text, &mut query.entities),
            "limit" => limit(text).map(|limit| query.limit = limit),
            "cursor" => {
                after = Some(text);
                Ok(())
            }
            _ => Err(format!("unknown parameter; known are {}", PARAMETERS.join(", "))),
        };
        if let Err(detail) = read {
            errors.push(PartProblem { pointer: name.clone(), detail });
        }
    }
    errors.extend(after_since(query.since, query.until));
    errors.extend(filter::too_many(query.rules.len() + query.entities.len()));
    if let (Some(text), true) = (after, errors.is_empty()) {
        match cursor::read(text, &query) {
            Ok(cursor) => query.after = Some(cursor),
            Err(detail) => errors.push(PartProblem { pointer: "cursor".to_owned(), detail: detail.to_owned() }),
        }
    }
    if errors.is_empty() { Ok(query) } else { Err(Problem::bad_request(errors)) }
}

fn statuses(text: &str, into: &mut Vec<Status>) -> Result<(), String> {
    for value in values(text)? {
        let known = "new, in_progress, suppressed, resolved, archived";
        into.push(Status::from_name(value).ok_or_else(|| format!("`{value}` is not one of {known}"))?);
    }
    Ok(())
}
