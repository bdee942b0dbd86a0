//! GELF over TCP (go2docs.graylog.org, GELF via TCP): objects with a zero behind each. Nothing is answered. Chunks and compression are of
//! UDP alone.

use super::intake::{Advance, Protocol, Refusal, ShipperIntake, foreign, too_long};
use super::lumberjack::depth;
use crate::push::{DEPTH_MAX, Lines};
use crate::spool::ENTRY_BYTES_MAX;

/// Label of counters.
const SOURCE: &str = "gelf_tcp";
/// Longest message that is held, in bytes: of a longer one the beginning is kept.
const GELF_BYTES_MAX: usize = 2 * ENTRY_BYTES_MAX;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct GelfTcp {
    /// Bytes that are known to hold no end.
    looked_at: usize,
    /// Something was understood.
    is_gelf: bool,
    /// The rest of a message that is too long is stepped over.
    is_beyond: bool,
}

impl GelfTcp {
    fn message(&mut self, message: &[u8], intake: &mut ShipperIntake) -> Result<(), Refusal> {
        if std::mem::take(&mut self.is_beyond) || message.trim_ascii().is_empty() {
            return Ok(());
        }
        self.is_gelf = true;
        intake.put(SOURCE, |lines| put(message, lines))
    }
}

impl Protocol for GelfTcp {
    fn take(&mut self, input: &[u8], intake: &mut ShipperIntake) -> Result<Advance, Refusal> {
        let mut taken = 0;
        if !self.is_gelf
            && let Some(what) = foreign(input).filter(|_| input.first() != Some(&b'{'))
        {
            return Err(Refusal::new("other_protocol", format!("what came is {what}")));
        }
        loop {
            let rest = &input[taken..];
            let Some(end) = memchr::memchr(0, &rest[self.looked_at..]) else { break };
            let end = self.looked_at + end;
            self.looked_at = 0;
            self.message(&rest[..end], intake)?;
            taken += end + 1;
        }
        let rest = &input[taken..];
        if self.is_beyond || rest.len() > GELF_BYTES_MAX {
            if !self.is_beyond {
                intake.put(SOURCE, |lines| {
                    lines.is_cut();
                    lines.poison(&rest[..ENTRY_BYTES_MAX], "too_long").map_err(too_long)
                })?;
                self.is_beyond = true;
            }
            (taken, self.looked_at) = (input.len(), 0);
            return Ok(Advance { taken, need: 1 });
        }
        self.looked_at = rest.len();
        Ok(Advance { taken, need: rest.len() + 1 })
    }

    /// A sender that ends without the last zero has told all of the message, or not.
    fn finish(&mut self, rest: &[u8], intake: &mut ShipperIntake) {
        if let Err(refusal) = self.message(rest, intake) {
            tracing::debug!(refusal.reason, "the rest of a GELF connection is not kept");
        }
    }
}

/// An object, or text that is kept as it came.
pub(super) fn put(message: &[u8], lines: &mut Lines<'_>) -> Result<(), Refusal> {
    let message = message.trim_ascii();
    let is_object = message.first() == Some(&b'{')
        && serde_json::from_slice::<serde::de::IgnoredAny>(message).is_ok()
        && depth(message) <= DEPTH_MAX;
    let done = if is_object { lines.json(message) } else { lines.poison(message, "no_object") };
    done.map_err(too_long)
}
