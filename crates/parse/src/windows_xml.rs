//! Windows events as XML (`<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">…</Event>`), as Event Viewer,
//! `wevtutil` and shippers write them: made the JSON object that the same record of an `.evtx` file becomes, and read as that, so
//! that there is one place for what the fields mean.
//!
//! No general XML: no document types, no entities but the five and numbers, nothing that refers to anything outside.

use std::borrow::Cow;
use std::ops::Range;

use event::{BatchBuilder, DatasetId};
use memchr::{memchr, memmem};

use crate::context::{Context, Refusal};
use crate::json;
use crate::needle::bytes_of;
use crate::needle::{find, find_byte};

/// How far apart members of one key may stand to become one array.
const SAME_KEY_WITHIN: usize = 64;
/// Deepest nesting of elements.
const DEPTH_MAX: usize = 24;
/// What the element ends with.
pub(crate) const END: &[u8] = b"</Event>";

/// The element, behind a declaration and the list that it may stand in.
fn event_element(text: &[u8]) -> Option<&[u8]> {
    let mut text = text.trim_ascii_start();
    if text.starts_with(b"<?xml ") {
        text = text[memchr(b'>', text)? + 1..].trim_ascii_start();
    }
    if let Some(rest) = text.strip_prefix(b"<Events>") {
        text = rest.trim_ascii_start();
    }
    let is_event = text.starts_with(b"<Event ") || text.starts_with(b"<Event>");
    is_event.then_some(text)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.first() == Some(&b'<') && event_element(text).is_some()
}

/// Whether the element begins in the line and ends in another.
pub(crate) fn goes_on(line: &[u8]) -> bool {
    looks_like(line) && !line.ends_with(END) && find!(line, END).is_none()
}

/// Where the next such element begins.
pub(crate) fn next_start(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"<Event").find(|at| matches!(text.get(at + 6), Some(b' ' | b'>')))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let Some(element) = event_element(text) else {
        return Err(Refusal::Other("no Windows event: it does not begin with <Event>"));
    };
    let element = shown(element);
    let mut reader = XmlReader::new(&element);
    let broken = Refusal::Broken("a Windows event whose XML is not whole");
    let Some((name, value)) = reader.element(0) else { return Err(broken) };
    json::read(&reader.event(&name, value), context, rows)
}

/// At a place in the text.
struct XmlReader<'a> {
    text: &'a str,
    at: usize,
    /// Values in JSON, one behind the other: those of an element behind those within it.
    out: Vec<u8>,
    /// `SystemTime` of the first `TimeCreated`: that of the event itself.
    time: Option<Cow<'a, str>>,
    /// What stands in the element within `UserData`, whose name differs from provider to provider: where rules look for it.
    user_data: Option<Range<usize>>,
}

/// A member of an object, whose value stands in [`XmlReader::out`].
struct XmlMember<'a> {
    key: Cow<'a, str>,
    value: Range<usize>,
    /// A member in front of it has the same key.
    is_again: bool,
    /// Number of the next one with the same key.
    next: Option<usize>,
}

/// Members of an object, in their order.
#[derive(Default)]
struct Members<'a>(Vec<XmlMember<'a>>);

impl<'a> Members<'a> {
    fn add(&mut self, key: Cow<'a, str>, value: Range<usize>) {
        let number = self.0.len();
        let before = self.0.iter_mut().rev().take(SAME_KEY_WITHIN).find(|known| known.key == key);
        let is_again = before.is_some();
        if let Some(before) = before {
            before.next = Some(number);
        }
        self.0.push(XmlMember { key, value, is_again, next: None });
    }
}

/// A tag: its name without prefix, attributes, whether it is closed at once.
type XmlTag<'a> = (Cow<'a, str>, Vec<(Cow<'a, str>, Cow<'a, str>)>, bool);

impl<'a> XmlReader<'a> {
    fn new(text: &'a str) -> Self {
        XmlReader { text, at: 0, out: Vec::with_capacity(text.len() * 2), time: None, user_data: None }
    }

    /// The whole event, as the JSON object that it becomes.
    fn event(&self, name: &str, value: Range<usize>) -> Vec<u8> {
        let mut json = Vec::with_capacity(2 * value.len() + 128);
        json.push(b'{');
        if let Some(time) = &self.time {
            json.extend_from_slice(b"\"@timestamp\":");
            push_quoted(&mut json, time);
            json.push(b',');
        }
        if let Some(data) = &self.user_data {
            json.extend_from_slice(b"\"winlog\":{\"user_data\":");
            json.extend_from_slice(&self.out[data.clone()]);
            json.extend_from_slice(b"},");
        }
        push_quoted(&mut json, name);
        json.push(b':');
        json.extend_from_slice(&self.out[value]);
        json.push(b'}');
        json
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Text from so many bytes behind this place on.
    fn part(&self, from: usize, length: usize) -> &'a str {
        self.text.get(self.at + from..self.at + from + length).unwrap_or_default()
    }

    /// Name and value of the element that begins here. `None` where it is not whole.
    fn element(&mut self, depth: usize) -> Option<(Cow<'a, str>, Range<usize>)> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (name, mut attributes, is_closed) = self.tag()?;
        if name == "TimeCreated" && self.time.is_none() {
            self.time = attributes.iter().find(|(key, _)| key == "SystemTime").map(|(_, value)| value.clone());
        }
        let mut members = Members::default();
        let mut text = Cow::Borrowed("");
        if !is_closed {
            self.inside(depth, &mut text, &mut members)?;
        }
        let text = text.trim();
        // `<Data Name="TargetUserName">ann</Data>` is a member of that name.
        if name == "Data"
            && let Some(own) = attributes.iter().position(|(key, _)| key == "Name")
        {
            return Some((attributes.swap_remove(own).1, self.quoted(text)));
        }
        if name == "UserData" && depth == 1 && self.user_data.is_none() {
            let inner = members.0.first().map(|member| member.value.clone());
            self.user_data = inner.filter(|value| self.out.get(value.start) == Some(&b'{'));
        }
        if attributes.is_empty() {
            let value = if members.0.is_empty() { self.quoted(text) } else { self.object(&members) };
            return Some((name, value));
        }
        let (mut all, mut own) = (Members::default(), Members::default());
        for (key, value) in attributes {
            let value = self.quoted(&value);
            own.add(key, value);
        }
        let own = self.object(&own);
        all.add(Cow::Borrowed("#attributes"), own);
        if members.0.is_empty() && !text.is_empty() {
            let text = self.quoted(text);
            all.add(Cow::Borrowed("#text"), text);
        }
        let before = all.0.len();
        members.0.iter_mut().for_each(|member| member.next = member.next.map(|number| number + before));
        all.0.append(&mut members.0);
        Some((name, self.object(&all)))
    }

    /// Texts and elements up to the closing tag.
    fn inside(&mut self, depth: usize, text: &mut Cow<'a, str>, members: &mut Members<'a>) -> Option<()> {
        loop {
            let next = find_byte(b'<', self.rest())?;
            if next > 0 {
                push_text(text, unescaped(self.part(0, next)));
                self.at += next;
            }
            if let Some(data) = self.rest().strip_prefix(b"<![CDATA[") {
                let end = find!(data, b"]]>")?;
                push_text(text, Cow::Borrowed(self.part(9, end)));
                self.at += 9 + end + 3;
            } else if self.rest().starts_with(b"<!--") {
                self.at += find!(self.rest(), b"-->")? + 3;
            } else if self.rest().starts_with(b"</") {
                self.at += find_byte(b'>', self.rest())? + 1;
                return Some(());
            } else {
                let (key, value) = self.element(depth + 1)?;
                members.add(key, value);
            }
        }
    }

    /// Writes a text as JSON.
    fn quoted(&mut self, text: &str) -> Range<usize> {
        let start = self.out.len();
        push_quoted(&mut self.out, text);
        start..self.out.len()
    }

    /// Writes an object; all values that a key has become an array.
    fn object(&mut self, members: &Members<'_>) -> Range<usize> {
        let start = self.out.len();
        self.out.push(b'{');
        for (at, member) in members.0.iter().enumerate().filter(|(_, member)| !member.is_again) {
            if at > 0 {
                self.out.push(b',');
            }
            push_quoted(&mut self.out, &member.key);
            self.out.push(b':');
            let is_list = member.next.is_some();
            if is_list {
                self.out.push(b'[');
            }
            self.out.extend_from_within(member.value.clone());
            let mut next = member.next;
            while let Some(other) = next.and_then(|number| members.0.get(number)) {
                self.out.push(b',');
                self.out.extend_from_within(other.value.clone());
                next = other.next;
            }
            if is_list {
                self.out.push(b']');
            }
        }
        self.out.push(b'}');
        start..self.out.len()
    }

    /// `<Name key="value" …>`
    fn tag(&mut self) -> Option<XmlTag<'a>> {
        self.at += 1;
        let name = self.name()?;
        let mut attributes = Vec::new();
        loop {
            self.skip_blanks();
            match self.rest() {
                [b'>', ..] => {
                    self.at += 1;
                    return Some((name, attributes, false));
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    return Some((name, attributes, true));
                }
                _ => {
                    let key = self.name()?;
                    self.skip_blanks();
                    self.at += self.rest().strip_prefix(b"=").map(|_| 1)?;
                    self.skip_blanks();
                    let quote_byte = *self.rest().first().filter(|byte| matches!(byte, b'"' | b'\''))?;
                    let inside = &self.rest()[1..];
                    let end = find_byte(quote_byte, inside)?;
                    attributes.push((key, unescaped(self.part(1, end))));
                    self.at += end + 2;
                }
            }
        }
    }

    fn name(&mut self) -> Option<Cow<'a, str>> {
        const NAMES: [bool; 256] = bytes_of(b"_-.:", true);
        let is_name = |byte: u8| NAMES[usize::from(byte)] || byte >= 0x80;
        let length = self.rest().iter().position(|byte| !is_name(*byte)).unwrap_or(self.rest().len());
        let name = self.part(0, length);
        self.at += length;
        (length > 0).then_some(Cow::Borrowed(name))
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
}

/// The text; what is no UTF-8 in it is replaced.
fn shown(text: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(text),
    }
}

/// Whether a text has what JSON escapes. Looked at eight bytes at a time.
fn needs_escapes(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & (ONES << 7);
    let (chunks, rest) = text.as_chunks::<8>();
    let is_in_chunks = chunks.iter().any(|chunk| {
        let word = u64::from_le_bytes(*chunk);
        less(word, 0x20) | less(word ^ (ONES * u64::from(b'"')), 1) | less(word ^ (ONES * u64::from(b'\\')), 1) != 0
    });
    is_in_chunks || rest.iter().any(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
}

/// A JSON string; most texts need no escapes.
fn push_quoted(out: &mut Vec<u8>, text: &str) {
    if needs_escapes(text.as_bytes()) {
        return out.extend_from_slice(event::json::quote(text).as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn push_text<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() || text.trim().is_empty() {
        *text = more;
    } else {
        text.to_mut().push_str(&more);
    }
}

/// Text without entities; what is none stays as it stands.
fn unescaped(text: &str) -> Cow<'_, str> {
    if find_byte(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.as_bytes().iter().take(10).position(|byte| *byte == b';').unwrap_or(0);
        let character = match &rest[..end] {
            "&lt" => Some('<'),
            "&gt" => Some('>'),
            "&amp" => Some('&'),
            "&quot" => Some('"'),
            "&apos" => Some('\''),
            number => number
                .strip_prefix("&#x")
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                .or_else(|| number.strip_prefix("&#")?.parse().ok())
                .and_then(char::from_u32),
        };
        match character {
            Some(character) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::needs_escapes;

    proptest! {
        #[test]
        fn texts_with_escapes_are_told(text in "[a-d\u{80}\u{1f}\"\\\\ é]{0,40}") {
            let expected = text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
            prop_assert_eq!(needs_escapes(text.as_bytes()), expected);
        }
    }
}
