//! Trees in a packed form, for files that are part of the program: they are read as YAML when it is built, and unpacking them
//! takes a small part of the time that reading takes. The slow twin is [`crate::read_each`]; tests of whoever packs files
//! compare both. What is unpacked comes from the same build: there is no version in it.

use crate::{DEPTH_MAX, Key, Kind, Location, Node, Scalar};

/// What a value is.
const NULL: u8 = 0;
const PLAIN: u8 = 1;
const QUOTED: u8 = 2;
const LIST: u8 = 3;
const MAP: u8 = 4;

/// Packs the trees of a file.
pub fn pack(documents: &[Node]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, documents.len());
    documents.iter().for_each(|node| put_node(&mut out, node));
    out
}

/// The trees that were packed; `None` where the bytes are none that [`pack`] has made.
pub fn unpack(bytes: &[u8]) -> Option<Vec<Node>> {
    let mut packed = Packed(bytes);
    let count = packed.count()?;
    let mut documents = Vec::with_capacity(count);
    for _ in 0..count {
        documents.push(packed.node(0)?);
    }
    packed.0.is_empty().then_some(documents)
}

/// Seven bits in each byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_place(out: &mut Vec<u8>, place: Location) {
    put_number(out, place.line);
    put_number(out, place.column);
}

fn put_node(out: &mut Vec<u8>, node: &Node) {
    put_place(out, node.place);
    match &node.kind {
        Kind::Null => out.push(NULL),
        Kind::Scalar(scalar) => {
            out.push(if scalar.quoted { QUOTED } else { PLAIN });
            put_text(out, &scalar.text);
        }
        Kind::List(items) => {
            out.push(LIST);
            put_number(out, items.len());
            items.iter().for_each(|item| put_node(out, item));
        }
        Kind::Map(pairs) => {
            out.push(MAP);
            put_number(out, pairs.len());
            for (key, value) in pairs {
                put_text(out, &key.text);
                put_place(out, key.place);
                put_node(out, value);
            }
        }
    }
}

/// What is left to be unpacked.
struct Packed<'a>(&'a [u8]);

impl<'a> Packed<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline]
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// How many follow. Each of them takes a byte at least.
    fn count(&mut self) -> Option<usize> {
        self.number().filter(|count| *count <= self.0.len())
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn place(&mut self) -> Option<Location> {
        Some(Location { line: self.number()?, column: self.number()? })
    }

    fn node(&mut self, depth: usize) -> Option<Node> {
        if depth > DEPTH_MAX {
            return None;
        }
        let place = self.place()?;
        let kind = match self.byte()? {
            NULL => Kind::Null,
            kind @ (PLAIN | QUOTED) => Kind::Scalar(Scalar { text: self.text()?.to_owned(), quoted: kind == QUOTED }),
            LIST => {
                let count = self.count()?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.node(depth + 1)?);
                }
                Kind::List(items)
            }
            MAP => {
                let count = self.count()?;
                let mut pairs = Vec::with_capacity(count);
                for _ in 0..count {
                    let key = Key { text: self.text()?.to_owned(), place: self.place()? };
                    pairs.push((key, self.node(depth + 1)?));
                }
                Kind::Map(pairs)
            }
            _ => return None,
        };
        Some(Node { place, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    const TEXT: &str = "a: 1\nb: '2'\nc: [x, [], {d: ~, e: ''}]\n---\n- ä\n- |\n  lines\n  of text\n---\nf:\n";

    #[test]
    fn what_is_packed_is_unpacked_as_it_was() {
        let documents = read(TEXT).unwrap();
        assert_eq!(unpack(&pack(&documents)), Some(documents));
        assert_eq!(unpack(&pack(&[])), Some(Vec::new()));
    }

    #[test]
    fn bytes_that_were_not_packed_are_refused() {
        let packed = pack(&read(TEXT).unwrap());
        assert!((0..packed.len()).all(|end| unpack(&packed[..end]).is_none()), "cut");
        assert_eq!(unpack(&[&packed[..], &[0]].concat()), None, "more than there was");
        for bytes in [&[1, 1, 1, 9][..], &[0xFF; 20], &[1, 1, 1, LIST, 200, 1, 0], &[1, 1, 1, PLAIN, 1, 0xFF]] {
            assert_eq!(unpack(bytes), None, "{bytes:?}");
        }
    }
}
