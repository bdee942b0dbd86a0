//! How far each source has been read, shared by the committer and by the sources that ask where to go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event::{Position, Source, SourceId};
use ingest::live::{ClaimError, Resume};
use ingest::tail::{FileRole, Known};
use ingest::{FileSource, Fingerprint};
use store::{SourceCheckpoint, Store};
use tokio::runtime::Handle;

use crate::clock;
use crate::pipeline::DoneBlock;
use crate::recognise::{Recognised, again, canonical, recognise};

#[derive(Debug, Default)]
struct Table {
    sources: BTreeMap<SourceId, (SourceCheckpoint, bool)>,
    forgotten: Vec<SourceId>,
}

impl Table {
    /// An id that no source has. The id of a file is a hash of its beginning, so two files that begin alike and then
    /// differ would have equal ids.
    fn fresh(&self, mut id: SourceId) -> SourceId {
        while let Some((source, _)) = self.sources.get(&id) {
            id = again(id, source.seen);
        }
        id
    }
}

/// A handle on the positions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions(Arc<Mutex<Table>>);

impl Positions {
    pub(crate) fn new(sources: Vec<SourceCheckpoint>) -> Self {
        let sources = sources.into_iter().map(|source| (source.id, (source, false))).collect();
        Positions(Arc::new(Mutex::new(Table { sources, forgotten: Vec::new() })))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn of(&self, id: SourceId) -> Position {
        self.lock().sources.get(&id).map_or(Position::default(), |(known, _)| known.position)
    }

    /// Whether it is known how far the source was read.
    pub(crate) fn has(&self, id: SourceId) -> bool {
        self.lock().sources.contains_key(&id)
    }

    /// A source that the store may know, and that nothing has been read of yet.
    pub(crate) fn begin(&self, source: SourceCheckpoint) {
        self.lock().sources.insert(source.id, (source, false));
    }

    /// The source was cut off and written anew: what was known of it no longer holds.
    pub(crate) fn forget(&self, id: SourceId) {
        let mut known = self.lock();
        known.sources.remove(&id);
        known.forgotten.push(id);
    }

    /// Everything of the source before the block's end has been handed to the correlator.
    pub(crate) fn reached(&self, block: &DoneBlock) {
        let mut known = self.lock();
        let entry = known.sources.entry(block.source.id).or_insert_with(|| (empty(&block.source), false));
        entry.0.position = block.reached.unfinished.unwrap_or(block.reached.end);
        entry.0.seen = block.reached.end.offset;
        entry.1 = true;
    }

    /// What changed since the last call, and the sources that no longer hold.
    pub(crate) fn take_changed(&self) -> (Vec<SourceCheckpoint>, Vec<SourceId>) {
        let mut known = self.lock();
        let changed = known
            .sources
            .values_mut()
            .filter_map(|(source, changed)| std::mem::take(changed).then(|| source.clone()))
            .collect();
        (changed, std::mem::take(&mut known.forgotten))
    }
}

fn empty(source: &Source) -> SourceCheckpoint {
    SourceCheckpoint {
        id: source.id,
        name: source.name.clone(),
        fingerprint_bytes: 0,
        fingerprint_hash: 0,
        position: Position::default(),
        seen: 0,
        epoch: 0,
    }
}

/// Files that are followed.
pub(crate) struct FollowedFiles(pub(crate) Positions);

impl Known for FollowedFiles {
    fn recognise(&mut self, file: &FileSource, place: FileRole<'_>) -> Option<(SourceId, Position)> {
        // A file that a rotation has renamed keeps the name under which it was followed.
        let name = canonical(match place {
            FileRole::Beside(path) | FileRole::Missed(path) => path,
            FileRole::Current | FileRole::Rewritten => file.path(),
        });
        let mut known = self.0.lock();
        let mut recognised = recognise(file, &name, known.sources.values().map(|(source, _)| source));
        if let (FileRole::Rewritten, Recognised::Known(old, _)) = (place, &recognised) {
            // It begins as it did before, and was seen to be written anew.
            let seen = known.sources.get(old).map_or(0, |(source, _)| source.seen);
            recognised = Recognised::Anew { old: *old, new: again(*old, seen) };
        }
        let (id, position) = match (place, recognised) {
            (FileRole::Beside(_), Recognised::Known(id, position)) => return Some((id, position)),
            (FileRole::Beside(_), _) => return None,
            (FileRole::Missed(_), Recognised::Known(..) | Recognised::Anew { .. }) => return None,
            (_, Recognised::Known(id, position)) => (id, position),
            (_, Recognised::New) | (FileRole::Rewritten, Recognised::BeginningOf(_)) => {
                (known.fresh(file.new_id()), Position::default())
            }
            (_, Recognised::Anew { old, new }) => {
                known.sources.remove(&old);
                known.forgotten.push(old);
                (known.fresh(new), Position::default())
            }
            (_, Recognised::BeginningOf(other)) => {
                tracing::debug!(path = name, other, "not followed: it is the beginning of another file");
                return None;
            }
        };
        let Fingerprint { bytes, hash } = file.fingerprint();
        let source = Source { id, name };
        let entry = known
            .sources
            .entry(id)
            .or_insert_with(|| (SourceCheckpoint { position, seen: position.offset, ..empty(&source) }, true));
        entry.0.name = source.name;
        if bytes as u64 > entry.0.fingerprint_bytes {
            (entry.0.fingerprint_bytes, entry.0.fingerprint_hash) = (bytes as u64, hash);
        }
        Some((id, position))
    }

    fn grown(&mut self, id: SourceId, fingerprint: Fingerprint) {
        if let Some((source, changed)) = self.0.lock().sources.get_mut(&id)
            && fingerprint.bytes as u64 > source.fingerprint_bytes
        {
            (source.fingerprint_bytes, source.fingerprint_hash) = (fingerprint.bytes as u64, fingerprint.hash);
            *changed = true;
        }
    }
}

/// Sources of a group that several processes share: each is claimed in the store.
pub(crate) struct Claims {
    pub(crate) positions: Positions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
}

impl Resume for Claims {
    fn claim(&self, source: &Source) -> Result<Option<Position>, ClaimError> {
        let claimed = self.runtime.block_on(self.store.claim(source, clock::now()));
        let (epoch, position) = claimed.map_err(|error| {
            let words = match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            };
            if error.is_passing() { ClaimError::Passing(words) } else { ClaimError::Final(words) }
        })?;
        let at = position.unwrap_or_default();
        let checkpoint = SourceCheckpoint { position: at, seen: at.offset, epoch, ..empty(source) };
        self.positions.lock().sources.insert(source.id, (checkpoint, false));
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn files(known: Vec<SourceCheckpoint>) -> FollowedFiles {
        FollowedFiles(Positions::new(known))
    }

    /// Reads the file to its end, as the committer would tell.
    fn read(files: &mut FollowedFiles, path: &Path, place: FileRole<'_>) -> Option<(SourceId, Position)> {
        let file = FileSource::open(path).unwrap();
        let (id, position) = files.recognise(&file, place)?;
        let mut known = files.0.lock();
        if let Some((source, _)) = known.sources.get_mut(&id) {
            (source.position.offset, source.seen) = (file.size, file.size);
        }
        Some((id, position))
    }

    #[test]
    fn a_new_file_that_begins_as_one_of_before_did_is_another_source() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.log");
        let header = "#Fields: date time cs-method cs-uri-stem\n".repeat(30);
        let mut files = files(Vec::new());
        fs::write(&path, &header).unwrap();
        let (first, _) = read(&mut files, &path, FileRole::Current).unwrap();
        let grown = format!("{header}one\n");
        files.grown(first, Fingerprint { bytes: grown.len(), hash: event::block::digest(&[grown.as_bytes()]) });
        // The next file, when it holds its header alone.
        let (second, position) = read(&mut files, &path, FileRole::Current).unwrap();
        assert!(first != second && position == Position::default());
        let stored = files.0.take_changed().0;
        assert_eq!(stored.len(), 2, "both are stored before they are read");
    }

    #[test]
    fn a_file_that_was_seen_to_be_written_anew_is_read_from_its_start_whatever_it_holds() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut files = files(Vec::new());
        let (first, _) = read(&mut files, &path, FileRole::Current).unwrap();
        assert_eq!(read(&mut files, &path, FileRole::Current).unwrap(), (first, Position { offset: 8, line: 0 }));
        let (second, position) = read(&mut files, &path, FileRole::Rewritten).unwrap();
        assert!(first != second && position == Position::default());
        assert_eq!(files.0.take_changed().1, [first], "what was written over does not hold any more");
    }

    #[test]
    fn what_stands_beside_is_known_by_its_content_and_keeps_the_name_that_was_followed() {
        let root = tempfile::tempdir().unwrap();
        let (path, other) = (root.path().join("a.log"), root.path().join("a.1.log"));
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut files = files(Vec::new());
        let (first, _) = read(&mut files, &path, FileRole::Current).unwrap();
        fs::rename(&path, &other).unwrap();
        fs::write(&path, "new\n").unwrap();
        assert_eq!(read(&mut files, &other, FileRole::Beside(&path)).unwrap().0, first);
        fs::write(&other, "never read\n").unwrap();
        assert_eq!(read(&mut files, &other, FileRole::Beside(&path)), None);
        let (missed, position) = read(&mut files, &other, FileRole::Missed(&path)).unwrap();
        assert_eq!(position, Position::default());
        let name = files.0.lock().sources[&missed].0.name.clone();
        assert_eq!(name, canonical(&path), "the next rotation finds it under this name");
    }
}
