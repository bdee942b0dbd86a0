//! `POST /ingest` of the analyzer: events in, and an answer when they are on disk. What passes is answered 503 with
//! Retry-After, never with a code that makes a shipper throw its batch away.

use std::io;
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
use ingest::body::{self, BodyError, Decoded};
use ingest::spool::{Batch, Refused, Spool, Staging, Ticket};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Bytes of a body that wait in memory: the rest of it, and all that finds no room there, waits in a file.
const HELD_BYTES_MAX: usize = 1 << 20;
/// Bodies that unpack to more than this wait for each other, and are worked on in pieces.
const LARGE_BYTES: u64 = 1 << 20;
/// Large bodies that are worked on at once.
const LARGE_AT_ONCE: usize = 2;
/// Memory that one body takes while it is worked on, in bytes: unpacked at once; with the window of zstd.
const WORK_BYTES: usize = 4 << 20;
const WORK_BYTES_ZSTD: usize = 12 << 20;
/// Least memory for all bodies: half is for those that come, half for the work on them.
pub const BODIES_BYTES_MIN: u64 = 2 * WORK_BYTES_ZSTD as u64;
/// Memory of a body that is worked on in pieces: a line in hand, and the events that it may become.
const WORK_BYTES_PIECES: usize = 8 << 20;
/// What memory is given out in, in bytes.
const STEP_BYTES: usize = 64 << 10;
/// Longest wait for memory to work on a body in, and between two looks whether the disk takes more.
const WORK_WAIT: Duration = Duration::from_secs(15);
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Longest wait for the disk.
const DURABLE_MAX: Duration = Duration::from_secs(20);

/// Header with which Firehose names a request.
const FIREHOSE_REQUEST: &str = "x-amz-firehose-request-id";

/// Address of whoever is connected.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What the handler works with.
#[derive(Clone, Debug)]
pub struct IngestState {
    /// Where events are kept before they are acknowledged.
    pub spool: Spool,
    /// Longest body in bytes, decompressed.
    pub body_bytes_max: u64,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
    /// Steps of memory for bodies that come, and for the work on them.
    coming: Arc<Semaphore>,
    work: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl IngestState {
    /// `bodies_bytes_max`: memory of all bodies together.
    pub fn new(spool: Spool, body_bytes_max: u64, bodies_bytes_max: u64, clock: fn() -> Timestamp) -> Self {
        let half = steps((bodies_bytes_max.max(BODIES_BYTES_MIN) / 2).min(u64::from(u32::MAX)) as usize) as usize;
        let [coming, work] = [half; 2].map(|half| Arc::new(Semaphore::new(half)));
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        IngestState { spool, body_bytes_max, clock, coming, work, large }
    }

    /// Whether there is room for a body of which so much is announced.
    fn has_room(&self, announced: Option<u64>) -> bool {
        let wanted = announced.unwrap_or(0).min(HELD_BYTES_MAX as u64) as usize;
        self.coming.available_permits() >= steps(wanted.max(1)) as usize
    }

    /// Memory to work in, as soon as others give it back.
    async fn room_for_work(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let room = Arc::clone(&self.work).acquire_many_owned(steps(bytes));
        match tokio::time::timeout(WORK_WAIT, room).await {
            Ok(Ok(room)) => Ok(room),
            _ => {
                metrics::counter!("ingest_refused_total", "source" => "http", "reason" => "memory").increment(1);
                Err(Problem::busy("other bodies are still worked on: send it again after a pause"))
            }
        }
    }
}

fn steps(bytes: usize) -> u32 {
    bytes.div_ceil(STEP_BYTES) as u32
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
    if !state.has_room(announced) {
        metrics::counter!("ingest_refused_total", "source" => "http", "reason" => "memory").increment(1);
        return Err(Problem::busy("bodies take all the memory that they may take: send it again after a pause"));
    }
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or("").to_owned();
    let coming = read_body(state, body).await?;
    let peer = peer.map_or_else(|| "unknown".to_owned(), |Peer(address)| address.to_canonical().to_string());
    let work =
        Work { spool: state.spool.clone(), origin: format!("http://{peer}"), encoding, limit, clock: state.clock };
    let taken = take_small_or_large(state, Arc::new(work), coming).await?;
    if let Some(ticket) = taken.ticket {
        let durable = tokio::time::timeout(DURABLE_MAX, state.spool.durable(ticket)).await;
        durable.map_err(|_| Problem::busy("the disk is slow: send it again"))?.map_err(|refused| refusal(&refused))?;
        metrics::counter!("ingest_events_total", "source" => "http").increment(taken.events);
        metrics::counter!("ingest_bytes_total", "source" => "http").increment(taken.bytes);
    }
    let request_id = headers.get(FIREHOSE_REQUEST).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let timestamp = request_id.is_some().then(|| (state.clock)().0 / 1000);
    Ok(Json(Accepted { accepted: taken.events, request_id, timestamp }))
}

/// Small bodies do not wait for large ones. Once work has begun it goes on to its end, whoever still waits for the answer:
/// all of a body is taken, or nothing.
async fn take_small_or_large(state: &IngestState, work: Arc<Work>, coming: Coming) -> Result<Taken, Problem> {
    let broken_off = |_| Problem::busy("the body could not be worked on");
    let mut coming = coming;
    if coming.staging.is_none() {
        let is_plain = body::is_plain(&work.encoding);
        let room = state.room_for_work(if is_plain { 2 * coming.bytes.len() + 1 } else { WORK_BYTES }).await?;
        let work = Arc::clone(&work);
        let done = tokio::task::spawn_blocking(move || {
            let done = work.take_small(coming);
            drop(room);
            done
        });
        match done.await.map_err(broken_off)?? {
            Size::Small(taken) => return Ok(taken),
            Size::Large(large) => coming = large,
        }
    }
    // The turn first: whoever waits for it holds no memory for work.
    let turn = Arc::clone(&state.large).acquire_owned().await.ok();
    let is_zstd = work.encoding.trim().eq_ignore_ascii_case("zstd");
    let room = state.room_for_work(if is_zstd { WORK_BYTES_ZSTD } else { WORK_BYTES_PIECES }).await?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work.take_in_pieces(&mut coming);
        drop((turn, room));
        done
    });
    done.await.map_err(broken_off)?
}

/// What a look at a body in memory gave.
enum Size {
    Small(Taken),
    Large(Coming),
}

/// A body that has come: in memory, or in a file beside the spool.
struct Coming {
    bytes: Vec<u8>,
    staging: Option<Staging>,
    _room: Vec<OwnedSemaphorePermit>,
}

impl Coming {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.staging.as_ref().map_or(0, Staging::len)
    }
}

/// What was taken of a body.
#[derive(Default)]
struct Taken {
    events: u64,
    bytes: u64,
    ticket: Option<Ticket>,
}

/// What the work on a body needs. Blocks.
struct Work {
    spool: Spool,
    origin: String,
    encoding: String,
    limit: u64,
    clock: fn() -> Timestamp,
}

impl Work {
    fn take_small(&self, mut coming: Coming) -> Result<Size, Problem> {
        if body::is_plain(&self.encoding) {
            // What may become much more than it is goes in pieces.
            if body::may_unfold(&coming.bytes) {
                return Ok(Size::Large(coming));
            }
            return self.take_lines(std::mem::take(&mut coming.bytes)).map(Size::Small);
        }
        match body::decompress_small(&self.encoding, &coming.bytes, self.limit.min(LARGE_BYTES)) {
            Ok(Some(whole)) if body::may_unfold(&whole) => Ok(Size::Large(coming)),
            Ok(Some(whole)) => self.take_lines(whole).map(Size::Small),
            Ok(None) => Ok(Size::Large(coming)),
            Err(error) => Err(problem(error)),
        }
    }

    fn take_lines(&self, body: Vec<u8>) -> Result<Taken, Problem> {
        let (lines, events) = body::lines(body);
        if events == 0 {
            return Ok(Taken::default());
        }
        let ticket = self.spool.append(self.batch(&lines)).map_err(|refused| refusal(&refused))?;
        Ok(Taken { events, bytes: lines.len() as u64, ticket: Some(ticket) })
    }

    fn batch<'a>(&'a self, lines: &'a [u8]) -> Batch<'a> {
        Batch { origin: &self.origin, lines, received: (self.clock)() }
    }

    /// Reads all of it before anything is taken: a damaged body, or one that finds no room, leaves nothing behind.
    fn take_in_pieces(&self, coming: &mut Coming) -> Result<Taken, Problem> {
        let unread = |error: io::Error| {
            tracing::error!(%error, "a body beside the spool cannot be read");
            Problem::busy("the body could not be read again: send it again")
        };
        let source = coming.staging.as_mut();
        let staged =
            source.map(|staging| staging.read().and_then(std::fs::File::try_clone)).transpose().map_err(unread)?;
        let bytes = &coming.bytes;
        let mut open = || {
            let raw: Box<dyn io::Read + '_> = match &staged {
                None => Box::new(&bytes[..]),
                Some(file) => {
                    let mut file = file;
                    let rewound = io::Seek::seek(&mut file, io::SeekFrom::Start(0));
                    rewound.map_err(|cause| BodyError::Unread { cause })?;
                    Box::new(io::BufReader::with_capacity(STEP_BYTES, file))
                }
            };
            Decoded::new(&self.encoding, raw, self.limit)
        };
        let survey = body::survey(&self.encoding, &mut open).map_err(problem)?;
        let mut room = self.spool.reserve(survey.bytes).map_err(|refused| refusal(&refused))?;
        let (mut taken, mut refused) = (Taken::default(), None);
        let written = body::write(survey, &self.encoding, open().map_err(problem)?, &mut |piece| loop {
            match room.append(self.batch(piece)) {
                Ok(ticket) => {
                    taken.bytes += piece.len() as u64;
                    taken.ticket = Some(ticket);
                    return Ok(());
                }
                Err(Refused::Busy) => std::thread::sleep(BUSY_PAUSE),
                Err(failed) => {
                    refused = Some(failed);
                    return Err(io::ErrorKind::Other.into());
                }
            }
        });
        match (written, refused) {
            (_, Some(refused)) => Err(refusal(&refused)),
            (Ok(events), None) => Ok(Taken { events, ..taken }),
            (Err(error), None) => Err(problem(error)),
        }
    }
}

fn too_large(limit: u64) -> Problem {
    Problem::too_large(format!("a body has at most {limit} bytes: send smaller batches"))
}

/// The whole body. Memory is taken as it comes, so that slow senders hold little of it; one that stops sending ends the body
/// ([`crate::guard`]).
async fn read_body(state: &IngestState, mut body: Body) -> Result<Coming, Problem> {
    let mut coming = Coming { bytes: Vec::new(), staging: None, _room: Vec::new() };
    let mut held = 0;
    loop {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| Problem::damaged(format!("the body ended early: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if coming.length() + data.len() as u64 > state.body_bytes_max {
            return Err(too_large(state.body_bytes_max));
        }
        coming.bytes.extend_from_slice(&data);
        if coming.bytes.len() <= held {
            continue;
        }
        let more = steps(coming.bytes.len() - held);
        let fits = held + more as usize * STEP_BYTES <= HELD_BYTES_MAX;
        match Arc::clone(&state.coming).try_acquire_many_owned(more) {
            Ok(room) if fits => {
                coming._room.push(room);
                held += more as usize * STEP_BYTES;
            }
            _ => coming = put_aside(state, coming).await?,
        }
    }
    if coming.staging.is_some() && !coming.bytes.is_empty() {
        coming = put_aside(state, coming).await?;
    }
    Ok(coming)
}

/// What is in memory goes to the file.
async fn put_aside(state: &IngestState, mut coming: Coming) -> Result<Coming, Problem> {
    let spool = state.spool.clone();
    let put = tokio::task::spawn_blocking(move || {
        if coming.staging.is_none() {
            let failed = |error| {
                tracing::error!(%error, "cannot make a file beside the spool");
                Problem::busy("the disk of the spool takes nothing: send it again after a pause")
            };
            coming.staging = Some(spool.staging().map_err(failed)?);
        }
        if let Some(staging) = &mut coming.staging {
            staging.write(&coming.bytes).map_err(|refused| refusal(&refused))?;
        }
        coming.bytes.clear();
        Ok(coming)
    });
    put.await.map_err(|_| Problem::busy("the body could not be kept"))?
}

fn refusal(refused: &Refused) -> Problem {
    metrics::counter!("ingest_refused_total", "source" => "http", "reason" => "spool").increment(1);
    Problem::busy(format!("{refused}: send it again after a pause"))
}

fn problem(error: BodyError) -> Problem {
    let detail = error.to_string();
    match error {
        BodyError::UnknownEncoding(_) => Problem::unsupported_encoding(detail),
        BodyError::Damaged { .. } => Problem::damaged(detail),
        BodyError::TooLarge { .. } => Problem::too_large(detail),
        BodyError::Unread { .. } => Problem::busy(detail),
    }
}

#[cfg(test)]
mod tests;
