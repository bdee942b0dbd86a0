//! Windows events as XML (`<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">…</Event>`), as Event Viewer,
//! `wevtutil` and shippers write them: made the JSON object that the same record of an `.evtx` file becomes, and read as that, so
//! that there is one place for what the fields mean.
//!
//! No general XML: no document types, no entities but the five and numbers, nothing that refers to anything outside.

use event::{BatchBuilder, DatasetId};
use memchr::{memchr, memmem};

use crate::context::{Context, Refusal};
use crate::json;

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
    looks_like(line) && memmem::find(line, END).is_none()
}

/// Where the next such element begins.
pub(crate) fn next_start(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"<Event").find(|at| matches!(text.get(at + 6), Some(b' ' | b'>')))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let Some(element) = event_element(text) else {
        return Err(Refusal::Other("no Windows event: it does not begin with <Event>"));
    };
    let mut reader = XmlReader { text: element, at: 0, time: None, user_data: None };
    let mut json = String::with_capacity(element.len() * 2);
    json.push('{');
    let broken = Refusal::Broken("a Windows event whose XML is not whole");
    let Some((name, value)) = reader.element(0) else { return Err(broken) };
    if let Some(time) = &reader.time {
        json.push_str("\"@timestamp\":");
        json.push_str(time);
        json.push(',');
    }
    if let Some(data) = &reader.user_data {
        json.push_str("\"winlog\":{\"user_data\":");
        json.push_str(data);
        json.push_str("},");
    }
    json.push_str(&quote(&name));
    json.push(':');
    json.push_str(&value);
    json.push('}');
    json::read(json.as_bytes(), context, rows)
}

/// At a place in the text.
struct XmlReader<'a> {
    text: &'a [u8],
    at: usize,
    /// `SystemTime` of the first `TimeCreated`, quoted: that of the event itself.
    time: Option<String>,
    /// What stands in the element within `UserData`, whose name differs from provider to provider: where rules look for it.
    user_data: Option<String>,
}

/// Members of an object, in their order, with all values that a key has.
#[derive(Default)]
struct Members(Vec<(String, Vec<String>)>);

impl Members {
    fn add(&mut self, key: String, value: String) {
        match self.0.iter_mut().rev().take(64).find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => self.0.push((key, vec![value])),
        }
    }

    fn json(&self) -> String {
        let member = |(key, values): &(String, Vec<String>)| match &values[..] {
            [value] => format!("{}:{value}", quote(key)),
            _ => format!("{}:[{}]", quote(key), values.join(",")),
        };
        format!("{{{}}}", self.0.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

impl<'a> XmlReader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Name and value, in JSON, of the element that begins here. `None` where it is not whole.
    fn element(&mut self, depth: usize) -> Option<(String, String)> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (name, attributes, is_closed) = self.tag()?;
        if name == "TimeCreated" && self.time.is_none() {
            self.time = attributes.0.iter().find(|(key, _)| key == "SystemTime").map(|(_, values)| values[0].clone());
        }
        let mut members = Members::default();
        let mut text = String::new();
        loop {
            if is_closed {
                break;
            }
            let next = memchr(b'<', self.rest())?;
            text.push_str(&unescaped(&self.rest()[..next]));
            self.at += next;
            if let Some(data) = self.rest().strip_prefix(b"<![CDATA[") {
                let end = memmem::find(data, b"]]>")?;
                text.push_str(&String::from_utf8_lossy(&data[..end]));
                self.at += 9 + end + 3;
            } else if self.rest().starts_with(b"<!--") {
                self.at += memmem::find(self.rest(), b"-->")? + 3;
            } else if self.rest().starts_with(b"</") {
                self.at += memchr(b'>', self.rest())? + 1;
                break;
            } else {
                let (key, value) = self.element(depth + 1)?;
                members.add(key, value);
            }
        }
        // `<Data Name="TargetUserName">ann</Data>` is a member of that name.
        let own =
            attributes.0.iter().find(|(key, _)| name == "Data" && key == "Name").map(|(_, values)| values[0].clone());
        if let Some(quoted) = own {
            let key = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
            return Some((key.to_owned(), quote(text.trim())));
        }
        if name == "UserData" && depth == 1 && self.user_data.is_none() {
            let inner = members.0.first().and_then(|(_, values)| values.first());
            self.user_data = inner.filter(|value| value.starts_with('{')).cloned();
        }
        let is_leaf = members.0.is_empty();
        let text = text.trim();
        if is_leaf && attributes.0.is_empty() {
            return Some((name, quote(text)));
        }
        if !attributes.0.is_empty() {
            members.0.insert(0, ("#attributes".to_owned(), vec![attributes.json()]));
        }
        if is_leaf && !text.is_empty() {
            members.add("#text".to_owned(), quote(text));
        }
        Some((name, members.json()))
    }

    /// `<Name key="value" …>`: name without its prefix, attributes, whether it is closed at once.
    fn tag(&mut self) -> Option<(String, Members, bool)> {
        self.at += 1;
        let name = self.name()?;
        let mut attributes = Members::default();
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
                    let end = memchr(quote_byte, inside)?;
                    attributes.add(key, quote(&unescaped(&inside[..end])));
                    self.at += end + 2;
                }
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || *byte >= 0x80;
        let length = self.rest().iter().take_while(|byte| is_name(byte)).count();
        let name = &self.rest()[..length];
        self.at += length;
        (length > 0).then(|| String::from_utf8_lossy(name).into_owned())
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
}

/// A JSON string; most texts need no escapes.
fn quote(text: &str) -> String {
    if text.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        return event::json::quote(text);
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    out.push_str(text);
    out.push('"');
    out
}

/// Text without entities; what is none stays as it stands.
fn unescaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
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
    out
}
