//! Bodies that have no end in sight: what the journal uploads in one request may be all that it holds. Events go to the spool as
//! they come; a sender that breaks off, or is refused, sends again what was not answered.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use ingest::body::Decoded;
use ingest::push::{Lines, Report};
use ingest::spool::{Batch, Refused, Ticket};
use tokio::sync::mpsc;

use super::memory::{IngestState, WORK_BYTES_PIECES};
use super::pushed::{Pushed, durable, note, tell};
use super::refusals::{of_payload, problem, refusal};
use super::work::Reading;
use crate::problem::Problem;

/// BodyParts of a body that wait to be read.
const PARTS_MAX: usize = 16;
/// Longest that the sender is held back while the spool takes nothing, and between two looks.
const HELD_BACK_MAX: Duration = Duration::from_secs(15);
const ROOM_PAUSE: Duration = Duration::from_millis(20);
/// Bytes of such a body: more than any journal holds.
const STREAM_BYTES_MAX: u64 = 1 << 40;

/// Takes a body as it comes: what was read of it, once all of it is on disk.
pub(crate) async fn take_stream(state: &IngestState, mut pushed: Pushed, body: Body) -> Result<Report, Problem> {
    let source = pushed.source;
    let mut span = pushed.receive();
    let result = take_parts(state, pushed, body).await;
    note(&mut span, &result);
    let outcome = if result.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("ingest_requests_total", "source" => source, "outcome" => outcome).increment(1);
    result
}

async fn take_parts(state: &IngestState, pushed: Pushed, mut body: Body) -> Result<Report, Problem> {
    if let Some(refused) = state.spool.refusal() {
        return Err(refusal(&refused));
    }
    let turn = Arc::clone(&state.large).acquire_owned().await.ok();
    let room = state.room_for_work(WORK_BYTES_PIECES).await?;
    let (parts, coming) = mpsc::channel(PARTS_MAX);
    let spool = state.clone();
    let work = tokio::task::spawn_blocking(move || {
        let done = read_parts(&spool, &pushed, coming);
        drop((turn, room));
        done
    });
    let mut ended = Ok(());
    while let Some(frame) = body.frame().await {
        let part = match frame {
            Ok(frame) => frame.into_data().map_err(|_| ()),
            Err(error) => {
                ended = Err(Problem::damaged(format!("the body ended early: {error}")));
                let broken = Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                // Whoever reads has given up by itself.
                let _gone = parts.send(broken).await.is_err();
                break;
            }
        };
        let Ok(part) = part else { continue };
        if parts.send(Ok(part)).await.is_err() {
            break;
        }
    }
    drop(parts);
    let (ticket, read) = work.await.map_err(|_| Problem::busy("the body could not be worked on"))?;
    if let Some(ticket) = ticket {
        durable(state, ticket).await?;
    }
    ended?;
    read
}

/// What comes from the network, for whoever blocks.
struct BodyParts {
    coming: mpsc::Receiver<io::Result<Bytes>>,
    now: Bytes,
}

impl Read for BodyParts {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.coming.blocking_recv() {
                Some(part) => self.now = part?,
                None => return Ok(0),
            }
        }
        let length = self.now.len().min(into.len());
        into[..length].copy_from_slice(&self.now.split_to(length));
        Ok(length)
    }
}

/// What was taken is told also where the rest cannot be: it is on its way to the disk.
fn read_parts(
    state: &IngestState,
    pushed: &Pushed,
    coming: mpsc::Receiver<io::Result<Bytes>>,
) -> (Option<Ticket>, Result<Report, Problem>) {
    let Reading::Payload { open, .. } = &pushed.reading else {
        return (None, Err(Problem::busy("no reader for such a body")));
    };
    let origin = pushed.origin();
    let (mut ticket, mut refused) = (None, None);
    let mut taken = Report::default();
    let mut take = |piece: &[u8]| {
        let started = Instant::now();
        loop {
            match state
                .spool
                .append(Batch { cause: pushed.cause.as_ref(), ..Batch::new(&origin, piece, (state.clock)()) })
            {
                Ok(got) => {
                    ticket = Some(got);
                    taken.bytes += piece.len() as u64;
                    taken.events += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
                    return Ok(());
                }
                Err(cause) if matches!(cause, Refused::Failed(_)) || started.elapsed() > HELD_BACK_MAX => {
                    refused = Some(refusal(&cause));
                    return Err(io::ErrorKind::Other.into());
                }
                Err(_) => std::thread::sleep(ROOM_PAUSE),
            }
        }
    };
    let decoded = Decoded::new(&pushed.encoding, BodyParts { coming, now: Bytes::new() }, STREAM_BYTES_MAX);
    let read = decoded.map_err(problem).and_then(|body| {
        let mut lines = Lines::new(pushed.source, &mut take);
        let read =
            open().read(&mut BufReader::new(body), &mut lines).map_err(|error| of_payload(&pushed.encoding, error));
        // What came whole before the fault is kept.
        let flushed = lines.finish().map_err(|error| of_payload(&pushed.encoding, error.into()));
        read.and(flushed)
    });
    match &read {
        Ok(report) => tell(pushed.source, report),
        Err(_) => tell(pushed.source, &taken),
    }
    (ticket, refused.map_or(read, Err))
}
