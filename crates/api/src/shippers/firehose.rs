//! What Amazon Data Firehose sends to an HTTP endpoint (docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html).
//! Every answer names the request; the token is the access key. `POST /ingest` takes the same.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::ingest::{FIREHOSE_REQUEST, Reading};
use crate::problem::Problem;

pub(super) static FIREHOSE: Shipper = Shipper {
    name: "firehose",
    pushes: &[Push { methods: &[Method::POST], path: "/firehose", open }],
    asks: &[],
    taken: |head, _| answer(head, StatusCode::OK, None),
    refused: |head, problem| answer(head, problem.status(), Some(problem.detail())),
    dress: protocol::plain,
};

fn open(head: &Head) -> Result<Opened, Problem> {
    match head.header("x-amz-firehose-protocol-version") {
        "" | "1.0" => Ok(Opened { reading: Reading::Lines, encoding: None, is_stream: false }),
        _ => Err(Problem::unusable("bad_version", "the version of the protocol is not 1.0")),
    }
}

fn answer(head: &Head, status: StatusCode, error: Option<&str>) -> Response {
    let mut body = json!({"requestId": head.header(FIREHOSE_REQUEST), "timestamp": head.at.0 / 1000});
    if let Some(error) = error {
        body["errorMessage"] = error.into();
    }
    protocol::json(status, &body)
}
