//! MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) of strangers: where a value ends, while its bytes still come, and values as
//! JSON. Nothing is allocated by what a length claims. Knows no protocol.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Deepest nesting of values.
pub(super) const DEPTH_MAX: usize = 64;

/// What is wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// They end within a value.
    Short,
    /// A byte that begins no value.
    Unknown,
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep,
}

impl Fault {
    /// Label of counters.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Fault::Short => "ends_early",
            Fault::Unknown => "no_msgpack",
            Fault::TooDeep => "too_deep",
        }
    }
}

/// A value, or the beginning of one that holds others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MsgValue<'a> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// Text, or bytes: senders mix them up.
    Text(&'a [u8]),
    /// An extension: its type and its bytes.
    Extension(i8, &'a [u8]),
    /// So many values follow.
    Array(u64),
    /// So many pairs follow.
    Map(u64),
}

/// What a byte says of the value that it begins.
enum ValueHead {
    /// All of it is in the head.
    Done,
    /// So many bytes follow the head.
    Bytes(u64),
    /// So many values follow the head.
    Values(u64),
}

/// Bytes of a head whose first byte is this.
fn head_bytes(first: u8) -> Option<usize> {
    Some(match first {
        0xC1 => return None,
        0xC4 | 0xC7 | 0xCC | 0xD0 | 0xD9 => 2 + usize::from(first == 0xC7),
        0xC5 | 0xC8 | 0xCD | 0xD1 | 0xDA | 0xDC | 0xDE => 3 + usize::from(first == 0xC8),
        0xC6 | 0xC9 | 0xCA | 0xCE | 0xD2 | 0xDB | 0xDD | 0xDF => 5 + usize::from(first == 0xC9),
        0xCB | 0xCF | 0xD3 => 9,
        0xD4..=0xD8 => 2,
        _ => 1,
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Length of the head, and what follows it.
fn head(bytes: &[u8]) -> Result<(usize, ValueHead), Fault> {
    let first = *bytes.first().ok_or(Fault::Short)?;
    let length = head_bytes(first).ok_or(Fault::Unknown)?;
    let rest = bytes.get(1..length).ok_or(Fault::Short)?;
    let told = match first {
        0x80..=0x8F => ValueHead::Values(u64::from(first & 0x0F) * 2),
        0x90..=0x9F => ValueHead::Values(u64::from(first & 0x0F)),
        0xA0..=0xBF => ValueHead::Bytes(u64::from(first & 0x1F)),
        0xC4..=0xC6 | 0xD9..=0xDB => ValueHead::Bytes(number(rest)),
        0xC7..=0xC9 => ValueHead::Bytes(number(&rest[..rest.len() - 1])),
        0xD4..=0xD8 => ValueHead::Bytes(1 << (first - 0xD4)),
        0xDC | 0xDD => ValueHead::Values(number(rest)),
        0xDE | 0xDF => ValueHead::Values(number(rest) * 2),
        _ => ValueHead::Done,
    };
    Ok((length, told))
}

/// Finds the end of a value whose bytes still come; each byte is looked at once.
#[derive(Debug, Default)]
pub(super) struct ValueScan {
    at: usize,
    /// Values that are still to come at each level.
    open: Vec<u64>,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The value has so many bytes.
    Whole(usize),
    /// So many bytes are needed, or more.
    Need(usize),
}

impl ValueScan {
    /// Goes on in `bytes`, which begin with the value.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Scanned, Fault> {
        loop {
            let (length, told) = match head(bytes.get(self.at..).unwrap_or_default()) {
                Err(Fault::Short) => return Ok(Scanned::Need(bytes.len() + 1)),
                told => told?,
            };
            let mut end = self.at + length;
            match told {
                ValueHead::Values(values @ 1..) => {
                    if self.open.len() >= DEPTH_MAX {
                        return Err(Fault::TooDeep);
                    }
                    self.at = end;
                    self.open.push(values);
                    continue;
                }
                ValueHead::Bytes(more) => end = end.saturating_add(usize::try_from(more).unwrap_or(usize::MAX)),
                ValueHead::Done | ValueHead::Values(0) => {}
            }
            if end > bytes.len() {
                return Ok(Scanned::Need(end));
            }
            self.at = end;
            while let Some(left) = self.open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                self.open.pop();
            }
            if self.open.is_empty() {
                let end = std::mem::take(&mut self.at);
                return Ok(Scanned::Whole(end));
            }
        }
    }
}

/// Reads values one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next value, or its head where it holds others.
    pub(super) fn next(&mut self) -> Result<MsgValue<'a>, Fault> {
        let (length, told) = head(self.0)?;
        let (head, rest) = self.0.split_at(length);
        let (first, told_in_head) = (head[0], &head[1..]);
        let mut bytes: &[u8] = &[];
        self.0 = rest;
        if let ValueHead::Bytes(more) = told {
            let more = usize::try_from(more).map_err(|_| Fault::Short)?;
            (bytes, self.0) = rest.split_at_checked(more).ok_or(Fault::Short)?;
        }
        Ok(match (told, first) {
            (ValueHead::Values(values), 0x80..=0x8F | 0xDE | 0xDF) => MsgValue::Map(values / 2),
            (ValueHead::Values(values), _) => MsgValue::Array(values),
            (ValueHead::Bytes(_), 0xC7..=0xC9 | 0xD4..=0xD8) => {
                MsgValue::Extension(told_in_head.last().map_or(0, |kind| *kind as i8), bytes)
            }
            (ValueHead::Bytes(_), _) => MsgValue::Text(bytes),
            (ValueHead::Done, 0xC0) => MsgValue::Nil,
            (ValueHead::Done, 0xC2 | 0xC3) => MsgValue::Bool(first == 0xC3),
            (ValueHead::Done, 0xCA) => MsgValue::Float(f64::from(f32::from_bits(number(told_in_head) as u32))),
            (ValueHead::Done, 0xCB) => MsgValue::Float(f64::from_bits(number(told_in_head))),
            (ValueHead::Done, 0xCC..=0xCF) => MsgValue::Unsigned(number(told_in_head)),
            (ValueHead::Done, 0xD0) => MsgValue::Signed(i64::from(number(told_in_head) as i8)),
            (ValueHead::Done, 0xD1) => MsgValue::Signed(i64::from(number(told_in_head) as i16)),
            (ValueHead::Done, 0xD2) => MsgValue::Signed(i64::from(number(told_in_head) as i32)),
            (ValueHead::Done, 0xD3) => MsgValue::Signed(number(told_in_head) as i64),
            (ValueHead::Done, 0xE0..) => MsgValue::Signed(i64::from(first as i8)),
            (ValueHead::Done, _) => MsgValue::Unsigned(u64::from(first)),
        })
    }

    /// The next value, whole.
    pub(super) fn whole(&mut self) -> Result<&'a [u8], Fault> {
        match ValueScan::default().advance(self.0)? {
            Scanned::Whole(length) => {
                let (value, rest) = self.0.split_at(length);
                self.0 = rest;
                Ok(value)
            }
            Scanned::Need(_) => Err(Fault::Short),
        }
    }

    /// Appends the next value as JSON.
    pub(super) fn json(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.json_within(DEPTH_MAX, out)
    }

    fn json_within(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.next()? {
            MsgValue::Array(values) => {
                let depth = depth.checked_sub(1).ok_or(Fault::TooDeep)?;
                out.push(b'[');
                for at in 0..values {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.json_within(depth, out)?;
                }
                out.push(b']');
            }
            MsgValue::Map(pairs) => {
                let depth = depth.checked_sub(1).ok_or(Fault::TooDeep)?;
                out.push(b'{');
                for at in 0..pairs {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.key(depth, out)?;
                    out.push(b':');
                    self.json_within(depth, out)?;
                }
                out.push(b'}');
            }
            value => scalar(value, out),
        }
        Ok(())
    }

    /// JSON has texts as keys alone.
    fn key(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let before = *self;
        if let MsgValue::Text(key) = self.next()? {
            text(key, out);
            return Ok(());
        }
        *self = before;
        let mut inner = Vec::new();
        self.json_within(depth, &mut inner)?;
        text(&inner, out);
        Ok(())
    }
}

fn scalar(value: MsgValue<'_>, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _written = match value {
        MsgValue::Bool(value) => write!(out, "{value}"),
        MsgValue::Unsigned(value) => write!(out, "{value}"),
        MsgValue::Signed(value) => write!(out, "{value}"),
        MsgValue::Float(value) if value.is_finite() => write!(out, "{value:?}"),
        MsgValue::Text(value) => {
            text(value, out);
            Ok(())
        }
        MsgValue::Extension(_, value) => write!(out, "\"{}\"", STANDARD.encode(value)),
        MsgValue::Float(_) | MsgValue::Nil | MsgValue::Array(_) | MsgValue::Map(_) => write!(out, "null"),
    };
}

/// Appends a text as JSON; bytes that are no UTF-8 are replaced.
pub(super) fn text(bytes: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let start = out.len();
    if serde_json::to_writer(&mut *out, &text).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"\"\"");
    }
}

/// Appends a text as MessagePack.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => out.push(0xA0 | length as u8),
        length @ 32..=255 => out.extend([0xD9, length as u8]),
        length => {
            out.push(0xDB);
            out.extend((length as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> Result<String, Fault> {
        let mut out = Vec::new();
        let mut cursor = Cursor(bytes);
        cursor.json(&mut out)?;
        assert!(cursor.0.is_empty());
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        for (bytes, wanted) in [
            (&b"\xC0"[..], "null"),
            (b"\xC2", "false"),
            (b"\x7F", "127"),
            (b"\xFF", "-1"),
            (b"\xCC\xFF", "255"),
            (b"\xCD\x01\x00", "256"),
            (b"\xCE\xFF\xFF\xFF\xFF", "4294967295"),
            (b"\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "18446744073709551615"),
            (b"\xD0\x80", "-128"),
            (b"\xD1\x80\x00", "-32768"),
            (b"\xD2\x80\x00\x00\x00", "-2147483648"),
            (b"\xD3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", "-2"),
            (b"\xCA\x3F\x80\x00\x00", "1.0"),
            (b"\xCB\x3F\xF8\x00\x00\x00\x00\x00\x00", "1.5"),
            (b"\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00", "null"),
            (b"\xA3a\"\xFF", "\"a\\\"\u{FFFD}\""),
            (b"\xD9\x01a", "\"a\""),
            (b"\xDA\x00\x01a", "\"a\""),
            (b"\xDB\x00\x00\x00\x01a", "\"a\""),
            (b"\xC4\x01a", "\"a\""),
            (b"\xC5\x00\x01a", "\"a\""),
            (b"\xC6\x00\x00\x00\x01a", "\"a\""),
            (b"\xD4\x05a", "\"YQ==\""),
            (b"\xC7\x01\x05a", "\"YQ==\""),
            (b"\xC8\x00\x01\x05a", "\"YQ==\""),
            (b"\xC9\x00\x00\x00\x01\x05a", "\"YQ==\""),
            (b"\x92\x01\x81\xA1a\x90", "[1,{\"a\":[]}]"),
            (b"\xDC\x00\x01\xC3", "[true]"),
            (b"\xDF\x00\x00\x00\x01\x05\x06", "{\"5\":6}"),
        ] {
            assert_eq!(json(bytes).as_deref(), Ok(wanted), "{bytes:X?}");
            assert_eq!(ValueScan::default().advance(bytes), Ok(Scanned::Whole(bytes.len())), "{bytes:X?}");
            let mut scan = ValueScan::default();
            for end in 0..bytes.len() {
                let Ok(Scanned::Need(need)) = scan.advance(&bytes[..end]) else { panic!("{bytes:X?} {end}") };
                assert!(need > end && need <= bytes.len());
                assert_eq!(json(&bytes[..end]), Err(Fault::Short));
            }
            assert_eq!(scan.advance(bytes), Ok(Scanned::Whole(bytes.len())));
        }
    }

    #[test]
    fn what_lengths_claim_allocates_nothing_and_nesting_is_bounded() {
        for bytes in [b"\xDD\xFF\xFF\xFF\xFF", b"\xC6\xFF\xFF\xFF\xFF", b"\xDF\xFF\xFF\xFF\xFF"] {
            assert_eq!(json(bytes), Err(Fault::Short));
            assert!(matches!(ValueScan::default().advance(bytes), Ok(Scanned::Need(6..))));
        }
        let deep = vec![0x91; 100_000];
        assert_eq!(json(&deep), Err(Fault::TooDeep));
        assert_eq!(ValueScan::default().advance(&deep), Err(Fault::TooDeep));
        assert_eq!(json(b"\xC1"), Err(Fault::Unknown));
    }
}
