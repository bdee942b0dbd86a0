//! Keeps the archive within its bounds: the oldest files go by age and by length, small files become large ones, and what the
//! catalogue has given up is removed from the disk once nobody can have it open any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use archive::Writer;
use event::{ArchiveFile, Timestamp};
use store::{FileQuery, Store};
use tokio::runtime::Handle;

use crate::clock;
use crate::config::ArchiveConfig;

/// Between two looks at the archive.
const PAUSE: Duration = Duration::from_secs(60);

/// How often the thread looks whether it is to end.
const POLL: Duration = Duration::from_millis(200);

/// How long a question may have a file open that the catalogue no longer names, in microseconds.
const GRACE_US: i64 = 15 * 60 * event::time::SECOND_US;

/// After the end of an hour events of it may still come, in microseconds.
const HOUR_DONE_US: i64 = 2 * 3600 * event::time::SECOND_US;

/// Groups of files that are compacted in one look: commits go on beside it.
const COMPACTED_MAX: usize = 4;

/// The archive that is kept in order.
pub(crate) struct Keeping {
    pub(crate) writer: Arc<Writer>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
    pub(crate) bounds: ArchiveConfig,
}

impl Keeping {
    /// Looks after the archive until `stop` is set. What fails is told and tried again.
    pub(crate) fn run(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = self.look() {
                metrics::counter!("archive_errors_total").increment(1);
                tracing::warn!(error = format!("{error:#}"), "the archive cannot be kept in order");
            }
            let looked = Instant::now();
            while looked.elapsed() < PAUSE && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(POLL);
            }
        }
    }

    fn look(&self) -> anyhow::Result<()> {
        let now = clock::now();
        let files = self.runtime.block_on(self.store.archive_files(&FileQuery::default()))?;
        let (gone, kept) = beyond(files, now, &self.bounds);
        if !gone.is_empty() {
            let paths: Vec<String> = gone.iter().map(|file| file.path.clone()).collect();
            self.runtime.block_on(self.store.replace_archive_files(&paths, &[], now))?;
            let events: u64 = gone.iter().map(|file| file.events).sum();
            metrics::counter!("archive_events_removed_total").increment(events);
            tracing::info!(files = gone.len(), events, "removed the oldest events of the archive");
        }
        self.compact(&kept, now)?;
        let paths = self.runtime.block_on(self.store.archive_files_gone(now.saturating_sub_us(GRACE_US)))?;
        self.writer.place().remove(&paths).context("cannot remove files of the archive")?;
        self.runtime.block_on(self.store.forget_archive_files(&paths))?;
        metrics::gauge!("archive_files").set(kept.len() as f64);
        metrics::gauge!("archive_bytes").set(kept.iter().map(|file| file.bytes).sum::<u64>() as f64);
        Ok(())
    }

    fn compact(&self, files: &[ArchiveFile], now: Timestamp) -> anyhow::Result<()> {
        let is_done = |file: &ArchiveFile| file.hour.saturating_add_us(HOUR_DONE_US) < now;
        for group in archive::to_compact(files, is_done).into_iter().take(COMPACTED_MAX) {
            let Some(one) = self.writer.compact(&group).context("cannot compact files of the archive")? else {
                continue;
            };
            let paths: Vec<String> = group.iter().map(|file| file.path.clone()).collect();
            let replaced = self.store.replace_archive_files(&paths, std::slice::from_ref(&one), now);
            if !self.runtime.block_on(replaced)? {
                // Somebody else has taken one of them away meanwhile.
                self.writer.place().remove(std::slice::from_ref(&one.path))?;
            }
        }
        Ok(())
    }
}

/// Files beyond the bounds, and the others. For their length files go in the order in which their events came: the times in
/// them are the senders' word, and must not push out what others sent.
fn beyond(mut files: Vec<ArchiveFile>, now: Timestamp, bounds: &ArchiveConfig) -> (Vec<ArchiveFile>, Vec<ArchiveFile>) {
    files.sort_by_key(|file| file.sequences);
    let oldest = now.saturating_sub_us(bounds.age_max_us);
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let goes = |file: &ArchiveFile| {
        let is_beyond = file.times.1 < oldest || bytes > bounds.bytes_max;
        if is_beyond {
            bytes -= file.bytes;
        }
        is_beyond
    };
    files.into_iter().partition(goes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_by_age_and_by_length() {
        let file = |hours: i64, bytes: u64| ArchiveFile {
            path: hours.to_string(),
            dataset: "text".to_owned(),
            hour: Timestamp(0),
            events: 1,
            bytes,
            raw_bytes: bytes,
            times: (Timestamp(0), Timestamp(hours * 3_600_000_000)),
            sequences: (hours as u64, hours as u64),
            columns: Vec::new(),
        };
        let bounds = |bytes_max, hours: i64| ArchiveConfig {
            place: None,
            reached: archive::PlaceSettings::default(),
            hunts: Vec::new(),
            privacy: archive::Privacy::default(),
            bytes_max,
            age_max_us: hours * 3_600_000_000,
        };
        let files = vec![file(5, 10), file(1, 10), file(3, 10)];
        let now = Timestamp(6 * 3_600_000_000);
        let gone = |bounds: ArchiveConfig| {
            beyond(files.clone(), now, &bounds).0.into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(gone(bounds(100, 100)), [""; 0]);
        assert_eq!(gone(bounds(100, 4)), ["1"]);
        assert_eq!(gone(bounds(15, 100)), ["1", "3"]);
    }
}
