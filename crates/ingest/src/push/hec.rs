//! Splunk's HTTP event collector: events are JSON objects one after another, each with `event` (text or an object) and what is
//! known beside it; raw bodies are lines. Metrics and acknowledgements are no matter of this file.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::carrier::Carrier;
use super::sink::{Lines, Payload, PayloadError};
use super::values::{self, NextValue};

/// Label of counters.
const SOURCE: &str = "hec";

/// One object of a body.
#[derive(Deserialize)]
struct HecEvent<'a> {
    #[serde(borrow)]
    #[serde(default, deserialize_with = "told")]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sourcetype: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
}

/// Bodies of `/services/collector/event`.
#[derive(Debug, Default)]
pub struct HecEvents;

/// Bytes of values that are held until it is known whether anything of the body is of the protocol.
const HELD_BYTES_MAX: usize = 1 << 20;

impl Payload for HecEvents {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let (mut value, mut held, mut held_bytes) = (Vec::new(), Vec::new(), 0);
        loop {
            let found = values::next(body, &mut value)?;
            if found == NextValue::End {
                break;
            }
            let Err(fault) = put(&value, found, lines)? else { continue };
            if lines.report.events == 0 && held_bytes < HELD_BYTES_MAX {
                held_bytes += value.len();
                held.push((std::mem::take(&mut value), fault));
            } else {
                lines.poison(&value, fault)?;
            }
        }
        if lines.report.events == 0 {
            let first = held.first().map(|(_, fault)| PayloadError::Format((*fault).to_owned()));
            return Err(first.unwrap_or(PayloadError::Empty));
        }
        for (value, fault) in held {
            lines.poison(&value, fault)?;
        }
        Ok(())
    }
}

/// A value that is there, be it `null`.
fn told<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    serde::Deserialize::deserialize(value).map(Some)
}

/// The inner error says why the value is no event.
fn put(value: &[u8], found: NextValue, lines: &mut Lines<'_>) -> Result<Result<(), &'static str>, PayloadError> {
    if found != NextValue::Object {
        return Ok(Err("Invalid data format"));
    }
    let text = String::from_utf8_lossy(value);
    let Ok(event) = serde_json::from_str::<HecEvent<'_>>(&text) else { return Ok(Err("Invalid data format")) };
    let Some(inner) = event.event.map(RawValue::get) else { return Ok(Err("Event field is required")) };
    let inner: Cow<'_, str> = match inner.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(inner).map_or(Cow::Borrowed(inner), Cow::Owned),
        _ => Cow::Borrowed(inner),
    };
    if inner.trim().is_empty() || inner == "null" {
        return Ok(Err("Event field cannot be blank"));
    }
    let labels = event.fields.filter(|fields| fields.get().len() > 2);
    let carrier = Carrier {
        via: SOURCE,
        time: event.time.map(|time| Cow::Borrowed(time.get().trim_matches('"'))).filter(|time| *time != "null"),
        host: event.host,
        source: event.source,
        kind: event.sourcetype,
        labels,
        text: inner,
        ..Carrier::default()
    };
    lines.written(|out| carrier.write(out))?;
    Ok(Ok(()))
}

/// Bodies of `/services/collector/raw`: what the query says of all lines stands beside each.
#[derive(Debug, Default)]
pub struct HecRaw {
    /// `host=`
    pub host: Option<String>,
    /// `source=`
    pub source: Option<String>,
    /// `sourcetype=`
    pub sourcetype: Option<String>,
}

impl Payload for HecRaw {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let is_bare = self.host.is_none() && self.source.is_none() && self.sourcetype.is_none();
        let mut line = Vec::new();
        while super::bulk::next_line(body, &mut line)? {
            let text = line.trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            if is_bare {
                lines.text(text)?;
                continue;
            }
            let carrier = Carrier {
                via: SOURCE,
                host: self.host.as_deref().map(Cow::Borrowed),
                source: self.source.as_deref().map(Cow::Borrowed),
                kind: self.sourcetype.as_deref().map(Cow::Borrowed),
                text: String::from_utf8_lossy(text),
                ..Carrier::default()
            };
            lines.written(|out| carrier.write(out))?;
        }
        if lines.report.events == 0 { Err(PayloadError::Empty) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::sink::Report;

    fn read(payload: &mut dyn Payload, body: &str) -> Result<(String, Report), PayloadError> {
        let mut out = Vec::new();
        let mut take = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        let mut lines = Lines::new("test", &mut take);
        payload.read(&mut body.as_bytes(), &mut lines)?;
        let report = lines.finish()?;
        Ok((String::from_utf8(out).unwrap(), report))
    }

    #[test]
    fn events_of_all_forms_are_carried() {
        let body = "{\"event\":\"one\\nline\",\"host\":\"h\",\"time\":1795915781.15}{\"event\":{\"a\":1},\"time\":\"1795915785.415\",\"sourcetype\":\"st\",\"fields\":{}}\n\n\
                    {\"event\":7,\"fields\":{\"k\":\"v\"}} {\"event\":\"\"} {\"metric\":1} junk";
        let (lines, report) = read(&mut HecEvents, body).unwrap();
        assert_eq!(
            lines,
            "{\"via\":\"hec\",\"time\":\"1795915781.15\",\"host\":\"h\",\"text\":\"one\\nline\"}\n\
             {\"via\":\"hec\",\"time\":\"1795915785.415\",\"kind\":\"st\",\"text\":\"{\\\"a\\\":1}\"}\n\
             {\"via\":\"hec\",\"labels\":{\"k\":\"v\"},\"text\":\"7\"}\n{\"event\":\"\"}\n{\"metric\":1}\njunk\n"
        );
        assert_eq!(
            report.poison,
            [("Event field cannot be blank", 1), ("Event field is required", 1), ("Invalid data format", 1)]
        );
    }

    #[test]
    fn a_body_of_nothing_usable_is_refused_with_its_reason() {
        for (body, told) in [
            ("", "the body holds no events"),
            ("junk", "Invalid data format"),
            ("{\"a\":1}{\"event\":\"\"}", "Event field is required"),
            ("{\"event\":null}", "Event field cannot be blank"),
        ] {
            assert_eq!(read(&mut HecEvents, body).unwrap_err().to_string(), told, "{body}");
        }
    }

    #[test]
    fn raw_bodies_are_lines() {
        assert_eq!(read(&mut HecRaw::default(), "a\r\n\nb").unwrap().0, "a\nb\n");
        let mut named = HecRaw { host: Some("h".to_owned()), ..HecRaw::default() };
        assert_eq!(read(&mut named, "a\n").unwrap().0, "{\"via\":\"hec\",\"host\":\"h\",\"text\":\"a\"}\n");
        assert!(matches!(read(&mut HecRaw::default(), "\n"), Err(PayloadError::Empty)));
    }
}
