//! Splunk's HTTP event collector (help.splunk.com, HTTP Event Collector endpoints). An acknowledgement id is given only for what is
//! on disk, so every one that is asked for is told as done, and nothing of them is kept.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Method, StatusCode};
use axum::response::Response;
use ingest::push::{HecEvents, HecRaw, Report};
use serde_json::{Map, Value, json};

use super::protocol::{self, Ask, Head, Opened, Push, Shipper};
use crate::ingest::IngestState;
use crate::problem::Problem;

/// Acknowledgement ids that one request may ask for.
const ACKS_MAX: usize = 100_000;
const CHANNEL: &str = "x-splunk-request-channel";
const POST: &[Method] = &[Method::POST];
const GET: &[Method] = &[Method::GET];

/// The next acknowledgement id.
static ACK: AtomicU64 = AtomicU64::new(0);

pub(super) static SPLUNK: Shipper = Shipper {
    name: "splunk",
    pushes: &[
        Push { methods: POST, path: "/services/collector", open: events },
        Push { methods: POST, path: "/services/collector/event", open: events },
        Push { methods: POST, path: "/services/collector/event/1.0", open: events },
        Push { methods: POST, path: "/services/collector/raw", open: raw },
        Push { methods: POST, path: "/services/collector/raw/1.0", open: raw },
    ],
    asks: &[
        Ask { methods: GET, path: "/services/collector/health", answer: health },
        Ask { methods: GET, path: "/services/collector/health/1.0", answer: health },
        Ask { methods: POST, path: "/services/collector/ack", answer: acks },
        Ask { methods: POST, path: "/services/collector/ack/1.0", answer: acks },
    ],
    taken,
    refused,
    dress: protocol::plain,
};

fn channel(head: &Head) -> Option<String> {
    let named = Some(head.header(CHANNEL).to_owned()).filter(|channel| !channel.is_empty());
    named.or_else(|| head.parameter("channel")).filter(|channel| !channel.is_empty())
}

/// Events are JSON whatever the content type says.
fn events(_: &Head) -> Result<Opened, Problem> {
    Ok(Opened::payload(|| HecEvents))
}

fn raw(head: &Head) -> Result<Opened, Problem> {
    let [host, source, sourcetype] = ["host", "source", "sourcetype"].map(|name| head.parameter(name));
    Ok(Opened::payload(move || HecRaw { host: host.clone(), source: source.clone(), sourcetype: sourcetype.clone() }))
}

fn taken(head: &Head, _: &Report) -> Response {
    if channel(head).is_none() {
        return protocol::json(StatusCode::OK, &json!({"text": "Success", "code": 0}));
    }
    let id = ACK.fetch_add(1, Ordering::Relaxed);
    protocol::json(StatusCode::OK, &json!({"text": "Success", "code": 0, "ackId": id}))
}

fn health(_: &Head, _: &[u8], state: &IngestState) -> Result<Response, Problem> {
    Ok(match state.spool.refusal() {
        None => protocol::json(StatusCode::OK, &json!({"text": "HEC is healthy", "code": 17})),
        Some(refused) => {
            // Not an error of the request: probes read status and code.
            let refused = Problem::busy(refused.to_string());
            return Err(refused);
        }
    })
}

fn acks(head: &Head, body: &[u8], _: &IngestState) -> Result<Response, Problem> {
    let Some(channel) = channel(head) else {
        return Err(Problem::unusable("no_channel", "Data channel is missing"));
    };
    let is_guid = channel.len() == 36 && channel.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !is_guid {
        return Err(Problem::unusable("bad_channel", "Invalid data channel"));
    }
    let asked: Option<Value> = serde_json::from_slice(body).ok();
    let ids = asked.as_ref().and_then(|asked| asked["acks"].as_array());
    let Some(ids) = ids.filter(|ids| ids.len() <= ACKS_MAX) else {
        return Err(Problem::unusable("bad_format", "Invalid data format"));
    };
    let done = |id: &Value| Some((id.as_u64()?.to_string(), Value::Bool(true)));
    let acks: Map<String, Value> = ids.iter().filter_map(done).collect();
    Ok(protocol::json(StatusCode::OK, &json!({"acks": acks})))
}

/// Status, code and text of Splunk's table.
fn refused(head: &Head, problem: &Problem) -> Response {
    let status = problem.status();
    let (status, code, text) = match status {
        StatusCode::UNAUTHORIZED if head.header("authorization").is_empty() && head.parameter("token").is_none() => {
            (status, 2, "Token is required")
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (StatusCode::FORBIDDEN, 4, "Invalid token"),
        StatusCode::PAYLOAD_TOO_LARGE => (status, 27, "Request entity too large"),
        StatusCode::NOT_FOUND => (status, 404, "The requested URL was not found on this server."),
        StatusCode::METHOD_NOT_ALLOWED => (status, 405, "Method not allowed"),
        status if status.is_server_error() && head.path.contains("/health") => {
            (status, 18, "HEC is unhealthy, queues are full")
        }
        status if status.is_server_error() => (status, 9, "Server is busy"),
        // The body stopped coming.
        StatusCode::REQUEST_TIMEOUT => (status, 9, "Server is busy"),
        _ => match (problem.code(), problem.detail()) {
            ("no_data", _) => (status, 5, "No data"),
            ("no_channel", _) => (status, 10, "Data channel is missing"),
            ("bad_channel", _) => (status, 11, "Invalid data channel"),
            (_, "Event field is required") => (status, 12, "Event field is required"),
            (_, "Event field cannot be blank") => (status, 13, "Event field cannot be blank"),
            _ => (StatusCode::BAD_REQUEST, 6, "Invalid data format"),
        },
    };
    protocol::json(status, &json!({"text": text, "code": code}))
}
