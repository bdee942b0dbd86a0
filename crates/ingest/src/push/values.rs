//! The values of a body that holds JSON objects: one after another, one on each line, or in an array. What stands between them and
//! is no object is given as text. Holds one value at a time.

use std::io::{self, BufRead};

use crate::spool::ENTRY_BYTES_MAX;

/// Longest object that is looked at as one, in bytes; a longer one is text.
const VALUE_BYTES_MAX: usize = ENTRY_BYTES_MAX;
/// Deepest nesting of an object that is looked at as one; a deeper one is text.
pub const DEPTH_MAX: usize = 100;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextValue {
    /// An object, from brace to brace.
    Object,
    /// Text that is none, up to a line end.
    Text,
    /// The body ends.
    End,
}

/// Puts the next value into `into`. Commas, brackets and white space between objects are stepped over.
pub(super) fn next(body: &mut dyn BufRead, into: &mut Vec<u8>) -> io::Result<NextValue> {
    into.clear();
    let first = loop {
        let Some(byte) = peek(body)? else { return Ok(NextValue::End) };
        if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0) {
            break byte;
        }
        body.consume(1);
    };
    if first == b'{' && object(body, into)? {
        return Ok(NextValue::Object);
    }
    rest_of_line(body, into)?;
    Ok(NextValue::Text)
}

fn peek(body: &mut dyn BufRead) -> io::Result<Option<u8>> {
    Ok(body.fill_buf()?.first().copied())
}

/// Where the reader stands within an object.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Nesting {
    /// True where the object ends with this byte.
    fn after(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }
}

/// False where it does not end, or is longer or deeper than an object may be: what was read is in `into`.
fn object(body: &mut dyn BufRead, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut place = Nesting::default();
    loop {
        let bytes = body.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let room = VALUE_BYTES_MAX.saturating_sub(into.len());
        let mut used = 0;
        let mut is_whole = false;
        for byte in bytes.iter().take(room) {
            used += 1;
            is_whole = place.after(*byte);
            if is_whole || place.depth > DEPTH_MAX {
                break;
            }
        }
        into.extend_from_slice(&bytes[..used]);
        body.consume(used);
        if is_whole {
            return Ok(true);
        }
        if into.len() >= VALUE_BYTES_MAX || place.depth > DEPTH_MAX {
            return Ok(false);
        }
    }
}

/// Up to the line end, or to where a piece is full.
fn rest_of_line(body: &mut dyn BufRead, into: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let bytes = body.fill_buf()?;
        let end = memchr::memchr(b'\n', bytes);
        let room = VALUE_BYTES_MAX.saturating_sub(into.len());
        let used = end.unwrap_or(bytes.len()).min(room);
        let is_done = bytes.is_empty() || end.is_some() || used == room;
        into.extend_from_slice(&bytes[..used]);
        body.consume(used);
        if is_done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(body: &str, capacity: usize) -> Vec<(NextValue, String)> {
        let mut reader = io::BufReader::with_capacity(capacity, body.as_bytes());
        let (mut out, mut into) = (Vec::new(), Vec::new());
        loop {
            match next(&mut reader, &mut into).unwrap() {
                NextValue::End => return out,
                found => out.push((found, String::from_utf8(into.clone()).unwrap())),
            }
        }
    }

    #[test]
    fn objects_are_found_in_every_form() {
        let (object, text) = (NextValue::Object, NextValue::Text);
        for (body, wanted) in [
            (
                "{\"a\":1}{\"b\":\"}\\\"{\"}\n{\"c\":[{}]}",
                vec![(object, "{\"a\":1}"), (object, "{\"b\":\"}\\\"{\"}"), (object, "{\"c\":[{}]}")],
            ),
            ("[{\"a\":1}, {\"b\":2}]\n", vec![(object, "{\"a\":1}"), (object, "{\"b\":2}")]),
            ("{\"a\":\n1}\n\n", vec![(object, "{\"a\":\n1}")]),
            ("plain\n{\"a\":1}\nx", vec![(text, "plain"), (object, "{\"a\":1}"), (text, "x")]),
            ("{\"a\":1}\n{broken", vec![(object, "{\"a\":1}"), (text, "{broken")]),
            ("", vec![]),
            (" [ ] ", vec![]),
        ] {
            for capacity in [1, 3, 4096] {
                let wanted: Vec<_> = wanted.iter().map(|(found, text)| (*found, (*text).to_owned())).collect();
                assert_eq!(all(body, capacity), wanted, "{body} {capacity}");
            }
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_text_and_nothing_of_it_is_lost() {
        let long = format!("{{\"a\":\"{}\"}}", "z".repeat(3 * VALUE_BYTES_MAX));
        let found = all(&long, 4096);
        assert!(found.iter().all(|(found, _)| *found == NextValue::Text));
        assert_eq!(found.into_iter().map(|(_, text)| text).collect::<String>(), long);
        let deep = format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200));
        let found = all(&deep, 4096);
        assert_eq!((found.len(), found[0].0), (1, NextValue::Text));
        assert_eq!(found[0].1, deep);
    }
}
