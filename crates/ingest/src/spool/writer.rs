//! The one writer: takes what waits, writes it, syncs it, and says so. While it syncs, the next group gathers.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use event::Position;

use crate::spool::extent::NameRecord;
use crate::spool::names::{NameFiles, RECORDS_MAX};
use crate::spool::segment;
use crate::spool::shared::{Durable, Shared};

/// Between two tries to write to a disk that refuses.
const RETRY: Duration = Duration::from_millis(500);
/// Longest that the writer sleeps without a look at the disk.
const IDLE: Duration = Duration::from_secs(1);

pub(super) fn spawn(shared: Arc<Shared>, files: NameFiles) -> io::Result<JoinHandle<()>> {
    let writer = Writer { shared, current: None, files, names: Vec::new() };
    std::thread::Builder::new().name("spool".to_owned()).spawn(move || writer.run())
}

/// Why the spool can promise nothing more. The cause is part of the message, not the error's source.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the spool could not be written before the end: {0}")]
    Unwritten(io::Error),
    #[error("no segment is open")]
    NoSegment,
    #[error("a sync failed: {0}")]
    Sync(io::Error),
}

struct OpenSegment {
    first: u64,
    file: File,
    bytes: u64,
}

struct Writer {
    shared: Arc<Shared>,
    current: Option<OpenSegment>,
    files: NameFiles,
    /// Names of batches that stand in the current segment alone.
    names: Vec<NameRecord>,
}

/// What is written and synced together.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    names: Vec<NameRecord>,
}

impl Writer {
    fn run(mut self) {
        let mut group = Group::default();
        while let Some((start, end)) = self.next_group(&mut group) {
            if group.bytes.is_empty() {
                continue;
            }
            if let Err(error) = self.write_until_taken(start, &group.bytes) {
                self.fail(error.to_string());
                return;
            }
            self.publish(end, &mut group.names);
            group.bytes.clear();
        }
    }

    /// Waits for work and takes all of it; looks at the free room meanwhile. `None` at the end.
    fn next_group(&self, group: &mut Group) -> Option<(Position, Position)> {
        self.look_at_disk();
        let mut state = self.shared.lock();
        if state.pending.is_empty() {
            if state.closing {
                return None;
            }
            let waited = self.shared.work.wait_timeout(state, IDLE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut state.pending, &mut group.bytes);
        std::mem::swap(&mut state.names, &mut group.names);
        Some((state.durable, state.next))
    }

    fn look_at_disk(&self) {
        let Ok(stat) = rustix::fs::statvfs(&self.shared.options.folder) else { return };
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let low = free < self.shared.options.reserve_bytes;
        let mut state = self.shared.lock();
        if low != state.disk_low {
            tracing::warn!(free_bytes = free, low, "free room on the disk of the spool");
        }
        state.disk_low = low;
    }

    /// A disk that takes nothing may have room again later; a sync that failed leaves the file in an unknown state, and
    /// nothing more may be promised.
    fn write_until_taken(&mut self, start: Position, group: &[u8]) -> Result<(), WriteError> {
        while let Err(error) = self.write(start, group) {
            metrics::counter!("spool_write_errors_total").increment(1);
            tracing::error!(%error, "cannot write to the spool; trying again");
            std::thread::sleep(RETRY);
            if self.shared.lock().closing {
                return Err(WriteError::Unwritten(error));
            }
        }
        let Some(open) = &self.current else { return Err(WriteError::NoSegment) };
        open.file.sync_data().map_err(WriteError::Sync)
    }

    fn write(&mut self, start: Position, group: &[u8]) -> io::Result<()> {
        let segment_bytes = self.shared.options.segment_bytes;
        let roll = self.shared.lock().roll;
        if roll || self.current.as_ref().is_none_or(|open| open.bytes > 0 && open.bytes >= segment_bytes) {
            self.current = Some(self.open_segment(start, roll)?);
            self.shared.lock().roll = false;
        }
        let Some(open) = &mut self.current else { return Err(io::ErrorKind::NotFound.into()) };
        if let Err(error) = open.file.write_all(group) {
            // What was written of it goes, so that the next try does not stand behind half an entry.
            open.file.set_len(open.bytes)?;
            return Err(error);
        }
        open.bytes += group.len() as u64;
        Ok(())
    }

    /// After a start the newest segment goes on, unless it is full or ends elsewhere.
    fn open_segment(&mut self, start: Position, roll: bool) -> io::Result<OpenSegment> {
        // A start looks for names of batches in the newest segment and in their files alone.
        self.keep_names()?;
        let folder = &self.shared.options.folder;
        let last = self.shared.lock().segments.last();
        let goes_on =
            last.filter(|(_, bytes)| !roll && self.current.is_none() && *bytes < self.shared.options.segment_bytes);
        let (first, bytes) = goes_on.unwrap_or((start.offset, 0));
        let file = OpenOptions::new().append(true).create(true).open(segment::path(folder, first))?;
        segment::sync_folder(folder)?;
        self.shared.lock().segments.insert(first, bytes);
        Ok(OpenSegment { first, file, bytes })
    }

    fn keep_names(&mut self) -> io::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        let forgotten = self.files.put(&self.names)?;
        self.shared.seen.forget(&forgotten);
        self.names.clear();
        Ok(())
    }

    fn publish(&mut self, end: Position, names: &mut Vec<NameRecord>) {
        self.shared.seen.durable(names);
        self.names.append(names);
        if self.names.len() > RECORDS_MAX
            && let Err(error) = self.keep_names()
        {
            tracing::warn!(%error, "the names of batches cannot be written beside the spool; trying again");
        }
        let mut state = self.shared.lock();
        state.durable = end;
        if let Some(open) = &self.current {
            state.segments.insert(open.first, open.bytes);
        }
        drop(state);
        self.shared.more.notify_all();
        self.shared.durable.send_replace(Durable { end: end.offset, failed: None });
        self.shared.causes.durable(end.offset);
        metrics::counter!("spool_syncs_total").increment(1);
    }

    fn fail(&self, reason: String) {
        tracing::error!(reason, "the spool accepts nothing more");
        let mut state = self.shared.lock();
        state.failed = Some(reason.clone());
        let end = state.durable.offset;
        drop(state);
        self.shared.durable.send_replace(Durable { end, failed: Some(reason) });
        self.shared.more.notify_all();
    }
}
