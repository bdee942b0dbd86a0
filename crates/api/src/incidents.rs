//! `/api/v1/incidents`: lists, one incident, its change under If-Match, its timeline and its summary.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use event::incident::{HistoryEntry, Link};
use event::{Incident, IncidentChange, IncidentId, UnknownWord};
use serde::Serialize;
use serde_json::Value;
use store::people::{Changed, IncidentQuery, facts};
use utoipa::{IntoParams, ToSchema};

use crate::asked::Asked;
use crate::filter::{self, Once, limit, time, values, words};
use crate::problem::{PartProblem, Problem};
use crate::schema;
use crate::state::{ApiState, BODY_BYTES_MAX};
use crate::view::FindingView;

const LIMIT_DEFAULT: u32 = 50;
/// Findings and entries that a timeline shows.
const TIMELINE_MAX: u32 = 500;
/// Longest comment or post-mortem, in bytes.
const TEXT_BYTES_MAX: usize = 20_000;
/// Longest name of an assignee, in bytes.
const NAME_BYTES_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentPage {
    #[schema(value_type = Vec<schema::Incident>)]
    data: Vec<IncidentView>,
    /// Pass as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    has_more: bool,
    /// Of an empty first page: what nothing is known of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// An incident with the numbers of OCSF beside the words.
#[derive(Debug, Serialize)]
pub(crate) struct IncidentView {
    #[serde(flatten)]
    incident: Incident,
    status_id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict_id: Option<u8>,
    /// OCSF `priority_id`: 4 for P0 to 1 for P3.
    priority_id: u8,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        let status_id = incident.work.status as u8;
        let verdict_id = incident.work.verdict.map(|verdict| verdict as u8);
        let priority_id = 4 - incident.rating.severity as u8;
        IncidentView { incident, status_id, verdict_id, priority_id }
    }
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read one by one so that unknown names are refused")]
struct IncidentParameters {
    /// P0 to P3.
    severity: Option<String>,
    /// detection, assessment, communication, investigation, mitigation, resolution or post_mortem.
    stage: Option<String>,
    /// new, in_progress, on_hold, resolved or closed.
    status: Option<String>,
    assignee: Option<String>,
    /// RFC 3339: last event at or after.
    since: Option<String>,
    /// An address, or a network such as 192.0.2.0/24.
    #[param(rename = "source.ip")]
    source_ip: Option<String>,
    /// Whole name; a star that is meant is written `\*`.
    #[param(rename = "user.name")]
    user_name: Option<String>,
    /// Whole name; a star that is meant is written `\*`.
    #[param(rename = "host.name")]
    host_name: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// From `next_cursor` of the page before, with the same filter.
    cursor: Option<String>,
}

const PARAMETERS: &str =
    "severity, stage, status, assignee, since, source.ip, user.name, host.name (one of the three), limit, cursor";

/// Incidents, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(IncidentParameters),
    responses(
        (status = 200, description = "One page", body = IncidentPage),
        (status = 400, description = "A parameter is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<IncidentPage>, Problem> {
    let mut query = read_query(&parameters)?;
    let wanted = query.limit;
    query.limit += 1;
    let asked = query.entities.clone();
    query.entities = filter::with_addresses(&*state.store, &asked).await?;
    let mut incidents = state.store.incidents(&query).await?;
    let has_more = incidents.len() > wanted as usize;
    incidents.truncate(wanted as usize);
    let last = incidents.last().filter(|_| has_more);
    let next_cursor = last.map(|last| {
        let sort_time = last.scope.last_seen.unwrap_or(last.record.created_at).0;
        BASE64_URL_SAFE_NO_PAD.encode(format!("{sort_time}:{}", last.id))
    });
    let notes = if incidents.is_empty() && query.after.is_none() {
        filter::notes(&*state.store, &[], &asked).await?
    } else {
        Vec::new()
    };
    let data = incidents.into_iter().map(IncidentView::from).collect();
    Ok(Json(IncidentPage { data, next_cursor, has_more, notes }))
}

fn read_query(parameters: &[(String, String)]) -> Result<IncidentQuery, Problem> {
    let mut query = IncidentQuery { limit: LIMIT_DEFAULT, ..IncidentQuery::default() };
    let mut errors = Vec::new();
    let mut once = Once::default();
    for (name, text) in parameters {
        let other_kind = || query.entities.first().is_some_and(|(kind, _)| kind != name);
        let read = match name.as_str() {
            _ if text.trim().is_empty() => Err("the parameter has no value".to_owned()),
            _ if once.is_again(name) => Err("the parameter is given twice".to_owned()),
            "severity" => words(text, &mut query.severities, "P0, P1, P2, P3"),
            "stage" => each(text, &mut query.stages),
            "status" => each(text, &mut query.statuses),
            "assignee" => {
                query.assignee = Some(text.clone());
                Ok(())
            }
            "since" => time(text).map(|time| query.since = Some(time)),
            "source.ip" | "user.name" | "host.name" if other_kind() => {
                Err("incidents are listed for one kind of entity at a time".to_owned())
            }
            "source.ip" | "user.name" | "host.name" => filter::entities(name, text, &mut query.entities),
            "limit" => limit(text).map(|limit| query.limit = limit),
            "cursor" => cursor(text).map(|after| query.after = Some(after)),
            _ => Err(format!("unknown parameter; known are {PARAMETERS}")),
        };
        if let Err(detail) = read {
            errors.push(PartProblem { pointer: name.clone(), detail });
        }
    }
    errors.extend(filter::too_many(query.entities.len()));
    if errors.is_empty() { Ok(query) } else { Err(Problem::bad_request(errors)) }
}

/// Words, each of which says itself what it may be.
fn each<T: FromStr<Err = UnknownWord>>(text: &str, into: &mut Vec<T>) -> Result<(), String> {
    values(text)?.into_iter().try_for_each(|value| word(value).map(|word| into.push(word)))
}

/// One word of a fixed list, or what it may be.
fn word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|unknown: UnknownWord| unknown.to_string())
}

fn cursor(text: &str) -> Result<(i64, IncidentId), String> {
    let read = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (time, id) = text.split_once(':')?;
        Some((time.parse().ok()?, id.parse().ok()?))
    };
    read().ok_or_else(|| "the cursor is damaged: start again without it".to_owned())
}

/// The id in a path, or that there is no such incident.
fn incident_id(id: Result<Path<String>, PathRejection>) -> Result<IncidentId, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found("an incident's id has 32 hexadecimal digits"))?;
    let shown: String = id.chars().take(64).collect();
    let read = IncidentId::from_str(&id).ok().filter(|_| id.len() == 32);
    read.ok_or_else(|| Problem::not_found(format!("there is no incident `{shown}`")))
}

async fn found(state: &ApiState, id: IncidentId) -> Result<Incident, Problem> {
    let incident = state.store.incident(id).await?;
    incident.ok_or_else(|| Problem::not_found(format!("there is no incident `{id}`")))
}

/// The incident under its ETag.
fn tagged(incident: Incident) -> Response {
    let tag = format!("\"{}\"", incident.record.version);
    let mut response = Json(IncidentView::from(incident)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// One incident; its ETag is needed to change it.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents", params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses(
        (status = 200, description = "The incident", body = schema::Incident, headers(("etag" = String, description = "its version"))),
        (status = 404, description = "There is no such incident", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detail(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    Ok(tagged(found(&state, incident_id(id)?).await?))
}

/// Changes stage, status, assignee, verdict, severity or post-mortem, or adds a comment: all of it or nothing. With a verdict of
/// false_positive, `mute_until` (RFC 3339, at most 90 days ahead) hides what its rules find about whom it is about.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "32 hexadecimal digits"), ("if-match" = Option<String>, Header, description = "the ETag that was read, or * for any version; 428 without")),
    request_body = schema::IncidentChange,
    responses(
        (status = 200, description = "The incident as it now is", body = schema::Incident, headers(("etag" = String, description = "its version"))),
        (status = 400, description = "A field is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such incident", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The workflow does not allow the change", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change(
    State(state): State<ApiState>,
    Extension(asked): Extension<Asked>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = incident_id(id)?;
    let body = body.map_err(|_| Problem::too_large(format!("a change has at most {BODY_BYTES_MAX} bytes")))?;
    let change = read_change(&body)?;
    let tag = headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok()).ok_or_else(Problem::version_needed)?;
    let versions = versions(tag)?;
    match state.store.change_by(id, versions.as_deref(), &change, &asked.by(), (state.clock)()).await? {
        Changed::Done(incident) => {
            asked.is_audited();
            Ok(tagged(incident))
        }
        Changed::Missing => Err(Problem::not_found(format!("there is no incident `{id}`"))),
        Changed::Stale(current) => Err(Problem::stale(current.record.version)),
        Changed::Illegal(illegal) => {
            let part =
                |one: event::incident::Illegal| PartProblem { pointer: format!("/{}", one.field), detail: one.reason };
            Err(Problem::illegal(illegal.into_iter().map(part).collect()))
        }
    }
}

/// RFC 9110, If-Match: `*` is whatever is there, else one tag or several.
fn versions(tag: &str) -> Result<Option<Vec<u64>>, Problem> {
    if tag.trim() == "*" {
        return Ok(None);
    }
    let version = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').parse().ok();
    let versions: Option<Vec<u64>> = tag.split(',').map(version).collect();
    let wrong = || {
        let detail = format!("`{tag}` is not an ETag of ours, such as \"3\"");
        Problem::bad_request(vec![PartProblem { pointer: "If-Match".to_owned(), detail }])
    };
    versions.map(Some).ok_or_else(wrong)
}

const FIELDS: &str = "stage, status, assignee, verdict, severity, post_mortem, comment, mute_until";

/// Every mistake in the body at once.
fn read_change(body: &[u8]) -> Result<IncidentChange, Problem> {
    let one = |pointer: &str, detail: String| PartProblem { pointer: pointer.to_owned(), detail };
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(vec![one("", format!("the body is not JSON: {error}"))]))?;
    let Value::Object(fields) = value else {
        return Err(Problem::bad_request(vec![one("", format!("the body must be an object with some of {FIELDS}"))]));
    };
    let mut change = IncidentChange::default();
    let mut errors = Vec::new();
    for (name, value) in &fields {
        let text = || value.as_str().ok_or_else(|| "must be a text".to_owned());
        let bounded = |most: usize| {
            let text = text()?;
            if text.trim().is_empty() {
                Err("must not be empty".to_owned())
            } else if text.len() > most {
                Err(format!("must not be longer than {most} bytes"))
            } else {
                Ok(text.to_owned())
            }
        };
        let read = match name.as_str() {
            "stage" => text().and_then(word).map(|stage| change.stage = Some(stage)),
            "status" => text().and_then(word).map(|status| change.status = Some(status)),
            "verdict" => text().and_then(word).map(|verdict| change.verdict = Some(verdict)),
            "severity" => text().and_then(word).map(|severity| change.severity = Some(severity)),
            "assignee" if value.is_null() => {
                change.assignee = Some(None);
                Ok(())
            }
            "assignee" => bounded(NAME_BYTES_MAX).map(|name| change.assignee = Some(Some(name))),
            "post_mortem" => bounded(TEXT_BYTES_MAX).map(|text| change.post_mortem = Some(text)),
            "mute_until" => text().and_then(time).map(|until| change.mute_until = Some(until)),
            "comment" => bounded(TEXT_BYTES_MAX).map(|text| change.comment = Some(text)),
            _ => Err(format!("unknown field; known are {FIELDS}")),
        };
        if let Err(detail) = read {
            errors.push(one(&format!("/{name}"), detail));
        }
    }
    if errors.is_empty() { Ok(change) } else { Err(Problem::bad_request(errors)) }
}

/// One thing that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum TimelineEntry {
    /// A finding, at its first event.
    Finding { at: Option<String>, link: Link, finding: Box<FindingView> },
    /// A change, at its time.
    Change { at: Option<String>, entry: HistoryEntry },
}

/// Findings (with why they belong here) and changes, in the order of their times.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/timeline", tag = "incidents", params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses((status = 200, description = "The timeline", body = schema::Timeline), (status = 404, description = "There is no such incident", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn timeline(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let incident = found(&state, incident_id(id)?).await?;
    let mut moments = Vec::new();
    for link in state.store.links(incident.id, TIMELINE_MAX).await? {
        if let Some(stored) = state.store.get(link.finding).await? {
            let at = stored.finding.span.first_seen;
            let finding = Box::new(FindingView::from(stored));
            moments.push((
                at.unwrap_or(link.added_at),
                TimelineEntry::Finding { at: at.map(|time| time.to_string()), link, finding },
            ));
        }
    }
    for entry in state.store.history(incident.id, 0, TIMELINE_MAX).await? {
        moments.push((entry.at, TimelineEntry::Change { at: Some(entry.at.to_string()), entry }));
    }
    moments.sort_by_key(|(at, _)| *at);
    let complete =
        incident.scope.findings <= u64::from(TIMELINE_MAX) && incident.record.entries <= u64::from(TIMELINE_MAX);
    let moments: Vec<TimelineEntry> = moments.into_iter().map(|(_, moment)| moment).collect();
    Ok(Json(serde_json::json!({"data": moments, "complete": complete})))
}

/// What happened, in sentences that each rest on facts. `source` says whether a model reworded it.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/summary", tag = "incidents", params(("id" = String, Path, description = "32 hexadecimal digits")),
    responses((status = 200, description = "The summary", body = schema::IncidentSummary), (status = 404, description = "There is no such incident", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn summary(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let incident = found(&state, incident_id(id)?).await?;
    let stored = state.store.summary(incident.id).await?;
    // One that is behind the facts is not shown: the template of the facts as they are is there at once.
    let current = stored.filter(|stored| stored.facts_version >= incident.record.facts_version);
    let (text, at) = match current {
        Some(stored) => (serde_json::from_str(&stored.text), stored.updated_at),
        None => {
            let template = facts(&*state.store, &incident).await?.template();
            (serde_json::to_value(template), (state.clock)())
        }
    };
    let text = text.unwrap_or_else(|error| {
        tracing::error!(incident = %incident.id, %error, "the summary cannot be shown");
        Value::Null
    });
    Ok(Json(serde_json::json!({"incident": incident.id, "written_at": at.to_string(), "summary": text})))
}
