//! JSON arrays to lines: `[{…}, {…}]` and `{"Records": [{…}]}`, as clouds write the files of their audit logs. Each element
//! becomes a line, line feeds within it become blanks; what stands outside of arrays stays as it is.
//!
//! Nothing is held but what is read at once, and an array that was cut off gives the elements that it has: a body of `POST /ingest`
//! (`body.rs`) is looked at as a whole before any of it counts, because its sender can be told.

use super::handed::TextMaker;

/// What stands in front of the array where it is the value of a member, without blanks.
const MEMBER: &[u8] = b"{\"Records\":";

/// Whether a file begins as one of these.
pub(crate) fn detect(first: &[u8]) -> bool {
    let mut inside = first.iter().filter(|byte| !byte.is_ascii_whitespace());
    let mut begins = |start: &[u8]| start.iter().all(|wanted| inside.next() == Some(wanted));
    match first.trim_ascii_start().first() {
        Some(b'[') => {
            begins(b"[{") && {
                // Empty objects may stand in front.
                let mut last = b'{';
                let next = inside.find(|byte| {
                    let is_of_empty = matches!((last, **byte), (b'{', b'}') | (b'}', b',') | (b',', b'{'));
                    last = **byte;
                    !is_of_empty
                });
                next == Some(&b'"')
            }
        }
        Some(b'{') => begins(MEMBER) && begins(b"["),
        _ => false,
    }
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteState {
    /// Before an array; so much of [`MEMBER`] has been read.
    Before(usize),
    /// Outside of arrays, in text that is passed on to the end of its line.
    Other,
    /// In an array, this deep in its elements; the array itself is 0.
    Inside(u32),
    /// In a string of an element.
    Quoted(u32),
    /// Behind a backslash in such a string.
    Escaped(u32),
}

/// A line for each element.
#[derive(Debug)]
pub(super) struct ElementLines {
    state: ByteState,
    /// The array was the value of a member: the bracket of its object is to come.
    is_member: bool,
    /// The line at hand has bytes.
    has_line: bool,
}

impl Default for ElementLines {
    fn default() -> Self {
        ElementLines { state: ByteState::Before(0), is_member: false, has_line: false }
    }
}

impl TextMaker for ElementLines {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.take_byte(*byte, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // Half of what may stand in front of an array is text.
        if let ByteState::Before(known) = self.state {
            out.extend_from_slice(&MEMBER[..known]);
        }
        self.state = ByteState::Other;
    }
}

impl ElementLines {
    fn take_byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            ByteState::Before(known) => self.take_before(known, byte, out),
            ByteState::Other => {
                out.push(byte);
                if byte == b'\n' {
                    self.state = ByteState::Before(0);
                }
            }
            ByteState::Inside(depth) => self.take_inside(depth, byte, out),
            ByteState::Quoted(depth) => {
                self.push(byte, out);
                match byte {
                    b'"' => self.state = ByteState::Inside(depth),
                    b'\\' => self.state = ByteState::Escaped(depth),
                    _ => {}
                }
            }
            ByteState::Escaped(depth) => {
                self.push(byte, out);
                self.state = ByteState::Quoted(depth);
            }
        }
    }

    fn take_before(&mut self, known: usize, byte: u8, out: &mut Vec<u8>) {
        if byte.is_ascii_whitespace() || known == 0 && byte == b'}' && self.is_member {
            self.is_member &= byte != b'}';
        } else if byte == b'[' && (known == 0 || known == MEMBER.len()) {
            self.is_member = known > 0;
            self.state = ByteState::Inside(0);
        } else if MEMBER.get(known) == Some(&byte) {
            self.state = ByteState::Before(known + 1);
        } else {
            out.extend_from_slice(&MEMBER[..known]);
            out.push(byte);
            self.state = ByteState::Other;
        }
    }

    fn take_inside(&mut self, depth: u32, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b',' if depth == 0 => self.end_line(out),
            b']' if depth == 0 => {
                self.end_line(out);
                self.state = ByteState::Before(0);
            }
            _ if depth == 0 && byte.is_ascii_whitespace() => {}
            _ => {
                self.push(byte, out);
                self.state = match byte {
                    b'"' => ByteState::Quoted(depth),
                    b'[' | b'{' => ByteState::Inside(depth.saturating_add(1)),
                    b']' | b'}' => ByteState::Inside(depth.saturating_sub(1)),
                    _ => ByteState::Inside(depth),
                };
            }
        }
    }

    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        out.push(if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
        self.has_line = true;
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.has_line) {
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::handed::MadeText;
    use super::*;

    fn lines(text: &str) -> String {
        assert!(detect(text.trim_start_matches('\u{feff}').as_bytes()), "{text}");
        let mut out = String::new();
        MadeText::<_, ElementLines>::new(text.as_bytes()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn each_element_is_a_line_and_nothing_is_lost() {
        assert_eq!(lines(r#"[{"a":1},{"b":[2,{"c":3}]}]"#), "{\"a\":1}\n{\"b\":[2,{\"c\":3}]}\n");
        assert_eq!(
            lines("{\"Records\" : [\n {\"a\": \"x,]}\\\"\",\n \"b\": 2}\n ]\n}\n"),
            "{\"a\": \"x,]}\\\"\",  \"b\": 2}\n"
        );
        assert_eq!(lines("[{\"a\":1}]\n[{\"a\":2}]\n"), "{\"a\":1}\n{\"a\":2}\n");
        assert_eq!(lines("[{\"a\":1}]\nMar  4 text\n{\"Rec\n"), "{\"a\":1}\nMar  4 text\n{\"Rec");
        assert_eq!(lines("\u{feff}[{\"a\":1}]\n\u{feff}x\n"), "{\"a\":1}\n\u{feff}x\n");
        // An array that is not closed.
        assert_eq!(lines("[{\"a\":1},{\"b\""), "{\"a\":1}\n{\"b\"");
        assert_eq!(lines("{\"Records\":[{\"a\":1}]} {\"x\":1}"), "{\"a\":1}\n{\"x\":1}");
    }

    #[test]
    fn other_files_are_left_alone() {
        for text in ["[2026-03-04] text", "{\"a\":1}", "{\"Records\":1}", "[]", "[1,2]", ""] {
            assert!(!detect(text.as_bytes()), "{text}");
        }
    }
}
