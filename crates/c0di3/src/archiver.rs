//! Events on their way into the archive: they wait for a checkpoint, which writes them and names their files, so that an event is
//! in the archive exactly when its source has moved on. What is kept and for how long is decided in `keeping`.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use archive::{ArchiveError, ArchivePlace, PlaceSettings, Privacy, Segment, Writer};
use event::{ArchiveFile, EventBatch};
use store::{FileQuery, Lease, Store, StoreError};
use tokio::runtime::Handle;

use crate::clock;

/// Raw lines that wait to be written, in bytes: beyond it files are written before there is a checkpoint that names them.
const SEGMENT_BYTES_MAX: u64 = 16 << 20;
/// Raw lines that wait in a service, in bytes: it joins small files later, and needs memory for other things. Events in memory
/// take three times as much as their lines, and twice as much again while they are written.
pub(crate) const SERVICE_SEGMENT_BYTES_MAX: u64 = 8 << 20;

/// Age of a file that an erasure wrote and did not name, from which it is left over, in microseconds.
const LEFT_OVER_US: i64 = 86_400 * event::time::SECOND_US;

/// Why events could not be archived.
#[derive(Debug)]
pub(crate) enum Unarchived {
    /// The files could not be written.
    Files(ArchiveError),
    /// The store gave no numbers for the events.
    Numbers(StoreError),
}

/// The archive of one committer.
pub(crate) struct Archiver {
    writer: Arc<Writer>,
    segment: Segment,
    segment_bytes_max: u64,
    /// Written, and named by no commit yet.
    written: Vec<ArchiveFile>,
    store: Arc<dyn Store>,
    runtime: Handle,
}

impl Archiver {
    /// Opens the archive for the holder of the lease. Files that an earlier run wrote and never committed are removed.
    pub(crate) fn open(
        (place, privacy): (&PlaceSettings, &Privacy),
        lease: &Lease,
        store: Arc<dyn Store>,
        runtime: Handle,
    ) -> anyhow::Result<Archiver> {
        let files =
            runtime.block_on(store.archive_files(&FileQuery::default())).context("cannot read the catalogue")?;
        let gone = runtime.block_on(store.archive_files_gone(event::Timestamp(i64::MAX)))?;
        let known: BTreeSet<String> = files.into_iter().map(|file| file.path).chain(gone).collect();
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let held = (lease.instance.as_str(), lease.epoch);
        let name = runtime.block_on(store.archive_name())?;
        let opened = ArchivePlace::of(place, runtime.clone());
        let opened = opened.and_then(|opened| Writer::open(opened, &name, held, jobs, &known));
        let (writer, orphans) = opened.with_context(|| format!("cannot use the archive {}", place.folder))?;
        if orphans > 0 {
            tracing::info!(orphans, "removed files of the archive that were never committed");
        }
        let left_over = writer.remove_left_over(&known, clock::now().saturating_sub_us(LEFT_OVER_US))?;
        if left_over > 0 {
            tracing::info!(left_over, "removed files of the archive that an erasure did not come to name");
        }
        let writer = writer.with_privacy(privacy.clone());
        let (segment, segment_bytes_max) = (Segment::default(), SEGMENT_BYTES_MAX);
        Ok(Archiver { writer: Arc::new(writer), segment, segment_bytes_max, written: Vec::new(), store, runtime })
    }

    /// Writes as soon as lines of so many bytes wait.
    pub(crate) fn with_segments_of(self, segment_bytes_max: u64) -> Self {
        Archiver { segment_bytes_max, ..self }
    }

    /// Who writes files: compaction does, too.
    pub(crate) fn writer(&self) -> Arc<Writer> {
        Arc::clone(&self.writer)
    }

    /// Takes events; `bytes`: length of their raw lines.
    pub(crate) fn take(&mut self, batch: Arc<EventBatch>, bytes: u64) {
        self.segment.push(batch, bytes);
    }

    /// Whether enough waits to be written.
    pub(crate) fn is_full(&self) -> bool {
        self.segment.bytes() >= self.segment_bytes_max
    }

    /// Writes what waits. It waits on where that fails.
    pub(crate) fn write(&mut self) -> Result<(), Unarchived> {
        if self.segment.is_empty() {
            return Ok(());
        }
        let first = self.runtime.block_on(self.store.reserve_sequences(self.segment.rows()));
        let files = self.writer.write(&self.segment, first.map_err(Unarchived::Numbers)?).map_err(Unarchived::Files)?;
        self.segment = Segment::default();
        for file in &files {
            metrics::counter!("archive_events_total").increment(file.events);
            metrics::counter!("archive_bytes_total").increment(file.bytes);
            metrics::counter!("archive_raw_bytes_total").increment(file.raw_bytes);
        }
        metrics::counter!("archive_files_total").increment(files.len() as u64);
        self.written.extend(files);
        Ok(())
    }

    /// The files that the next checkpoint names. The caller commits them or ends.
    pub(crate) fn take_written(&mut self) -> Vec<ArchiveFile> {
        std::mem::take(&mut self.written)
    }
}
