//! GELF over HTTP: an object, or several, each an event as it came. Chunks and datagrams are no matter of this file.

use std::io::BufRead;

use super::sink::{Lines, Payload, PayloadError};
use super::values::{self, Found};

/// Bodies of `/gelf`.
#[derive(Debug, Default)]
pub struct Gelf;

impl Payload for Gelf {
    fn read(&mut self, body: &mut dyn BufRead, lines: &mut Lines<'_>) -> Result<(), PayloadError> {
        let mut value = Vec::new();
        loop {
            match values::next(body, &mut value)? {
                Found::End if lines.report.events == 0 => return Err(PayloadError::Empty),
                Found::End => return Ok(()),
                Found::Object => lines.json(&value)?,
                // Its clients look at no answer: what is no object is kept, too.
                Found::Text => lines.poison(&value, "no_object")?,
            }
        }
    }
}
