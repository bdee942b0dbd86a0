//! Files that are followed as they grow: rotation by rename (the old file is read to its end first), by copy and cut, and
//! writing anew at any length. Files are known by their beginnings, so that a restart goes on where it was, also in what a
//! rotation has left beside, compressed or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender};
use event::{Block, Position, Source, SourceId, Timestamp};
use memchr::memchr_iter;

use crate::content::Content;
use crate::discover::binary_kind;
use crate::file::{FileSource, Fingerprint, ReadError};
use crate::input::Barrier;
use crate::live::Item;

mod find;
mod followed;
mod names;
mod rest;
mod state;

#[cfg(test)]
mod tests;

pub use find::{BadPath, Wanted};
pub use state::{TailReport, TailState};

use followed::{Fate, Followed, inode};
use names::{NameNotes, NotFollowed, vacancy};
use rest::{Next, Rest};

/// Between two looks at the files.
const POLL: Duration = Duration::from_millis(200);
/// Between two looks for files that are new.
const FIND_INTERVAL: Duration = Duration::from_secs(2);
/// Looks at a file that was rotated away, for a writer that has not noticed yet; and at a name that has no file any more.
const LOOKS_AFTER_ROTATION: u32 = 25;
/// Files that were never read, between one that was and the present one, which are read as well.
const MISSED_MAX: usize = 100;
/// Files that were read, beside the present one, which are looked at for a rest: the newest.
const KNOWN_MAX: usize = 2;

/// What a file is to the name that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRole<'a> {
    /// It has the name that is followed.
    Current,
    /// It has the name that is followed, and was written anew while it was followed: nothing of it has been read.
    Rewritten,
    /// Beside the file that is followed: a rotation may have made it of that. Only what is known of it counts.
    Beside(&'a Path),
    /// Beside the file that is followed: it was made and rotated while nobody followed.
    Missed(&'a Path),
}

/// Recognises files by what is stored of them.
pub trait Known: Send {
    /// The source that the file is and where to go on; `None` where there is nothing to read of it.
    fn recognise(&mut self, file: &FileSource, role: FileRole<'_>) -> Option<(SourceId, Position)>;
    /// More is known of a source's beginning.
    fn grown(&mut self, _id: SourceId, _fingerprint: Fingerprint) {}
}

/// What is followed.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// Files, folders and patterns.
    pub wanted: Vec<Wanted>,
    /// Files that are followed at once.
    pub files_max: usize,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
}

/// Follows until `stop` is set or the pipeline has ended.
pub fn feed(options: &TailOptions, known: impl Known, state: &TailState, queue: &Sender<Item>, stop: &AtomicBool) {
    let mut tail = Tail {
        options,
        queue,
        stop,
        state,
        known,
        found: Vec::new(),
        current: BTreeMap::new(),
        old: Vec::new(),
        rests: VecDeque::new(),
        reached: BTreeMap::new(),
        names: NameNotes::default(),
    };
    let mut found_at: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        if found_at.is_none_or(|at| at.elapsed() >= FIND_INTERVAL) {
            tail.find();
            found_at = Some(Instant::now());
        }
        match tail.look() {
            Some(true) => {}
            Some(false) => std::thread::sleep(POLL),
            None => return,
        }
    }
}

struct Tail<'a, K> {
    options: &'a TailOptions,
    queue: &'a Sender<Item>,
    stop: &'a AtomicBool,
    state: &'a TailState,
    known: K,
    /// What is to be followed, and whether it was named itself.
    found: Vec<(PathBuf, bool)>,
    current: BTreeMap<PathBuf, Followed>,
    old: Vec<Followed>,
    /// Archives, in the order in which they are read.
    rests: VecDeque<Rest>,
    /// How far sources have been handed over: positions of the store lag behind.
    reached: BTreeMap<SourceId, Position>,
    names: NameNotes,
}

impl<K: Known> Tail<'_, K> {
    fn find(&mut self) {
        let mut found = find::find(&self.options.wanted);
        // What is followed stays; the limit is for what is new.
        let is_current = |path: &PathBuf| self.current.contains_key(path);
        found.files.sort_by_key(|(path, named)| (!*named, !is_current(path)));
        let beyond = found.files.len().saturating_sub(self.options.files_max);
        found.files.truncate(self.options.files_max);
        let names: BTreeSet<&PathBuf> = found.files.iter().map(|(path, _)| path).collect();
        self.names.left.clear();
        for path in self.current.keys().filter(|path| !names.contains(path)).cloned().collect::<Vec<_>>() {
            self.let_go(&path);
        }
        self.state.looked(self.current.len(), beyond, found.troubles);
        self.found = found.files;
    }

    /// A name that is not followed any more: what its file still gets is read for a while.
    fn let_go(&mut self, path: &Path) {
        if let Some(followed) = self.current.remove(path) {
            self.old.push(followed.rotated_away());
        }
    }

    /// Reads what is new. `Some(true)` where there was anything; `None` where the pipeline has ended.
    fn look(&mut self) -> Option<bool> {
        let opened = self.open_new();
        if opened {
            self.make_known()?;
        }
        let mut any = self.read_rests()? | opened;
        any |= self.read_old()?;
        let paths: Vec<PathBuf> = self.current.keys().cloned().collect();
        for path in paths {
            // The rest of what was there before comes first.
            if !self.rests.iter().any(|rest| rest.family == path) {
                any |= self.read_current(&path)?;
            }
        }
        Some(any)
    }

    fn read_old(&mut self) -> Option<bool> {
        let mut any = false;
        let mut old = std::mem::take(&mut self.old);
        for followed in &mut old {
            let last_look = followed.rotated.is_some_and(|looks| looks + 1 >= LOOKS_AFTER_ROTATION);
            any |= self.read(followed, last_look)?.0;
            followed.rotated = followed.rotated.map(|looks| looks + 1);
        }
        old.retain(|followed| followed.rotated.is_some_and(|looks| looks < LOOKS_AFTER_ROTATION));
        old.append(&mut self.old);
        self.old = old;
        Some(any)
    }

    fn read_current(&mut self, path: &Path) -> Option<bool> {
        let Some(mut followed) = self.current.remove(path) else { return Some(false) };
        let (any, fate) = self.read(&mut followed, false)?;
        let kind = match (fate, std::fs::metadata(path)) {
            (Fate::Truncated | Fate::Rewritten, _) => {
                let kind = if fate == Fate::Truncated { "truncate" } else { "rewrite" };
                tracing::info!(path = %path.display(), kind, "the file was written anew; it is read from its start");
                self.names.rewritten.insert(path.to_owned());
                self.take_up_copy(path, &followed);
                kind
            }
            (Fate::Same, Ok(now)) if inode(&now) != followed.inode => {
                self.old.push(followed.rotated_away());
                "rename"
            }
            // Gone for a moment: between two steps of a rotation.
            (Fate::Same, Err(_)) if followed.gone < LOOKS_AFTER_ROTATION => {
                let gone = followed.gone + 1;
                self.current.insert(path.to_owned(), followed.gone(gone));
                return Some(any);
            }
            (Fate::Same, Err(_)) => "remove",
            (Fate::Same, Ok(_)) => {
                self.current.insert(path.to_owned(), followed.gone(0));
                return Some(any);
            }
        };
        metrics::counter!("tail_rotations_total", "kind" => kind).increment(1);
        // There may have been more files than one since the last look.
        self.names.looked_beside.remove(path);
        Some(true)
    }

    /// Hands over whole lines; at the last look also the unfinished last one. Whether there were any, and what has become
    /// of the file: lines of one that was written anew are not taken for what follows in the old one.
    fn read(&mut self, followed: &mut Followed, last_look: bool) -> Option<(bool, Fate)> {
        let mut any = false;
        while !self.stop.load(Ordering::Relaxed) {
            let block = followed.next_block(last_look, self.options.clock);
            let looked = block.and_then(|block| Ok((block, followed.fate((self.options.clock)())?)));
            let block = match looked {
                Ok((Some(block), Fate::Same)) => block,
                Ok((None, Fate::Same)) => break,
                Ok((_, fate)) => return Some((any, fate)),
                Err(error) => {
                    metrics::counter!("tail_errors_total").increment(1);
                    if self.state.trouble(&followed.source.name, error.to_string()) {
                        tracing::warn!(%error, source = followed.source.name, "cannot read a followed file");
                    }
                    break;
                }
            };
            self.state.is_well(&followed.source.name);
            if let Some(fingerprint) = followed.pass(&block) {
                self.known.grown(followed.source.id, fingerprint);
            }
            self.reached.insert(followed.source.id, followed.position);
            self.hand_over(block)?;
            any = true;
        }
        Some((any, Fate::Same))
    }

    fn hand_over(&self, block: Block) -> Option<()> {
        let lines = memchr_iter(b'\n', &block.bytes).count() as u64;
        metrics::counter!("ingest_events_total", "source" => "tail").increment(lines);
        metrics::counter!("ingest_bytes_total", "source" => "tail").increment(block.bytes.len() as u64);
        self.queue.send(Item::Block(block)).ok()
    }

    /// Archives one after another, each to its end.
    fn read_rests(&mut self) -> Option<bool> {
        let mut any = false;
        while let Some(mut rest) = self.rests.pop_front() {
            if self.stop.load(Ordering::Relaxed) || !rest.is_due() {
                self.rests.push_front(rest);
                break;
            }
            let name = rest.path.display().to_string();
            match rest.next() {
                Next::Block(block) => {
                    self.reached.insert(rest.id, rest.position);
                    self.hand_over(block)?;
                    any = true;
                    self.rests.push_front(rest);
                }
                Next::Done => {
                    tracing::info!(path = name, "a rotated file has been read to its end");
                    self.state.is_well(&name);
                }
                Next::Later(error) => {
                    metrics::counter!("tail_errors_total").increment(1);
                    self.state.trouble(&name, format!("cannot be read to its end yet: {error}"));
                    self.rests.push_front(rest);
                    break;
                }
                Next::GivenUp(error) => {
                    let words = error.to_string();
                    metrics::counter!("tail_archives_given_up_total").increment(1);
                    tracing::warn!(path = name, offset = rest.position.offset, words, "the rest of an archive is lost");
                    self.state.trouble(&name, format!("is not read from byte {} on: {words}", rest.position.offset));
                }
            }
        }
        Some(any)
    }

    /// A file that was copied and then cut off: what it got between the last look and the copy stands in the copy.
    fn take_up_copy(&mut self, path: &Path, followed: &Followed) {
        for (other, _) in find::beside(path) {
            match followed.continued_in(&other) {
                Ok(Some(copy)) => {
                    tracing::info!(path = %other.display(), "reading the rest of a file that was cut off from its copy");
                    self.old.push(copy);
                    return;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(path = %other.display(), %error, "cannot look into a rotated file"),
            }
        }
    }

    /// Takes up files that are new. Whether there were any.
    fn open_new(&mut self) -> bool {
        let mut any = false;
        for (path, named) in self.found.clone() {
            if self.current.contains_key(&path) || self.stop.load(Ordering::Relaxed) {
                continue;
            }
            if let Some(followed) = self.open(&path, named) {
                tracing::info!(path = %path.display(), offset = followed.position.offset, "following a file");
                self.current.insert(path.clone(), followed);
                self.names.vacant.remove(&path);
                any = true;
            } else {
                let mark = vacancy(&path);
                if self.names.vacant.insert(path.clone(), mark) != Some(mark) {
                    self.names.looked_beside.remove(&path);
                }
            }
            if self.names.looked_beside.insert(path.clone()) {
                any |= self.take_up_rotated(&path);
            }
        }
        any
    }

    fn open(&mut self, path: &Path, named: bool) -> Option<Followed> {
        let metadata = std::fs::metadata(path).ok()?;
        let mark = (inode(&metadata), metadata.len(), metadata.ctime(), metadata.ctime_nsec());
        // A file of nothing has no identity yet.
        if metadata.len() == 0 || !metadata.is_file() || self.names.left.get(path) == Some(&mark) {
            return None;
        }
        // Another name of a file that is followed, or one that was rotated away and is still read.
        let known = self.current.values().chain(&self.old).any(|followed| followed.inode == inode(&metadata));
        if known {
            return None;
        }
        match self.taken_up(path, named) {
            Ok(Some(followed)) => {
                self.state.is_well(&path.display().to_string());
                self.names.left.remove(path);
                self.names.rewritten.remove(path);
                Some(followed)
            }
            Ok(None) => {
                self.names.left.insert(path.to_owned(), mark);
                None
            }
            Err(error) => {
                let words = error.to_string();
                self.names.left.insert(path.to_owned(), mark);
                if self.state.trouble(&path.display().to_string(), words.clone()) {
                    metrics::counter!("tail_errors_total").increment(1);
                    tracing::warn!(path = %path.display(), words, "a file is not followed");
                }
                None
            }
        }
    }

    fn taken_up(&mut self, path: &Path, named: bool) -> Result<Option<Followed>, NotFollowed> {
        let beginning = FileSource::open(path).map_err(ReadError::from)?;
        if beginning.is_compressed() {
            return Err(NotFollowed::Compressed);
        }
        if let (Content::Logins(_) | Content::Evtx | Content::JsonArray, Some(what)) =
            (beginning.content(), beginning.content().name())
        {
            // Such logs lie in most folders: nobody has asked for them.
            return if named { Err(NotFollowed::Translated(what)) } else { Ok(None) };
        }
        if let Some(kind) = binary_kind(path)?.filter(|_| !named) {
            tracing::debug!(path = %path.display(), kind, "not followed: no text");
            return Ok(None);
        }
        let rewritten = self.names.rewritten.contains(path);
        let role = if rewritten { FileRole::Rewritten } else { FileRole::Current };
        let Some((id, position)) = self.known.recognise(&beginning, role) else { return Ok(None) };
        if let Some(other) = self.current.values().find(|followed| followed.source.id == id) {
            return Err(NotFollowed::BeginsLike(other.source.name.clone()));
        }
        let position =
            self.reached.get(&id).copied().filter(|reached| reached.offset > position.offset).unwrap_or(position);
        // An edited copy of what is followed already: the old file has nothing more to give.
        self.old.retain(|old| old.source.id != id);
        let source = Arc::new(Source { id, name: path.display().to_string() });
        let mut followed = match Followed::open(path, &beginning, source, position)? {
            Some(followed) => followed,
            None => return Err(NotFollowed::Changing),
        };
        if position == Position::default() {
            followed.pass_hole()?;
        }
        Ok(Some(followed))
    }

    /// Files beside the path that were rotated while nobody followed. Those that were being read are read to their end, and
    /// those that were made after them from their start. Whether there were any.
    fn take_up_rotated(&mut self, path: &Path) -> bool {
        let (mut missed, mut is_older) = (Vec::new(), false);
        let mut known: Vec<(FileSource, SourceId, Position, bool)> = Vec::new();
        for (at, (other, certain)) in find::beside(path).into_iter().enumerate() {
            if self.found.iter().any(|(path, _)| *path == other) {
                continue;
            }
            let file = match FileSource::open(&other).map_err(ReadError::from) {
                Ok(file) => file,
                Err(error) => {
                    tracing::warn!(%error, "cannot look into a rotated file");
                    continue;
                }
            };
            // A writer may not have noticed yet that the newest one was rotated away.
            let grows = at == 0 && file.is_plain();
            match self.known.recognise(&file, FileRole::Beside(path)) {
                Some((id, _)) if self.is_read(id) || known.iter().any(|(_, known, ..)| *known == id) => is_older = true,
                // Those before it were read to their end before it was begun.
                Some((id, position)) if file.is_read_to(position.offset) => {
                    known.push((file, id, position, false));
                    break;
                }
                Some((id, position)) => {
                    known.push((file, id, position, grows));
                    if known.len() >= KNOWN_MAX {
                        break;
                    }
                }
                None if certain && known.is_empty() && !is_older && file.size > 0 => missed.push((file, grows)),
                None => {}
            }
        }
        // Nothing of it was ever read: what is older than the first look is left alone.
        if known.is_empty() && !is_older {
            return false;
        }
        let beyond = missed.len().saturating_sub(MISSED_MAX);
        if beyond > 0 {
            metrics::counter!("tail_archives_given_up_total").increment(beyond as u64);
            self.state.trouble(&path.display().to_string(), format!("{beyond} rotated files are too many to be read"));
            missed.truncate(MISSED_MAX);
        }
        let mut any = false;
        for (file, id, position, grows) in known.into_iter().rev() {
            if !file.is_read_to(position.offset) {
                any = true;
                self.read_rest(path, &file, id, position, grows);
            }
        }
        for (file, grows) in missed.into_iter().rev() {
            if let Some((id, position)) = self.known.recognise(&file, FileRole::Missed(path)) {
                any = true;
                self.read_rest(path, &file, id, position, grows);
            }
        }
        any
    }

    /// Whether the source is being read, or was read since the start: what the store knows of it lags behind.
    fn is_read(&self, id: SourceId) -> bool {
        let followed = self.current.values().chain(&self.old).any(|followed| followed.source.id == id);
        followed || self.rests.iter().any(|rest| rest.id == id) || self.reached.contains_key(&id)
    }

    fn read_rest(&mut self, path: &Path, file: &FileSource, id: SourceId, position: Position, grows: bool) {
        let name = file.path().display().to_string();
        tracing::info!(path = name, offset = position.offset, "reading the rest of a rotated file");
        metrics::counter!("tail_rotations_total", "kind" => "archive").increment(1);
        if grows {
            let source = Arc::new(Source { id, name });
            if let Ok(Some(followed)) = Followed::open(file.path(), file, source, position) {
                return self.old.push(followed.rotated_away());
            }
        }
        self.rests.push_back(Rest::new(path.to_owned(), file.path().to_owned(), id, position));
    }

    /// Has the store know the files that are new before anything of them is read: identities come from what a file begins
    /// with when it is first seen, and it grows. `None` where the pipeline has ended.
    fn make_known(&self) -> Option<()> {
        let (barrier, passed) = Barrier::new();
        self.queue.send(Item::Barrier(barrier)).ok()?;
        while !self.stop.load(Ordering::Relaxed) {
            match passed.recv_timeout(POLL) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Some(())
    }
}
