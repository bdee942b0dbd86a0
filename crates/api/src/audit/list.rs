//! `GET /api/v1/audit`: who changed what, for admins.

use axum::Json;
use axum::extract::{Query, State};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use store::audit::{AuditEntry, AuditQuery, By, Outcome};
use utoipa::{IntoParams, ToSchema};

use crate::filter::{Once, after_since, limit, time};
use crate::problem::{PartProblem, Problem};
use crate::state::ApiState;

const LIMIT_DEFAULT: u32 = 50;

/// One thing that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    id: String,
    /// RFC 3339; refused logins: the minute in which they were counted.
    at: String,
    #[serde(flatten)]
    #[schema(inline)]
    by: ByView,
    /// Such as incident.change, token.create or login.
    action: String,
    #[serde(flatten)]
    #[schema(inline)]
    route: RouteView,
    /// What it was done to.
    target: String,
    /// done, refused or failed.
    outcome: String,
    /// Status of the answer; 0 where there was none.
    status: u16,
    request_id: String,
    /// More than one: refused logins within one minute.
    count: u64,
    /// What changed.
    detail: String,
}

/// Who it was.
#[derive(Debug, Serialize, ToSchema)]
struct ByView {
    /// Name of the token, user of the operating system, or `c0di3` itself; empty where nobody is known.
    actor: String,
    /// Id of the token.
    actor_id: String,
    role: String,
    /// Who was connected.
    address: String,
    /// Whom a trusted proxy named.
    forwarded: String,
}

/// The request, where it was one.
#[derive(Debug, Serialize, ToSchema)]
struct RouteView {
    method: String,
    route: String,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, by, action, target, outcome, status, count, detail } = entry;
        let By { actor, actor_id, role, address, forwarded, method, route, request_id } = by;
        AuditView {
            id,
            at: at.to_string(),
            by: ByView { actor, actor_id, role, address, forwarded },
            action,
            route: RouteView { method, route },
            target,
            outcome: outcome.name().to_owned(),
            status,
            request_id,
            count,
            detail,
        }
    }
}

/// A page of the audit log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    data: Vec<AuditView>,
    /// Pass as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    has_more: bool,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read one by one so that unknown names are refused")]
pub(crate) struct AuditParameters {
    /// RFC 3339: at or after.
    since: Option<String>,
    /// RFC 3339: before.
    until: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    /// done, refused or failed.
    outcome: Option<String>,
    /// Who was connected, or whom a trusted proxy named: as it stands in the entry.
    address: Option<String>,
    target: Option<String>,
    /// 1 to 500, 50 where absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// From `next_cursor` of the page before, with the same filter.
    cursor: Option<String>,
}

const PARAMETERS: &str = "since, until, actor, action, outcome, address, target, limit, cursor";

/// Who changed what, newest first. Needs the role admin.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "operations", params(AuditParameters),
    responses((status = 200, description = "One page", body = AuditPage))
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<AuditPage>, Problem> {
    let query = read_query(&parameters)?;
    let wanted = query.limit as usize;
    let mut entries = state.store.audit(&AuditQuery { limit: query.limit + 1, ..query }).await?;
    let has_more = entries.len() > wanted;
    entries.truncate(wanted);
    let last = entries.last().filter(|_| has_more);
    let next_cursor = last.map(|last| BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{}", last.at.0, last.id)));
    Ok(Json(AuditPage { data: entries.into_iter().map(AuditView::from).collect(), next_cursor, has_more }))
}

fn read_query(parameters: &[(String, String)]) -> Result<AuditQuery, Problem> {
    let mut query = AuditQuery { limit: LIMIT_DEFAULT, ..AuditQuery::default() };
    let mut errors = Vec::new();
    let mut once = Once::default();
    for (name, text) in parameters {
        let set = |slot: &mut Option<String>| {
            *slot = Some(text.clone());
            Ok(())
        };
        let read = match name.as_str() {
            _ if text.trim().is_empty() => Err("the parameter has no value".to_owned()),
            _ if once.is_again(name) => Err("the parameter is given twice".to_owned()),
            "since" => time(text).map(|time| query.since = Some(time)),
            "until" => time(text).map(|time| query.until = Some(time)),
            "actor" => set(&mut query.actor),
            "action" => set(&mut query.action),
            "outcome" => Outcome::from_name(text)
                .map(|outcome| query.outcome = Some(outcome))
                .ok_or_else(|| format!("`{text}` is not one of done, refused, failed")),
            "address" => set(&mut query.address),
            "target" => set(&mut query.target),
            "limit" => limit(text).map(|limit| query.limit = limit),
            "cursor" => cursor(text).map(|after| query.after = Some(after)),
            _ => Err(format!("unknown parameter; known are {PARAMETERS}")),
        };
        if let Err(detail) = read {
            errors.push(PartProblem { pointer: name.clone(), detail });
        }
    }
    errors.extend(after_since(query.since, query.until));
    if errors.is_empty() { Ok(query) } else { Err(Problem::bad_request(errors)) }
}

fn cursor(text: &str) -> Result<(i64, String), String> {
    let read = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (time, id) = text.split_once(':')?;
        let sound = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some((time.parse().ok()?, id.to_owned())).filter(|_| sound)
    };
    read().ok_or_else(|| "the cursor is damaged: start again without it".to_owned())
}
