//! `POST /ingest` of the analyzer: events in, and an answer when they are on disk. What passes is answered 503 with
//! Retry-After, never with a code that makes a shipper throw its batch away.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::{Extension, Json};
use event::Timestamp;
use http_body_util::BodyExt;
use ingest::body::{self, BodyError};
use ingest::spool::{Batch, Refused, Spool};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Bodies above this size wait for each other, so that they do not fill the memory together.
const LARGE_BYTES: u64 = 4 << 20;
/// Large bodies that are worked on at once.
const LARGE_AT_ONCE: usize = 2;
/// Longest silence within a body that holds a turn.
const STALLED_MAX: Duration = Duration::from_secs(5);
/// Longest wait for the disk.
const DURABLE_MAX: Duration = Duration::from_secs(20);

/// Address of whoever is connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What the handler works with.
#[derive(Clone, Debug)]
pub struct IngestState {
    pub spool: Spool,
    /// Longest body in bytes, decompressed.
    pub body_bytes_max: u64,
    pub clock: fn() -> Timestamp,
    large: Arc<Semaphore>,
}

impl IngestState {
    pub fn new(spool: Spool, body_bytes_max: u64, clock: fn() -> Timestamp) -> Self {
        IngestState { spool, body_bytes_max, clock, large: Arc::new(Semaphore::new(LARGE_AT_ONCE)) }
    }
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Events that are on disk.
    accepted: u64,
}

/// NDJSON, a JSON array or plain lines, identity, gzip, zstd or deflate. Answers when everything is on disk.
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
    let result = take(&state, peer.map(|Extension(peer)| peer), &headers, body).await;
    let outcome = if result.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("ingest_requests_total", "outcome" => outcome).increment(1);
    result
}

async fn take(
    state: &IngestState,
    peer: Option<Peer>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<Accepted>, Problem> {
    if let Some(refused) = state.spool.refusal() {
        return Err(refusal(&refused));
    }
    let announced: Option<u64> = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let limit = state.body_bytes_max;
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or("").to_owned();
    let (bytes, turn) = read_body(state, body).await?;
    let is_compressed = !matches!(encoding.as_str(), "" | "identity");
    let _turn = if is_compressed && turn.is_none() { state.large.acquire().await.ok() } else { turn };
    let decoded = tokio::task::spawn_blocking(move || body::decompress(&encoding, bytes, limit).map(body::lines));
    let (lines, accepted) =
        decoded.await.map_err(|_| Problem::busy("the body could not be worked on"))?.map_err(problem)?;
    if accepted > 0 {
        let peer = peer.map_or_else(|| "unknown".to_owned(), |Peer(address)| address.to_canonical().to_string());
        let origin = format!("http://{peer}");
        let batch = Batch { origin: &origin, lines: &lines, received: (state.clock)() };
        let ticket = state.spool.append(batch).map_err(|refused| refusal(&refused))?;
        let durable = tokio::time::timeout(DURABLE_MAX, state.spool.durable(ticket)).await;
        durable.map_err(|_| Problem::busy("the disk is slow: send it again"))?.map_err(|refused| refusal(&refused))?;
        metrics::counter!("ingest_events_total", "source" => "http").increment(accepted);
        metrics::counter!("ingest_bytes_total", "source" => "http").increment(lines.len() as u64);
    }
    Ok(Json(Accepted { accepted }))
}

fn too_large(limit: u64) -> Problem {
    Problem::too_large(format!("a body has at most {limit} bytes: send smaller batches"))
}

/// The whole body. One that turns out to be large waits for its turn and holds it: so it must keep coming.
async fn read_body(state: &IngestState, mut body: Body) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let (mut bytes, mut turn) = (Vec::new(), None);
    loop {
        let next = if turn.is_some() {
            let stalled = |_| Problem::stalled(STALLED_MAX.as_secs());
            tokio::time::timeout(STALLED_MAX, body.frame()).await.map_err(stalled)?
        } else {
            body.frame().await
        };
        let Some(frame) = next else { return Ok((bytes, turn)) };
        let frame = frame.map_err(|error| Problem::damaged(format!("the body ended early: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > state.body_bytes_max {
            return Err(too_large(state.body_bytes_max));
        }
        bytes.extend_from_slice(&data);
        if turn.is_none() && bytes.len() as u64 > LARGE_BYTES {
            turn = state.large.acquire().await.ok();
        }
    }
}

fn refusal(refused: &Refused) -> Problem {
    metrics::counter!("ingest_refused_total", "source" => "http").increment(1);
    Problem::busy(format!("{refused}: send it again after a pause"))
}

fn problem(error: BodyError) -> Problem {
    let detail = error.to_string();
    match error {
        BodyError::UnknownEncoding(_) => Problem::unsupported_encoding(detail),
        BodyError::Damaged { .. } | BodyError::Bomb => Problem::damaged(detail),
        BodyError::TooLarge { .. } => Problem::too_large(detail),
    }
}
