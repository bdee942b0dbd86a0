//! Elasticsearch and OpenSearch, as far as shippers use them: bulk requests, and what clients ask before and around them
//! (elastic.co/docs/api). Stores no index and answers no search.

mod around;
mod items;

use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use ingest::push::{Bulk, Report};
use serde_json::json;

use super::protocol::{self, HangUp, Head, Opened, Push, Shipper};
use crate::access::percent_decoded;
use crate::problem::Problem;

const BULK: &[Method] = &[Method::POST, Method::PUT];

pub(super) static ELASTICSEARCH: Shipper = Shipper {
    name: "elasticsearch",
    pushes: &[
        Push { methods: BULK, path: "/_bulk", open },
        Push { methods: BULK, path: "/{index}/_bulk", open },
        // With a type of documents, as version 6 had it.
        Push { methods: BULK, path: "/{index}/{kind}/_bulk", open },
    ],
    asks: around::ASKS,
    taken,
    refused,
    // Clients of Elastic take no answer without it.
    dress: |response| {
        response.headers_mut().insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
    },
};

fn open(head: &Head) -> Result<Opened, Problem> {
    let first = head.path.split('/').nth(1).unwrap_or("");
    let index = if first == "_bulk" { String::new() } else { percent_decoded(first) };
    Ok(Opened::payload(move || Bulk::new(&index)))
}

fn taken(head: &Head, report: &Report) -> Response {
    let body = items::answer(head, report);
    protocol::text(StatusCode::OK, media(head), body)
}

/// As the client wants it: some versions know only the vendor's type.
fn media(head: &Head) -> &'static str {
    let accept = head.header("accept");
    if !accept.contains("vnd.elasticsearch+json") {
        "application/json"
    } else if accept.contains("compatible-with=9") {
        "application/vnd.elasticsearch+json;compatible-with=9"
    } else {
        "application/vnd.elasticsearch+json;compatible-with=8"
    }
}

/// rsyslog names no agent, throws a batch away for any answer in JSON, and repeats one with another body without a pause: a
/// connection that ends without an answer makes it wait.
fn is_rsyslog(head: &Head) -> bool {
    head.agent().is_empty()
}

fn refused(head: &Head, problem: &Problem) -> Response {
    let status = problem.status();
    let is_passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        );
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "security_exception",
        StatusCode::NOT_FOUND => "resource_not_found_exception",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed_exception",
        StatusCode::PAYLOAD_TOO_LARGE => "content_too_long_exception",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type_header_exception",
        status if status.is_server_error() => "es_rejected_execution_exception",
        _ if problem.code() == "no_data" => "parse_exception",
        _ => "illegal_argument_exception",
    };
    let cause = json!({"type": kind, "reason": problem.detail()});
    let body =
        json!({"error": {"root_cause": [cause], "type": kind, "reason": problem.detail()}, "status": status.as_u16()});
    let mut response = protocol::text(status, media(head), body.to_string());
    if status == StatusCode::UNAUTHORIZED {
        let schemes =
            HeaderValue::from_static("Basic realm=\"security\", charset=\"UTF-8\", Bearer realm=\"security\", ApiKey");
        response.headers_mut().insert("www-authenticate", schemes);
    }
    if is_passing && is_rsyslog(head) {
        response.extensions_mut().insert(HangUp);
    }
    response
}
