//! The line of an event whose envelope says more than the event itself: host, time and program stand beside its text, in a JSON
//! object that the shapes `hec`, `loki` and `otlp` read (schemas/json-shapes.yaml). Decides nothing about the text.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

/// What an envelope says; what it does not say is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Carrier<'a> {
    /// The protocol.
    pub(super) via: &'static str,
    /// Seconds, or nanoseconds, since 1970, as the sender wrote them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<Cow<'a, str>>,
    /// Where the sender read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<&'a RawValue>,
    /// The event: a line, or JSON.
    pub(super) text: Cow<'a, str>,
}

impl Carrier<'_> {
    pub(super) fn write(mut self, out: &mut Vec<u8>) {
        // A line that names its program itself is no message of the program that the envelope names.
        if begins_as_line(self.text.as_bytes()) {
            self.program = None;
        }
        // Texts only: nothing of it can fail.
        let start = out.len();
        if serde_json::to_writer(&mut *out, &self).is_err() {
            out.truncate(start);
            out.extend_from_slice(self.text.replace('\n', " ").as_bytes());
        }
    }
}

/// Whether a text begins as lines with a header of their own do: a priority, a month, a date, or an object.
fn begins_as_line(text: &[u8]) -> bool {
    match text {
        [b'<', b'0'..=b'9', ..] | [b'{', ..] => true,
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', b' ' | b'0'..=b'9', b'0'..=b'9', b' ', ..] => true,
        [year @ .., _] if year.len() > 10 => {
            text[4] == b'-' && text[7] == b'-' && [0, 1, 2, 3, 5, 6, 8, 9].iter().all(|at| text[*at].is_ascii_digit())
        }
        _ => false,
    }
}

/// The first of the names that has a value.
pub(super) fn first_of<'a>(names: &[&str], mut value: impl FnMut(&str) -> Option<&'a str>) -> Option<Cow<'a, str>> {
    names.iter().find_map(|name| value(name)).filter(|text| !text.is_empty()).map(Cow::Borrowed)
}
