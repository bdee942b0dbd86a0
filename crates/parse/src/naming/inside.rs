//! Looking into the raw text of a JSON array or object that the reader has stepped over: its elements, its members, their
//! texts. Knows no rows; what is no JSON gives nothing.

use std::borrow::Cow;

use event::ValueTag;

use crate::json::escapes;
use crate::needle::{bytes_of, find_byte, quote_or_backslash};

/// Elements of an array that are looked at.
const ELEMENTS_MAX: usize = 64;

/// The elements of an array, as they stand there.
pub(super) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = array.trim_ascii().strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        let (value, after) = value(rest)?;
        rest = after.trim_ascii_start().strip_prefix(b",").unwrap_or_default();
        Some(value)
    })
    .take(ELEMENTS_MAX)
}

/// The text of an array that holds one text without escapes and nothing else.
#[inline]
pub(super) fn only_text(array: &[u8]) -> Option<&[u8]> {
    let inside = array.strip_prefix(b"[\"")?.strip_suffix(b"\"]")?;
    quote_or_backslash(inside).is_none().then_some(inside)
}

/// As [`member`], of an array that the reader has stepped over: its elements end, so that each is gone through once.
pub(super) fn member_of_array<'a>(array: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let inside = array.trim_ascii().strip_prefix(b"[").filter(|_| !path.is_empty());
    let Some(mut rest) = inside else { return member(array, path) };
    for _ in 0..ELEMENTS_MAX {
        rest = rest.trim_ascii_start();
        let after = match rest.strip_prefix(b"{").and_then(|inside| member_within(inside, path)) {
            Some(Within::Found(value)) => return Some(value),
            Some(Within::Absent(after)) => after,
            // An empty object, or one that is no JSON within: the next element counts.
            None => {
                let (element, after) = value(rest)?;
                let found = member(element, path).filter(|_| element.first() != Some(&b'['));
                if found.is_some() {
                    return found;
                }
                after
            }
        };
        rest = after.trim_ascii_start().strip_prefix(b",").unwrap_or_default();
    }
    None
}

/// What the members of an object say of a path.
enum Within<'a> {
    /// It is there.
    Found(&'a [u8]),
    /// The object ended; the text behind it.
    Absent(&'a [u8]),
}

/// The members behind the brace of an object. `None` where they are no JSON, or there are none.
fn member_within<'a>(mut rest: &'a [u8], path: &str) -> Option<Within<'a>> {
    let (first, others) = cut(path);
    loop {
        let (key, after) = value(rest)?;
        let (value, after) = value(after.trim_ascii_start().strip_prefix(b":")?)?;
        if key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")) == Some(first.as_bytes()) {
            let found = if others.is_empty() { Some(value) } else { member(value, others) };
            // Without it, another element may have the path.
            return found.map(Within::Found);
        }
        match after.trim_ascii_start() {
            [b',', after @ ..] => rest = after,
            [b'}', after @ ..] => return Some(Within::Absent(after)),
            _ => return None,
        }
    }
}

/// The first part of a path, and the others.
pub(super) fn cut(path: &str) -> (&str, &str) {
    find_byte(b'.', path.as_bytes()).map_or((path, ""), |at| (&path[..at], &path[at + 1..]))
}

/// The value of a member of an object, by its dotted path; of an array, that of the first element which has it.
pub(super) fn member<'a>(json: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let json = json.trim_ascii();
    if path.is_empty() {
        return match json.first() {
            Some(b'[') => elements(json).next(),
            _ => Some(json),
        };
    }
    if json.first() == Some(&b'[') {
        return elements(json).find_map(|element| member(element, path).filter(|_| element.first() != Some(&b'[')));
    }
    let (first, others) = cut(path);
    let mut rest = json.strip_prefix(b"{")?;
    loop {
        let (key, after) = value(rest)?;
        let (value, after) = value(after.trim_ascii_start().strip_prefix(b":")?)?;
        let is_it = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")) == Some(first.as_bytes());
        if is_it {
            return if others.is_empty() { Some(value) } else { member(value, others) };
        }
        rest = after.trim_ascii_start().strip_prefix(b",")?;
    }
}

/// What a value says as text, and what it is in JSON; `null` says nothing.
pub(super) fn text(value: &[u8]) -> Option<(Cow<'_, [u8]>, ValueTag)> {
    let tag = match value.first()? {
        b'"' => {
            let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            return Some((unescaped(inside), ValueTag::String));
        }
        b'[' => ValueTag::Array,
        b'{' => ValueTag::Object,
        b't' | b'f' => ValueTag::Boolean,
        b'n' => return None,
        _ => ValueTag::Number,
    };
    Some((Cow::Borrowed(value), tag))
}

fn unescaped(inside: &[u8]) -> Cow<'_, [u8]> {
    if find_byte(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = find_byte(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let Some(escape) = escapes::read(rest, &mut out) else { break };
        rest = rest.get(escape.length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(escapes::text_of(out).into_bytes())
}

/// What tells where an array or an object ends.
const MARKS: [bool; 256] = bytes_of(b"\"{}[]", false);

/// The first value of the text and what follows it.
pub(super) fn value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = match text.first()? {
        b'"' => string_end(text)?,
        b'{' | b'[' => {
            let (mut at, mut open) = (0, 0_usize);
            loop {
                at += text.get(at..)?.iter().position(|byte| MARKS[usize::from(*byte)])?;
                match text[at] {
                    b'"' => at += string_end(&text[at..])?,
                    b'{' | b'[' => (open, at) = (open + 1, at + 1),
                    _ => (open, at) = (open - 1, at + 1),
                }
                if open == 0 {
                    break at;
                }
            }
        }
        b']' | b'}' => return None,
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b':')).unwrap_or(text.len()),
    };
    Some((text[..end].trim_ascii_end(), &text[end..]))
}

/// Where the string at the start of the text ends.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += quote_or_backslash(text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_elements_are_found() {
        let found = |json: &str, path: &str| {
            let value = member(json.as_bytes(), path).and_then(text);
            value.map(|(text, _)| String::from_utf8_lossy(&text).into_owned())
        };
        let list = r#" [ {"a":{"b":"x\n"},"c":[1,"]}"]}, {"d": 7 , "e":null} ] "#;
        assert_eq!(found(list, "a.b").as_deref(), Some("x\n"));
        assert_eq!(found(list, "d").as_deref(), Some("7"));
        assert_eq!(found(list, "c").as_deref(), Some(r#"[1,"]}"]"#));
        assert_eq!(
            (found(list, "e"), found(list, "z"), found("[", "a"), found("[{\"a", "a")),
            (None, None, None, None)
        );
        for (list, path) in [
            (list, "a.b"),
            (list, "a.z"),
            (list, "d"),
            (list, "c"),
            (list, "e"),
            (list, "z"),
            (list, ""),
            (r#"[{},{"a":1,"a":2},{"a":3}]"#, "a"),
            (r#"[[{"a":1}],{"a":{"b":2}},{"a":{"c":3}}]"#, "a.c"),
            (r#"[{"a" 1},{"b":1 "a":2},{"a":3}]"#, "a"),
            (r#"["a",{"a":"}"}]"#, "a"),
        ] {
            assert_eq!(member_of_array(list.as_bytes(), path), member(list.as_bytes(), path), "{list} {path}");
        }
        assert_eq!(elements(br#"["a", 2,[3]]"#).count(), 3);
        assert_eq!(found(r#"["a","b"]"#, "").as_deref(), Some("a"));
    }
}
