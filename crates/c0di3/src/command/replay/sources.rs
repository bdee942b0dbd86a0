//! The files of a replay: found, recognised, and set to where the last run ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use event::block::digest;
use event::{Position, Source, SourceId};
use ingest::discover::Skipped;
use ingest::merge::Waiting;
use ingest::{FileSource, Fingerprint, Merge, discover};
use store::SourceCheckpoint;

use crate::outcome::tell;

/// How far each source has been read, and which of that the store does not know yet.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    known: BTreeMap<SourceId, (SourceCheckpoint, bool)>,
}

impl Checkpoints {
    pub(super) fn reached(&mut self, source: &Source, position: Position) {
        if let Some((checkpoint, changed)) = self.known.get_mut(&source.id) {
            checkpoint.position = position;
            *changed = true;
        }
    }

    pub(super) fn take_changed(&mut self) -> Vec<SourceCheckpoint> {
        let changed = self
            .known
            .values_mut()
            .filter_map(|(checkpoint, changed)| std::mem::take(changed).then(|| checkpoint.clone()));
        changed.collect()
    }
}

/// What is to be read.
pub(super) struct Sources {
    pub(super) merge: Merge,
    pub(super) checkpoints: Checkpoints,
    /// Bytes on disk that have not been read before.
    pub(super) bytes: u64,
    /// Files that were asked for and cannot be read.
    pub(super) failed: u64,
}

impl Sources {
    /// Finds the files, tells what is left out, and sets each to where it was left.
    pub(super) fn find(paths: &[PathBuf], known: Vec<SourceCheckpoint>, parse: &parse::Options) -> Self {
        let found = discover(paths);
        let mut finding =
            Finding { known, checkpoints: Checkpoints::default(), bytes: 0, failed: 0, waiting: Vec::new() };
        for skipped in found.skipped {
            finding.skip(&skipped);
        }
        for path in found.files {
            match FileSource::open(&path) {
                Ok(file) => finding.add(file, parse),
                Err(error) => {
                    let reason = format!("{:#}", anyhow::Error::from(error));
                    finding.skip(&Skipped { path, reason, is_failure: true });
                }
            }
        }
        let options = parse.clone();
        let first_time =
            move |block: &event::Block| parse::peek_time(first_lines(&block.bytes), &options, block.reference);
        Sources {
            merge: Merge::new(finding.waiting, first_time),
            checkpoints: finding.checkpoints,
            bytes: finding.bytes,
            failed: finding.failed,
        }
    }
}

struct Finding {
    known: Vec<SourceCheckpoint>,
    checkpoints: Checkpoints,
    bytes: u64,
    failed: u64,
    waiting: Vec<Waiting>,
}

impl Finding {
    fn skip(&mut self, skipped: &Skipped) {
        let word = if skipped.is_failure { "error" } else { "skipped" };
        tell(&format!("{word}: {}: {}", skipped.path.display(), skipped.reason));
        self.failed += u64::from(skipped.is_failure);
    }

    fn add(&mut self, file: FileSource, parse: &parse::Options) {
        let (id, position) = self.recognise(&file);
        if let Some((first, _)) = self.checkpoints.known.get(&id) {
            let reason = format!("begins like {}, which is read in the same run", first.name);
            self.skip(&Skipped { path: file.path().to_owned(), reason, is_failure: false });
            return;
        }
        let Fingerprint { bytes, hash } = file.fingerprint();
        let name = file.path().display().to_string();
        let checkpoint = SourceCheckpoint {
            id,
            name: name.clone(),
            fingerprint_bytes: bytes as u64,
            fingerprint_hash: hash,
            position,
        };
        self.checkpoints.known.insert(id, (checkpoint, false));
        self.bytes += file.size.saturating_sub(position.offset);
        let first_time = parse::peek_time(first_lines(file.start()), parse, file.reference);
        let open = move || file.read_from(id, position).map_err(|error| format!("{:#}", anyhow::Error::from(error)));
        self.waiting.push(Waiting { first_time, name, open: Box::new(open) });
    }

    /// The source that the file is, by its first bytes, and where to go on. The longest known beginning counts; a
    /// short one only under the same name, because short files may begin alike.
    fn recognise(&self, file: &FileSource) -> (SourceId, Position) {
        let name = file.path().display().to_string();
        let same = |known: &&SourceCheckpoint| {
            let bytes = known.fingerprint_bytes as usize;
            let named = bytes >= ingest::file::FINGERPRINT_BYTES || known.name == name;
            named && bytes > 0 && file.is(Fingerprint { bytes, hash: known.fingerprint_hash })
        };
        match self.known.iter().filter(same).max_by_key(|known| known.fingerprint_bytes) {
            None => (file.new_id(), Position::default()),
            Some(known) if !file.is_compressed() && file.size < known.position.offset => {
                // Cut off and written anew: what is behind the common beginning is not what was read.
                let again = digest(&[b"again", &known.id.0.to_be_bytes(), &known.position.offset.to_be_bytes()]);
                tell(&format!("note: {name} is shorter than when it was last read; it is read from its start"));
                (SourceId(again), Position::default())
            }
            Some(known) => (known.id, known.position),
        }
    }
}

/// Bytes of a file that are looked at for a first time.
const PEEK_BYTES: usize = 4096;

/// Whole lines from the start, as many as fit.
fn first_lines(bytes: &[u8]) -> &[u8] {
    let limit = bytes.len().min(PEEK_BYTES);
    let end = bytes[..limit].iter().rposition(|byte| *byte == b'\n').map_or(limit, |at| at + 1);
    &bytes[..end]
}
