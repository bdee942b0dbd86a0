//! Fluentd's Forward protocol, version 1 (github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1): all modes, with events as
//! lines of JSON. A message with a chunk is acknowledged, and a chunk that is sent again is taken once. Traces and metrics are refused.

use std::io::BufReader;

use event::Timestamp;
use event::block::digest;

use super::handshake::Handshake;
use super::intake::{
    Advance, MESSAGE_BYTES_MAX, Protocol, Refusal, ShipperIntake, UNPACKED_BYTES_MAX, foreign, too_long,
};
use super::msgpack::{self, Cursor, Fault, MsgValue, Scanned, ValueScan, put_text};
use super::packed::Entries;
use crate::body::Decoded;
use crate::push::Lines;
use crate::spool::{Begun, NAMES_MAX, Seen};

/// Label of counters.
const SOURCE: &str = "forward";
/// Longest tag that stands beside an event, and longest name of a chunk, in bytes.
const TAG_BYTES_MAX: usize = 256;
const CHUNK_BYTES_MAX: usize = 256;
/// Events of one message: a few bytes may unpack to very many.
const EVENTS_MAX: u64 = 1_000_000;
/// Bytes that are kept of what cannot be read on.
const BROKEN_BYTES_KEPT: usize = 64 << 10;
/// Keys that are an event's own time.
const TIME_KEYS: [&[u8]; 5] = [b"@timestamp", b"timestamp", b"time", b"date", b"ts"];

/// One connection.
pub(super) struct Forward {
    seen: Seen,
    /// Whose chunks they are: names count for one sender.
    peer: String,
    scan: ValueScan,
    /// Until the peer has shown that it knows the key.
    handshake: Option<Handshake>,
}

/// What a message says beside its events.
#[derive(Default)]
struct MessageTold<'a> {
    chunk: Option<&'a [u8]>,
    compressed: &'a [u8],
    /// Of Fluent Bit: 0 logs, 1 metrics, 2 traces.
    signal: u64,
}

impl Forward {
    pub(super) fn new(seen: Seen, peer: String, handshake: Option<Handshake>) -> Self {
        Forward { seen, peer, scan: ValueScan::default(), handshake }
    }

    fn message(&mut self, message: &[u8], intake: &mut ShipperIntake) -> Result<(), Refusal> {
        if let Some(handshake) = &self.handshake {
            let (answer, knows) = handshake.pong(message)?;
            intake.answers.extend(answer);
            if !knows {
                return Err(Refusal::new("wrong_key", "the peer does not know shippers.forward_shared_key"));
            }
            self.handshake = None;
            return Ok(());
        }
        if message == [0xC0] {
            return Ok(());
        }
        let told = told(message).unwrap_or_default();
        let Some(chunk) = told.chunk else {
            return put(message, &told, intake).map(|_| ());
        };
        let name = String::from_utf8_lossy(chunk);
        if name.is_empty() || name.len() > CHUNK_BYTES_MAX {
            return Err(Refusal::new("bad_chunk", format!("the name of a chunk has 1 to {CHUNK_BYTES_MAX} bytes")));
        }
        match self.seen.begin(digest(&[b"forward", self.peer.as_bytes(), chunk])) {
            Begun::New(claim) => {
                let start = intake.lines.len();
                let events = put(message, &told, intake)?;
                intake.named(claim, start, events);
            }
            Begun::Taken(events) => intake.duplicates += events,
            Begun::Pending => {
                return Err(Refusal::new(
                    "pending",
                    "a chunk came again while it is being taken: it is to be sent later",
                ));
            }
        }
        intake.answers.push(0x81);
        put_text("ack", &mut intake.answers);
        put_text(&name, &mut intake.answers);
        Ok(())
    }
}

impl Protocol for Forward {
    fn greeting(&mut self) -> Vec<u8> {
        self.handshake.as_ref().map(Handshake::helo).unwrap_or_default()
    }

    fn take(&mut self, input: &[u8], intake: &mut ShipperIntake) -> Result<Advance, Refusal> {
        let mut taken = 0;
        loop {
            let rest = &input[taken..];
            match rest.first() {
                None => return Ok(Advance { taken, need: 1 }),
                // An array, or nothing: a sign of life.
                Some(0x90..=0x9F | 0xDC | 0xDD | 0xC0) => {}
                Some(_) => {
                    let what = foreign(rest).unwrap_or("no message of Forward");
                    return Err(Refusal::new("other_protocol", format!("what came is {what}")));
                }
            }
            match self.scan.advance(rest).map_err(unread)? {
                Scanned::Whole(length) => {
                    self.message(&rest[..length], intake)?;
                    taken += length;
                    if intake.batches.len() >= NAMES_MAX {
                        return Ok(Advance { taken, need: 1 });
                    }
                }
                Scanned::Need(need) if need > MESSAGE_BYTES_MAX => {
                    let words = format!("a message is longer than {MESSAGE_BYTES_MAX} bytes: make chunks smaller");
                    return Err(Refusal::new("too_long", words));
                }
                Scanned::Need(need) => return Ok(Advance { taken, need }),
            }
        }
    }
}

fn unread(fault: Fault) -> Refusal {
    Refusal::new(fault.reason(), "what came cannot be read as MessagePack, and so not where the next message begins")
}

/// The options: the last value, where it is a map behind the events.
fn told(message: &[u8]) -> Result<MessageTold<'_>, Fault> {
    let mut told = MessageTold::default();
    let mut cursor = Cursor(message);
    let MsgValue::Array(values) = cursor.next()? else { return Ok(told) };
    let options = {
        cursor.whole()?;
        let is_message = !matches!(Cursor(cursor.0).next()?, MsgValue::Array(_) | MsgValue::Text(_));
        if is_message { 3 } else { 2 }
    };
    for _ in 1..options.min(values) {
        cursor.whole()?;
    }
    if values <= options {
        return Ok(told);
    }
    let MsgValue::Map(pairs) = cursor.next()? else { return Ok(told) };
    for _ in 0..pairs {
        let key = cursor.next()?;
        let mut value = Cursor(cursor.whole()?);
        match (key, value.next()?) {
            (MsgValue::Text(b"chunk"), MsgValue::Text(chunk)) => told.chunk = Some(chunk),
            (MsgValue::Text(b"compressed"), MsgValue::Text(how)) => told.compressed = how,
            (MsgValue::Text(b"fluent_signal"), MsgValue::Unsigned(signal)) => told.signal = signal,
            _ => {}
        }
    }
    Ok(told)
}

/// Puts the events of a message in; how many. What is none is kept as it came.
fn put(message: &[u8], told: &MessageTold<'_>, intake: &mut ShipperIntake) -> Result<u64, Refusal> {
    let before = intake.report.events;
    intake.put(SOURCE, |lines| {
        if told.signal != 0 {
            lines.rejected("no_logs");
            return Ok(());
        }
        if !events(message, told, lines)? {
            poison(message, "no_event", lines)?;
        }
        Ok(())
    })?;
    Ok(intake.report.events - before)
}

/// False where it is no message of any mode.
fn events(message: &[u8], told: &MessageTold<'_>, lines: &mut Lines<'_>) -> Result<bool, Refusal> {
    let mut cursor = Cursor(message);
    let (Ok(MsgValue::Array(2..=4)), Ok(MsgValue::Text(tag))) = (cursor.next(), cursor.next()) else {
        return Ok(false);
    };
    let tag = &tag[..tag.len().min(TAG_BYTES_MAX)];
    let entries = cursor;
    match cursor.next() {
        Ok(MsgValue::Text(packed)) => unpacked(packed, told, tag, lines)?,
        Ok(MsgValue::Array(count)) => {
            for at in 0..count {
                within(at)?;
                let Ok(value) = cursor.whole() else { return Ok(false) };
                entry(value, tag, lines)?;
            }
        }
        Ok(_) => {
            // The time and the record are values of the message itself.
            let mut cursor = entries;
            if cursor.whole().is_err() {
                return Ok(false);
            }
            let Ok(record) = cursor.whole() else { return Ok(false) };
            if !one(entries, record, tag, lines)? {
                return Ok(false);
            }
        }
        Err(_) => return Ok(false),
    }
    Ok(true)
}

/// Entries in a text of their own, compressed or not.
fn unpacked(packed: &[u8], told: &MessageTold<'_>, tag: &[u8], lines: &mut Lines<'_>) -> Result<(), Refusal> {
    let encoding = match told.compressed {
        b"" | b"text" => "",
        b"gzip" => "gzip",
        b"zstd" => "zstd",
        _ => return poison(packed, "unknown_compression", lines),
    };
    let Ok(unpacked) = Decoded::new(encoding, packed, UNPACKED_BYTES_MAX) else {
        return poison(packed, "bad_compression", lines);
    };
    let mut entries = Entries::new(BufReader::with_capacity(64 << 10, unpacked));
    for at in 0.. {
        within(at)?;
        match entries.next() {
            Ok(Some(value)) => entry(value, tag, lines)?,
            Ok(None) => return Ok(()),
            Err(broken) if broken.is_too_large => {
                let words = format!("a chunk unpacks to more than {UNPACKED_BYTES_MAX} bytes: make chunks smaller");
                return Err(Refusal::new("too_long", words));
            }
            // What came before it is good.
            Err(broken) => return poison(if encoding.is_empty() { broken.rest } else { packed }, broken.reason, lines),
        }
    }
    Ok(())
}

/// Whether one message may have one more event.
fn within(events: u64) -> Result<(), Refusal> {
    if events <= EVENTS_MAX {
        return Ok(());
    }
    Err(Refusal::new("too_long", format!("a message has more than {EVENTS_MAX} events: make chunks smaller")))
}

/// `[time, record]`
fn entry(value: &[u8], tag: &[u8], lines: &mut Lines<'_>) -> Result<(), Refusal> {
    let mut cursor = Cursor(value);
    if cursor.next() == Ok(MsgValue::Array(2)) {
        let time = cursor;
        if cursor.whole().is_ok() && one(time, cursor.0, tag, lines)? {
            return Ok(());
        }
    }
    poison(value, "no_event", lines)
}

/// False where the record is none.
fn one(mut time: Cursor<'_>, record: &[u8], tag: &[u8], lines: &mut Lines<'_>) -> Result<bool, Refusal> {
    let Ok(time) = read_time(&mut time) else { return Ok(false) };
    let mut json = Vec::with_capacity(record.len() * 2);
    let Ok(MsgValue::Map(pairs)) = Cursor(record).next() else { return Ok(false) };
    if Cursor(record).json(&mut json).is_err() {
        return Ok(false);
    }
    let (has_time, has_tag) = own_keys(record, pairs);
    let written = lines.written(|out| {
        out.push(b'{');
        if let Some(time) = time.filter(|_| !has_time) {
            out.extend_from_slice(format!("\"@timestamp\":\"{time}\",").as_bytes());
        }
        if !has_tag && !tag.is_empty() {
            out.extend_from_slice(b"\"fluent.tag\":");
            msgpack::text(tag, out);
            out.push(b',');
        }
        if pairs == 0 && out.last() == Some(&b',') {
            out.pop();
        }
        out.extend_from_slice(&json[1..]);
    });
    written.map_err(too_long)?;
    Ok(true)
}

/// Whether the record says its time and its tag itself.
fn own_keys(record: &[u8], pairs: u64) -> (bool, bool) {
    let mut cursor = Cursor(record);
    let (mut has_time, mut has_tag) = (false, false);
    if cursor.next().is_err() {
        return (false, false);
    }
    for _ in 0..pairs {
        let Ok(key) = cursor.whole() else { break };
        if let Ok(MsgValue::Text(key)) = Cursor(key).next() {
            has_time |= TIME_KEYS.contains(&key);
            has_tag |= key == b"fluent.tag";
        }
        if cursor.whole().is_err() {
            break;
        }
    }
    (has_time, has_tag)
}

/// Seconds, `EventTime` (seconds and nanoseconds), or either with Fluent Bit's metadata: `[time, {…}]`.
fn read_time(cursor: &mut Cursor<'_>) -> Result<Option<Timestamp>, Fault> {
    let seconds = |seconds: i64| Timestamp(seconds.saturating_mul(1_000_000)).within_years();
    Ok(match cursor.next()? {
        MsgValue::Unsigned(time) => Some(seconds(i64::try_from(time).unwrap_or(i64::MAX))),
        MsgValue::Signed(time) => Some(seconds(time)),
        MsgValue::Float(time) if time.is_finite() => Some(Timestamp((time * 1e6) as i64).within_years()),
        MsgValue::Extension(0, bytes) if bytes.len() == 8 => {
            let part = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            Some(seconds(i64::from(part(0))).saturating_add_us(i64::from(part(4) / 1000)))
        }
        MsgValue::Array(1..) => return read_time(cursor),
        _ => None,
    })
}

/// Kept as JSON where it can be read, as Base64 where not.
fn poison(value: &[u8], reason: &'static str, lines: &mut Lines<'_>) -> Result<(), Refusal> {
    use base64::Engine as _;
    let mut json = Vec::new();
    let kept = &value[..value.len().min(BROKEN_BYTES_KEPT)];
    let mut cursor = Cursor(value);
    if cursor.json(&mut json).is_err() || !cursor.0.is_empty() || json.len() > 4 * BROKEN_BYTES_KEPT {
        if kept.len() < value.len() {
            lines.is_cut();
        }
        json = base64::engine::general_purpose::STANDARD.encode(kept).into_bytes();
    }
    lines.poison(&json, reason).map_err(too_long)
}

#[cfg(test)]
mod tests;
