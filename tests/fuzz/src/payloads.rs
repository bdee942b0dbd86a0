//! Bodies of shippers' protocols to lines: nothing depends on how the bytes come in pieces, a second reading gives equal lines, and
//! what is refused says why. Knows no HTTP.

use std::io::{BufReader, Cursor};

use event::{Block, Position, Source, SourceId};
use ingest::push::{
    Bulk, Datadog, Gelf, HecEvents, HecRaw, Journal, Lines, LokiJson, LokiProtobuf, OtlpJson, OtlpProtobuf, Payload,
};

use crate::check::REFERENCE;
use crate::parse_blocks;

/// A protocol's reader, and a body of it that mutations start from.
type Protocol = (fn() -> Box<dyn Payload>, &'static [u8]);

const PROTOCOLS: [Protocol; 11] = [
    (|| Box::new(Bulk::new("logs")), b"{\"create\":{\"_index\":\"a\",\"_id\":\"7\"}}\n{\"message\":\"x\",\"@timestamp\":\"2026-03-04T10:00:01Z\"}\n{\"delete\":{}}\n"),
    (|| Box::new(Datadog), b"[{\"message\":\"x\",\"ddtags\":\"env:a,b:c\",\"hostname\":\"h\",\"service\":\"s\",\"status\":\"info\"},{\"message\":{\"a\":1}}]"),
    (|| Box::new(Gelf), b"{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"x\",\"full_message\":\"y\\nz\",\"timestamp\":1772618401.25,\"level\":4,\"_user\":\"ann\"}"),
    (|| Box::new(HecEvents), b"{\"time\":1772618401.250,\"host\":\"h\",\"sourcetype\":\"t\",\"event\":{\"a\":1},\"fields\":{\"b\":[1]}}{\"event\":\"x\"}\n"),
    (|| Box::new(HecRaw::default()), b"Nov 28 10:00:00 h a: b\n\nx\r\n"),
    (
        || Box::new(HecRaw { host: Some("h".to_owned()), source: None, sourcetype: Some("t\"".to_owned()) }),
        b"Nov 28 10:00:00 h a: b\n\nx\r\n",
    ),
    (|| Box::new(Journal), b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1772618401000000\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n_HOSTNAME=h\n\n"),
    (|| Box::new(LokiJson), b"{\"streams\":[{\"stream\":{\"job\":\"a\"},\"values\":[[\"1772618401000000000\",\"x\",{\"k\":\"v\"}],[1,\"y\"]]}]}"),
    (
        || Box::new(LokiProtobuf),
        b"\x0a\x1e\x0a\x0b{job=\"a\\\"\"}\x12\x0f\x0a\x06\x08\xe1\xbe\xa0\xcd\x06\x12\x05hello",
    ),
    (|| Box::new(OtlpJson), b"{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1772618401000000000\",\"severityNumber\":9,\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"intValue\":\"7\"}}]}}}]}]}]}"),
    (
        || Box::new(OtlpProtobuf),
        b"\x0a\x29\x0a\x12\x0a\x10\x0a\x09host.name\x12\x03\x0a\x01h\x12\x13\x12\x11\x10\x09\x1a\x04INFO\x2a\x07\x0a\x05hello",
    ),
];

/// The bytes within and behind the body of a protocol: first which protocol, then how much of its body.
pub fn read_payloads(bytes: &[u8]) {
    let [which, kept, rest @ ..] = bytes else { return };
    let (reader, example) = &PROTOCOLS[usize::from(*which) % PROTOCOLS.len()];
    let (before, behind) = example.split_at(usize::from(*kept) % (example.len() + 1));
    for body in [[before, rest, behind].concat(), [before, rest].concat()] {
        let whole = lines_of(reader(), &body, body.len().max(1));
        assert_eq!(lines_of(reader(), &body, 1 + rest.len() % 13), whole, "in pieces");
        parse_lines(whole.0);
    }
}

/// The lines of a body, and what is told of it.
fn lines_of(mut reader: Box<dyn Payload>, body: &[u8], piece: usize) -> (Vec<u8>, String) {
    let mut all = Vec::new();
    let mut take = |piece: &[u8]| {
        assert!(piece.ends_with(b"\n"), "whole lines");
        all.extend_from_slice(piece);
        Ok(())
    };
    let mut lines = Lines::new("fuzz", &mut take);
    let read = reader.read(&mut BufReader::with_capacity(piece, Cursor::new(body)), &mut lines);
    let report = lines.finish().expect("memory takes all");
    if let Err(error) = read {
        assert!(!error.to_string().is_empty());
        return (all, error.to_string());
    }
    assert_eq!(report.bytes, all.len() as u64, "what was told is what was given");
    assert!(memchr::memchr_iter(b'\n', &all).count() as u64 >= report.events, "a line for each event");
    (all, format!("{report:?}"))
}

/// Reads the lines as those of a spool are read.
fn parse_lines(lines: Vec<u8>) {
    let source = std::sync::Arc::new(Source { id: SourceId(7), name: "fuzz".to_owned() });
    let mut next = Some(Block::new(source, Position::default(), lines, REFERENCE));
    parse_blocks(|| next.take().filter(|block| !block.bytes.is_empty()));
}
