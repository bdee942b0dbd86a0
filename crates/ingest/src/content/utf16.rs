//! Text in UTF-16, decoded while it is read. Halves of a pair that stand alone become U+FFFD; the byte order mark goes.

use std::io::{self, Read};

use super::handed::hand_over;

/// Bytes of the beginning that must look like it where there is no byte order mark.
const LOOK_BYTES: usize = 1024;
/// Fewest bytes from which that can be told.
const LOOK_BYTES_MIN: usize = 32;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Whether the text is in UTF-16, and with the low byte first. Without a byte order mark every second byte is NUL.
pub(super) fn detect(first: &[u8]) -> Option<bool> {
    match first {
        [0xFF, 0xFE, 0, 0, ..] => return None,
        [0xFF, 0xFE, ..] => return Some(true),
        [0xFE, 0xFF, ..] => return Some(false),
        _ => {}
    }
    let look = &first[..first.len().min(LOOK_BYTES) & !1];
    if look.len() < LOOK_BYTES_MIN {
        return None;
    }
    let all = |at: usize, is_nul: bool| look.iter().skip(at).step_by(2).all(|byte| (*byte == 0) == is_nul);
    if all(1, true) && all(0, false) {
        return Some(true);
    }
    (all(0, true) && all(1, false)).then_some(false)
}

/// Bytes of the byte order mark, where the text has one.
pub(crate) fn mark_bytes(first: &[u8]) -> u64 {
    if matches!(first, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) { 2 } else { 0 }
}

/// Bytes that the text takes in UTF-16. What could not be decoded took as many as what stands in its place.
pub(crate) fn encoded_bytes(text: &[u8]) -> u64 {
    String::from_utf8_lossy(text).encode_utf16().count() as u64 * 2
}

/// Whole lines of text from the middle of a file, or all of it where that holds no line end and `whole` is not asked for.
pub(crate) fn lines(raw: &[u8], is_little: bool, whole: bool) -> Vec<u8> {
    let line_end: [u8; 2] = if is_little { [b'\n', 0] } else { [0, b'\n'] };
    let end = raw.chunks_exact(2).rposition(|unit| *unit == line_end).map_or(0, |at| (at + 1) * 2);
    let raw = if end == 0 && !whole { &raw[..raw.len() & !1] } else { &raw[..end] };
    let mut decoder = Decoder::new(raw, is_little);
    decoder.is_begun = true;
    let mut text = Vec::new();
    // Reading from memory does not fail.
    let _read = decoder.read_to_end(&mut text);
    text
}

/// Decodes what is read through it.
pub(crate) struct Decoder<R> {
    inner: R,
    is_little: bool,
    /// The first half of a character, or the first byte of a half.
    high: Option<u16>,
    odd: Option<u8>,
    is_begun: bool,
    text: Vec<u8>,
    at: usize,
    raw: Vec<u8>,
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(inner: R, is_little: bool) -> Self {
        Decoder { inner, is_little, high: None, odd: None, is_begun: false, text: Vec::new(), at: 0, raw: Vec::new() }
    }

    /// False at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.at = 0;
        self.raw.resize(READ_BYTES, 0);
        let read = self.inner.read(&mut self.raw)?;
        let raw = std::mem::take(&mut self.raw);
        for byte in &raw[..read] {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(first) if self.is_little => self.unit(u16::from_le_bytes([first, *byte])),
                Some(first) => self.unit(u16::from_be_bytes([first, *byte])),
            }
        }
        self.raw = raw;
        if read == 0 && (self.high.take().is_some() | self.odd.take().is_some()) {
            self.push(char::REPLACEMENT_CHARACTER);
        }
        Ok(read > 0 || !self.text.is_empty())
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if (0xDC00..0xE000).contains(&unit) {
                let code = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                return self.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.push(char::REPLACEMENT_CHARACTER);
        }
        match unit {
            0xD800..0xDC00 => self.high = Some(unit),
            0xFEFF if !self.is_begun => self.is_begun = true,
            _ => self.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn push(&mut self, character: char) {
        self.is_begun = true;
        self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        Ok(hand_over(&self.text, &mut self.at, into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(1);
            self.0.read(&mut into[..length])
        }
    }

    fn encoded(text: &str, is_little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    fn decoded(bytes: &[u8]) -> String {
        let is_little = detect(bytes).unwrap();
        let (mut fast, mut slow) = (String::new(), String::new());
        Decoder::new(bytes, is_little).read_to_string(&mut fast).unwrap();
        Decoder::new(Slow(bytes), is_little).read_to_string(&mut slow).unwrap();
        assert_eq!(fast, slow);
        fast
    }

    #[test]
    fn both_orders_are_read_with_and_without_a_mark() {
        let text = "Nov 28 10:00:00 h1 app: Jürgen 🦀 logged in\r\n";
        for is_little in [true, false] {
            assert_eq!(decoded(&encoded(&format!("\u{FEFF}{text}"), is_little)), text);
            let plain = "Nov 28 10:00:00 h1 app: ann logged in\r\n";
            assert_eq!(decoded(&encoded(plain, is_little)), plain);
        }
        let mut cut = encoded("\u{FEFF}a🦀", true);
        cut.truncate(cut.len() - 1);
        assert_eq!(decoded(&cut), "a\u{FFFD}");
        assert_eq!(decoded(&[0xFF, 0xFE, 0x3D, 0xD8, b'a', 0]), "\u{FFFD}a");
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in [&b"Nov 28 10:00:00 h1 app: text of some length"[..], b"\0\0\0\0\0\0", &[0; 4096], b""] {
            assert_eq!(detect(text), None);
        }
    }
}
