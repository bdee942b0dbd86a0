//! Room in the spool for what comes in pieces: a file that holds a body until all of it is there, and a promise that the
//! lines of a body will find room, so that either all of them are taken or none.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::spool::batch::{Batch, Refused, Ticket};
use crate::spool::shared::Shared;

/// Extension of the files that hold bodies. Each is unlinked as soon as it is open, so its name is short-lived.
const EXTENSION: &str = "staged";
/// Fewest bytes of lines in an entry of a long body, and the most bytes that an entry takes besides its lines.
const ENTRY_BYTES_LEAST: u64 = 256 << 10;
const ENTRY_OVERHEAD_BYTES: u64 = 512;

/// Numbers of files, within the process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Bytes that are held for somebody, given back when dropped.
#[derive(Debug)]
struct Held {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Held {
    fn nothing(shared: &Arc<Shared>) -> Self {
        Held { shared: Arc::clone(shared), bytes: 0 }
    }

    fn more(&mut self, bytes: u64) -> Result<(), Refused> {
        let mut state = self.shared.lock();
        if let Some(reason) = &state.failed {
            return Err(Refused::Failed(reason.clone()));
        }
        if state.disk_low {
            return Err(Refused::DiskLow);
        }
        if state.taken() + bytes > self.shared.options.bytes_max {
            return Err(Refused::Full);
        }
        state.held += bytes;
        self.bytes += bytes;
        Ok(())
    }

    fn less(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.shared.lock().held -= bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.less(u64::MAX);
    }
}

/// Bytes beside the log, in a file without a name: gone with the handle, or with the process.
#[derive(Debug)]
pub struct Staging {
    held: Held,
    file: File,
}

impl Staging {
    /// A file for a body that comes, in the spool's folder.
    pub(super) fn open(shared: &Arc<Shared>) -> io::Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = shared.options.folder.join(format!("{}-{number}.{EXTENSION}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Staging { held: Held::nothing(shared), file })
    }

    /// Appends to the file. Refused where the spool or its disk has no room; the file then holds a part, and is to be
    /// dropped.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.held.more(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|error| {
            tracing::warn!(%error, "cannot write a body beside the spool");
            Refused::DiskLow
        })
    }

    /// Bytes that were written.
    pub fn len(&self) -> u64 {
        self.held.bytes
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.held.bytes == 0
    }

    /// From its beginning.
    pub fn read(&mut self) -> io::Result<&File> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&self.file)
    }
}

/// Room for the lines of one body.
#[derive(Debug)]
pub struct Reservation {
    held: Held,
}

impl Reservation {
    /// Room for `bytes` of lines, and for what their entries need besides.
    pub(super) fn new(shared: &Arc<Shared>, bytes: u64) -> Result<Self, Refused> {
        let mut held = Held::nothing(shared);
        held.more(bytes + (bytes / ENTRY_BYTES_LEAST + 2) * ENTRY_OVERHEAD_BYTES)?;
        Ok(Reservation { held })
    }

    /// Takes the batch, which has room already. Refused while too much waits for the disk.
    pub fn append(&mut self, batch: Batch<'_>) -> Result<Ticket, Refused> {
        let ticket = self.held.shared.append(batch, true)?;
        self.held.less(batch.lines.len() as u64);
        Ok(ticket)
    }
}

/// Deletes files of a process that ended just when it had opened them.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
