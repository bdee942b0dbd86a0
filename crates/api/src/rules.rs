//! Rules of a running analyzer: what is in force, reload, and why a rule did or did not fire.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::StringRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use rules::Diagnostic;
use serde_json::Value;

use crate::problem::{PartProblem, Problem};
use crate::schema;

/// Groups that are shown where nobody says how many, and at most.
const GROUPS: usize = 20;
const GROUPS_MAX: usize = 1000;
/// Longest body of log lines, in bytes.
pub(crate) const LINES_BYTES_MAX: usize = 1 << 20;

/// Why rules were not put in force.
#[derive(Debug)]
pub enum ReloadRefused {
    /// What is wrong with them. The old ones run on.
    Problems(Vec<Diagnostic>),
    /// Something went wrong in the program itself.
    Failed,
}

/// Which groups of a correlation somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// One group, as it is shown: `source.ip=192.0.2.1, user.name=root`.
    pub group: Option<String>,
    /// Groups that are shown at most.
    pub limit: usize,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// No correlation in force has the id or title.
    NoSuchRule,
    /// Whoever counts does not get to it at the moment.
    Busy,
}

/// The rules of an analyzer.
#[async_trait]
pub trait RuleService: Send + Sync {
    /// Which rules are in force since when, and what was refused since.
    fn status(&self) -> Value;
    /// Reads the files again.
    async fn reload(&self) -> Result<Value, ReloadRefused>;
    /// Why a rule does or does not match log lines, or a correlation over them does or does not fire; `None` where there is
    /// no such rule.
    async fn explain(&self, rule: String, lines: String) -> Option<Value>;
    /// What the windows of a correlation hold.
    async fn groups(&self, rule: String, wanted: Wanted) -> Result<Value, Unanswered>;
}

pub(crate) type Rules = Arc<dyn RuleService>;

/// Which rules are in force, since when, and what was refused since.
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "rules",
    responses((status = 200, description = "Generation, counts, problems of a refused reload", body = schema::RulesInForce))
)]
pub(crate) async fn status(State(rules): State<Rules>) -> Json<Value> {
    Json(rules.status())
}

/// Reads the rule files again and puts them in force between two batches. Rules that have not changed keep their windows.
#[utoipa::path(
    post, path = "/admin/rules/reload", tag = "operations",
    responses(
        (status = 200, description = "What came, went and changed", body = schema::Reloaded),
        (status = 422, description = "The files have problems; the old rules run on", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reload(State(rules): State<Rules>) -> Result<Json<Value>, Problem> {
    match rules.reload().await {
        Ok(report) => Ok(Json(report)),
        Err(ReloadRefused::Failed) => Err(Problem::busy("the rules could not be worked on; the old ones run on")),
        Err(ReloadRefused::Problems(problems)) => {
            let part = |problem: &Diagnostic| PartProblem {
                pointer: format!("{}:{}:{}", problem.path, problem.line, problem.column),
                detail: problem.reason.clone(),
            };
            Err(Problem::rules_refused(problems.iter().map(part).collect()))
        }
    }
}

/// Why a rule does or does not match, or a correlation does or does not fire: the body holds log lines as they are shipped, of
/// which up to 100 are explained for a rule, and all are counted for a correlation.
#[utoipa::path(
    post, path = "/api/v1/rules/{id}/explain", tag = "rules", params(("id" = String, Path, description = "Id, name or title")),
    request_body = String,
    responses(
        (status = 200, description = "For each line every part of the rule, whether it held, and the value that decided; of a correlation what it counted, what it left out and why, and how near each group came", body = schema::Explained),
        (status = 404, description = "There is no such rule", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn explain(
    State(rules): State<Rules>,
    Path(rule): Path<String>,
    lines: Result<String, StringRejection>,
) -> Result<Json<Value>, Problem> {
    let lines = lines.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!("at most {LINES_BYTES_MAX} bytes of log lines")),
        _ => Problem::damaged(error.body_text()),
    })?;
    if lines.trim().is_empty() {
        let detail = "the body holds no log line: send the lines that the rule should be tried on".to_owned();
        return Err(Problem::bad_request(vec![PartProblem { pointer: "body".to_owned(), detail }]));
    }
    let explained = rules.explain(rule, lines).await;
    explained.map(Json).ok_or_else(|| Problem::not_found("there is no such rule in force"))
}

/// What the windows of a correlation hold, the fullest first, and what each lacks.
#[utoipa::path(
    get, path = "/api/v1/rules/{id}/groups", tag = "rules",
    params(
        ("id" = String, Path, description = "Id, name or title"),
        ("limit" = Option<usize>, Query, description = "1 to 1000, 20 where absent"),
        ("group" = Option<String>, Query, description = "One group, as it is shown: source.ip=192.0.2.1"),
    ),
    responses(
        (status = 200, description = "Groups with their events, aggregate, and what is missing", body = schema::Groups),
        (status = 404, description = "There is no such correlation", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The analyzer is waiting for its store", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn groups(
    State(rules): State<Rules>,
    Path(rule): Path<String>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let mut wanted = Wanted { group: None, limit: GROUPS };
    for (name, text) in parameters {
        let limit = text.parse().ok().filter(|limit| name == "limit" && (1..=GROUPS_MAX).contains(limit));
        match (name.as_str(), limit) {
            ("group", _) => wanted.group = Some(text),
            (_, Some(limit)) => wanted.limit = limit,
            (_, None) => {
                let detail = format!("the parameters are group, and limit: a number from 1 to {GROUPS_MAX}");
                return Err(Problem::bad_request(vec![PartProblem { pointer: name, detail }]));
            }
        }
    }
    rules.groups(rule, wanted).await.map(Json).map_err(|unanswered| match unanswered {
        Unanswered::NoSuchRule => Problem::not_found("there is no such correlation in force"),
        Unanswered::Busy => Problem::busy("the analyzer does not get to it: it may be waiting for its store"),
    })
}
