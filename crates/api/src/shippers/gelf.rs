//! GELF over HTTP (go2docs.graylog.org, GELF). Clients look at no answer, and name encodings that the body does not have.

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use ingest::body::SNIFFED;
use ingest::push::{Gelf, Report};
use serde_json::json;

use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::problem::Problem;

pub(super) static GELF: Shipper = Shipper {
    name: "gelf",
    pushes: &[Push { methods: &[Method::POST], path: "/gelf", open }],
    asks: &[],
    taken: |_: &Head, _: &Report| StatusCode::ACCEPTED.into_response(),
    refused: |_, problem| protocol::json(problem.status(), &json!({"error": problem.detail()})),
    dress: protocol::plain,
};

fn open(_: &Head) -> Result<Opened, Problem> {
    Ok(Opened { encoding: Some(SNIFFED), ..Opened::payload(|| Gelf) })
}
