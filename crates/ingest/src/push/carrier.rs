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
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // Texts only: nothing of it can fail.
        let start = out.len();
        if serde_json::to_writer(&mut *out, self).is_err() {
            out.truncate(start);
            out.extend_from_slice(self.text.replace('\n', " ").as_bytes());
        }
    }
}

/// The first of the names that has a value.
pub(super) fn first_of<'a>(names: &[&str], mut value: impl FnMut(&str) -> Option<&'a str>) -> Option<Cow<'a, str>> {
    names.iter().find_map(|name| value(name)).filter(|text| !text.is_empty()).map(Cow::Borrowed)
}
