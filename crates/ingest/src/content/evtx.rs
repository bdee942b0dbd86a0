//! Windows event logs (`.evtx`) to lines of JSON: one object for each record, `{"@timestamp":…,"Event":{"System":…}}`, nested as the
//! operating system writes events. What cannot be read of a damaged log becomes a line of text that says so.

use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use evtx::{EvtxParser, IntoIterChunks, ParserSettings};

use super::handed::hand_over;

/// Lines of what is read through it.
pub(super) struct EventLines<R: Read + Seek> {
    chunks: IntoIterChunks<R>,
    settings: Arc<ParserSettings>,
    text: Vec<u8>,
    at: usize,
}

impl<R: Read + Seek> EventLines<R> {
    pub(super) fn new(file: R) -> io::Result<Self> {
        let parser = EvtxParser::from_read_seek(file)
            .map_err(|error| io::Error::other(format!("no Windows event log: {error}")))?;
        let settings = ParserSettings::default().num_threads(1);
        let parser = parser.with_configuration(settings.clone());
        Ok(EventLines { chunks: parser.into_chunks(), settings: Arc::new(settings), text: Vec::new(), at: 0 })
    }

    /// The lines of the next chunk; false at the end.
    fn fill(&mut self) -> bool {
        self.text.clear();
        self.at = 0;
        let Some(chunk) = self.chunks.next() else { return false };
        let mut chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                push_error(&mut self.text, "a chunk", &error);
                return true;
            }
        };
        let mut chunk = match chunk.parse(Arc::clone(&self.settings)) {
            Ok(chunk) => chunk,
            Err(error) => {
                push_error(&mut self.text, "a chunk", &error);
                return true;
            }
        };
        for record in chunk.iter() {
            match record.and_then(|record| record.into_json()) {
                Ok(record) => push_record(&mut self.text, &record.timestamp, &record.data),
                Err(error) => push_error(&mut self.text, "a record", &error),
            }
        }
        true
    }
}

/// The object with the time of the record in front: how deep in it the time stands differs.
fn push_record(text: &mut Vec<u8>, time: &dyn std::fmt::Display, json: &str) {
    let inside = json.trim().strip_prefix('{').unwrap_or("}");
    // Writing to memory does not fail.
    let _written = write!(text, "{{\"@timestamp\":\"{time}\",");
    if let Some(data) = user_data(json) {
        let _written = write!(text, "\"winlog\":{{\"user_data\":{data}}},");
    }
    let start = text.len();
    text.extend_from_slice(inside.as_bytes());
    // Line feeds stand within strings only as escapes, and between members they mean nothing.
    text[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    text.push(b'\n');
}

/// What stands in the element within `UserData`, whose name differs from provider to provider: where rules look for it.
fn user_data(json: &str) -> Option<String> {
    if !json.contains("\"UserData\"") {
        return None;
    }
    let record: serde_json::Value = serde_json::from_str(json).ok()?;
    let elements = record.get("Event")?.get("UserData")?.as_object()?;
    elements.values().find(|value| value.is_object()).map(ToString::to_string)
}

fn push_error(text: &mut Vec<u8>, what: &str, error: &dyn std::fmt::Display) {
    let error = error.to_string().replace(['\n', '\r'], " ");
    let _written = writeln!(text, "{what} of the Windows event log cannot be read: {error}");
}

impl<R: Read + Seek> Read for EventLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if !self.fill() {
                return Ok(0);
            }
        }
        Ok(hand_over(&self.text, &mut self.at, into))
    }
}

#[cfg(test)]
mod tests;
