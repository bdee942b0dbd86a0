//! Percent-encoding undone to a fixpoint, and characters made plain: the first step of every view. A step never makes a
//! text longer than three times what it was.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// Most rounds of percent-decoding: a text that is still encoded after so many is not read by anybody.
const PERCENT_ROUNDS_MAX: usize = 4;

/// The text in lower case with its percent-encodings undone, to a fixpoint. With `plus`, a plus of the text itself is a
/// space. Where nothing changes, the text itself is given back.
pub fn decode(text: &str, plus: bool) -> Cow<'_, str> {
    match decode_cased(text, plus) {
        Cow::Borrowed(text) => simplify(text),
        Cow::Owned(text) => match simplify(&text) {
            Cow::Owned(text) => Cow::Owned(text),
            Cow::Borrowed(_) => Cow::Owned(text),
        },
    }
}

/// Decodes a request target as [`decode`] does: a plus is a space in its query only.
pub fn decode_target(target: &str) -> Cow<'_, str> {
    let query = memchr(b'?', target.as_bytes()).filter(|at| memchr(b'+', &target.as_bytes()[*at..]).is_some());
    let Some(query) = query else { return decode(target, false) };
    let mut bytes = target.as_bytes().to_vec();
    bytes[query..].iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    if !target.is_ascii() || memchr(b'%', &bytes).is_some() {
        return Cow::Owned(decode(&text_of(bytes), false).into_owned());
    }
    bytes.make_ascii_lowercase();
    Cow::Owned(text_of(bytes))
}

/// Bytes as text. What is no UTF-8 is repaired, never left out: an attack could hide there.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| repaired(error.as_bytes()))
}

/// Without its percent-encodings, in the case it was written in.
pub fn decode_cased(text: &str, plus: bool) -> Cow<'_, str> {
    let has = |byte: u8| memchr(byte, text.as_bytes()).is_some();
    let plus = plus && has(b'+');
    if !plus && !has(b'%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    if plus {
        bytes.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    }
    let mut rounds = 0;
    while rounds < PERCENT_ROUNDS_MAX && percent_decode(&mut bytes, Units::BytesAndCharacters) {
        rounds += 1;
    }
    Cow::Owned(text_of(bytes))
}

/// In lower case; characters that look or decompose like ASCII ones are those.
pub fn simplify(text: &str) -> Cow<'_, str> {
    if !text.bytes().fold(false, |any, byte| any | (byte.is_ascii_uppercase() || byte >= 0x80)) {
        Cow::Borrowed(text)
    } else if text.is_ascii() {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Owned(simplified(text))
    }
}

/// Between the parameters of a query that begins at `query` an ampersand, also where it was written as an entity, once
/// or several times over, as links do that were escaped too often: `a=1&amp;id=3` is `a=1&id=3`. That is so only where
/// the name of a parameter follows: what else stands there may be a command, whose separator is the end of the entity.
/// Where nothing changes, the text itself is given back.
pub fn plain_ampersands(text: &str, query: usize) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let starts = memchr_iter(b'&', &text.as_bytes()[query..]).map(|at| query + at + 1);
    for start in std::iter::once(query).chain(starts) {
        let rest = &text[start..];
        let own = after_entities(rest);
        if own.len() < rest.len() && start >= kept && starts_with_name(own) {
            out.push_str(&text[kept..start]);
            kept = text.len() - own.len();
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// A name of a parameter stands there, or nothing before the next parameter.
fn starts_with_name(text: &str) -> bool {
    let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)));
    end.is_none_or(|end| matches!(text.as_bytes()[end], b'=' | b'&'))
}

/// What stands behind the entities for an ampersand that the text begins with.
fn after_entities(text: &str) -> &str {
    let mut rest = text;
    while let Some(after) = after_entity(rest) {
        rest = after;
    }
    rest
}

/// An entity without its own ampersand. Clients that read `&amp;id=3` as a parameter called `amp;id` encode it again.
fn after_entity(text: &str) -> Option<&str> {
    let after = match strip(text, &["amp"]) {
        Some(after) => after,
        None => {
            let number = strip(text, &["#", "%23"])?;
            let (digits, code) = strip(number, &["x"]).map_or((number, "38"), |digits| (digits, "26"));
            digits.trim_start_matches('0').strip_prefix(code)?
        }
    };
    strip(after, &[";", "%3b", "%253b"])
}

/// The text without one of the beginnings, in any case.
fn strip<'t>(text: &'t str, beginnings: &[&str]) -> Option<&'t str> {
    beginnings.iter().find_map(|beginning| {
        let found = text.get(..beginning.len())?;
        found.eq_ignore_ascii_case(beginning).then(|| &text[beginning.len()..])
    })
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// What percent-escapes stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// `%41`.
    Bytes,
    /// `%u0041`, too, as some servers read it.
    BytesAndCharacters,
}

/// One round, in place. Invalid escapes stay. False where nothing changed.
pub fn percent_decode(bytes: &mut Vec<u8>, units: Units) -> bool {
    let Some(first) = memchr(b'%', bytes) else { return false };
    let (mut read, mut write) = (first, first);
    let mut changed = false;
    while read < bytes.len() {
        let byte = bytes[read];
        if byte != b'%' {
            bytes[write] = byte;
            (read, write) = (read + 1, write + 1);
            continue;
        }
        let digit = |at: usize| bytes.get(read + at).copied().and_then(hex);
        if let (Some(high), Some(low)) = (digit(1), digit(2)) {
            bytes[write] = high << 4 | low;
            (read, write, changed) = (read + 3, write + 1, true);
        } else if let (Some(b'u' | b'U'), Some(a), Some(b), Some(c), Some(d)) =
            (bytes.get(read + 1), digit(2), digit(3), digit(4), digit(5))
            && units == Units::BytesAndCharacters
        {
            let unit = u32::from(a) << 12 | u32::from(b) << 8 | u32::from(c) << 4 | u32::from(d);
            let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            let mut encoded = [0; 4];
            for byte in character.encode_utf8(&mut encoded).bytes() {
                bytes[write] = byte;
                write += 1;
            }
            (read, changed) = (read + 6, true);
        } else {
            bytes[write] = byte;
            (read, write) = (read + 1, write + 1);
        }
    }
    bytes.truncate(write);
    changed
}

/// Bytes that are not UTF-8, as lenient decoders read them: overlong forms mean what they spell, single bytes are
/// Latin-1 where they are white space, everything else is U+FFFD.
fn repaired(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        out.push_str(std::str::from_utf8(&rest[..valid]).unwrap_or_default());
        rest = &rest[valid..];
        let Some(first) = rest.first() else { break };
        let (character, length) = overlong(rest).unwrap_or(match first {
            0xA0 | 0x85 => (' ', 1),
            _ => (char::REPLACEMENT_CHARACTER, 1),
        });
        out.push(character);
        rest = &rest[length..];
    }
    out
}

/// An ASCII character written with two, three or four bytes; the lead and trail bytes may also lack their marks, as old
/// servers accepted.
fn overlong(bytes: &[u8]) -> Option<(char, usize)> {
    let trail = |at: usize| bytes.get(at).map(|byte| u32::from(byte & 0x3F));
    let (code, length) = match *bytes.first()? {
        lead @ (0xC0 | 0xC1) => (u32::from(lead & 1) << 6 | trail(1)?, 2),
        0xE0 => (trail(1)? << 6 | trail(2)?, 3),
        0xF0 => (trail(1)? << 12 | trail(2)? << 6 | trail(3)?, 4),
        _ => return None,
    };
    let character = char::from_u32(code).filter(char::is_ascii)?;
    Some((character, length))
}

/// Lower case; characters that look or decompose like ASCII ones become those, invisible ones go.
fn simplified(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let simple = match character {
            'A'..='Z' => character.to_ascii_lowercase(),
            character if character.is_ascii() => character,
            '\u{FF01}'..='\u{FF5E}' => {
                let code = character as u32 - 0xFF01 + 0x21;
                char::from_u32(code).unwrap_or(character).to_ascii_lowercase()
            }
            '\u{2B9}' | '\u{2BB}' | '\u{2BC}' | '\u{2C8}' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' => '\'',
            '\u{2BA}' | '\u{201C}' | '\u{201D}' | '\u{2033}' => '"',
            '\u{2024}' | '\u{FE52}' | '\u{3002}' | '\u{FF61}' => '.',
            '\u{2044}' | '\u{2215}' | '\u{29F8}' => '/',
            '\u{2216}' | '\u{29F5}' | '\u{29F9}' | '\u{FE68}' => '\\',
            '\u{2039}' | '\u{27E8}' | '\u{3008}' | '\u{FE64}' => '<',
            '\u{203A}' | '\u{27E9}' | '\u{3009}' | '\u{FE65}' => '>',
            '\u{207D}' | '\u{208D}' | '\u{FE59}' => '(',
            '\u{207E}' | '\u{208E}' | '\u{FE5A}' => ')',
            '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{2028}' | '\u{2029}' | '\u{202F}' | '\u{3000}' => ' ',
            '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' => continue,
            '\u{17F}' => 's',
            '\u{212A}' => 'k',
            '\u{131}' => 'i',
            other => other,
        };
        out.push(simple);
    }
    out
}
