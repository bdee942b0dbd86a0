//! Where readers of payloads put events: whole lines, in pieces that the spool takes, with what the sender must be told of them.
//! Knows no protocol.

use std::io::{self, BufRead};
use std::sync::Arc;

use memchr::memchr2;

use crate::framing::push_line;
use crate::spool::ENTRY_BYTES_MAX;

/// Longest line without its line feed, in bytes; a longer one becomes several.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX - 1;
/// Bytes of lines that are handed over at once.
const PIECE_BYTES: usize = ENTRY_BYTES_MAX / 2;

/// Reads one body of a protocol. Bodies that are large are read twice, with a new reader each time: it gives equal lines again.
pub trait Payload: Send {
    /// Reads the body, without its content encoding, to its end.
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError>;
}

/// Why nothing of a body is taken.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It holds nothing.
    #[error("the body holds no events")]
    Empty,
    /// It is of no form that the protocol knows.
    #[error("{0}")]
    Format(String),
    /// It is beyond a limit.
    #[error("the body has more than {limit} {what}: send smaller batches")]
    TooMuch {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// The most of it.
        limit: u64,
    },
    /// It cannot be read on, or nobody takes its lines.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a sender wants done with a document of a bulk request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Store it, whatever was there.
    Index,
    /// Store it as a new one.
    Create,
    /// Store the changes.
    Update,
    /// Remove it: events are not removed.
    Delete,
}

impl Action {
    /// Its key in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Action::Index => "index",
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
}

/// What is answered of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// What was wanted.
    pub action: Action,
    /// Where it was to go, as the sender says.
    pub index: Arc<str>,
    /// The document's name, where the sender gives one.
    pub id: Option<Box<str>>,
    /// Whether there was a document, and it was kept.
    pub is_kept: bool,
}

/// What was read of a body.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Events, each a line, or several where it is longer than a line may be.
    pub events: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// Events that were kept as they came, because the protocol's reader did not understand them: why, and how many.
    pub poison: Vec<(&'static str, u64)>,
    /// Events that could not be kept at all.
    pub rejected: Vec<(&'static str, u64)>,
    /// One for each action of a bulk request, in its order.
    pub items: Vec<BulkItem>,
}

/// Takes lines.
pub struct Lines<'a> {
    source: &'static str,
    out: Vec<u8>,
    take: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
    pub(super) report: Report,
}

impl std::fmt::Debug for Lines<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Lines {{ source: {}, report: {:?} }}", self.source, self.report)
    }
}

impl<'a> Lines<'a> {
    /// `source`: label of counters; `take` gets whole lines.
    pub fn new(source: &'static str, take: &'a mut dyn FnMut(&[u8]) -> io::Result<()>) -> Self {
        Lines { source, out: Vec::new(), take, report: Report::default() }
    }

    /// An event that is text; line feeds within it are written as `#012`. Nothing for an empty one.
    pub fn text(&mut self, text: &[u8]) -> io::Result<()> {
        let start = self.out.len();
        push_line(text, &mut self.out);
        self.ended(start)
    }

    /// An event that is JSON: line feeds stand between its parts only, where a blank means the same.
    pub fn json(&mut self, json: &[u8]) -> io::Result<()> {
        let start = self.out.len();
        if memchr::memchr(0, json).is_some() {
            push_line(json, &mut self.out);
            return self.ended(start);
        }
        self.out.extend_from_slice(json);
        if memchr2(b'\n', b'\r', json).is_some() {
            let line = &mut self.out[start..];
            line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        self.out.push(b'\n');
        self.ended(start)
    }

    /// An event that is written in place, without its line feed.
    pub(crate) fn written(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let start = self.out.len();
        write(&mut self.out);
        self.out.push(b'\n');
        self.ended(start)
    }

    /// The event is kept as it came, because its reader did not understand it.
    pub fn poison(&mut self, text: &[u8], reason: &'static str) -> io::Result<()> {
        count(&mut self.report.poison, reason);
        self.text(text)
    }

    /// The event cannot be kept: the sender is told where its protocol has words for it.
    pub fn rejected(&mut self, reason: &'static str) {
        count(&mut self.report.rejected, reason);
    }

    /// Counts an event of which a part was too long to be kept.
    pub(crate) fn is_cut(&self) {
        metrics::counter!("ingest_lines_cut_total", "source" => self.source).increment(1);
    }

    /// Hands over what is left; what was read.
    pub fn finish(mut self) -> io::Result<Report> {
        self.flush()?;
        Ok(self.report)
    }

    /// Hands over what there is so far.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            (self.take)(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn ended(&mut self, start: usize) -> io::Result<()> {
        let length = self.out.len() - start;
        if length == 0 {
            return Ok(());
        }
        self.report.events += 1;
        if length > ENTRY_BYTES_MAX {
            self.cut(start);
        }
        self.report.bytes += (self.out.len() - start) as u64;
        if self.out.len() < PIECE_BYTES {
            return Ok(());
        }
        for piece in pieces(&self.out) {
            (self.take)(piece)?;
        }
        self.out.clear();
        Ok(())
    }

    /// A line that is longer than a line may be becomes several, none of which is lost.
    fn cut(&mut self, start: usize) {
        self.is_cut();
        let line = self.out.split_off(start);
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        for part in whole.chunks(LINE_BYTES_MAX) {
            self.out.extend_from_slice(part);
            self.out.push(b'\n');
        }
    }
}

fn count(counts: &mut Vec<(&'static str, u64)>, reason: &'static str) {
    match counts.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, count)) => *count += 1,
        None => counts.push((reason, 1)),
    }
}

impl Report {
    /// What was read of another body beside.
    pub(crate) fn add(&mut self, other: Report) {
        self.events += other.events;
        self.bytes += other.bytes;
        for (into, from) in [(&mut self.poison, other.poison), (&mut self.rejected, other.rejected)] {
            for (reason, number) in from {
                match into.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, count)) => *count += number,
                    None => into.push((reason, number)),
                }
            }
        }
        self.items.extend(other.items);
    }

    /// Counts all of it, once it is taken.
    pub(crate) fn tell_all(&self, source: &'static str) {
        if self.events > 0 {
            metrics::counter!("ingest_events_total", "source" => source).increment(self.events);
            metrics::counter!("ingest_bytes_total", "source" => source).increment(self.bytes);
        }
        self.tell(source);
    }

    /// Counts what was told of it, once it is taken.
    pub fn tell(&self, source: &'static str) {
        for (name, counts) in [("ingest_poison_total", &self.poison), ("ingest_rejected_total", &self.rejected)] {
            for (reason, count) in counts {
                metrics::counter!(name, "source" => source, "reason" => *reason).increment(*count);
            }
        }
    }
}

/// Whole lines of at most [`ENTRY_BYTES_MAX`] bytes.
fn pieces(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let first = &rest[..rest.len().min(ENTRY_BYTES_MAX)];
        let end = memchr::memrchr(b'\n', first)? + 1;
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(put: impl FnOnce(&mut Lines<'_>)) -> (Vec<u8>, Report) {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            assert!(piece.ends_with(b"\n") && piece.len() <= ENTRY_BYTES_MAX);
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new("test", &mut take);
        put(&mut lines);
        let report = lines.finish().unwrap();
        assert_eq!(report.bytes, out.len() as u64);
        (out, report)
    }

    #[test]
    fn an_event_is_a_line_whatever_is_in_it() {
        let (out, report) = gathered(|lines| {
            lines.text(b"a\nb\0c\n").unwrap();
            lines.text(b"\n").unwrap();
            lines.json(b"{\"a\":\r\n 1}").unwrap();
            lines.poison(b"{broken", "test").unwrap();
        });
        assert_eq!(String::from_utf8(out).unwrap(), "a#012b#000c\n{\"a\":   1}\n{broken\n");
        assert_eq!((report.events, report.poison), (3, vec![("test", 1)]));
    }

    #[test]
    fn long_lines_and_many_lines_are_handed_over_in_pieces() {
        let long = vec![b'z'; 3 * ENTRY_BYTES_MAX];
        let (out, report) = gathered(|lines| {
            lines.text(b"first").unwrap();
            lines.text(&long).unwrap();
            for _ in 0..100_000 {
                lines.json(b"{\"event\":\"a line of forty bytes\"}").unwrap();
            }
        });
        assert_eq!(report.events, 100_002);
        assert_eq!(out.iter().filter(|byte| **byte == b'z').count(), long.len());
        assert_eq!(out.split(|byte| *byte == b'\n').map(<[u8]>::len).max(), Some(LINE_BYTES_MAX));
    }
}
