//! OpenTelemetry's logs over gRPC (opentelemetry.io/docs/specs/otlp, OTLP/gRPC): one call, with one message, over HTTP/2 on the port that
//! serves all others. Traces and metrics are refused as unimplemented: they hold no events.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use http_body::Frame;
use ingest::body::GRPC;
use ingest::push::{OtlpProtobuf, Report};
use serde_json::json;

use super::otlp::{code, put_bytes, put_number, response};
use super::protocol::{self, Head, Opened, Push, Shipper};
use crate::problem::Problem;

const MEDIA: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ENCODINGS: [&str; 6] = ["", "identity", "gzip", "deflate", "zstd", "snappy"];
/// What clients may compress with.
const ACCEPTED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("grpc-accept-encoding"), HeaderValue::from_static("identity,gzip,deflate,zstd"));
/// Status of a method, or an encoding, that we do not have; and of what passes.
const UNIMPLEMENTED: u64 = 12;
const UNAVAILABLE: u64 = 14;
/// Pause that a client is asked for, in seconds.
const RETRY_SECONDS: u64 = 2;

pub(super) static OTLP_GRPC: Shipper = Shipper {
    name: "otlp_grpc",
    pushes: &[Push {
        methods: &[Method::POST],
        path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        open,
    }],
    asks: &[],
    taken,
    refused,
    dress: protocol::plain,
};

fn is_grpc(head: &Head) -> bool {
    let media = head.media();
    media == MEDIA || media.strip_prefix(MEDIA).is_some_and(|kind| kind == "+proto")
}

fn open(head: &Head) -> Result<Opened, Problem> {
    if !is_grpc(head) {
        return Err(Problem::unsupported_media("the content type is not application/grpc"));
    }
    let told = head.header("grpc-encoding").to_ascii_lowercase();
    let Some(encoding) = ENCODINGS.iter().find(|encoding| **encoding == told) else {
        return Err(Problem::unsupported_encoding("the encoding is not one of gzip, deflate, zstd, snappy, identity"));
    };
    let within = match *encoding {
        "gzip" => "grpc+gzip",
        "deflate" => "grpc+deflate",
        "zstd" => "grpc+zstd",
        "snappy" => "grpc+snappy",
        _ => GRPC,
    };
    Ok(Opened { encoding: Some(within), ..Opened::whole(|| OtlpProtobuf) })
}

/// A message in its frame, and the status behind it.
struct GrpcAnswer {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl HttpBody for GrpcAnswer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let message = self.message.take().map(Frame::data);
        Poll::Ready(message.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }
}

fn taken(_: &Head, report: &Report) -> Response {
    let message = response(report);
    // Not compressed, and its length.
    let mut framed = vec![0];
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let body = Body::new(GrpcAnswer { message: Some(framed.into()), trailers: Some(trailers) });
    (StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA)), ACCEPTED], body).into_response()
}

/// The status stands in the head of an answer without a message.
fn refused(head: &Head, problem: &Problem) -> Response {
    if !is_grpc(head) {
        return protocol::json(problem.status(), &json!({"error": problem.detail()}));
    }
    let is_encoding = problem.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let code = if is_encoding { UNIMPLEMENTED } else { code(problem) };
    let mut answer =
        (StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA)), ACCEPTED], Body::empty()).into_response();
    let headers = answer.headers_mut();
    headers.insert(STATUS, HeaderValue::from(code));
    if let Ok(message) = HeaderValue::from_str(&percent_encoded(problem.detail())) {
        headers.insert(MESSAGE, message);
    }
    if code == UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        let details = BASE64_STANDARD_NO_PAD.encode(retry(problem.detail()));
        headers.extend(HeaderValue::from_str(&details).ok().map(|details| (DETAILS, details)));
    }
    answer
}

/// `google.rpc.Status` with a `RetryInfo`.
fn retry(message: &str) -> Vec<u8> {
    let (mut span, mut info, mut any, mut status) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_number(1, RETRY_SECONDS, &mut span);
    put_bytes(1, &span, &mut info);
    put_bytes(1, b"type.googleapis.com/google.rpc.RetryInfo", &mut any);
    put_bytes(2, &info, &mut any);
    put_number(1, UNAVAILABLE, &mut status);
    put_bytes(2, message.as_bytes(), &mut status);
    put_bytes(3, &any, &mut status);
    status
}

/// As gRPC writes messages into a head.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'%' | ..=0x1F | 0x7F.. => out.push_str(&format!("%{byte:02X}")),
            byte => out.push(char::from(byte)),
        }
    }
    out
}
