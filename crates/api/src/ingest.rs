//! `POST /ingest` of the analyzer: events in, and an answer when they are on disk. What passes is answered 503 with
//! Retry-After, never with a code that makes a shipper throw its batch away. Protocols of shippers take the same way
//! ([`crate::shippers`]).

mod coming;
mod memory;
mod pushed;
mod refusals;
mod stream;
mod work;

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::{Extension, Json};
use event::block::digest;
use ingest::accounts::Loss;
use ingest::push::Report;
use ingest::spool::{Begun, Claim};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use coming::read_body;
use pushed::{durable, note, tell};
use refusals::{refusal, too_large};
use work::{Taken, Work, take_small_or_large};

pub use memory::{BODIES_BYTES_MIN, IngestState};
pub use pushed::Peer;
pub(crate) use pushed::{Pushed, Sender};
pub(crate) use stream::take_stream;
pub(crate) use work::Reading;

/// Header with which Firehose names a request.
pub(crate) const FIREHOSE_REQUEST: &str = "x-amz-firehose-request-id";

/// Header with which a sender names a batch, so that it may send it again and it is taken once; its longest value, in bytes.
const BATCH_ID: &str = "x-batch-id";
const BATCH_ID_BYTES_MAX: usize = 256;

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
    sender: Option<Extension<Sender>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Accepted>, Problem> {
    let mut pushed = Pushed::new("http", peer.map(|Extension(peer)| peer), &headers, Reading::Lines);
    pushed.batch_id = batch_id(&headers, sender.as_ref().map_or("", |Extension(Sender(token))| token))?;
    take(&state, pushed, &headers, body).await
}

/// A name counts among the batches of one token.
fn batch_id(headers: &HeaderMap, token: &str) -> Result<Option<u128>, Problem> {
    let Some(name) = headers.get(BATCH_ID).map(HeaderValue::as_bytes) else { return Ok(None) };
    if name.is_empty() || name.len() > BATCH_ID_BYTES_MAX {
        return Err(Problem::unusable("bad_batch_id", format!("{BATCH_ID} has 1 to {BATCH_ID_BYTES_MAX} bytes")));
    }
    Ok(Some(digest(&[b"batch", token.as_bytes(), name])))
}

async fn take(state: &IngestState, pushed: Pushed, headers: &HeaderMap, body: Body) -> Result<Json<Accepted>, Problem> {
    let report = take_pushed(state, pushed, body).await?;
    let request_id = headers.get(FIREHOSE_REQUEST).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let timestamp = request_id.is_some().then(|| (state.clock)().0 / 1000);
    Ok(Json(Accepted { accepted: report.events, request_id, timestamp }))
}

/// Takes a body: what was read of it, once all of it is on disk.
pub(crate) async fn take_pushed(state: &IngestState, mut pushed: Pushed, body: Body) -> Result<Report, Problem> {
    let (source, origin) = (pushed.source, pushed.origin());
    let mut span = pushed.receive();
    let mut claim = None;
    if let Some(id) = pushed.batch_id {
        match state.spool.seen().begin(id) {
            Begun::New(new) => claim = Some(new),
            Begun::Pending => return Err(Problem::busy("a batch of this name is being taken: ask again")),
            Begun::Taken(events) => {
                metrics::counter!("ingest_duplicates_total", "source" => source).increment(events);
                state.spool.accounts().duplicates(&origin, events, (state.clock)());
                span.note("c0di3.duplicates", i64::try_from(events).unwrap_or(i64::MAX));
                return Ok(Report { events, ..Report::default() });
            }
        }
    }
    // Whether the sender still waits or not: some look at no answer, and a name could be forgotten whose batch was taken.
    let taken_by = state.clone();
    let taking = tokio::spawn(async move { take_whole(&taken_by, pushed, claim, body).await });
    let result = taking.await.unwrap_or_else(|_| Err(Problem::busy("the body could not be worked on")));
    note(&mut span, &result);
    let outcome = if result.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("ingest_requests_total", "source" => source, "outcome" => outcome).increment(1);
    if let Ok(report) = &result {
        tell(source, report);
        for (reason, events) in &report.rejected {
            state.spool.accounts().lost(&origin, Loss::Rejected, reason, *events, (state.clock)());
        }
    }
    result
}

async fn take_whole(state: &IngestState, pushed: Pushed, claim: Option<Claim>, body: Body) -> Result<Report, Problem> {
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
        claim: Mutex::new(claim),
        cause: pushed.cause,
    };
    let Taken { report, ticket } = take_small_or_large(state, Arc::new(work), coming).await?;
    if let Some(ticket) = ticket {
        durable(state, ticket).await?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
