//! `POST /ingest` of the analyzer: events in, and an answer when they are on disk. What passes is answered 503 with
//! Retry-After, never with a code that makes a shipper throw its batch away. Protocols of shippers take the same way
//! ([`crate::shippers`]).

mod coming;
mod refusals;
mod room;
mod stream;
mod work;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::{Extension, Json};
use ingest::push::Report;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use coming::read_body;
use refusals::{refusal, too_large};
use work::{Taken, Work, take_small_or_large};

pub use room::{BODIES_BYTES_MIN, IngestState};
pub(crate) use stream::take_stream;
pub(crate) use work::Reading;

/// Longest wait for the disk.
const DURABLE_MAX: Duration = Duration::from_secs(20);

/// Header with which Firehose names a request.
pub(crate) const FIREHOSE_REQUEST: &str = "x-amz-firehose-request-id";

/// Address of whoever is connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A body that somebody pushes.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// Name of the protocol: label of counters, and part of the name of the source.
    pub(crate) source: &'static str,
    pub(crate) peer: Option<Peer>,
    /// Bytes that are announced.
    pub(crate) announced: Option<u64>,
    /// Content encoding.
    pub(crate) encoding: String,
    pub(crate) reading: Reading,
}

impl Pushed {
    pub(crate) fn new(source: &'static str, peer: Option<Peer>, headers: &HeaderMap, reading: Reading) -> Self {
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or("");
        Pushed { source, peer, announced, encoding: encoding.to_owned(), reading }
    }

    fn origin(&self) -> String {
        let peer = self.peer.map_or_else(|| "unknown".to_owned(), |Peer(address)| address.to_canonical().to_string());
        if self.source == "http" { format!("http://{peer}") } else { format!("{}+http://{peer}", self.source) }
    }
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Events that are on disk.
    accepted: u64,
    /// The request as Amazon Data Firehose named it: it sends again what is answered without its name.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Time of the answer to Firehose, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

/// NDJSON, a JSON array, plain lines, or what Amazon Data Firehose sends to an HTTP endpoint; lines that hold many events, as records of
/// CloudWatch Logs and `{"Records":[…]}` do, become a line for each. Identity, gzip, zstd or deflate. Answers when everything is on disk.
#[utoipa::path(
    post, path = "/ingest", tag = "ingest", request_body = String,
    responses(
        (status = 200, description = "Everything is on disk", body = Accepted),
        (status = 400, description = "The compressed body is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body stopped coming: send it again", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content encoding is not known", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or full: send it again after Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ingest(
    State(state): State<IngestState>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Accepted>, Problem> {
    take(&state, peer.map(|Extension(peer)| peer), &headers, body).await
}

async fn take(
    state: &IngestState,
    peer: Option<Peer>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<Accepted>, Problem> {
    let report = take_pushed(state, Pushed::new("http", peer, headers, Reading::Lines), body).await?;
    let request_id = headers.get(FIREHOSE_REQUEST).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let timestamp = request_id.is_some().then(|| (state.clock)().0 / 1000);
    Ok(Json(Accepted { accepted: report.events, request_id, timestamp }))
}

/// Takes a body: what was read of it, once all of it is on disk.
pub(crate) async fn take_pushed(state: &IngestState, pushed: Pushed, body: Body) -> Result<Report, Problem> {
    let source = pushed.source;
    let result = take_whole(state, pushed, body).await;
    let outcome = if result.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("ingest_requests_total", "source" => source, "outcome" => outcome).increment(1);
    if let Ok(report) = &result {
        tell(source, report);
    }
    result
}

fn tell(source: &'static str, report: &Report) {
    if report.events > 0 {
        metrics::counter!("ingest_events_total", "source" => source).increment(report.events);
        metrics::counter!("ingest_bytes_total", "source" => source).increment(report.bytes);
    }
    report.tell(source);
}

async fn take_whole(state: &IngestState, pushed: Pushed, body: Body) -> Result<Report, Problem> {
    if let Some(refused) = state.spool.refusal() {
        return Err(refusal(&refused));
    }
    let limit = state.body_bytes_max;
    if pushed.announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    if !state.has_room(pushed.announced) {
        metrics::counter!("ingest_refused_total", "source" => pushed.source, "reason" => "memory").increment(1);
        return Err(Problem::busy("bodies take all the memory that they may take: send it again after a pause"));
    }
    let coming = read_body(state, body).await?;
    let work = Work {
        spool: state.spool.clone(),
        source: pushed.source,
        origin: pushed.origin(),
        encoding: pushed.encoding,
        limit,
        clock: state.clock,
        reading: pushed.reading,
    };
    let Taken { report, ticket } = take_small_or_large(state, Arc::new(work), coming).await?;
    if let Some(ticket) = ticket {
        let durable = tokio::time::timeout(DURABLE_MAX, state.spool.durable(ticket)).await;
        durable.map_err(|_| Problem::busy("the disk is slow: send it again"))?.map_err(|refused| refusal(&refused))?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
