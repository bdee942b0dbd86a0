//! Loki's push path (grafana.com/docs/loki/latest/reference/loki-http-api): JSON, or protobuf in a snappy block. Tenants are not told
//! apart: `X-Scope-OrgID` says nothing here.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::push::{LokiJson, LokiProtobuf, Report};
use serde_json::json;

use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::problem::Problem;

const POST: &[Method] = &[Method::POST];

pub(super) static LOKI: Shipper = Shipper {
    name: "loki",
    pushes: &[
        Push { methods: POST, path: "/loki/api/v1/push", open },
        // As the first versions had it.
        Push { methods: POST, path: "/api/prom/push", open },
    ],
    asks: &[],
    // Exactly this status: some clients take no other.
    taken: |_: &Head, _: &Report| StatusCode::NO_CONTENT.into_response(),
    refused,
    dress: protocol::plain,
};

fn open(head: &Head) -> Result<Opened, Problem> {
    match head.media().as_str() {
        "application/json" => Ok(Opened::whole(|| LokiJson)),
        // What is not told is protobuf, as in the original; its content encoding, if any, is that of the block.
        "application/x-protobuf" | "" => {
            let opened = Opened::whole(|| LokiProtobuf);
            let named = head.header("content-encoding");
            let encoding = if named.is_empty() || named.eq_ignore_ascii_case("snappy") { Some("snappy") } else { None };
            Ok(Opened { encoding, ..opened })
        }
        _ => Err(Problem::unsupported_media("the content type is neither application/json nor application/x-protobuf")),
    }
}

fn refused(_: &Head, problem: &Problem) -> Response {
    let status = problem.status();
    protocol::json(status, &json!({"code": status.as_u16(), "status": "error", "message": problem.detail()}))
}
