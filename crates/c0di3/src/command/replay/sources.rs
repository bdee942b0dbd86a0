//! The files of a replay, and standard input: found, recognised, and set to where the last run ended.

use std::path::PathBuf;

use event::block::digest;
use event::{Position, SourceId, Timestamp};
use ingest::discover::Skipped;
use ingest::merge::UnopenedFile;
use ingest::{FileSource, Fingerprint, Merge, ReadError, StreamSource, discover};
use store::SourceCheckpoint;

use crate::clock;
use crate::outcome::tell;
use crate::pipeline::FUTURE_MAX_US;
use crate::positions::Positions;
use crate::recognise::{Recognised, canonical, recognise, recognise_stream};

/// How the command line names standard input.
const STANDARD_INPUT: &str = "-";

/// What is to be read.
pub(crate) struct Sources {
    pub(crate) merge: Merge,
    /// How far each file was read before.
    pub(crate) positions: Positions,
    /// Bytes on disk that have not been read before.
    pub(crate) bytes: u64,
    /// Files that were asked for and cannot be read.
    pub(crate) failed: u64,
}

impl Sources {
    /// Finds the files, tells what is left out, and sets each to where it was left.
    pub(crate) fn find(paths: &[PathBuf], known: Vec<SourceCheckpoint>, parse: &parse::Options) -> Self {
        let (streams, paths): (Vec<_>, Vec<_>) =
            paths.iter().cloned().partition(|path| path.as_os_str() == STANDARD_INPUT);
        let found = discover(&paths);
        if found.files.is_empty() && found.skipped.is_empty() && streams.is_empty() {
            tell("note: there is no file to read in what was named: are these the folders of the logs?");
        }
        let mut search = Search { known, positions: Positions::default(), bytes: 0, failed: 0, waiting: Vec::new() };
        for skipped in found.skipped {
            search.skip(&skipped);
        }
        let mut files = Vec::new();
        for path in found.files {
            match FileSource::open(&path) {
                Ok(file) => files.push(file),
                Err(error) => {
                    let reason = format!("{:#}", anyhow::Error::from(error));
                    search.skip(&Skipped { path, reason, is_failure: true });
                }
            }
        }
        // The longest of files that begin alike comes first: the others may hold nothing that it does not.
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let mut read: Vec<FileSource> = Vec::new();
        for file in files {
            if let Some(what) = file.content().name() {
                tell(&format!("note: {}: {what}; offsets are of those lines", file.path().display()));
            }
            if !search.is_copy(&file, &read) {
                search.add(&file, parse);
            }
            read.push(file);
        }
        if !streams.is_empty() {
            search.add_standard_input(parse);
        }
        let options = parse.clone();
        let first_time = move |block: &event::Block| first_time(&block.bytes, &options, block.reference);
        Sources {
            merge: Merge::new(search.waiting, first_time),
            positions: search.positions,
            bytes: search.bytes,
            failed: search.failed,
        }
    }
}

/// The files as far as they have been looked at.
struct Search {
    known: Vec<SourceCheckpoint>,
    positions: Positions,
    bytes: u64,
    failed: u64,
    waiting: Vec<UnopenedFile>,
}

impl Search {
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

    /// Standard input can be read once, however often it is named.
    fn add_standard_input(&mut self, parse: &parse::Options) {
        let stream = match StreamSource::open(STANDARD_INPUT, std::io::stdin(), clock::now()) {
            Ok(stream) => stream,
            Err(error) => {
                let path = PathBuf::from(STANDARD_INPUT);
                return self.skip(&Skipped { path, reason: error.to_string(), is_failure: true });
            }
        };
        let known = recognise_stream(&stream, self.known.iter());
        let (id, position) = known.unwrap_or_else(|| (stream.new_id(), Position::default()));
        let id = self.keep(id, STANDARD_INPUT.to_owned(), stream.fingerprint(), position);
        let first_time = first_time(stream.start(), parse, stream.reference());
        let open = move || stream.read_from(id, position).map_err(ReadError::from);
        self.waiting.push(UnopenedFile { first_time, name: STANDARD_INPUT.to_owned(), open: Box::new(open) });
    }

    /// Begins to keep how far the source has been read; gives its id.
    fn keep(&mut self, mut id: SourceId, name: String, fingerprint: Fingerprint, position: Position) -> SourceId {
        if self.positions.has(id) {
            // Begins like another file and goes on differently.
            id = SourceId(digest(&[b"beside", &id.0.to_be_bytes(), name.as_bytes()]));
        }
        self.positions.begin(SourceCheckpoint {
            id,
            name,
            fingerprint_bytes: fingerprint.bytes as u64,
            fingerprint_hash: fingerprint.hash,
            position,
            seen: position.offset,
            epoch: 0,
        });
        id
    }

    fn add(&mut self, file: &FileSource, parse: &parse::Options) {
        let name = canonical(file.path());
        let Some((id, position)) = self.recognise(file, &name) else { return };
        let id = self.keep(id, name, file.fingerprint(), position);
        self.bytes += file.size.saturating_sub(position.offset);
        let first_time = first_time(file.start(), parse, file.reference);
        let file = file.clone();
        let shown = file.path().display().to_string();
        let open = move || file.read_from(id, position).map_err(ReadError::from);
        self.waiting.push(UnopenedFile { first_time, name: shown, open: Box::new(open) });
    }

    /// The source that the file is, and where to go on; `None` where it holds nothing new.
    fn recognise(&mut self, file: &FileSource, name: &str) -> Option<(SourceId, Position)> {
        match recognise(file, name, self.known.iter()) {
            Recognised::New => Some((file.new_id(), Position::default())),
            Recognised::Known(id, position) => {
                let read = self.known.iter().find(|known| known.id == id).map_or(0, |known| known.seen);
                (!file.is_plain() || file.size > read).then_some((id, position))
            }
            Recognised::BeginningOf(other) => {
                let reason = format!("is the beginning of {other}, which has been read");
                self.skip(&Skipped { path: file.path().to_owned(), reason, is_failure: false });
                None
            }
            Recognised::Anew { old, new } => {
                self.positions.forget(old);
                tell(&format!("note: {name} is shorter than when it was last read; it is read from its start"));
                Some((new, Position::default()))
            }
        }
    }
}

/// Places of a block whose lines are looked at for its first time.
const PEEKS: usize = 4;
/// Bytes that are looked at in each of them; a longer line is looked at whole.
const PEEK_BYTES: usize = 2048;

/// The earliest time that lines in several places of a block name, so that a line or two from the future cannot make
/// everything after them look late. Times that cannot be believed order nothing.
fn first_time(bytes: &[u8], options: &parse::Options, reference: Timestamp) -> Option<Timestamp> {
    let last = reference.saturating_add_us(FUTURE_MAX_US);
    let peek = |at: usize| {
        let lines = some_lines(bytes, bytes.len() / PEEKS * at);
        parse::peek_time(lines, options, reference).filter(|time| *time <= last)
    };
    (0..PEEKS).filter_map(peek).min()
}

/// Whole lines from the first that begins at `from` or later, as many as fit; the last may lack its ending.
fn some_lines(bytes: &[u8], from: usize) -> &[u8] {
    let begins = |rest: &[u8]| rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1);
    let start = if from == 0 { 0 } else { begins(&bytes[from..]) };
    let rest = &bytes[start..];
    let fit = rest[..rest.len().min(PEEK_BYTES)].iter().rposition(|byte| *byte == b'\n');
    let end = fit.or_else(|| rest.iter().position(|byte| *byte == b'\n')).map_or(rest.len(), |at| at + 1);
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_from_the_future_do_not_decide_when_a_block_begins() {
        let reference = Timestamp::parse_rfc3339(b"2026-11-24T12:00:00Z").unwrap();
        let line = |time: &str, padding: usize| {
            format!("{time} h sshd[1]: Invalid user {} from 192.0.2.1\n", "x".repeat(padding))
        };
        let mut log = line("2026-11-24T11:30:00Z", 6000);
        log += &line("2026-11-24T11:30:00Z", 100).repeat(50);
        (0..2000).for_each(|at| log += &line(&format!("2026-11-24T10:{:02}:{:02}Z", at / 60, at % 60), 10));
        let found = first_time(log.as_bytes(), &parse::Options::default(), reference).unwrap();
        assert!(found < Timestamp::parse_rfc3339(b"2026-11-24T10:10:00Z").unwrap(), "{found}");
        assert_eq!(some_lines(b"ab\ncd\nef", 1), b"cd\n", "whole lines only, where there are any");
        assert_eq!(some_lines(b"ab", 1), b"");
    }
}
