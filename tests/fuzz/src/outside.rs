//! Files, streams and bodies to blocks: nothing depends on how the bytes come in pieces, blocks follow each other, and what is no
//! text becomes whole lines or an error that says why.

use std::io::{self, Read};

use event::{Block, Position, SourceId};
use ingest::framing::Framer;
use ingest::{BlockReader, StreamSource, body};

use crate::check::REFERENCE;
use crate::parse_blocks;

/// Gives odd pieces.
struct Pieces<R> {
    inner: R,
    next: usize,
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next = self.next * 7 % 97 + 1;
        let length = into.len().min(self.next);
        self.inner.read(&mut into[..length])
    }
}

/// Cuts the bytes into blocks through a reader that gives them in odd pieces.
pub fn cut_blocks(bytes: &[u8]) {
    let source = Block::detached("fuzz", Vec::new(), REFERENCE).source;
    let pieces = Pieces { inner: bytes, next: bytes.len() };
    let mut reader = BlockReader::new(pieces, source, Position::default(), REFERENCE);
    let end = parse_blocks(|| reader.next_block().expect("reading from memory does not fail"));
    assert_eq!(end.offset, bytes.len() as u64);
}

/// The bytes as each kind of file that holds no text of one record in each line.
pub fn read_contents(bytes: &[u8]) {
    let time = 1_772_618_401_u32.to_le_bytes();
    let record = |zeros: usize, behind: usize| [&vec![0; zeros], time.as_slice(), &vec![0; behind]].concat();
    let mut login = record(340, 40);
    login[0] = 7;
    let mut wide_login = record(344, 52);
    wide_login[0] = 7;
    let beginnings: [(&str, &[u8]); 14] = [
        ("a.evtx", b"ElfFile\0"),
        ("a.log", b"\xFF\xFE"),
        ("a.log", b"\xFE\xFF"),
        ("a.log", b"M\0a\0r\0 \0 \x004\0 \x001\x000\0:\x000\x000\0:\x000\x001\0 \0h\0 \0"),
        ("wtmp", &login),
        ("btmp-20260301", &wide_login),
        ("utmp", &login),
        ("lastlog", &record(0, 288)),
        ("faillog", &record(16, 4)),
        ("tallylog", &record(56, 4)),
        ("a.json", b"[{\""),
        ("a.json", b"{\"Records\":[{\"eventTime\":\"2026-03-04T10:00:01Z\",\""),
        ("a.log", b"\0\0\0"),
        ("a.log", b""),
    ];
    for (name, beginning) in beginnings {
        let whole = [beginning, bytes].concat();
        assert_eq!(text_of(name, whole.clone(), 0), text_of(name, whole, 1 + bytes.len() % 90), "{name} in odd pieces");
    }
}

/// A Windows event log with changes: each of seven bytes says where and what.
pub fn read_event_log(bytes: &[u8]) {
    const SAMPLE: &[u8] = include_bytes!("../../formats/windows-security.evtx");
    let mut whole = SAMPLE.to_vec();
    for change in bytes.chunks_exact(7).take(64) {
        let at = (usize::from(change[0]) << 8 | usize::from(change[1])) % (whole.len() - 4);
        let length = usize::from(change[2]) % 5;
        whole[at..at + length].copy_from_slice(&change[3..3 + length]);
    }
    text_of("a.evtx", whole, 0);
}

/// What the blocks of a stream hold, and why it cannot be opened or read on.
fn text_of(name: &str, bytes: Vec<u8>, first_piece: usize) -> (Vec<u8>, String) {
    let stream: Box<dyn Read + Send> = match first_piece {
        0 => Box::new(io::Cursor::new(bytes)),
        next => Box::new(Pieces { inner: io::Cursor::new(bytes), next }),
    };
    let (mut text, mut failed) = (Vec::new(), String::new());
    let source = StreamSource::open(name, stream, REFERENCE);
    let mut blocks = match source.and_then(|source| source.read_from(SourceId(1), Position::default())) {
        Ok(blocks) => blocks,
        Err(error) => return (text, error.to_string()),
    };
    parse_blocks(|| match blocks.next_block() {
        Ok(block) => {
            text.extend_from_slice(block.as_ref().map_or(b"", |block| block.bytes.as_slice()));
            block
        }
        Err(error) => {
            failed = error.to_string();
            assert!(!failed.is_empty());
            None
        }
    });
    (text, failed)
}

/// The bytes as messages of a syslog stream: how they are split over reads changes nothing.
pub fn cut_frames(bytes: &[u8]) {
    let frames = |piece: usize| {
        let mut framer = Framer::new(256);
        let mut lines = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            framer.push(piece, &mut lines);
        }
        framer.finish(&mut lines);
        assert!(lines.is_empty() || lines.ends_with(b"\n"), "whole lines");
        assert!(
            lines.split(|byte| *byte == b'\n').all(|line| line.len() <= 4 * 256),
            "no line is longer than the limit"
        );
        (lines, framer.take_counts())
    };
    let whole = frames(bytes.len());
    for piece in [1, 7, 1 + bytes.len() / 3] {
        assert_eq!(frames(piece).0, whole.0, "in pieces of {piece} bytes");
    }
}

/// The bytes as the body of a request: both readers give the same lines.
pub fn read_bodies(bytes: &[u8]) {
    let open = || body::Decoded::new("", bytes, 1 << 20);
    let (lines, count) = body::lines(bytes.to_vec());
    assert_eq!(memchr::memchr_iter(b'\n', &lines).count() as u64, count);
    let survey = body::survey("", &mut || open()).expect("what is no JSON is lines");
    let mut pieces = Vec::new();
    let written = body::write(survey, "", open().expect("memory"), &mut |piece| {
        assert!(piece.ends_with(b"\n"), "whole lines");
        pieces.extend_from_slice(piece);
        Ok(())
    });
    assert_eq!(written.expect("it was surveyed"), count, "as many lines");
    assert_eq!(pieces, lines, "the same lines");
    assert!(pieces.len() as u64 <= survey.bytes, "no more than was promised");
}
