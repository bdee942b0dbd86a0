//! Lumberjack, version 2, as Beats and Logstash speak it (github.com/elastic/go-lumber, its frames): windows of JSON events, compressed or
//! not. A window is acknowledged by its last number. Version 1 is refused.

use std::io::Read;

use super::intake::{
    Advance, MESSAGE_BYTES_MAX, Protocol, Refusal, ShipperIntake, UNPACKED_BYTES_MAX, foreign, too_long,
};
use crate::body::{BodyError, Decoded};
use crate::push::{DEPTH_MAX, Lines};

/// Label of counters.
const SOURCE: &str = "lumberjack";
/// Version and kind, and a number behind them.
const HEAD_BYTES: usize = 6;
/// Kind of an event in pairs: how many of them may be.
const PAIRS_MAX: u32 = 65_536;
/// An acknowledgement of nothing: the sender knows that we are there.
const ALIVE: [u8; HEAD_BYTES] = *b"2A\0\0\0\0";

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Lumberjack {
    /// Events that are still to come of the window.
    left: u32,
    /// Number of the last event.
    last: u32,
}

/// One frame, without its head.
#[derive(Debug)]
enum BeatsFrame<'a> {
    Window(u32),
    Json(u32, &'a [u8]),
    Pairs(u32, &'a [u8]),
    Compressed(&'a [u8]),
}

/// A frame and its length, or how many bytes are needed to know more.
fn frame(input: &[u8]) -> Result<Result<(BeatsFrame<'_>, usize), usize>, Refusal> {
    let number = |at: usize| input.get(at..at + 4)?.first_chunk().copied().map(u32::from_be_bytes);
    match input {
        [] | [b'2'] => return Ok(Err(HEAD_BYTES)),
        [b'2', b'W' | b'J' | b'C' | b'D', ..] => {}
        [b'1', b'W' | b'D' | b'C', ..] | [b'1'] => {
            let words =
                "the sender speaks version 1 of Lumberjack; version 2 is read: Beats, Logstash 2.2 and later speak it";
            return Err(Refusal::new("version_1", words));
        }
        _ => {
            let what = foreign(input).unwrap_or("no frame of Lumberjack");
            return Err(Refusal::new("other_protocol", format!("what came is {what}")));
        }
    }
    let Some(first) = number(2) else { return Ok(Err(HEAD_BYTES)) };
    let (start, length) = match input[1] {
        b'W' => return Ok(Ok((BeatsFrame::Window(first), HEAD_BYTES))),
        b'C' => (HEAD_BYTES, first as usize),
        b'J' => match number(HEAD_BYTES) {
            Some(length) => (HEAD_BYTES + 4, length as usize),
            None => return Ok(Err(HEAD_BYTES + 4)),
        },
        _ => match pairs_bytes(input)? {
            Ok(length) => (HEAD_BYTES, length),
            Err(need) => return Ok(Err(need)),
        },
    };
    if length > MESSAGE_BYTES_MAX {
        return Err(Refusal::new("too_long", format!("a frame is longer than {MESSAGE_BYTES_MAX} bytes")));
    }
    let end = start + length;
    let Some(payload) = input.get(start..end) else { return Ok(Err(end)) };
    let frame = match input[1] {
        b'C' => BeatsFrame::Compressed(payload),
        b'J' => BeatsFrame::Json(first, payload),
        _ => BeatsFrame::Pairs(first, payload),
    };
    Ok(Ok((frame, end)))
}

/// Bytes of an event in pairs behind its head, or how many bytes are needed to know more.
fn pairs_bytes(input: &[u8]) -> Result<Result<usize, usize>, Refusal> {
    let number = |at: usize| input.get(at..at + 4)?.first_chunk().copied().map(u32::from_be_bytes);
    let Some(pairs) = number(HEAD_BYTES) else { return Ok(Err(HEAD_BYTES + 4)) };
    if pairs > PAIRS_MAX {
        return Err(Refusal::new("too_long", format!("an event has more than {PAIRS_MAX} pairs")));
    }
    let mut at = HEAD_BYTES + 4;
    for _ in 0..pairs * 2 {
        let Some(length) = number(at) else { return Ok(Err(at + 4)) };
        at = at.saturating_add(4 + length as usize);
        if at > MESSAGE_BYTES_MAX {
            return Err(Refusal::new("too_long", format!("an event is longer than {MESSAGE_BYTES_MAX} bytes")));
        }
    }
    Ok(Ok(at - HEAD_BYTES))
}

impl Lumberjack {
    /// An event of the window.
    fn event(&mut self, number: u32, intake: &mut ShipperIntake, json: &[u8]) -> Result<(), Refusal> {
        intake.put(SOURCE, |lines| put(json, lines))?;
        self.left = self.left.saturating_sub(1);
        self.last = number;
        if self.left == 0 {
            self.acknowledge(intake);
        }
        Ok(())
    }

    fn acknowledge(&self, intake: &mut ShipperIntake) {
        intake.answers.extend(b"2A");
        intake.answers.extend(self.last.to_be_bytes());
    }

    fn frame(&mut self, frame: &BeatsFrame<'_>, is_inner: bool, intake: &mut ShipperIntake) -> Result<(), Refusal> {
        match *frame {
            BeatsFrame::Window(0) => {}
            BeatsFrame::Window(size) => {
                if self.left > 0 {
                    // The sender has ended its last window early: it may, and waits for what it has sent.
                    self.acknowledge(intake);
                }
                self.left = size;
            }
            BeatsFrame::Json(number, json) => self.event(number, intake, json)?,
            BeatsFrame::Pairs(number, pairs) => self.event(number, intake, &object(pairs))?,
            BeatsFrame::Compressed(_) if is_inner => {
                return Err(Refusal::new("nested", "a compressed frame holds a compressed frame"));
            }
            BeatsFrame::Compressed(packed) => self.compressed(packed, intake)?,
        }
        Ok(())
    }

    fn compressed(&mut self, packed: &[u8], intake: &mut ShipperIntake) -> Result<(), Refusal> {
        let broken = |error: BodyError| match error {
            BodyError::TooLarge { .. } => {
                Refusal::new("too_long", format!("a frame unpacks to more than {UNPACKED_BYTES_MAX} bytes"))
            }
            error => Refusal::new("bad_compression", format!("a compressed frame cannot be read: {error}")),
        };
        let mut unpacked = Vec::new();
        let mut reader = Decoded::new("deflate", packed, UNPACKED_BYTES_MAX).map_err(broken)?;
        reader.read_to_end(&mut unpacked).map_err(|error| broken(BodyError::of("deflate", error)))?;
        let mut rest = &unpacked[..];
        while !rest.is_empty() {
            match frame(rest)? {
                Ok((inner, length)) => {
                    self.frame(&inner, true, intake)?;
                    rest = &rest[length..];
                }
                Err(_) => return Err(Refusal::new("ends_early", "a compressed frame ends within a frame")),
            }
        }
        Ok(())
    }
}

impl Protocol for Lumberjack {
    fn take(&mut self, input: &[u8], intake: &mut ShipperIntake) -> Result<Advance, Refusal> {
        let mut taken = 0;
        loop {
            match frame(&input[taken..])? {
                Ok((frame, length)) => {
                    self.frame(&frame, false, intake)?;
                    taken += length;
                }
                Err(need) => return Ok(Advance { taken, need }),
            }
        }
    }

    fn alive(&self) -> &'static [u8] {
        &ALIVE
    }
}

/// What is no object is kept as it came: an error would bring the whole window again.
fn put(json: &[u8], lines: &mut Lines<'_>) -> Result<(), Refusal> {
    let is_object = json.trim_ascii_start().first() == Some(&b'{')
        && serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok()
        && depth(json) <= DEPTH_MAX;
    let done = if is_object { lines.json(json) } else { lines.poison(json, "no_object") };
    done.map_err(too_long)
}

/// Nesting of JSON that is sound.
pub(super) fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// An event in pairs, as JSON.
fn object(pairs: &[u8]) -> Vec<u8> {
    let mut object = serde_json::Map::new();
    let mut rest = pairs.get(4..).unwrap_or_default();
    let mut text = || {
        let (length, behind) = rest.split_at_checked(4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (text, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    while let (Some(key), Some(value)) = (text(), text()) {
        object.insert(key, serde_json::Value::String(value));
    }
    serde_json::Value::Object(object).to_string().into_bytes()
}

#[cfg(test)]
mod tests;
