//! How far each live source has been read, shared by the committer and by the sources that ask where to go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event::{Position, Source, SourceId};
use ingest::live::{ClaimError, Resume};
use ingest::tail::{Known, Place};
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
    /// An id that no source has: files that begin with the same lines, and go on differently, were seen to begin alike.
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

    /// Everything of the source before the block's end has been handed to the correlator.
    pub(crate) fn reached(&self, block: &DoneBlock) {
        let mut known = self.lock();
        let entry = known.sources.entry(block.source.id).or_insert_with(|| (empty(&block.source), false));
        entry.0.position = block.unfinished.unwrap_or(block.end);
        entry.0.seen = block.end.offset;
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
    fn recognise(&mut self, file: &FileSource, place: Place<'_>) -> Option<(SourceId, Position)> {
        // What a rotation names anew keeps the name under which it was followed.
        let name = canonical(match place {
            Place::Beside(path) | Place::Missed(path) => path,
            Place::Current | Place::Rewritten => file.path(),
        });
        let mut known = self.0.lock();
        let mut recognised = recognise(file, &name, known.sources.values().map(|(source, _)| source));
        if let (Place::Rewritten, Recognised::Known(old, _)) = (place, &recognised) {
            // It begins as it did before, and was seen to be written anew.
            let seen = known.sources.get(old).map_or(0, |(source, _)| source.seen);
            recognised = Recognised::Anew { old: *old, new: again(*old, seen) };
        }
        let (id, position) = match (place, recognised) {
            (Place::Beside(_), Recognised::Known(id, position)) => return Some((id, position)),
            (Place::Beside(_), _) => return None,
            (Place::Missed(_), Recognised::Known(..) | Recognised::Anew { .. }) => return None,
            (_, Recognised::Known(id, position)) => (id, position),
            (_, Recognised::New) => (known.fresh(file.new_id()), Position::default()),
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
