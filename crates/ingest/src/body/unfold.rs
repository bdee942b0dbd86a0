//! Lines of a body that hold many events each, to a line for each: records of CloudWatch Logs, `{"Records":[…]}`, arrays within
//! lines, what Firehose sends. Whatever cannot be told apart, or would become too much, stays the line that it was.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr_iter, memmem};
use serde::Deserialize;

use super::decoded::Decoded;
use super::forms::{folded_lines, written_to};
use super::holder::{self, ElementKind, Elements};
use crate::content::json_objects::{is_subscription, put_events};
use crate::framing::push_line;
use crate::spool::ENTRY_BYTES_MAX;

/// How deep events are looked for in events.
const DEPTH_MAX: u32 = 3;
/// Bytes that the events of one line may become.
const LINE_BECOMES_MAX: usize = 4 << 20;
/// Bytes that the events of one body may become that is worked on in pieces.
const BODY_BECOMES_MAX: usize = 1 << 30;
/// Bytes that the events of one body may become that is held in memory.
const BODY_BECOMES_MAX_HELD: usize = 16 << 20;

/// What a look at a text finds of lines that may hold many events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Folds {
    is_begun: bool,
    has_id: bool,
    has_list: bool,
    is_sure: bool,
}

impl Folds {
    /// Looks at whole lines, and forgets nothing that it saw before.
    pub(super) fn look(&mut self, text: &[u8]) {
        let has = |word: &[u8]| memmem::find(text, word).is_some();
        let is_next = self.is_begun && text.starts_with(b"[{\"");
        self.is_begun |= !text.is_empty();
        self.is_sure = self.is_sure || is_next || has(b"\"logEvents\"") || has(b"\"Records\"") || has(b"\n[{\"");
        self.has_id = self.has_id || has(b"\"requestId\"");
        self.has_list = self.has_list || self.has_id && has(b"\"records\"");
    }

    pub(super) fn may_be(self) -> bool {
        self.is_sure || self.has_id && self.has_list
    }
}

/// Takes lines apart: equal lines in equal order become equal ones.
#[derive(Debug)]
pub(super) struct Unfolder {
    left: usize,
}

impl Unfolder {
    /// For a body in memory.
    pub(super) fn held() -> Self {
        Unfolder { left: BODY_BECOMES_MAX_HELD }
    }

    /// For a body in pieces.
    pub(super) fn in_pieces() -> Self {
        Unfolder { left: BODY_BECOMES_MAX }
    }

    /// The lines of the text, each with its line feed.
    pub(super) fn put_lines(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for line in text.split(|byte| *byte == b'\n') {
            self.put(line, out);
        }
    }

    /// The line, or what it holds.
    pub(super) fn put(&mut self, line: &[u8], out: &mut Vec<u8>) {
        // What is stored has no NULs: the line is taken apart as it is stored.
        let mut stored = Vec::new();
        let line = match memchr::memchr(0, line) {
            Some(_) => {
                push_line(line, &mut stored);
                stored.strip_suffix(b"\n").unwrap_or_default()
            }
            None => line,
        };
        let start = out.len();
        let mut bytes_max = LINE_BECOMES_MAX.min(self.left);
        if is_fold(line) {
            if put_fold(line, 0, &mut bytes_max, out).is_some() && has_lines(&out[start..]) {
                self.left = self.left.saturating_sub(out.len() - start);
                return;
            }
            metrics::counter!("ingest_lines_folded_total").increment(1);
            out.truncate(start);
        }
        push_line(line, out);
    }

    /// What an element of a list of Firehose holds.
    pub(super) fn put_data(&mut self, element: &str, out: &mut Vec<u8>) {
        let text = data(element, LINE_BECOMES_MAX.min(self.left)).filter(|text| has_lines(text));
        let Some(text) = text else { return written_to(element, out) };
        self.left = self.left.saturating_sub(text.len());
        self.put_lines(&text, out);
    }
}

/// Cheap: whether a line may hold many events.
fn is_fold(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    match line.first() {
        Some(b'[') => crate::content::json_array::detect(line),
        Some(b'{') => {
            let mut folds = Folds::default();
            folds.look(line);
            folds.may_be()
        }
        _ => false,
    }
}

/// Whether there are any, and none is longer than the spool takes.
fn has_lines(text: &[u8]) -> bool {
    let mut start = 0;
    memchr_iter(b'\n', text).all(|end| end + 1 - std::mem::replace(&mut start, end + 1) <= ENTRY_BYTES_MAX) && start > 0
}

/// `None`: it holds nothing that is known, or more than may be.
fn put_fold(line: &[u8], depth: u32, bytes_max: &mut usize, out: &mut Vec<u8>) -> Option<()> {
    let line = line.trim_ascii();
    let start = out.len();
    if line.first() == Some(&b'{') && is_subscription(line) && put_events(line, *bytes_max, out) {
        *bytes_max = bytes_max.checked_sub(out.len() - start)?;
        return Some(());
    }
    let text = std::str::from_utf8(line).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    let refused = || io::Error::other("more than may be");
    if line.first() == Some(&b'[') {
        let mut take = |element: Box<serde_json::value::RawValue>| {
            let is_object = element.get().starts_with('{');
            is_object.then(|| put_inner(element.get(), depth, bytes_max, out)).flatten().ok_or_else(refused)
        };
        serde::de::Deserializer::deserialize_seq(&mut json, Elements(&mut take)).ok()?;
    } else {
        holder::read(&mut json, &mut |held, element| {
            let put = match held {
                ElementKind::Event => put_inner(element.get(), depth, bytes_max, out),
                ElementKind::Data => match data(element.get(), *bytes_max) {
                    Some(text) => text
                        .split(|byte| *byte == b'\n')
                        .filter(|line| !line.is_empty())
                        .try_for_each(|line| put_inner(std::str::from_utf8(line).ok()?, depth, bytes_max, out)),
                    None => put_inner(element.get(), DEPTH_MAX, bytes_max, out),
                },
            };
            put.ok_or_else(refused)
        })
        .ok()?;
    }
    json.end().ok()
}

/// An event of a line, or what that holds in turn.
fn put_inner(text: &str, depth: u32, bytes_max: &mut usize, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    if depth < DEPTH_MAX && is_fold(text.as_bytes()) {
        if put_fold(text.as_bytes(), depth + 1, bytes_max, out).is_some() {
            return Some(());
        }
        out.truncate(start);
    }
    written_to(text, out);
    *bytes_max = bytes_max.checked_sub(out.len() - start)?;
    Some(())
}

/// An element of a list of Firehose.
#[derive(Deserialize)]
struct Data {
    data: String,
}

/// The lines that it holds: as they are, in the forms that a body has, or compressed as CloudWatch Logs hands them over.
fn data(element: &str, bytes_max: usize) -> Option<Vec<u8>> {
    let Data { data } = serde_json::from_str(element).ok()?;
    let mut bytes = STANDARD.decode(data).ok()?;
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut unpacked = Vec::new();
        Decoded::new("gzip", &bytes[..], bytes_max as u64).ok()?.read_to_end(&mut unpacked).ok()?;
        bytes = unpacked;
    }
    let (lines, _) = folded_lines(bytes);
    // What is no text stays as it was sent.
    (!lines.is_empty() && std::str::from_utf8(&lines).is_ok()).then_some(lines)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::lines;
    use super::*;

    const RECORD: &str =
        r#"{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{"id":"1","message":"a"},{"id":"2","message":"b"}]}"#;
    const EVENTS: &str = "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"1\",\"id\":\"1\",\"message\":\"a\"}\n\
                          {\"messageType\":\"DATA_MESSAGE\",\"owner\":\"1\",\"id\":\"2\",\"message\":\"b\"}\n";

    fn text(body: &str) -> (String, u64) {
        let (lines, count) = lines(body.as_bytes().to_vec());
        (String::from_utf8(lines).unwrap(), count)
    }

    fn firehose(data: &[&[u8]]) -> String {
        let elements: Vec<_> = data.iter().map(|data| format!("{{\"data\":\"{}\"}}", STANDARD.encode(data))).collect();
        format!("{{\"requestId\":\"r\",\"timestamp\":1,\"records\":[{}]}}", elements.join(","))
    }

    #[test]
    fn events_that_one_line_holds_are_lines_of_their_own() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(RECORD.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        for (body, wanted) in [
            (RECORD.to_owned(), EVENTS.to_owned()),
            (format!("{{\"a\":1}}\n{RECORD}\n{{\"b\":2}}\n"), format!("{{\"a\":1}}\n{EVENTS}{{\"b\":2}}\n")),
            (format!("[{RECORD},\n{RECORD}]"), EVENTS.repeat(2)),
            (format!("{RECORD}{RECORD}"), EVENTS.repeat(2)),
            (r#"{"Records":[{"a":[1]},{"b":2}]}"#.to_owned(), "{\"a\":[1]}\n{\"b\":2}\n".to_owned()),
            ("{\n \"Records\" : [ {\"a\":\n1},\n{\"b\":2} ]\n}\n".to_owned(), "{\"a\": 1}\n{\"b\":2}\n".to_owned()),
            (format!("{{\"Records\":[{RECORD}]}}\n{{\"a\":1}}"), format!("{EVENTS}{{\"a\":1}}\n")),
            ("[{\"a\":1},{\"b\":2}]\n[{\"c\":3}]\n".to_owned(), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n".to_owned()),
            (
                firehose(&[b"one\ntwo\n", b"{\"a\":1}{\"b\":2}", &gzip]),
                format!("one\ntwo\n{{\"a\":1}}\n{{\"b\":2}}\n{EVENTS}"),
            ),
            // What is no text stays as it came.
            (firehose(&[b"\xff\xfe"]), "{\"data\":\"//4=\"}\n".to_owned()),
        ] {
            let count = wanted.lines().count() as u64;
            assert_eq!(text(&body), (wanted, count), "{body}");
        }
    }

    #[test]
    fn what_only_looks_so_stays_one_line() {
        for line in [
            r#"{"messageType":"x","logEvents":[]}"#,
            r#"{"Records":[1]}"#,
            r#"{"Records":[]}"#,
            r#"{"Records":[{"a":1}],"other":1}"#,
            r#"{"Records":[{"a":1}"#,
            r#"{"records":[{"data":"YQ=="}]}"#,
            r#"{"requestId":"r","records":[{"data":"YQ=="}],"user":"ann"}"#,
            r#"{"a":"\"Records\" \"logEvents\"","Records":1}"#,
        ] {
            assert_eq!(text(line), (format!("{line}\n"), 1));
        }
    }

    #[test]
    fn what_would_become_too_much_stays_as_it_is() {
        let common = "x".repeat(4000);
        let events = vec!["{\"a\":1}"; 20_000].join(",");
        let line = format!("{{\"messageType\":\"{common}\",\"logEvents\":[{events}]}}");
        assert_eq!(text(&line), (format!("{line}\n"), 1));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b'a'; 50 << 20]).unwrap();
        let line = firehose(&[&gzip.finish().unwrap()]);
        let (kept, count) = text(&line);
        assert_eq!((kept.starts_with("{\"data\":\"H4sI"), count), (true, 1));
    }
}
