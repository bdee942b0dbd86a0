//! The spool: what shippers push is on disk, synced, before they get their answer.
//!
//! ```text
//! append ─▶ pending bytes ─▶ writer thread: write, sync (group commit) ─▶ durable ─▶ reader: entries to blocks
//! ```
//! One log of segments that describe themselves; no index that could disagree. Offsets count payload bytes, never
//! start again, and so give each line an identity. Segments go when everything in them is committed.
//! **Absent on purpose:** no knowledge of what lines mean.

mod entry;
mod reader;
mod room;
mod segment;
mod writer;

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event::block::digest;
use event::{Position, Source, SourceId, Timestamp};
use tokio::sync::watch;

pub use reader::SpoolReader;
pub use room::{Reservation, Staging};

use crate::spool::entry::Header;
use crate::spool::segment::Segments;

/// Payload bytes of one entry at most: larger batches are written as several.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;
/// Bytes that may wait for the writer; beyond it appenders are told to wait.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// How the spool is laid out and bounded.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    pub folder: PathBuf,
    /// Bytes on disk at most: beyond it nothing is accepted until something has been committed.
    pub bytes_max: u64,
    /// A new segment begins beyond this many bytes.
    pub segment_bytes: u64,
    /// Free bytes that the file system keeps: below it nothing is accepted.
    pub reserve_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot use the spool folder {path}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("cannot use the spool file {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the spool folder {path} is in use by another process")]
    InUse { path: PathBuf },
    #[error("the spool's identity in {path} cannot be read: {text:?}")]
    Identity { path: PathBuf, text: String },
}

/// Why a batch was not taken. All pass, but `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the spool is full: what it holds has not been committed yet")]
    Full,
    #[error("the disk of the spool is almost full")]
    DiskLow,
    #[error("more waits to be written than may wait")]
    Busy,
    #[error("the spool can no longer promise durability: {0}; restart the analyzer once the disk is sound")]
    Failed(String),
}

/// End of an accepted batch: durable once the spool's durable end has reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// Lines of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Who sent it, such as `syslog+tcp://192.0.2.1`.
    pub origin: &'a str,
    /// Whole lines, each with its line feed.
    pub lines: &'a [u8],
    pub received: Timestamp,
}

/// What the spool holds, for metrics and health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolState {
    pub disk_bytes: u64,
    pub bytes_max: u64,
    /// Payload bytes that are durable and not yet released.
    pub backlog_bytes: u64,
}

#[derive(Debug)]
pub(super) struct State {
    /// Encoded entries that wait for the writer.
    pending: Vec<u8>,
    /// Where the next entry begins.
    next: Position,
    /// End of what is synced.
    durable: Position,
    /// What is committed and may be deleted.
    released: u64,
    segments: Segments,
    /// Bytes that are promised to bodies, or taken by files that hold them.
    held: u64,
    disk_low: bool,
    failed: Option<String>,
    /// The next entry does not stand behind the last one: it begins a segment of its own.
    roll: bool,
    closing: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    options: SpoolOptions,
    state: Mutex<State>,
    /// Wakes the writer: something waits, or the end.
    work: Condvar,
    /// Wakes readers: more is durable.
    more: Condvar,
    durable: watch::Sender<Durable>,
}

#[derive(Clone, Debug, Default)]
struct Durable {
    end: u64,
    failed: Option<String>,
}

impl State {
    /// Bytes of the spool's room that are taken.
    fn taken(&self) -> u64 {
        self.segments.disk_bytes() + self.pending.len() as u64 + self.held
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No step leaves the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `has_room`: room was reserved before.
    fn append(&self, batch: Batch<'_>, has_room: bool) -> Result<Ticket, Refused> {
        let parts: Vec<Header> = entry::split(batch.lines).map(|part| Header::new(&batch, part)).collect();
        let length: usize = parts.iter().map(|part| part.encoded_length(batch.origin)).sum();
        let mut state = self.lock();
        if let Some(reason) = &state.failed {
            return Err(Refused::Failed(reason.clone()));
        }
        if state.disk_low && !has_room {
            return Err(Refused::DiskLow);
        }
        let waiting = state.pending.len();
        if !has_room && state.taken() + length as u64 > self.options.bytes_max {
            return Err(Refused::Full);
        }
        if waiting > 0 && waiting + length > PENDING_BYTES_MAX {
            return Err(Refused::Busy);
        }
        let mut rest = batch.lines;
        for part in parts {
            let (payload, after) = rest.split_at(part.payload_bytes as usize);
            rest = after;
            let next = state.next;
            part.write(next, batch.origin, payload, &mut state.pending);
            state.next.offset += u64::from(part.payload_bytes);
            state.next.line += u64::from(part.lines);
        }
        let ticket = Ticket(state.next.offset);
        drop(state);
        self.work.notify_one();
        Ok(ticket)
    }
}

/// A handle on the spool; the writer ends with the last one.
#[derive(Clone, Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    source: Arc<Source>,
    _closer: Arc<Closer>,
}

#[derive(Debug)]
struct Closer {
    shared: Arc<Shared>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    _lock: std::fs::File,
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_all();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the spool's writer ended with a panic");
        }
    }
}

impl Spool {
    /// Opens or creates the spool. What a crash left half-written at the end is set aside; it was never acknowledged.
    pub fn open(options: SpoolOptions, created: Timestamp) -> Result<Self, SpoolError> {
        let folder = options.folder.clone();
        let failed = |source| SpoolError::Folder { path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let lock = std::fs::File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse { path: folder }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        room::sweep(&folder).map_err(failed)?;
        let source = Arc::new(identity(&folder, created)?);
        let (segments, next) = Segments::recover(&folder)?;
        let state = State {
            pending: Vec::new(),
            next,
            durable: next,
            released: segments.first_offset(),
            segments,
            held: 0,
            disk_low: false,
            failed: None,
            roll: false,
            closing: false,
        };
        let (durable, _) = watch::channel(Durable { end: next.offset, failed: None });
        let (work, more) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { options, state: Mutex::new(state), work, more, durable });
        let writer = writer::spawn(Arc::clone(&shared)).map_err(failed)?;
        let closer = Closer { shared: Arc::clone(&shared), writer: Mutex::new(Some(writer)), _lock: lock };
        Ok(Spool { shared, source, _closer: Arc::new(closer) })
    }

    /// The spool as a source of events.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Takes all of the batch or nothing of it. It counts as received when the ticket is durable.
    pub fn append(&self, batch: Batch<'_>) -> Result<Ticket, Refused> {
        self.shared.append(batch, false)
    }

    /// Takes the batch as soon as there is room: for senders that are held back by not being read.
    pub async fn append_when_room(&self, batch: Batch<'_>) -> Result<Ticket, Refused> {
        /// Between two looks for room.
        const ROOM_POLL: Duration = Duration::from_millis(10);
        loop {
            match self.append(batch) {
                Err(Refused::Busy | Refused::Full | Refused::DiskLow) => {
                    metrics::counter!("spool_held_back_total").increment(1);
                    tokio::time::sleep(ROOM_POLL).await;
                }
                done => return done,
            }
        }
    }

    /// Returns when the ticket's batch is synced to disk.
    pub async fn durable(&self, ticket: Ticket) -> Result<(), Refused> {
        let mut durable = self.shared.durable.subscribe();
        let reached = durable.wait_for(|now| now.end >= ticket.0 || now.failed.is_some()).await;
        match reached {
            Ok(now) if now.end >= ticket.0 => Ok(()),
            Ok(now) => Err(Refused::Failed(now.failed.clone().unwrap_or_default())),
            Err(_) => Err(Refused::Failed("the spool is closed".to_owned())),
        }
    }

    /// Returns when everything that was taken so far is synced to disk.
    pub async fn synced(&self) -> Result<(), Refused> {
        let ticket = Ticket(self.shared.lock().next.offset);
        self.durable(ticket).await
    }

    /// Everything before `position` is committed: segments that end there are deleted. Nothing new begins before it.
    pub fn release(&self, position: Position) {
        let mut state = self.shared.lock();
        state.released = state.released.max(position.offset);
        if state.next.offset < position.offset && state.pending.is_empty() {
            // The tail of the log was lost after it had been committed: identities must not be given again.
            metrics::counter!("spool_lost_bytes_total").increment(position.offset - state.next.offset);
            (state.next, state.durable) = (position, position);
            state.roll = true;
        }
        let released = state.released;
        let gone = state.segments.take_before(released);
        drop(state);
        segment::delete(&self.shared.options.folder, gone);
    }

    /// Reads from the position on, or from the oldest entry that is still there.
    pub fn read_from(&self, position: Position) -> SpoolReader {
        SpoolReader::new(Arc::clone(&self.shared), Arc::clone(&self.source), position)
    }

    pub fn state(&self) -> SpoolState {
        let state = self.shared.lock();
        SpoolState {
            disk_bytes: state.segments.disk_bytes(),
            bytes_max: self.shared.options.bytes_max,
            backlog_bytes: state.durable.offset.saturating_sub(state.released),
        }
    }

    /// Why nothing is accepted at the moment.
    pub fn refusal(&self) -> Option<Refused> {
        let state = self.shared.lock();
        let full = state.segments.disk_bytes() >= self.shared.options.bytes_max;
        let low = state.disk_low.then_some(Refused::DiskLow);
        state.failed.clone().map(Refused::Failed).or(low).or(full.then_some(Refused::Full))
    }
}

/// The spool's own identity: made once, kept in the folder.
fn identity(folder: &Path, created: Timestamp) -> Result<Source, SpoolError> {
    let path = folder.join("identity");
    let name = "spool".to_owned();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let id = text.trim().parse::<SourceId>().map_err(|_| SpoolError::Identity { path, text: text.clone() })?;
            Ok(Source { id, name })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder_name = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
            let id = digest(&[b"spool", folder_name.as_os_str().as_encoded_bytes(), &created.0.to_be_bytes()]);
            let failed = |source| SpoolError::File { path: path.clone(), source };
            segment::write_whole(folder, "identity", format!("{id:032x}\n").as_bytes()).map_err(failed)?;
            Ok(Source { id: SourceId(id), name })
        }
        Err(source) => Err(SpoolError::File { path, source }),
    }
}

#[cfg(test)]
mod tests;
