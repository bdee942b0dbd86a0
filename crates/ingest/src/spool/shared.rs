//! The state that appenders, the writer and readers share, under one lock. Touches no file.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use event::Position;
use spans::Began;
use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::spool::batch::{Batch, Refused, Ticket};
use crate::spool::causes::Causes;
use crate::spool::entry;
use crate::spool::extent::NameRecord;
use crate::spool::seen::Seen;
use crate::spool::segment::Segments;

/// Bytes that may wait for the writer; beyond it appenders are told to wait.
const PENDING_BYTES_MAX: usize = 16 << 20;

/// How the spool is laid out and bounded.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// Made where it does not exist. One process at a time.
    pub folder: PathBuf,
    /// Bytes on disk at most: beyond it nothing is accepted until something has been committed.
    pub bytes_max: u64,
    /// A new segment begins beyond this many bytes.
    pub segment_bytes: u64,
    /// Free bytes that the file system keeps: below it nothing is accepted.
    pub reserve_bytes: u64,
}

#[derive(Debug)]
pub(super) struct State {
    /// Encoded entries that wait for the writer.
    pub(super) pending: Vec<u8>,
    /// Names of batches in them.
    pub(super) names: Vec<NameRecord>,
    /// Where the next entry begins.
    pub(super) next: Position,
    /// End of what is synced.
    pub(super) durable: Position,
    /// What is committed and may be deleted.
    pub(super) released: u64,
    pub(super) segments: Segments,
    /// Bytes that are promised to bodies, or taken by files that hold them.
    pub(super) held: u64,
    pub(super) disk_low: bool,
    pub(super) failed: Option<String>,
    /// The offset of the next entry does not follow that of the last one on disk: the next entry begins a new segment.
    pub(super) roll: bool,
    pub(super) closing: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: SpoolOptions,
    pub(super) accounts: Accounts,
    pub(super) seen: Seen,
    pub(super) causes: Causes,
    pub(super) state: Mutex<State>,
    /// Wakes the writer: something waits, or the end.
    pub(super) work: Condvar,
    /// Wakes readers: more is durable.
    pub(super) more: Condvar,
    pub(super) durable: watch::Sender<Durable>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Durable {
    pub(super) end: u64,
    pub(super) failed: Option<String>,
}

impl State {
    /// Bytes of the spool's room that are taken.
    pub(super) fn taken(&self) -> u64 {
        self.segments.disk_bytes() + self.pending.len() as u64 + self.held
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No step leaves the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `has_room`: room was reserved before.
    pub(super) fn append(&self, batch: Batch<'_>, has_room: bool) -> Result<Ticket, Refused> {
        let began = Began::now();
        let parts = entry::parts(&batch);
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
        let names = state.names.len();
        let mut rest = batch.lines;
        for part in &parts {
            let (payload, after) = rest.split_at(part.header.payload_bytes as usize);
            rest = after;
            let next = state.next;
            part.write(next, batch.origin, payload, &mut state.pending);
            state.next.offset += u64::from(part.header.payload_bytes);
            state.next.line += u64::from(part.header.lines);
            let end = state.next.offset;
            state.names.extend(part.records(end));
        }
        self.seen.appended(&state.names[names..]);
        let events = parts.iter().map(|part| u64::from(part.header.lines)).sum();
        let (bytes, end) = (batch.lines.len() as u64, state.next.offset);
        self.accounts.taken(batch.origin, events, bytes, end, batch.received);
        let ticket = Ticket(state.next.offset);
        // Before the writer can tell that it is on disk.
        self.causes.appended(&batch, events, end, began);
        drop(state);
        self.work.notify_one();
        Ok(ticket)
    }
}
