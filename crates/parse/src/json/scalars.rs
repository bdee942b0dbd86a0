//! Numbers and times of JSON values. Knows no keys.

use event::{Timestamp, ValueTag};

use crate::address::decimal;

/// An integer that is written as it would be printed.
pub(super) fn whole_number(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = digits == b"0" || digits.first() != Some(&b'0');
    let value = decimal(digits).filter(|_| canonical && text != b"-0")?;
    Some(if digits.len() < text.len() { -value } else { value })
}

pub(super) fn is_number(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_whole || has_fraction(digits) || is_other_number(word)
}

/// Digits, a point and digits.
fn has_fraction(text: &[u8]) -> bool {
    let Some(point) = text.iter().position(|byte| *byte == b'.') else { return false };
    let (whole, fraction) = (&text[..point], &text[point + 1..]);
    let is_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_digits(whole) && is_digits(fraction)
}

/// With an exponent, or otherwise unusual.
fn is_other_number(word: &[u8]) -> bool {
    word.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-')
        && word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        && std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok())
}

/// An RFC 3339 text, or a number since the epoch: seconds, milli-, micro- or nanoseconds by its size. Whether any other reader
/// of times would take it for the same instant, too.
pub(super) fn instant(text: &[u8], tag: ValueTag) -> Option<(Timestamp, bool)> {
    if tag == ValueTag::String {
        let unzoned = || event::time::parse_date_time(text).filter(|(_, rest)| rest.is_empty());
        return match Timestamp::parse_rfc3339(text) {
            Some(time) => Some((time, true)),
            None => unzoned().map(|(civil, _)| (civil.at_offset(0), false)),
        };
    }
    if tag != ValueTag::Number {
        return None;
    }
    match event::time::parse_epoch(text) {
        Some(time) => Some((time, text.len() >= 9 && text[..9].iter().all(u8::is_ascii_digit))),
        None => with_exponent(text).map(|time| (time, false)),
    }
}

/// A number since the epoch that is written with an exponent.
#[cold]
fn with_exponent(text: &[u8]) -> Option<Timestamp> {
    let number = std::str::from_utf8(text).ok()?.parse::<f64>().ok()?;
    event::time::parse_epoch(format!("{number}").as_bytes())
}
