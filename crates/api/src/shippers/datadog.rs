//! What Datadog's agent and libraries send logs to (docs.datadoghq.com/api/latest/logs): the key is the token.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use ingest::push::{Datadog, Report};
use serde_json::json;

use super::protocol::{self, Ask, Head, Opened, Push, Shipper};
use crate::problem::Problem;

const POST: &[Method] = &[Method::POST];

pub(super) static DATADOG: Shipper = Shipper {
    name: "datadog",
    pushes: &[
        Push { methods: POST, path: "/api/v2/logs", open },
        Push { methods: POST, path: "/v1/input", open },
        // With the key in the path.
        Push { methods: POST, path: "/v1/input/{key}", open },
    ],
    asks: &[Ask {
        methods: &[Method::GET],
        path: "/api/v1/validate",
        answer: |_, _, _| Ok(protocol::json(StatusCode::OK, &json!({"valid": true}))),
    }],
    taken,
    refused,
    dress: protocol::plain,
};

fn open(_: &Head) -> Result<Opened, Problem> {
    Ok(Opened::payload(|| Datadog))
}

fn taken(head: &Head, _: &Report) -> Response {
    let status = if head.path == "/api/v2/logs" { StatusCode::ACCEPTED } else { StatusCode::OK };
    protocol::json(status, &json!({}))
}

/// A wrong key is 403 there.
fn refused(_: &Head, problem: &Problem) -> Response {
    let status = if problem.status() == StatusCode::UNAUTHORIZED { StatusCode::FORBIDDEN } else { problem.status() };
    let error = json!({"status": status.as_u16().to_string(), "title": problem.detail()});
    protocol::json(status, &json!({"errors": [error]}))
}
