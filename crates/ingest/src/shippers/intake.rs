//! What a protocol makes of bytes: lines that are to be kept, answers that are due once they are, and why a connection cannot go on.
//! Protocols do no input or output of their own.

use std::io;
use std::ops::Range;

use memchr::memchr_iter;

use crate::push::{Lines, Report};
use crate::spool::{BatchName, Claim};

/// Longest message of a protocol, in bytes as sent: it is held whole.
pub(super) const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// Longest content of a message, unpacked, in bytes.
pub(super) const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// Lines that one message may become, in bytes.
const LINES_BYTES_MAX: usize = 128 << 20;

/// Why a connection is closed. Nothing of what came last is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Label of counters.
    pub(super) reason: &'static str,
    /// For people.
    pub(super) words: String,
}

impl Refusal {
    pub(super) fn new(reason: &'static str, words: impl Into<String>) -> Self {
        Refusal { reason, words: words.into() }
    }
}

/// What came of bytes.
#[derive(Debug, Default)]
pub(super) struct ShipperIntake {
    /// Whole lines.
    pub(super) lines: Vec<u8>,
    pub(super) report: Report,
    /// Events that were taken before.
    pub(super) duplicates: u64,
    /// Due once the lines are on disk.
    pub(super) answers: Vec<u8>,
    /// Those of the lines that are batches with names.
    pub(super) batches: Vec<NamedBatch>,
}

/// A batch with a name among lines.
#[derive(Debug)]
pub(super) struct NamedBatch {
    claim: Claim,
    lines: Range<usize>,
    events: u64,
}

impl NamedBatch {
    pub(super) fn name(&self) -> BatchName {
        self.claim.name(self.lines.clone(), Some(self.events))
    }
}

impl ShipperIntake {
    /// Puts events in; all of them, or none where it is refused.
    pub(super) fn put<T>(
        &mut self,
        source: &'static str,
        write: impl FnOnce(&mut Lines<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let before = self.lines.len();
        let written = self.write(source, write);
        if written.is_err() {
            self.lines.truncate(before);
        }
        let (done, report) = written?;
        self.report.add(report);
        Ok(done)
    }

    /// What was put behind `start` is the batch of the claim, with so many events. What an earlier try has left of it in the spool is not
    /// taken again.
    pub(super) fn named(&mut self, mut claim: Claim, start: usize, events: u64) {
        let held = claim.skip(self.lines.len() - start);
        self.duplicates += memchr_iter(b'\n', &self.lines[start..start + held]).count() as u64;
        self.lines.drain(start..start + held);
        self.batches.push(NamedBatch { claim, lines: start..self.lines.len(), events });
    }

    fn write<T>(
        &mut self,
        source: &'static str,
        write: impl FnOnce(&mut Lines<'_>) -> Result<T, Refusal>,
    ) -> Result<(T, Report), Refusal> {
        let into = &mut self.lines;
        let mut take = |piece: &[u8]| {
            if into.len() + piece.len() > LINES_BYTES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            into.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new(source, &mut take);
        let done = write(&mut lines)?;
        Ok((done, lines.finish().map_err(too_long)?))
    }
}

/// Lines refuse what is beyond their limit alone.
pub(super) fn too_long(_: io::Error) -> Refusal {
    Refusal::new("too_long", format!("a message becomes more than {LINES_BYTES_MAX} bytes of lines: send smaller ones"))
}

/// A protocol on one connection.
pub(super) trait Protocol: Send + Sync {
    /// What is said before anything came.
    fn greeting(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes what is whole at the beginning of `input`: how many bytes, and how many there must be before it is asked again.
    fn take(&mut self, input: &[u8], intake: &mut ShipperIntake) -> Result<Advance, Refusal>;

    /// What is left when the sender has ended.
    fn finish(&mut self, _rest: &[u8], _intake: &mut ShipperIntake) {}

    /// What is said, from time to time, while what came waits for the disk.
    fn alive(&self) -> &'static [u8] {
        &[]
    }
}

/// How far a protocol has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advance {
    /// Bytes that are done with.
    pub(super) taken: usize,
    /// Bytes that there must be behind them.
    pub(super) need: usize,
}

/// What the first bytes of another protocol are.
pub(super) fn foreign(input: &[u8]) -> Option<&'static str> {
    const METHODS: [&[u8]; 7] = [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"PRI * HTTP", b"DELETE "];
    match input {
        [0x16, 3, ..] => Some("a TLS hello: this port is not encrypted, because tls.ports does not name it"),
        _ if METHODS.iter().any(|method| input.starts_with(method)) => {
            Some("an HTTP request: HTTP has a port of its own, analyzer.listen")
        }
        _ if input.starts_with(b"PROXY ") => Some("a header of the PROXY protocol"),
        [b'<', b'0'..=b'9', ..] => Some("syslog: it has a port of its own, syslog.tcp"),
        [b'1' | b'2', b'W', ..] => Some("Lumberjack: it has a port of its own, shippers.lumberjack"),
        [b'{', ..] => Some("JSON, as GELF has it"),
        [b'1'..=b'9', b' ', b'o', b'p', b'e', b'n', ..] => Some("RELP"),
        [b'1'..=b'9', b'0'..=b'9' | b' ', ..] => Some("syslog with lengths: it has a port of its own, syslog.tcp"),
        [0x92..=0x95, 0xA1..=0xBF | 0xD9..=0xDB, ..] => Some("Forward: it has a port of its own, shippers.forward"),
        _ => None,
    }
}
