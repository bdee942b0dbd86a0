//! A log file that is rotated by size, and that somebody else may rotate: where its name stands for another file or for none,
//! it is opened anew. Lines that cannot be written are counted, and told once on standard error. It knows nothing of what is written.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogConfig;
use crate::outcome::tell;

/// Between two looks at what the name stands for.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Cheap to clone: all clones write to one file. Renamed to `name.1`, `name.2` … when it is full.
#[derive(Clone)]
pub(crate) struct LogFile(Arc<Mutex<Opened>>);

struct Opened {
    path: PathBuf,
    /// Bytes from which it is rotated; 0: never, by us.
    bytes: usize,
    kept: usize,
    file: FileRotate<AppendCount>,
    /// Device and number of the file that the name stood for at the last look.
    identity: Option<(u64, u64)>,
    looked: Instant,
    /// Why it could not be opened: lines are lost.
    refused: Option<io::ErrorKind>,
    /// Whether it was told that lines are lost; one that was written ends that.
    is_told: bool,
}

/// Whether the file can be opened for writing: who rotates it keeps silent where it cannot.
fn refusal(path: &Path) -> Option<io::ErrorKind> {
    std::fs::OpenOptions::new().create(true).append(true).open(path).err().map(|error| error.kind())
}

fn open(path: &Path, bytes: usize, kept: usize) -> FileRotate<AppendCount> {
    // A line is written at once, and never divided between two files.
    let limit = if bytes == 0 { ContentLimit::None } else { ContentLimit::BytesSurpassed(bytes) };
    FileRotate::new(path, AppendCount::new(kept), limit, Compression::None, None)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

impl Opened {
    fn again(&mut self) {
        self.file = open(&self.path, self.bytes, self.kept);
        self.refused = refusal(&self.path);
        self.identity = identity(&self.path);
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.look();
        let written = match self.refused {
            Some(reason) => Err(reason.into()),
            None => self.file.write(bytes),
        };
        match &written {
            Ok(_) => self.is_told = false,
            Err(error) => {
                metrics::counter!("log_lines_lost_total").increment(1);
                if !std::mem::replace(&mut self.is_told, true) {
                    let path = self.path.display();
                    tell(&format!(
                        "cannot write to {path}: {error}; its lines are lost until it can be, and counted in log_lines_lost_total"
                    ));
                }
            }
        }
        written
    }

    /// Our own rotation changes the identity as well: opening the new file once more costs nothing.
    fn look(&mut self) {
        if self.looked.elapsed() < LOOK_PAUSE {
            return;
        }
        self.looked = Instant::now();
        if self.refused.is_some() || self.identity.is_none() || identity(&self.path) != self.identity {
            self.again();
        }
    }
}

impl LogFile {
    pub(crate) fn open(folder: &Path, name: &str, config: &LogConfig) -> Self {
        let (path, bytes, kept) = (folder.join(name), config.rotate_bytes, config.rotate_files);
        let file = open(&path, bytes, kept);
        let (refused, identity) = (refusal(&path), identity(&path));
        let (looked, is_told) = (Instant::now(), false);
        LogFile(Arc::new(Mutex::new(Opened { path, bytes, kept, file, identity, looked, refused, is_told })))
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file that the name stands for now.
    pub(crate) fn reopen(&self) {
        self.lock().again();
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.lock().file.flush()
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LogFile;
    fn make_writer(&'a self) -> LogFile {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(rotate_bytes: usize) -> LogConfig {
        let level = tracing::Level::INFO;
        LogConfig {
            level,
            json: false,
            folder: None,
            stderr: false,
            rotate_bytes,
            rotate_files: 2,
            heap_profiles: 0,
            traces: None,
        }
    }

    #[test]
    fn a_file_that_was_renamed_is_left_and_a_new_one_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LogFile::open(folder.path(), "core-agent.log", &config(0));
        file.write_all(b"first\n").unwrap();
        let (here, away) = (folder.path().join("core-agent.log"), folder.path().join("core-agent.log-20261129"));
        std::fs::rename(&here, &away).unwrap();
        file.write_all(b"second\n").unwrap();
        std::thread::sleep(LOOK_PAUSE);
        file.write_all(b"third\n").unwrap();
        assert_eq!(std::fs::read_to_string(&away).unwrap(), "first\nsecond\n", "nothing is lost meanwhile");
        assert_eq!(std::fs::read_to_string(&here).unwrap(), "third\n");
        std::fs::rename(&here, &away).unwrap();
        file.reopen();
        file.write_all(b"fourth\n").unwrap();
        assert_eq!(std::fs::read_to_string(&here).unwrap(), "fourth\n", "told to, it looks at once");
    }

    #[test]
    fn lines_that_cannot_be_written_are_no_success_and_a_file_that_can_be_again_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core-agent.log");
        // Nobody can open a folder for writing, root neither.
        std::fs::create_dir(&path).unwrap();
        let mut file = LogFile::open(folder.path(), "core-agent.log", &config(0));
        assert!(file.write_all(b"lost\n").is_err() && file.lock().is_told);
        std::fs::remove_dir(&path).unwrap();
        std::thread::sleep(LOOK_PAUSE);
        file.write_all(b"kept\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept\n");
        assert!(!file.lock().is_told, "the next time is told again");
        // A full disk.
        let mut full = LogFile::open(Path::new("/dev"), "full", &config(0));
        assert!(full.write_all(b"lost\n").is_err() && full.lock().is_told);
    }

    #[test]
    fn a_full_file_is_rotated_here() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LogFile::open(folder.path(), "error.log", &config(8));
        for line in ["one line\n", "two line\n", "three line\n", "four line\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["error.log", "error.log.1", "error.log.2"]);
    }
}
