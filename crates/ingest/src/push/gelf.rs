//! GELF over HTTP: an object, or several, each an event as it came. Chunks and datagrams are no matter of this file.

use std::io::BufRead;

use super::sink::{Lines, Payload, PayloadError};
use super::values::{self, NextValue};

/// Bodies of `/gelf`.
#[derive(Debug, Default)]
pub struct Gelf;

impl Payload for Gelf {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let mut value = Vec::new();
        loop {
            match values::next(body, &mut value)? {
                NextValue::End if lines.report.events == 0 => return Err(PayloadError::Empty),
                NextValue::End => return Ok(()),
                NextValue::Object => lines.json(&value)?,
                // Its clients look at no answer: what is no object is kept, too.
                NextValue::Text => lines.poison(&value, "no_object")?,
            }
        }
    }
}
