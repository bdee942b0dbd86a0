//! What stands behind a backslash in a JSON string: RFC 8259 §7, and `\xHH`, which nginx and Apache write for bytes. What is
//! neither stays in the text as it stands, and the line is marked: one wrong escape must not hide a request.

use event::json::byte_escapes;

/// An escape that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escape {
    /// Bytes of the line that it takes.
    pub(crate) length: usize,
    /// JSON does not know it.
    pub(super) is_foreign: bool,
    /// Nobody knows it: it stands in the text as it was written.
    pub(super) is_mended: bool,
}

/// Reads the escape at the start of `rest` and writes what it means; `None` where the line ends behind the backslash.
#[inline]
pub(crate) fn read(rest: &[u8], out: &mut Vec<u8>) -> Option<Escape> {
    let known = match rest.get(1)? {
        kind @ (b'"' | b'\\' | b'/') => Some(*kind as char),
        b'b' => Some('\u{8}'),
        b'f' => Some('\u{c}'),
        b'n' => Some('\n'),
        b'r' => Some('\r'),
        b't' => Some('\t'),
        _ => None,
    };
    if let Some((character, length)) = known.map(|character| (character, 2)).or_else(|| code_point(rest)) {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        return Some(Escape { length, is_foreign: false, is_mended: false });
    }
    Some(foreign(rest, out))
}

#[cold]
fn foreign(rest: &[u8], out: &mut Vec<u8>) -> Escape {
    let bytes = byte_escapes(rest);
    if bytes.is_empty() {
        out.push(b'\\');
        return Escape { length: 1, is_foreign: true, is_mended: true };
    }
    // Bytes of the line beside them make no character with them.
    out.extend_from_slice(String::from_utf8_lossy(&bytes).as_bytes());
    Escape { length: bytes.len() * 4, is_foreign: true, is_mended: false }
}

/// A text that is put together of parts of a line and of what its escapes mean.
pub(crate) fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}

/// Appends bytes as text; what is not UTF-8 becomes U+FFFD. Lines are almost always UTF-8, and checking that first is
/// quicker.
pub(crate) fn push_text(out: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// `\uHHHH` at the start of the text, and its length. A surrogate pair is joined, half of one becomes U+FFFD.
fn code_point(text: &[u8]) -> Option<(char, usize)> {
    let first = four_hex(text.strip_prefix(b"\\u")?)?;
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = text.get(6..).and_then(|rest| four_hex(rest.strip_prefix(b"\\u")?))
        && (0xDC00..0xE000).contains(&second)
    {
        let joined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

fn four_hex(text: &[u8]) -> Option<u32> {
    text.get(..4)?.iter().try_fold(0, |value, digit| (*digit as char).to_digit(16).map(|digit| value << 4 | digit))
}

/// An array whose strings have escapes that JSON does not know, as JSON that means the same.
pub(super) fn as_json(array: &[u8]) -> String {
    let mut out = Vec::with_capacity(array.len() + 16);
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &array[at..]) {
        out.extend_from_slice(&array[at..at + found]);
        at += found;
        let rest = &array[at..];
        let length = match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            _ => code_point(rest).map_or(0, |(_, length)| length),
        };
        let bytes = byte_escapes(rest);
        if length > 0 {
            out.extend_from_slice(&rest[..length]);
        } else if bytes.is_empty() {
            out.extend_from_slice(b"\\\\");
        } else {
            let text = event::json::quote(&String::from_utf8_lossy(&bytes));
            out.extend_from_slice(&text.as_bytes()[1..text.len() - 1]);
        }
        at += length.max(bytes.len() * 4).max(1);
    }
    out.extend_from_slice(&array[at..]);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_with_foreign_escapes_become_json_that_means_the_same() {
        for (written, meant) in [
            (r#"["a\x22b","c\n\u00e9"]"#, r#"["a\"b","c\né"]"#),
            (r#"["\xC3\xA4\xff"]"#, "[\"ä\u{fffd}\"]"),
            (r#"["\q\u12","\xZZ\\x22"]"#, r#"["\\q\\u12","\\xZZ\\x22"]"#),
        ] {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(&as_json(written.as_bytes())), value(meant), "{written}");
        }
    }
}
