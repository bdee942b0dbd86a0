//! OpenTelemetry's logs over HTTP (opentelemetry.io/docs/specs/otlp, OTLP/HTTP): protobuf and JSON, each answered in kind. Traces and
//! metrics are refused: they hold no events.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use ingest::push::{OtlpJson, OtlpProtobuf, Report};
use serde_json::json;

use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::problem::Problem;

const POST: &[Method] = &[Method::POST];
const PROTOBUF: &str = "application/x-protobuf";

pub(super) static OTLP: Shipper = Shipper {
    name: "otlp",
    pushes: &[Push { methods: POST, path: "/v1/logs", open }],
    asks: &[],
    taken,
    refused,
    dress: protocol::plain,
};

fn open(head: &Head) -> Result<Opened, Problem> {
    match head.media().as_str() {
        PROTOBUF => Ok(Opened::whole(|| OtlpProtobuf)),
        "application/json" => Ok(Opened::whole(|| OtlpJson)),
        _ => Err(Problem::unsupported_media("the content type is neither application/x-protobuf nor application/json")),
    }
}

/// Records that could not be kept are told; everything else is on disk, and must not be sent again.
fn taken(head: &Head, report: &Report) -> Response {
    if head.media() == PROTOBUF {
        return protocol::text(StatusCode::OK, PROTOBUF, response(report));
    }
    let (rejected, words) = rejected(report);
    if rejected == 0 {
        return protocol::json(StatusCode::OK, &json!({}));
    }
    let partial = json!({"rejectedLogRecords": rejected.to_string(), "errorMessage": words});
    protocol::json(StatusCode::OK, &json!({"partialSuccess": partial}))
}

fn rejected(report: &Report) -> (u64, &'static str) {
    let rejected = report.rejected.iter().map(|(_, count)| count).sum();
    (rejected, report.rejected.first().map_or("", |(reason, _)| reason))
}

/// `ExportLogsServiceResponse`
pub(super) fn response(report: &Report) -> Vec<u8> {
    let (rejected, words) = rejected(report);
    let mut body = Vec::new();
    if rejected > 0 {
        // ExportLogsPartialSuccess { rejected_log_records = 1, error_message = 2 } is field 1 of the response.
        let mut partial = Vec::new();
        put_number(1, rejected, &mut partial);
        put_bytes(2, words.as_bytes(), &mut partial);
        put_bytes(1, &partial, &mut body);
    }
    body
}

/// What passes is UNAVAILABLE, whatever kept it from being taken.
pub(super) fn code(problem: &Problem) -> u64 {
    match problem.status() {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => 12,
        StatusCode::REQUEST_TIMEOUT => 14,
        status if status.is_server_error() => 14,
        StatusCode::PAYLOAD_TOO_LARGE => 8,
        _ => 3,
    }
}

/// `google.rpc.Status`. Clients send again after 429, 502, 503 and 504 alone: what passes is 503.
fn refused(head: &Head, problem: &Problem) -> Response {
    let code = code(problem);
    let status = if code == 14 { StatusCode::SERVICE_UNAVAILABLE } else { problem.status() };
    if head.media() != PROTOBUF {
        return protocol::json(status, &json!({"code": code, "message": problem.detail()}));
    }
    let mut body = Vec::new();
    put_number(1, code, &mut body);
    put_bytes(2, problem.detail().as_bytes(), &mut body);
    protocol::text(status, PROTOBUF, body)
}

pub(super) fn put_number(field: u8, number: u64, out: &mut Vec<u8>) {
    out.push(field << 3);
    put_varint(number, out);
}

pub(super) fn put_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
