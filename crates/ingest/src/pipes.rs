//! Named pipes and standard input: lines go to the spool as they come. A pipe that nobody reads holds its writer back, so nothing is lost
//! while the service runs; what was read and not yet on disk when it was killed is gone, because a pipe cannot be read again.

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, timeout_at};

use crate::framing::push_line;
use crate::shippers::ShipperOptions;
use crate::spool::{Batch, ENTRY_BYTES_MAX};
use crate::syslog::{Drain, stopped, synced};

/// Label of counters.
const SOURCE: &str = "pipe";
/// Bytes that one read takes at most.
const READ_BYTES: usize = 64 << 10;
/// Longest line that is kept whole, in bytes.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX - 1;
/// Silence that ends the reading while the service stops.
const QUIET: Duration = Duration::from_millis(100);

/// Reads until its end, or until the service stops; returns when what it gave is on disk. `origin`: such as `pipe:///run/app.log`.
pub async fn serve_pipe(
    mut pipe: impl AsyncRead + Unpin,
    origin: String,
    options: ShipperOptions,
    mut drain: watch::Receiver<Drain>,
) {
    let mut reading = PipeReading { input: Vec::new(), origin, options, skips: false };
    let mut until: Option<Instant> = None;
    loop {
        reading.input.reserve(READ_BYTES);
        let read = match until {
            Some(until) => {
                let silent = until.min(Instant::now() + QUIET);
                timeout_at(silent, pipe.read_buf(&mut reading.input)).await.unwrap_or(Ok(0))
            }
            None => tokio::select! {
                biased;
                deadline = stopped(&mut drain) => {
                    until = Some(deadline);
                    continue;
                }
                read = pipe.read_buf(&mut reading.input) => read,
            },
        };
        match read {
            Ok(1..) => {}
            Ok(0) => break,
            Err(error) => {
                tracing::warn!(%error, origin = reading.origin, "a pipe cannot be read any more");
                break;
            }
        }
        let end = memchr::memrchr(b'\n', &reading.input).map_or(0, |end| end + 1);
        if !reading.keep(end).await {
            return;
        }
    }
    let end = reading.input.len();
    if reading.keep(end).await {
        tracing::info!(origin = reading.origin, "a pipe has been read to its end");
        synced(&reading.options.spool, until.unwrap_or_else(|| Instant::now() + Duration::from_secs(20)), SOURCE).await;
    }
}

struct PipeReading {
    /// What has come and is not kept yet.
    input: Vec<u8>,
    origin: String,
    options: ShipperOptions,
    /// Within a line of which the beginning was too long already.
    skips: bool,
}

impl PipeReading {
    /// The first bytes, whole lines, into the spool as soon as there is room; a line that is too long is cut. False where the spool takes
    /// nothing any more.
    async fn keep(&mut self, end: usize) -> bool {
        let mut lines = Vec::with_capacity(end + 1);
        for line in self.input[..end].split_inclusive(|byte| *byte == b'\n') {
            if std::mem::take(&mut self.skips) {
                continue;
            }
            if line.len() <= LINE_BYTES_MAX {
                push_line(line, &mut lines);
                continue;
            }
            push_line(&line[..LINE_BYTES_MAX], &mut lines);
            metrics::counter!("ingest_lines_cut_total", "source" => SOURCE).increment(1);
            if !self.append(&lines, true).await {
                return false;
            }
            lines.clear();
        }
        self.input.drain(..end);
        if !self.append(&lines, false).await {
            return false;
        }
        if self.skips {
            self.input.clear();
        } else if self.input.len() > LINE_BYTES_MAX {
            // A line without an end in sight.
            let mut cut = Vec::new();
            push_line(&self.input[..LINE_BYTES_MAX], &mut cut);
            self.input = Vec::new();
            self.skips = true;
            metrics::counter!("ingest_lines_cut_total", "source" => SOURCE).increment(1);
            return self.append(&cut, true).await;
        }
        true
    }

    async fn append(&self, lines: &[u8], is_cut: bool) -> bool {
        if lines.is_empty() {
            return true;
        }
        let batch = Batch { is_cut, ..Batch::new(&self.origin, lines, (self.options.clock)()) };
        match self.options.spool.append_when_room(batch).await {
            Ok(_) => {
                let events = memchr::memchr_iter(b'\n', lines).count() as u64;
                metrics::counter!("ingest_events_total", "source" => SOURCE).increment(events);
                metrics::counter!("ingest_bytes_total", "source" => SOURCE).increment(lines.len() as u64);
                true
            }
            Err(refused) => {
                tracing::error!(%refused, origin = self.origin, "a pipe is not read any more");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use event::{Position, Timestamp};
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::spool::{Spool, SpoolOptions};

    #[tokio::test]
    async fn lines_come_whole_however_they_are_written_and_long_ones_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let spool = SpoolOptions {
            folder: folder.path().to_owned(),
            bytes_max: 64 << 20,
            segment_bytes: 1 << 20,
            reserve_bytes: 0,
        };
        let spool = Spool::open(spool, Timestamp(1)).unwrap();
        let options = ShipperOptions { spool: spool.clone(), clock: || Timestamp(2) };
        let (mut writer, pipe) = tokio::io::duplex(4096);
        let (stop, drain) = watch::channel(None);
        let task = tokio::spawn(serve_pipe(pipe, "pipe://test".to_owned(), options, drain));
        let long = format!("{}\n", "x".repeat(3 * ENTRY_BYTES_MAX));
        for part in ["one\ntw", "o\n\n", &long, "behind\r\n", "without an end"] {
            writer.write_all(part.as_bytes()).await.unwrap();
        }
        stop.send_replace(Some(Instant::now() + Duration::from_secs(5)));
        task.await.unwrap();
        let mut reader = spool.read_from(Position::default());
        let (mut lines, mut cuts) = (Vec::new(), 0);
        while let Some(block) = reader.next_block(std::time::Duration::from_millis(50)) {
            cuts += u32::from(block.cut_line_bytes.is_some());
            lines.extend(String::from_utf8(block.bytes).unwrap().lines().map(str::to_owned));
        }
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [3, 3, LINE_BYTES_MAX, 6, 14]);
        assert_eq!((lines[1].as_str(), lines[4].as_str(), cuts), ("two", "without an end", 1));
    }
}
