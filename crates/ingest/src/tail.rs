//! Files that are followed as they grow: rotation by rename (the old file is read to its end first) and by copy and
//! truncate. Files are known by their beginnings, so that a restart goes on where it was, also in a rotated file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use event::{Block, Position, Source, SourceId, Timestamp};
use memchr::{memchr, memchr_iter, memrchr};

use crate::block_reader::{BLOCK_BYTES, LINE_BYTES_MAX};
use crate::file::FileSource;
use crate::live::Item;

/// Between two looks at the files.
const POLL: Duration = Duration::from_millis(200);
/// Looks at a file that was rotated away, for a writer that has not noticed yet.
const LOOKS_AFTER_ROTATION: u32 = 25;

/// Recognises files by what is stored of them.
pub trait Known: Send {
    /// The source that the file is and where to go on; `None` where there is nothing to read of it. `only_known`: files
    /// that were never read are left alone.
    fn recognise(&mut self, file: &FileSource, only_known: bool) -> Option<(SourceId, Position)>;
}

/// What is followed.
#[derive(Clone, Debug)]
pub struct TailOptions {
    pub paths: Vec<PathBuf>,
    pub clock: fn() -> Timestamp,
}

struct Followed {
    file: File,
    inode: (u64, u64),
    source: Arc<Source>,
    position: Position,
    /// Looks since it was rotated away; `None` while it is the one under its name.
    rotated: Option<u32>,
}

/// Follows until `stop` is set or the pipeline has ended.
pub fn feed(options: &TailOptions, mut known: impl Known, queue: &Sender<Item>, stop: &AtomicBool) {
    let mut tail = Tail { options, queue, current: BTreeMap::new(), old: Vec::new() };
    for path in &options.paths {
        tail.take_up_rotated(path, &mut known);
    }
    while !stop.load(Ordering::Relaxed) {
        match tail.look(&mut known, stop) {
            Some(true) => {}
            Some(false) => std::thread::sleep(POLL),
            None => return,
        }
    }
}

struct Tail<'a> {
    options: &'a TailOptions,
    queue: &'a Sender<Item>,
    current: BTreeMap<PathBuf, Followed>,
    old: Vec<Followed>,
}

fn identity(file: &File) -> io::Result<((u64, u64), u64)> {
    let metadata = file.metadata()?;
    Ok(((metadata.dev(), metadata.ino()), metadata.len()))
}

impl Tail<'_> {
    /// Files beside the path that were rotated while nobody followed: those that were being read are read to their end.
    fn take_up_rotated(&mut self, path: &Path, known: &mut impl Known) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let is_rotated = |other: &Path| {
            let begins = other.file_name().map(|other| other.as_encoded_bytes().starts_with(name.as_encoded_bytes()));
            begins == Some(true) && other != path
        };
        let mut others: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        others.retain(|other| is_rotated(other));
        others.sort();
        for other in others {
            if let Some(followed) = open(&other, known, true) {
                tracing::info!(path = %other.display(), "reading the rest of a rotated file");
                self.old.push(Followed { rotated: Some(0), ..followed });
            }
        }
    }

    /// Reads what is new. `Some(true)` where there was anything; `None` where the pipeline has ended.
    fn look(&mut self, known: &mut impl Known, stop: &AtomicBool) -> Option<bool> {
        let mut any = false;
        let mut old = std::mem::take(&mut self.old);
        for followed in &mut old {
            any |= self.read(followed, true, stop)?;
            followed.rotated = followed.rotated.map(|looks| looks + 1);
        }
        old.retain(|followed| followed.rotated.is_some_and(|looks| looks < LOOKS_AFTER_ROTATION));
        self.old = old;
        for path in &self.options.paths {
            if let Some(mut followed) = self.current.remove(path) {
                any |= self.read(&mut followed, false, stop)?;
                match self.fate(path, &followed) {
                    Fate::Same => drop(self.current.insert(path.clone(), followed)),
                    Fate::Renamed => {
                        metrics::counter!("tail_rotations_total", "kind" => "rename").increment(1);
                        self.old.push(Followed { rotated: Some(0), ..followed });
                    }
                    Fate::Truncated => {
                        metrics::counter!("tail_rotations_total", "kind" => "truncate").increment(1);
                        tracing::info!(path = %path.display(), "the file was cut off; it is read from its start");
                    }
                }
            }
            if !self.current.contains_key(path)
                && let Some(followed) = open(path, known, false)
            {
                tracing::info!(path = %path.display(), offset = followed.position.offset, "following a file");
                self.current.insert(path.clone(), followed);
                any = true;
            }
        }
        Some(any)
    }

    fn fate(&self, path: &Path, followed: &Followed) -> Fate {
        let size = followed.file.metadata().map_or(0, |metadata| metadata.len());
        if size < followed.position.offset {
            return Fate::Truncated;
        }
        match std::fs::metadata(path) {
            Ok(now) if (now.dev(), now.ino()) != followed.inode => Fate::Renamed,
            // Gone for a moment: between two steps of a rotation.
            _ => Fate::Same,
        }
    }

    /// Hands over whole lines; of a file that was rotated away, at its end, the unfinished last one as well.
    fn read(&self, followed: &mut Followed, is_old: bool, stop: &AtomicBool) -> Option<bool> {
        let mut any = false;
        while !stop.load(Ordering::Relaxed) {
            let last_look = is_old && followed.rotated.is_some_and(|looks| looks + 1 >= LOOKS_AFTER_ROTATION);
            let block = match next_block(followed, last_look, self.options.clock) {
                Ok(Some(block)) => block,
                Ok(None) => break,
                Err(error) => {
                    metrics::counter!("tail_errors_total").increment(1);
                    tracing::warn!(%error, source = followed.source.name, "cannot read a followed file");
                    break;
                }
            };
            let lines = memchr_iter(b'\n', &block.bytes).count() as u64;
            metrics::counter!("ingest_events_total", "source" => "tail").increment(lines);
            metrics::counter!("ingest_bytes_total", "source" => "tail").increment(block.bytes.len() as u64);
            let end = block.start.offset + block.cut_line_bytes.unwrap_or(block.bytes.len() as u64);
            let unfinished = u64::from(block.bytes.last() != Some(&b'\n'));
            followed.position = Position { offset: end, line: block.start.line + lines + unfinished };
            self.queue.send(Item::Block(block)).ok()?;
            any = true;
        }
        Some(any)
    }
}

enum Fate {
    Same,
    Renamed,
    Truncated,
}

fn open(path: &Path, known: &mut impl Known, only_known: bool) -> Option<Followed> {
    let file = File::open(path).ok()?;
    let (inode, size) = identity(&file).ok()?;
    // A file of nothing has no identity yet.
    if size == 0 {
        return None;
    }
    let beginning = FileSource::open(path).ok().filter(|file| !file.is_compressed())?;
    let (id, position) = known.recognise(&beginning, only_known)?;
    let source = Arc::new(Source { id, name: path.display().to_string() });
    Some(Followed { file, inode, source, position, rotated: None })
}

/// The next whole lines, or the start of a line that is longer than a block once its end is there.
fn next_block(followed: &Followed, to_the_end: bool, clock: fn() -> Timestamp) -> io::Result<Option<Block>> {
    let mut bytes = vec![0; BLOCK_BYTES];
    let read = read_at(&followed.file, &mut bytes, followed.position.offset)?;
    bytes.truncate(read);
    let block = |bytes| Block::new(Arc::clone(&followed.source), followed.position, bytes, clock());
    match memrchr(b'\n', &bytes) {
        Some(end) => {
            bytes.truncate(end + 1);
            Ok(Some(block(bytes)))
        }
        None if read == BLOCK_BYTES => {
            let Some(full) = line_length(&followed.file, followed.position.offset, to_the_end)? else {
                return Ok(None);
            };
            bytes.truncate(LINE_BYTES_MAX);
            Ok(Some(Block { cut_line_bytes: Some(full), ..block(bytes) }))
        }
        None if to_the_end && read > 0 => Ok(Some(block(bytes))),
        None => Ok(None),
    }
}

fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], offset + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Length of the line with its line feed; `None` where its end has not been written yet.
fn line_length(file: &File, start: u64, to_the_end: bool) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; BLOCK_BYTES];
    let mut length = 0;
    loop {
        let read = read_at(file, &mut bytes, start + length)?;
        if let Some(end) = memchr(b'\n', &bytes[..read]) {
            return Ok(Some(length + end as u64 + 1));
        }
        length += read as u64;
        if read < bytes.len() {
            return Ok(to_the_end.then_some(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::live::queue;
    use crate::merge::{Pull, Pulled};

    struct New;
    impl Known for New {
        fn recognise(&mut self, file: &FileSource, only_known: bool) -> Option<(SourceId, Position)> {
            (!only_known).then(|| (file.new_id(), Position::default()))
        }
    }

    fn append(path: &Path, text: &str) {
        fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Follows one file while `change` is done to it; everything that was read, until `lines` lines have come.
    fn followed(lines: usize, change: impl FnOnce(&Path) + Send + 'static) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, mut input) = queue(Arc::clone(&stop));
        let options = TailOptions { paths: vec![path.clone()], clock: || Timestamp(5) };
        let flag = Arc::clone(&stop);
        let follower = std::thread::spawn(move || feed(&options, New, &sender, &flag));
        let changer = std::thread::spawn(move || change(&path));
        let mut text = String::new();
        let started = std::time::Instant::now();
        while text.lines().count() < lines && started.elapsed() < Duration::from_secs(20) {
            if let Some(Pulled::Block { block, .. }) = input.pull() {
                text.push_str(std::str::from_utf8(&block.bytes).unwrap());
            }
        }
        changer.join().unwrap();
        stop.store(true, Ordering::Relaxed);
        drop(input);
        follower.join().unwrap();
        text
    }

    #[test]
    fn lines_come_whole_as_the_file_grows() {
        let text = followed(3, |path| {
            append(path, "one\ntw");
            std::thread::sleep(POLL * 2);
            append(path, "o\nthree\n");
        });
        assert_eq!(text, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
        let text = followed(4, |path| {
            append(path, "one\n");
            std::thread::sleep(POLL * 2);
            let old = path.with_extension("log.1");
            fs::rename(path, &old).unwrap();
            append(path, "three\n");
            append(&old, "two\n");
            std::thread::sleep(POLL * 3);
            append(path, "four\n");
        });
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["four", "one", "three", "two"]);
    }

    #[test]
    fn a_file_that_was_copied_and_cut_off_is_read_from_its_start() {
        let text = followed(3, |path| {
            append(path, "one is a long line\ntwo\n");
            std::thread::sleep(POLL * 3);
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
            append(path, "three\n");
        });
        assert_eq!(text, "one is a long line\ntwo\nthree\n");
    }
}
