//! Batches of CloudWatch's subscriptions to lines: `{"messageType":"DATA_MESSAGE",…,"logEvents":[{…},{…}]}`, one behind the other or
//! one in a line, become one object for each event, with what stands around the events. Other text stays as it is.
//!
//! A batch is held until it ends; one that is too large is passed on as it is, and the parser tells what it did not read.

use std::collections::BTreeMap;
use std::io::{self, Read};

use memchr::memmem;
use serde_json::value::RawValue;

use super::handed::hand_over;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Largest batch whose events become lines: CloudWatch sends 1 MiB at most, compressed.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Whether a file begins as one of these.
pub(super) fn detect(first: &[u8]) -> bool {
    let holds = |key: &[u8]| memmem::find(first, key).is_some();
    first.trim_ascii_start().starts_with(b"{\"") && holds(b"\"logEvents\"") && holds(b"\"DATA_MESSAGE\"")
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BatchState {
    Between,
    /// In text that is no batch, up to the end of its line.
    Other,
    /// In a batch, this deep.
    Inside(u32),
    Quoted(u32),
    Escaped(u32),
}

/// Lines of what is read through it.
pub(super) struct BatchLines<R> {
    inner: R,
    state: BatchState,
    batch: Vec<u8>,
    out: Vec<u8>,
    at: usize,
}

impl<R: Read> BatchLines<R> {
    pub(super) fn new(inner: R) -> Self {
        BatchLines { inner, state: BatchState::Between, batch: Vec::new(), out: Vec::new(), at: 0 }
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.out.clear();
        self.at = 0;
        let mut bytes = [0; READ_BYTES];
        let read = self.inner.read(&mut bytes)?;
        for byte in &bytes[..read] {
            self.take(*byte);
        }
        if read == 0 || self.batch.len() > BATCH_BYTES_MAX {
            self.out.append(&mut self.batch);
        }
        Ok(read > 0 || !self.out.is_empty())
    }

    fn take(&mut self, byte: u8) {
        self.state = match self.state {
            BatchState::Between if byte.is_ascii_whitespace() => return,
            BatchState::Between if byte == b'{' => BatchState::Inside(1),
            BatchState::Between | BatchState::Other => {
                self.out.push(byte);
                self.state = if byte == b'\n' { BatchState::Between } else { BatchState::Other };
                return;
            }
            BatchState::Inside(depth) => match byte {
                b'"' => BatchState::Quoted(depth),
                b'{' | b'[' => BatchState::Inside(depth.saturating_add(1)),
                b'}' | b']' => BatchState::Inside(depth.saturating_sub(1)),
                _ => BatchState::Inside(depth),
            },
            BatchState::Quoted(depth) => match byte {
                b'"' => BatchState::Inside(depth),
                b'\\' => BatchState::Escaped(depth),
                _ => BatchState::Quoted(depth),
            },
            BatchState::Escaped(depth) => BatchState::Quoted(depth),
        };
        self.batch.push(byte);
        if self.state == BatchState::Inside(0) {
            self.state = BatchState::Between;
            self.end_batch();
        }
    }

    /// One line for each event; the whole where it is no batch, or one of a single event.
    fn end_batch(&mut self) {
        let members: BTreeMap<String, &RawValue> = serde_json::from_slice(&self.batch).unwrap_or_default();
        let list = members.get("logEvents").map(|list| list.get());
        let events: Vec<&RawValue> = list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
        let place = list.filter(|_| events.len() > 1).map(|list| {
            let start = list.as_ptr() as usize - self.batch.as_ptr() as usize;
            (start, start + list.len())
        });
        match place {
            Some((from, to)) => {
                for event in events {
                    self.out.extend_from_slice(&self.batch[..from]);
                    self.out.push(b'[');
                    self.out.extend(event.get().bytes().map(blank));
                    self.out.push(b']');
                    self.out.extend(self.batch[to..].iter().copied().map(blank));
                    self.out.push(b'\n');
                }
            }
            None if members.is_empty() => {
                self.out.extend_from_slice(&self.batch);
                self.out.push(b'\n');
            }
            None => {
                self.out.extend(self.batch.iter().copied().map(blank));
                self.out.push(b'\n');
            }
        }
        self.batch.clear();
    }
}

/// Line feeds of JSON stand between its parts only.
fn blank(byte: u8) -> u8 {
    if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }
}

impl<R: Read> Read for BatchLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        Ok(hand_over(&self.out, &mut self.at, into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        let mut out = String::new();
        BatchLines::new(text.as_bytes()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn each_event_is_a_line_with_what_stands_around_it() {
        let batch = |events: &str| {
            format!(r#"{{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{events}],"owner":"}}"}}"#)
        };
        let two = batch(r#"{"id":"1","message":"a]}"},{"id":"2","message":"b\""}"#);
        assert!(detect(two.as_bytes()));
        let wanted =
            format!("{}\n{}\n", batch(r#"{"id":"1","message":"a]}"}"#), batch(r#"{"id":"2","message":"b\""}"#));
        assert_eq!(lines(&two), wanted);
        // One behind the other, as Firehose writes them, with other lines between.
        assert_eq!(
            lines(&format!("{two}{two}\nMar  4 text {{\n{two}")),
            format!("{wanted}{wanted}Mar  4 text {{\n{wanted}")
        );
        let one = batch(r#"{"id":"1"}"#);
        assert_eq!(lines(&one), format!("{one}\n"));
        assert_eq!(lines(&one.replace(',', ",\n")), format!("{}\n", one.replace(',', ", ")));
    }

    #[test]
    fn what_is_no_batch_or_does_not_end_is_passed_on() {
        for text in ["{\"a\":1}\n", "{\"a\":[1,{\n\"logEvents\": ", "{broken}\n", "text\n", ""] {
            assert_eq!(lines(text), text, "{text}");
            assert!(!detect(text.as_bytes()), "{text}");
        }
        let long = format!("{{\"logEvents\":[\"{}\",1", "x".repeat(BATCH_BYTES_MAX));
        assert_eq!(lines(&long), long);
    }
}
