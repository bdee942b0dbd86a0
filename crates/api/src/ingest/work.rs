//! The work on a body that has come: its lines are on their way to the disk when it is done. Blocks; knows no HTTP.

use std::io::{self, BufRead, BufReader};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event::Timestamp;
use ingest::body::{self, BodyError, Decoded};
use ingest::push::{Lines, Payload, PayloadError, Report};
use ingest::spool::{Batch, BatchName, Claim, Refused, Reservation, Spool, Ticket};
use spans::TracePoint;

use super::coming::Coming;
use super::memory::{IngestState, STEP_BYTES, WORK_BYTES, WORK_BYTES_PIECES, WORK_BYTES_ZSTD};
use super::refusals::{of_payload, problem, refusal};
use crate::problem::Problem;

/// Bodies that unpack to more than this wait for each other, and are worked on in pieces.
const LARGE_BYTES: u64 = 1 << 20;
/// Bytes that the lines of a small body may become: what becomes more is worked on in pieces.
const SMALL_BECOMES_BYTES: usize = WORK_BYTES;
/// Bytes that the lines of a body may become.
const BECOMES_BYTES_MAX: u64 = 1 << 30;
/// Memory of a body that is held whole to be read: a snappy block, or a protobuf message.
const WORK_BYTES_WHOLE: usize = 44 << 20;
/// Between two looks whether the disk takes more.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// How a body is read.
#[derive(Clone)]
pub(crate) enum Reading {
    /// As lines, NDJSON or arrays.
    Lines,
    /// As the payload of a protocol, which is made anew for each reading.
    Payload {
        /// Makes the reader.
        open: Arc<dyn Fn() -> Box<dyn Payload> + Send + Sync>,
        /// It is held whole.
        is_whole: bool,
    },
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if matches!(self, Reading::Lines) { "Lines" } else { "Payload" })
    }
}

/// What was taken of a body.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) report: Report,
    pub(super) ticket: Option<Ticket>,
}

/// What a look at a body in memory gave.
enum Size {
    Small(Taken),
    Large(Coming),
}

/// What the work on a body needs.
pub(super) struct Work {
    pub(super) spool: Spool,
    /// Label of counters.
    pub(super) source: &'static str,
    pub(super) origin: String,
    pub(super) encoding: String,
    pub(super) limit: u64,
    pub(super) clock: fn() -> Timestamp,
    pub(super) reading: Reading,
    /// Where the sender gave the batch a name. Whoever appends takes it out.
    pub(super) claim: Mutex<Option<Claim>>,
    /// The span that it is taken in.
    pub(super) cause: Option<TracePoint>,
}

/// Small bodies do not wait for large ones. Once work has begun it goes on to its end, whoever still waits for the answer:
/// all of a body is taken, or nothing.
pub(super) async fn take_small_or_large(
    state: &IngestState,
    work: Arc<Work>,
    coming: Coming,
) -> Result<Taken, Problem> {
    let broken_off = |_| Problem::busy("the body could not be worked on");
    let mut coming = coming;
    if coming.staging.is_none() {
        let room = state.room_for_work(work.small_bytes(coming.bytes.len())).await?;
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
    let room = state.room_for_work(work.large_bytes()).await?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work.take_in_pieces(&mut coming);
        drop((turn, room));
        done
    });
    done.await.map_err(broken_off)?
}

impl Work {
    /// Memory for a body that is in memory, in bytes.
    fn small_bytes(&self, length: usize) -> usize {
        match self.reading {
            Reading::Lines if body::is_plain(&self.encoding) => 2 * length + 1,
            Reading::Lines => WORK_BYTES,
            // The body unpacked, and its lines.
            Reading::Payload { .. } => length + LARGE_BYTES as usize + SMALL_BECOMES_BYTES,
        }
    }

    /// Memory for a body that is worked on in pieces, in bytes.
    fn large_bytes(&self) -> usize {
        let encoding = self.encoding.trim();
        match self.reading {
            Reading::Payload { is_whole: true, .. } => WORK_BYTES_WHOLE,
            _ if encoding.eq_ignore_ascii_case("snappy") => WORK_BYTES_WHOLE,
            _ if encoding.eq_ignore_ascii_case("zstd") || encoding == body::SNIFFED => WORK_BYTES_ZSTD,
            _ => WORK_BYTES_PIECES,
        }
    }

    fn take_small(&self, mut coming: Coming) -> Result<Size, Problem> {
        if let Reading::Payload { open, .. } = &self.reading {
            return self.take_payload(&mut *open(), coming);
        }
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
        self.append(&lines, Report { events, bytes: lines.len() as u64, ..Report::default() })
    }

    fn append(&self, lines: &[u8], report: Report) -> Result<Taken, Problem> {
        if lines.is_empty() {
            return Ok(Taken { report, ticket: None });
        }
        let mut claim = self.claim();
        let lines = self.fresh(claim.as_mut(), lines);
        if lines.is_empty() {
            return Ok(Taken { report, ticket: None });
        }
        let names: Vec<BatchName> = claim.iter().map(|claim| claim.name(0..lines.len(), Some(report.events))).collect();
        let batch = Batch { names: &names, ..self.batch(lines) };
        let ticket = self.spool.append(batch).map_err(|refused| refusal(&refused))?;
        Ok(Taken { report, ticket: Some(ticket) })
    }

    fn batch<'a>(&'a self, lines: &'a [u8]) -> Batch<'a> {
        Batch { cause: self.cause.as_ref(), ..Batch::new(&self.origin, lines, (self.clock)()) }
    }

    fn claim(&self) -> Option<Claim> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The lines without those that the spool holds from an earlier, broken try to take the batch.
    fn fresh<'a>(&self, claim: Option<&mut Claim>, lines: &'a [u8]) -> &'a [u8] {
        let (held, fresh) = lines.split_at(claim.map_or(0, |claim| claim.skip(lines.len())));
        let events = held.iter().filter(|byte| **byte == b'\n').count() as u64;
        if events > 0 {
            metrics::counter!("ingest_duplicates_total", "source" => self.source).increment(events);
            self.spool.accounts().duplicates(&self.origin, events, (self.clock)());
        }
        fresh
    }

    fn take_payload(&self, payload: &mut dyn Payload, coming: Coming) -> Result<Size, Problem> {
        let unpacked;
        let mut whole = &coming.bytes[..];
        if !body::is_plain(&self.encoding) {
            match body::decompress_small(&self.encoding, whole, self.limit.min(LARGE_BYTES)).map_err(problem)? {
                Some(body) => unpacked = body,
                None => return Ok(Size::Large(coming)),
            }
            whole = &unpacked;
        }
        let (mut out, mut is_outgrown) = (Vec::new(), false);
        let mut take = |piece: &[u8]| {
            is_outgrown = out.len() + piece.len() > SMALL_BECOMES_BYTES;
            if is_outgrown {
                return Err(io::Error::other("its lines are many"));
            }
            out.extend_from_slice(piece);
            Ok(())
        };
        let read = read_payload(self.source, payload, &mut whole, &mut take);
        match read {
            Ok(report) => self.append(&out, report).map(Size::Small),
            Err(_) if is_outgrown => Ok(Size::Large(coming)),
            Err(error) => Err(of_payload(&self.encoding, error)),
        }
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
                    Box::new(BufReader::with_capacity(STEP_BYTES, file))
                }
            };
            Decoded::new(&self.encoding, raw, self.limit)
        };
        match &self.reading {
            Reading::Lines => self.lines_in_pieces(&mut open),
            Reading::Payload { open: payload, .. } => self.payload_in_pieces(&**payload, &mut open),
        }
    }

    fn lines_in_pieces<'a>(&self, open: &mut dyn FnMut() -> Result<Decoded<'a>, BodyError>) -> Result<Taken, Problem> {
        let survey = body::survey(&self.encoding, open).map_err(problem)?;
        let mut room = self.spool.reserve(survey.bytes).map_err(|refused| refusal(&refused))?;
        let mut filling = Filling::new(&mut room, self);
        let written = body::write(survey, &self.encoding, open().map_err(problem)?, &mut |piece| filling.append(piece));
        let (ticket, bytes) = filling.filled(written.as_ref().ok().copied())?;
        let events = written.map_err(problem)?;
        Ok(Taken { report: Report { events, bytes, ..Report::default() }, ticket })
    }

    fn payload_in_pieces<'a>(
        &self,
        payload: &dyn Fn() -> Box<dyn Payload>,
        open: &mut dyn FnMut() -> Result<Decoded<'a>, BodyError>,
    ) -> Result<Taken, Problem> {
        let read = |body: Decoded<'_>, take: Take<'_>| {
            let mut body = BufReader::with_capacity(STEP_BYTES, body);
            read_payload(self.source, &mut *payload(), &mut body, take)
                .map_err(|error| of_payload(&self.encoding, error))
        };
        let mut bytes = 0;
        let mut survey = |piece: &[u8]| {
            bytes += piece.len() as u64;
            if bytes > BECOMES_BYTES_MAX {
                return Err(io::Error::other(BodyError::TooLarge { limit: BECOMES_BYTES_MAX }));
            }
            Ok(())
        };
        let report = read(open().map_err(problem)?, &mut survey)?;
        if report.bytes == 0 {
            return Ok(Taken { report, ticket: None });
        }
        let mut room = self.spool.reserve(report.bytes).map_err(|refused| refusal(&refused))?;
        let mut filling = Filling::new(&mut room, self);
        let written = read(open().map_err(problem)?, &mut |piece| filling.append(piece));
        let (ticket, _) = filling.filled(written.as_ref().ok().map(|report| report.events))?;
        Ok(Taken { report: written?, ticket })
    }
}

/// Takes whole lines.
type Take<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

fn read_payload(
    source: &'static str,
    payload: &mut dyn Payload,
    body: &mut dyn BufRead,
    take: Take<'_>,
) -> Result<Report, PayloadError> {
    let mut lines = Lines::new(source, take);
    payload.read(body, &mut lines)?;
    Ok(lines.finish()?)
}

/// Lines on their way into room that was promised.
struct Filling<'a> {
    room: &'a mut Reservation,
    work: &'a Work,
    claim: Option<Claim>,
    /// Of a batch with a name: the last lines so far, until it is known whether others follow.
    last: Vec<u8>,
    bytes: u64,
    ticket: Option<Ticket>,
    refused: Option<Refused>,
}

impl<'a> Filling<'a> {
    fn new(room: &'a mut Reservation, work: &'a Work) -> Self {
        Filling { room, work, claim: work.claim(), last: Vec::new(), bytes: 0, ticket: None, refused: None }
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        self.bytes += piece.len() as u64;
        if self.claim.is_none() {
            return self.put(piece, None);
        }
        let fresh = self.work.fresh(self.claim.as_mut(), piece);
        if fresh.is_empty() {
            return Ok(());
        }
        let before = std::mem::take(&mut self.last);
        self.put(&before, None)?;
        self.last = before;
        self.last.clear();
        self.last.extend_from_slice(fresh);
        Ok(())
    }

    /// `events`: of all of the batch, with its last lines.
    fn put(&mut self, piece: &[u8], events: Option<u64>) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        let names: Vec<BatchName> = self.claim.iter().map(|claim| claim.name(0..piece.len(), events)).collect();
        loop {
            match self.room.append(Batch { names: &names, ..self.work.batch(piece) }) {
                Ok(ticket) => {
                    self.claim.iter_mut().for_each(|claim| claim.appended(piece.len()));
                    self.ticket = Some(ticket);
                    return Ok(());
                }
                Err(Refused::Busy) => std::thread::sleep(BUSY_PAUSE),
                Err(failed) => {
                    self.refused = Some(failed);
                    return Err(io::ErrorKind::Other.into());
                }
            }
        }
    }

    /// `events`: of all of the body, where it was read to its end.
    fn filled(mut self, events: Option<u64>) -> Result<(Option<Ticket>, u64), Problem> {
        let last = std::mem::take(&mut self.last);
        if events.is_some() {
            // What refuses it is told below.
            let _is_put = self.put(&last, events).is_ok();
        }
        match self.refused {
            Some(refused) => Err(refusal(&refused)),
            None => Ok((self.ticket, self.bytes)),
        }
    }
}
