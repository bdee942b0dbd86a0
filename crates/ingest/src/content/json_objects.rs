//! JSON objects that stand one after another without line feeds, as Firehose writes them, or over many lines, and records of
//! CloudWatch Logs, which hold many events each: a line for each object, and for each event with what its record says of all. An object that is too
//! long, or that its own line breaks, is passed on as it is.

use std::collections::BTreeMap;

use memchr::memmem;
use serde_json::value::RawValue;

use super::handed::TextMaker;

/// Longest object that is held.
const OBJECT_BYTES_MAX: usize = 8 << 20;
/// Bytes of what a record says of all its events: they are repeated with each.
const COMMON_BYTES_MAX: usize = 4096;
/// Bytes that the events of one record may become.
const EVENTS_BYTES_MAX: usize = 64 << 20;
/// Members of a record of CloudWatch Logs.
const SUBSCRIPTION: [&[u8]; 2] = [b"\"messageType\"", b"\"logEvents\""];

/// Whether a file begins as one of these.
pub(super) fn detect(first: &[u8]) -> bool {
    let first = first.trim_ascii_start();
    if first.first() != Some(&b'{') {
        return false;
    }
    let mut scan = Scan::default();
    let end = first.iter().position(|byte| scan.step(*byte) == ObjectStep::End);
    let follows = |end: usize| first[end + 1..].iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    is_subscription(first) || end.is_some_and(|end| follows(end) == Some(&b'{')) || is_spread(first)
}

/// Whether an object begins with a line of its bracket alone, as objects are printed for people.
fn is_spread(first: &[u8]) -> bool {
    let Some(line) = memchr::memchr(b'\n', first).filter(|end| first[..*end].trim_ascii_end() == b"{") else {
        return false;
    };
    first[line..].trim_ascii_start().first() == Some(&b'"')
}

/// Whether the text has what such a record has.
pub(crate) fn is_subscription(text: &[u8]) -> bool {
    SUBSCRIPTION.iter().all(|member| memmem::find(text, member).is_some())
}

/// Where in an object the next byte stands.
#[derive(Debug, Default)]
struct Scan {
    depth: u32,
    is_quoted: bool,
    is_escaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObjectStep {
    /// Between objects.
    Outside,
    Inside,
    /// The last byte of an object.
    End,
    /// A line feed within a text: the object is broken.
    Broken,
}

impl Scan {
    fn step(&mut self, byte: u8) -> ObjectStep {
        if self.is_quoted {
            match byte {
                b'\n' => return ObjectStep::Broken,
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_quoted = false,
                _ => {}
            }
            return ObjectStep::Inside;
        }
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                return if self.depth == 0 { ObjectStep::End } else { ObjectStep::Inside };
            }
            b'"' => self.is_quoted = self.depth > 0,
            _ => {}
        }
        if self.depth > 0 { ObjectStep::Inside } else { ObjectStep::Outside }
    }
}

/// A line for each object, or for each event of one.
#[derive(Debug, Default)]
pub(super) struct ObjectLines {
    scan: Scan,
    object: Vec<u8>,
    /// The line at hand is no object, or one that is too long: it is passed on.
    is_passed: bool,
}

impl TextMaker for ObjectLines {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.take_byte(*byte, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.object);
    }
}

impl ObjectLines {
    fn take_byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.is_passed {
            out.push(byte);
            self.is_passed = byte != b'\n';
            return;
        }
        match self.scan.step(byte) {
            ObjectStep::Outside if byte.is_ascii_whitespace() => {}
            ObjectStep::Outside => {
                out.push(byte);
                self.is_passed = true;
            }
            ObjectStep::Inside => {
                self.object.push(if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
                if self.object.len() > OBJECT_BYTES_MAX {
                    self.pass(out);
                }
            }
            ObjectStep::End => {
                self.object.push(byte);
                if !put_events(&self.object, EVENTS_BYTES_MAX, out) {
                    out.extend_from_slice(&self.object);
                    out.push(b'\n');
                }
                self.object.clear();
            }
            ObjectStep::Broken => {
                self.object.push(byte);
                self.pass(out);
                self.is_passed = false;
            }
        }
    }

    fn pass(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.object);
        self.scan = Scan::default();
        self.is_passed = true;
    }
}

/// Writes a line for each event of a record of CloudWatch Logs; false where the object is no such record, or would become too much.
pub(crate) fn put_events(object: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> bool {
    if !is_subscription(object) {
        return false;
    }
    let Ok(mut members) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(object) else { return false };
    let Some(events) = members.remove("logEvents") else { return false };
    let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(events.get()) else { return false };
    let mut common = Vec::new();
    for (key, value) in members {
        let Ok(key) = serde_json::to_string(&key) else { return false };
        common.extend_from_slice(format!("{key}:{},", value.get()).as_bytes());
    }
    let is_event = |event: &&RawValue| event.get().starts_with('{') && event.get().len() > 2;
    if events.is_empty() || common.len() > COMMON_BYTES_MAX || !events.iter().all(is_event) {
        return false;
    }
    if events.len() * (common.len() + 1) + object.len() > bytes_max {
        return false;
    }
    for event in events {
        out.push(b'{');
        out.extend_from_slice(&common);
        out.extend_from_slice(&event.get().as_bytes()[1..]);
        out.push(b'\n');
    }
    true
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::handed::MadeText;
    use super::*;

    fn lines(text: &str) -> String {
        assert!(detect(text.as_bytes()), "{text}");
        let mut out = String::new();
        MadeText::<_, ObjectLines>::new(text.as_bytes()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn each_object_is_a_line_and_nothing_is_lost() {
        assert_eq!(lines(r#"{"a":"}{"}{"b":[{}]}"#), "{\"a\":\"}{\"}\n{\"b\":[{}]}\n");
        assert_eq!(
            lines("{\"a\":1}{\"b\":\n2}\nMar  4 text\n{\"c\":3}"),
            "{\"a\":1}\n{\"b\": 2}\nMar  4 text\n{\"c\":3}\n"
        );
        assert_eq!(lines("{\"a\":1} \t{\"b\":2}"), "{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(
            lines("{\n  \"a\": [\n    1\n  ]\n}\n{\r\n  \"b\": 2\r\n}\nMar  4 text\n"),
            "{   \"a\": [     1   ] }\n{    \"b\": 2  }\nMar  4 text\n"
        );
        // One that was cut off, in a text and at the end.
        assert_eq!(lines("{\"a\":1}{\"b\":\"x\n{\"c\":3}{\"d\""), "{\"a\":1}\n{\"b\":\"x\n{\"c\":3}\n{\"d\"");
    }

    #[test]
    fn each_event_of_a_record_is_a_line_with_what_the_record_says() {
        let record = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logEvents":[{"id":"1","message":"a"},{"id":"2","message":"b"}]}"#;
        let common = r#"{"logGroup":"g","messageType":"DATA_MESSAGE","owner":"1","#;
        let wanted = format!("{common}\"id\":\"1\",\"message\":\"a\"}}\n{common}\"id\":\"2\",\"message\":\"b\"}}\n");
        assert_eq!(lines(record), wanted);
        assert_eq!(lines(&[record, record].concat()), [&*wanted, &*wanted].concat());
        assert_eq!(lines(&[record, "\n", record].concat()), [&*wanted, &*wanted].concat());
        for other in [r#"{"messageType":"x","logEvents":[]}"#, r#"{"messageType":1,"logEvents":[1]}"#] {
            assert_eq!(lines(other), format!("{other}\n"));
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for text in
            ["{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}", "[{\"a\":1}]", "{{", "{\nMar  4 text\n}", "{\"a\":\"}{\"", ""]
        {
            assert!(!detect(text.as_bytes()), "{text}");
        }
    }
}
