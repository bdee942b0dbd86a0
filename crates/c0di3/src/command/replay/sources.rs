//! The files of a replay: found, recognised, and set to where the last run ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use event::block::digest;
use event::{Position, SourceId, Timestamp};
use ingest::discover::Skipped;
use ingest::merge::Waiting;
use ingest::{FileSource, Fingerprint, Merge, discover};
use store::SourceCheckpoint;

use crate::outcome::tell;
use crate::pipeline::DoneBlock;
use crate::recognise::{Recognised, canonical, recognise};

/// How far each source has been read, and which of that the store does not know yet.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    known: BTreeMap<SourceId, (SourceCheckpoint, bool)>,
    forgotten: Vec<SourceId>,
}

impl Checkpoints {
    pub(crate) fn reached(&mut self, block: &DoneBlock) {
        if let Some((checkpoint, changed)) = self.known.get_mut(&block.source.id) {
            checkpoint.position = block.unfinished.unwrap_or(block.end);
            checkpoint.seen = block.end.offset;
            *changed = true;
        }
    }

    pub(crate) fn take_changed(&mut self) -> Vec<SourceCheckpoint> {
        let changed = self
            .known
            .values_mut()
            .filter_map(|(checkpoint, changed)| std::mem::take(changed).then(|| checkpoint.clone()));
        changed.collect()
    }

    pub(crate) fn take_forgotten(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.forgotten)
    }
}

/// What is to be read.
pub(crate) struct Sources {
    pub(crate) merge: Merge,
    pub(crate) checkpoints: Checkpoints,
    /// Bytes on disk that have not been read before.
    pub(crate) bytes: u64,
    /// Files that were asked for and cannot be read.
    pub(crate) failed: u64,
}

impl Sources {
    /// Finds the files, tells what is left out, and sets each to where it was left.
    pub(crate) fn find(paths: &[PathBuf], known: Vec<SourceCheckpoint>, parse: &parse::Options) -> Self {
        let found = discover(paths);
        let mut finding =
            Finding { known, checkpoints: Checkpoints::default(), bytes: 0, failed: 0, waiting: Vec::new() };
        for skipped in found.skipped {
            finding.skip(&skipped);
        }
        let mut files = Vec::new();
        for path in found.files {
            match FileSource::open(&path) {
                Ok(file) => files.push(file),
                Err(error) => {
                    let reason = format!("{:#}", anyhow::Error::from(error));
                    finding.skip(&Skipped { path, reason, is_failure: true });
                }
            }
        }
        // The longest of files that begin alike comes first: the others may hold nothing that it does not.
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let mut read: Vec<FileSource> = Vec::new();
        for file in files {
            if !finding.is_copy(&file, &read) {
                finding.add(&file, parse);
            }
            read.push(file);
        }
        let options = parse.clone();
        let first_time = move |block: &event::Block| {
            plausible(parse::peek_time(first_lines(&block.bytes), &options, block.reference), block.reference)
        };
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

    /// Whether everything in the file also stands at the start of one that is read; told where it does.
    fn is_copy(&mut self, file: &FileSource, read: &[FileSource]) -> bool {
        let original = read.iter().find(|other| other.begins_like(file) && other.starts_with_all_of(file));
        if let Some(original) = original {
            let reason =
                format!("holds nothing that {} does not, which is read in the same run", original.path().display());
            self.skip(&Skipped { path: file.path().to_owned(), reason, is_failure: false });
        }
        original.is_some()
    }

    fn add(&mut self, file: &FileSource, parse: &parse::Options) {
        let name = canonical(file.path());
        let Some((mut id, position)) = self.recognise(file, &name) else { return };
        if self.checkpoints.known.contains_key(&id) {
            // Begins like another file and goes on differently.
            id = SourceId(digest(&[b"beside", &id.0.to_be_bytes(), name.as_bytes()]));
        }
        let Fingerprint { bytes, hash } = file.fingerprint();
        let checkpoint = SourceCheckpoint {
            id,
            name,
            fingerprint_bytes: bytes as u64,
            fingerprint_hash: hash,
            position,
            seen: position.offset,
            epoch: 0,
        };
        self.checkpoints.known.insert(id, (checkpoint, false));
        self.bytes += file.size.saturating_sub(position.offset);
        let first_time = plausible(parse::peek_time(first_lines(file.start()), parse, file.reference), file.reference);
        let file = file.clone();
        let shown = file.path().display().to_string();
        let open = move || file.read_from(id, position).map_err(|error| format!("{:#}", anyhow::Error::from(error)));
        self.waiting.push(Waiting { first_time, name: shown, open: Box::new(open) });
    }

    /// The source that the file is, and where to go on; `None` where it holds nothing new.
    fn recognise(&mut self, file: &FileSource, name: &str) -> Option<(SourceId, Position)> {
        match recognise(file, name, self.known.iter()) {
            Recognised::New => Some((file.new_id(), Position::default())),
            Recognised::Known(id, position) => {
                let read = self.known.iter().find(|known| known.id == id).map_or(0, |known| known.seen);
                (file.is_compressed() || file.size > read).then_some((id, position))
            }
            Recognised::BeginningOf(other) => {
                let reason = format!("is the beginning of {other}, which has been read");
                self.skip(&Skipped { path: file.path().to_owned(), reason, is_failure: false });
                None
            }
            Recognised::Anew { old, new } => {
                self.checkpoints.forgotten.push(old);
                tell(&format!("note: {name} is shorter than when it was last read; it is read from its start"));
                Some((new, Position::default()))
            }
        }
    }
}

/// How far a file's lines may be ahead of its last change before their time is not believed.
const AHEAD_MAX_US: i64 = 86_400_000_000;

/// Times from the future order nothing: they would make everything after them look late.
fn plausible(time: Option<Timestamp>, reference: Timestamp) -> Option<Timestamp> {
    time.filter(|time| *time <= reference.saturating_add_us(AHEAD_MAX_US))
}

/// Bytes of a file that are looked at for a first time.
const PEEK_BYTES: usize = 4096;

/// Whole lines from the start, as many as fit.
fn first_lines(bytes: &[u8]) -> &[u8] {
    let limit = bytes.len().min(PEEK_BYTES);
    let end = bytes[..limit].iter().rposition(|byte| *byte == b'\n').map_or(limit, |at| at + 1);
    &bytes[..end]
}
