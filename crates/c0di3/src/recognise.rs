//! Files by their beginnings: which known source one is, and where to go on. Names change with every rotation.

use std::cmp::Ordering;
use std::path::Path;

use event::block::digest;
use event::{Position, SourceId};
use ingest::{FileSource, Fingerprint, StreamSource};
use store::SourceCheckpoint;

/// Bytes from the start that two logs do not share by chance: several lines with their times.
const ALIKE_BYTES: usize = 1024;

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recognised {
    New,
    /// A source that is known, and where to go on; at its end where nothing is new.
    Known(SourceId, Position),
    /// Less than has been read under another name, which is named: nothing new in it.
    BeginningOf(String),
    /// Cut off and written anew: the old source no longer holds, the new one begins.
    Anew {
        old: SourceId,
        new: SourceId,
    },
}

/// The path without links and dots: one file has one name.
pub(crate) fn canonical(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The source that a stream is a longer or the same reading of, and where that goes on. A stream that is shorter than what was
/// read holds nothing new.
pub(crate) fn recognise_stream<'a>(
    stream: &StreamSource,
    known: impl Iterator<Item = &'a SourceCheckpoint>,
) -> Option<(SourceId, Position)> {
    let same = |known: &&SourceCheckpoint| {
        let bytes = known.fingerprint_bytes as usize;
        let named = bytes >= ALIKE_BYTES || stream.name() == known.name;
        named && bytes > 0 && Fingerprint { bytes, hash: known.fingerprint_hash }.is_of(stream.start())
    };
    let best = known.filter(same).max_by_key(|known| (known.fingerprint_bytes, known.name == stream.name()));
    best.map(|known| (known.id, known.position))
}

/// The source that a file becomes which begins as one of before did and has been written anew.
pub(crate) fn again(old: SourceId, seen: u64) -> SourceId {
    SourceId(digest(&[b"again", &old.0.to_be_bytes(), &seen.to_be_bytes()]))
}

/// Of several known beginnings the longest counts, then one of the same name, then the one read last. Beginnings under
/// [`ALIKE_BYTES`] count only under the same name, or one that a rotation makes of it: short files may begin alike.
pub(crate) fn recognise<'a>(
    file: &FileSource,
    name: &str,
    known: impl Iterator<Item = &'a SourceCheckpoint>,
) -> Recognised {
    let same = |known: &&SourceCheckpoint| {
        let bytes = known.fingerprint_bytes as usize;
        let named = bytes >= ALIKE_BYTES || name.starts_with(&known.name);
        named && bytes > 0 && file.is(Fingerprint { bytes, hash: known.fingerprint_hash })
    };
    let best = known.filter(same).max_by_key(|known| (known.fingerprint_bytes, known.name == name));
    let Some(known) = best else { return Recognised::New };
    if !file.is_plain() {
        let offset = known.seen.max(known.position.offset);
        return Recognised::Known(known.id, Position { offset, ..known.position });
    }
    match file.size.cmp(&known.seen) {
        Ordering::Equal | Ordering::Greater => Recognised::Known(known.id, known.position),
        Ordering::Less if known.name != name => Recognised::BeginningOf(known.name.clone()),
        Ordering::Less => {
            // What is behind the common beginning is not what was read.
            Recognised::Anew { old: known.id, new: again(known.id, known.seen) }
        }
    }
}
