//! The spool: what shippers push is on disk, synced, before they get their answer.
//!
//! ```text
//! append ─▶ pending bytes ─▶ writer thread: write, sync (group commit) ─▶ durable ─▶ reader: entries to blocks
//! ```
//! One log of segments that describe themselves; no index that could disagree. Offsets count payload bytes, never
//! start again, and so give each line an identity. Segments go when everything in them is committed.
//! **Absent on purpose:** no knowledge of what lines mean.

mod batch;
mod causes;
mod entry;
mod extent;
mod names;
mod reader;
mod reservation;
mod seen;
mod segment;
mod shared;
mod writer;

use std::fs::TryLockError;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use event::block::digest;
use event::{Position, Source, SourceId, Timestamp};
use spans::TracePoint;
use tokio::sync::watch;

pub use batch::{Batch, ENTRY_BYTES_MAX, NAMES_MAX, Refused, SpoolError, Ticket};
pub use reader::SpoolReader;
pub use reservation::{Reservation, Staging};
pub use seen::{BatchName, Begun, Claim, Seen};
pub use shared::SpoolOptions;

use crate::accounts::Accounts;
use names::NameFiles;
use segment::Segments;
use shared::{Durable, Shared, State};

/// What the spool holds, for metrics and health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolState {
    /// Bytes of its segments on disk.
    pub disk_bytes: u64,
    /// Bytes that it may have on disk.
    pub bytes_max: u64,
    /// Payload bytes that are durable and not yet released.
    pub backlog_bytes: u64,
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
        reservation::sweep(&folder).map_err(failed)?;
        let source = Arc::new(identity(&folder, created)?);
        let (segments, next, names) = Segments::recover(&folder)?;
        let names = NameFiles::open(&folder, next.offset, names).map_err(failed)?;
        let state = State {
            pending: Vec::new(),
            names: Vec::new(),
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
        let shared = Arc::new(Shared {
            options,
            accounts: Accounts::new(next.offset),
            seen: Seen::new(names.records()),
            causes: causes::Causes::default(),
            state: Mutex::new(state),
            work,
            more,
            durable,
        });
        let writer = writer::spawn(Arc::clone(&shared), names).map_err(failed)?;
        let closer = Closer { shared: Arc::clone(&shared), writer: Mutex::new(Some(writer)), _lock: lock };
        Ok(Spool { shared, source, _closer: Arc::new(closer) })
    }

    /// The spool as a source of events.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Batches with a name of their own that were taken.
    pub fn seen(&self) -> &Seen {
        &self.shared.seen
    }

    /// What became of every event.
    pub fn accounts(&self) -> &Accounts {
        &self.shared.accounts
    }

    /// Takes all of the batch or nothing of it. It counts as received when the ticket is durable.
    pub fn append(&self, batch: Batch<'_>) -> Result<Ticket, Refused> {
        self.shared.append(batch, false)
    }

    /// Waits until there is room, then takes the batch: for TCP senders, which must wait while nobody reads their
    /// connection.
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

    /// A file for a body that comes.
    pub fn staging(&self) -> std::io::Result<Staging> {
        Staging::open(&self.shared)
    }

    /// Room for so many bytes of lines from one sender.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, Refused> {
        Reservation::new(&self.shared, bytes)
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
        self.shared.accounts.released(released);
        let gone = state.segments.take_before(released);
        drop(state);
        segment::delete(&self.shared.options.folder, gone);
    }

    /// The traced batches that end before `position` and that nobody has asked for yet, oldest first.
    pub fn causes(&self, position: Position) -> Vec<TracePoint> {
        self.shared.causes.take_before(position.offset)
    }

    /// Reads from the position on, or from the oldest entry that is still there.
    pub fn read_from(&self, position: Position) -> SpoolReader {
        SpoolReader::new(Arc::clone(&self.shared), Arc::clone(&self.source), position)
    }

    /// What it holds now.
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
