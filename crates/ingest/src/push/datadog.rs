//! What Datadog's agent and its libraries send: an array of objects, or one; each is an event as it came. Bodies of text are lines.

use std::io::BufRead;

use super::sink::{Lines, Payload, PayloadError};
use super::values::{self, NextValue};

/// Bodies of `/api/v2/logs` and `/v1/input`.
#[derive(Debug, Default)]
pub struct Datadog;

impl Payload for Datadog {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let mut value = Vec::new();
        loop {
            match values::next(body, &mut value)? {
                // The agent probes with `{}`.
                NextValue::Object if value.trim_ascii() == b"{}" => {}
                NextValue::Object => lines.json(&value)?,
                NextValue::Text => lines.text(&value)?,
                NextValue::End => return Ok(()),
            }
        }
    }
}
