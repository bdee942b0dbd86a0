//! What is recorded of every request: an id that comes back in the answer, a line in the access log, and its duration.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;

/// Longest request id that is taken over from a caller.
const REQUEST_ID_BYTES_MAX: usize = 128;
const REQUEST_ID: &str = "x-request-id";

/// Ids of requests that bring none: unique within the process.
static COUNTER: AtomicU64 = AtomicU64::new(1);

pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let target = request.uri().path().to_owned();
    // The route, never the path: labels must not come from outside.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", |path| path.as_str()).to_owned();
    let id = request_id(&request);
    let mut response = next.run(request).await;
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    let labels = [
        ("http_request_method", method.as_str().to_owned()),
        ("http_route", route),
        ("http_response_status_code", status.to_string()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(seconds);
    let request_id = id.to_str().unwrap_or("");
    tracing::info!(target: "access", %method, path = target, status, seconds, request_id, "request");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|id| {
        let visible = id.as_bytes().iter().all(u8::is_ascii_graphic);
        visible && !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX
    });
    given.cloned().unwrap_or_else(|| {
        let text = format!("req-{:x}-{:x}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("req"))
    })
}
