//! Times at the start of a program's own log lines: in brackets or bare, with names or numbers, in any order that is in use.
//! Reads one time; knows no format of lines.

use event::Timestamp;
use event::time::{Civil, parse_fraction, parse_offset};

use crate::clock::{Times, zone_after};
use crate::day_names::{is_weekday, month, weekday};

/// A time, as far as the text tells one, and the text behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnTime<'a> {
    /// `None`: an hour without its day.
    pub(crate) time: Option<Timestamp>,
    pub(crate) rest: &'a [u8],
}

/// The time at the start of the text, with the bracket and the punctuation that belong to it.
pub(crate) fn stamp<'a>(text: &'a [u8], times: &mut Times) -> Option<OwnTime<'a>> {
    let text = text.strip_prefix(b"L ").unwrap_or(text);
    // Mumble's level in front of the time.
    let text = match text {
        [b'<', b'A'..=b'Z', b'>', rest @ ..] => rest,
        _ => text,
    };
    let (inner, close) = match text.first()? {
        b'[' => (&text[1..], Some(b']')),
        b'(' => (&text[1..], Some(b')')),
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'@' => (text, None),
        _ => return None,
    };
    let (time, rest) = bare(inner, times)?;
    let rest = match close {
        // `[04/Mar/2026 10:00:01] `; Nagios has seconds alone.
        Some(close) => rest.strip_prefix(&[close])?,
        None if rest.first().is_none_or(|byte| matches!(byte, b' ' | b':' | b',' | b';' | b'|' | b'\t' | b'[')) => rest,
        None => return None,
    };
    let rest = rest.strip_prefix(b":").or(rest.strip_prefix(b",")).or(rest.strip_prefix(b";")).unwrap_or(rest);
    Some(OwnTime { time, rest: rest.trim_ascii_start() })
}

fn bare<'a>(text: &'a [u8], times: &mut Times) -> Option<(Option<Timestamp>, &'a [u8])> {
    if let Some((time, rest)) = times.dated(text) {
        return Some((Some(time), rest));
    }
    if text.first() == Some(&b'@') {
        return tai64(text).map(|(time, rest)| (Some(time), rest));
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if matches!(digits, 10 | 13) && !matches!(text.get(digits), Some(b'/' | b'-')) {
        return epoch(text, digits).map(|(time, rest)| (Some(time), rest));
    }
    if digits == 2 && text.get(2) == Some(&b':') {
        let (_, rest) = hours(text)?;
        return Some((None, rest));
    }
    if !may_name_day(text) {
        return None;
    }
    let whole = text;
    let text = after_words(text);
    let (date, rest) = date(text)?;
    let (clock, rest) = hours(separator(rest)?)?;
    let (offset_s, rest) = zone_after(rest);
    let (offset_s, rest) = match offset_s {
        Some(_) => (offset_s, rest),
        None => offset(rest),
    };
    // `Wed Mar  4 10:00:01 2026`
    let (year, rest) = match date.year {
        Some(year) => (Some(year), rest),
        None => late_year(rest).map_or((None, rest), |(year, rest)| (Some(year), rest)),
    };
    let civil = Civil { year: year.unwrap_or(4), month: date.month, day: date.day, ..clock };
    let time = match year {
        Some(_) => {
            let time = times.at(civil, offset_s)?;
            times.note_dated(whole, time, rest);
            time
        }
        None => times.at_latest(civil, offset_s)?,
    };
    Some((Some(time), rest))
}

/// A day; `None`: the stamp names no year in front of the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day {
    year: Option<i32>,
    month: u8,
    day: u8,
}

/// Steps over a weekday (`Wed`, `Wednesday,`) and a zone in front of the date (`PDT Mar  4`).
fn after_words(text: &[u8]) -> &[u8] {
    let mut rest = text;
    for _ in 0..2 {
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let is_word = letters >= 3 && (letters > 9 || month(&rest[..3]).is_none() || is_weekday(&rest[..letters]));
        let Some(after) = rest[letters..].strip_prefix(b",").or(Some(&rest[letters..])).filter(|_| is_word) else {
            break;
        };
        let is_known =
            is_weekday(&rest[..letters]) || rest[..letters].iter().all(u8::is_ascii_uppercase) && letters <= 5;
        let Some(next) = after.strip_prefix(b" ").filter(|_| is_known) else { break };
        rest = next.trim_ascii_start();
    }
    rest
}

/// Whether a word at the start may be a month's, a weekday's or a zone's, where it begins with a letter.
fn may_name_day(text: &[u8]) -> bool {
    match text.first_chunk::<3>() {
        Some([b'0'..=b'9', ..]) => true,
        Some(head) => month(head).is_some() || weekday(*head).is_some() || head.iter().all(u8::is_ascii_uppercase),
        None => true,
    }
}

/// A number of one to four digits.
fn number(text: &[u8]) -> Option<(i32, usize, &[u8])> {
    let digits = text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    (digits > 0).then(|| (value, digits, &text[digits..]))
}

fn date(text: &[u8]) -> Option<(Day, &[u8])> {
    if text.first()?.is_ascii_alphabetic() {
        return date_of_name(text);
    }
    let (first, digits, rest) = number(text)?;
    match digits {
        // 20260304, 260304
        8 | 6 => {
            let (year, rest_of) = (first / 10_000, first % 10_000);
            let day = day_of(full_year(year, if digits == 8 { 4 } else { 2 }), rest_of / 100, rest_of % 100)?;
            Some((day, rest))
        }
        4 => {
            let mark = *rest.first().filter(|mark| matches!(mark, b'-' | b'/' | b'.' | b':'))?;
            let (second, _, rest) = number(&rest[1..])?;
            let (third, _, rest) = number(rest.strip_prefix(&[mark])?)?;
            Some((day_of(Some(first), second, third)?, rest))
        }
        1 | 2 => date_of_two(first, rest),
        _ => None,
    }
}

/// `4 Mar 2026`, `04/Mar/2026`, `04.03.2026`, `03/04/2026`, `03/04`
fn date_of_two(first: i32, rest: &[u8]) -> Option<(Day, &[u8])> {
    let mark = *rest.first().filter(|mark| matches!(mark, b'-' | b'/' | b'.' | b' '))?;
    let rest = &rest[1..];
    if rest.first().is_some_and(u8::is_ascii_alphabetic) {
        let month = month(rest.get(..3)?)?;
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'.').count();
        let (year, digits, rest) = number(rest[letters..].strip_prefix(&[mark])?)?;
        return Some((day_of(full_year(year, digits), i32::from(month), first)?, rest));
    }
    let (second, _, rest) = number(rest).filter(|_| mark != b' ')?;
    let third = rest.strip_prefix(&[mark]).and_then(number);
    let (year, rest) = match third {
        Some((year, digits, rest)) => (Some(full_year(year, digits)?), rest),
        None => (None, rest),
    };
    // With slashes the month comes first, unless it cannot be one.
    let month_first = (mark == b'/' && first <= 12) || second > 12;
    let (month, day) = if month_first { (first, second) } else { (second, first) };
    Some((day_of(year, month, day)?, rest))
}

/// `Mar  4`, `Mar 4, 2026`, `Mar-04-26`, `March 4 2026`
fn date_of_name(text: &[u8]) -> Option<(Day, &[u8])> {
    let month = month(text.get(..3)?)?;
    let letters = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let mark = *text.get(letters).filter(|mark| matches!(mark, b' ' | b'-' | b'/'))?;
    let (day, digits, rest) = number(text[letters + 1..].trim_ascii_start())?;
    if digits > 2 {
        return None;
    }
    let after = rest.strip_prefix(b", ").or(rest.strip_prefix(&[mark]));
    let year =
        after.and_then(number).filter(|(_, digits, rest)| *digits == 4 || mark == b'-' && rest.first() == Some(&b' '));
    let (year, rest) = match year {
        Some((year, digits, rest)) => (full_year(year, digits), rest),
        None => (None, rest),
    };
    Some((day_of(year, i32::from(month), day)?, rest))
}

/// A year of four digits, or of two in this century.
fn full_year(year: i32, digits: usize) -> Option<i32> {
    match digits {
        4 => (1970..=9999).contains(&year).then_some(year),
        2 => Some(2000 + year),
        _ => None,
    }
}

fn day_of(year: Option<i32>, month: i32, day: i32) -> Option<Day> {
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(Day { year, month: month as u8, day: day as u8 })
}

/// What stands between day and hour.
fn separator(text: &[u8]) -> Option<&[u8]> {
    const MARKS: [&[u8]; 8] = [b" - ", b", ", b"T", b"t", b":", b"_", b"-", b" "];
    let rest = MARKS.iter().find_map(|mark| text.strip_prefix(*mark))?;
    Some(rest.trim_ascii_start())
}

/// `10:00:01`, with a fraction, `9:00`, `10:00:01 PM`
fn hours(text: &[u8]) -> Option<(Civil, &[u8])> {
    let (hour, digits, rest) = number(text)?;
    let (minute, two, rest) = number(rest.strip_prefix(b":")?)?;
    if digits > 2 || two != 2 {
        return None;
    }
    let (second, rest) = match rest.strip_prefix(b":").and_then(number) {
        Some((second, 2, rest)) => (second, rest),
        Some(_) => return None,
        None => (0, rest),
    };
    let (microsecond, rest) = match rest {
        [b'.' | b',' | b':', digit, ..] if digit.is_ascii_digit() => parse_fraction(&rest[1..]),
        _ => (0, rest),
    };
    let (hour, rest) = match rest {
        [b' ', half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', rest @ ..] => {
            (hour % 12 + if matches!(half, b'P' | b'p') { 12 } else { 0 }, rest)
        }
        _ => (hour, rest),
    };
    let fits = hour <= 23 && minute <= 59 && second <= 60;
    let civil = Civil { hour: hour as u8, minute: minute as u8, second: second as u8, microsecond, ..Civil::default() };
    fits.then_some((civil, rest))
}

/// `+0100`, `Z`, ` -05:00`
fn offset(text: &[u8]) -> (Option<i32>, &[u8]) {
    let spaced = text.strip_prefix(b" ").unwrap_or(text);
    let ends = |rest: &[u8]| rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    match parse_offset(spaced).filter(|(_, rest)| ends(rest)) {
        Some((offset_s, rest)) => (Some(offset_s), rest),
        None => (None, text),
    }
}

fn late_year(text: &[u8]) -> Option<(i32, &[u8])> {
    let (year, digits, rest) = number(text.strip_prefix(b" ")?)?;
    full_year(year, digits).filter(|_| digits == 4).map(|year| (year, rest))
}

/// Seconds or milliseconds since 1970.
fn epoch(text: &[u8], digits: usize) -> Option<(Timestamp, &[u8])> {
    const SINCE_2000_S: i64 = 946_684_800;
    let value = text[..digits].iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    let (micros, rest) = match (digits, text.get(digits)) {
        (13, _) => (value * 1000, &text[digits..]),
        (_, Some(b'.')) => {
            let (fraction, rest) = parse_fraction(&text[digits + 1..]);
            (value * 1_000_000 + i64::from(fraction), rest)
        }
        _ => (value * 1_000_000, &text[digits..]),
    };
    (micros >= SINCE_2000_S * 1_000_000).then_some((Timestamp(micros), rest))
}

/// `@4000000069a80000…` of multilog: seconds of the TAI scale, ten ahead of 1970.
fn tai64(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    let hex = text.get(1..25).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))?;
    let value = |part: &[u8]| i64::from_str_radix(std::str::from_utf8(part).ok()?, 16).ok();
    let seconds = value(&hex[..16])?.checked_sub((1 << 62) + 10)?;
    let micros = seconds.checked_mul(1_000_000)?.checked_add(value(&hex[16..])? / 1000)?;
    Some((Timestamp(micros).within_years(), &text[25..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn read(text: &str) -> Option<String> {
        let mut times = Times::new(Clock::default());
        times.begin_block(Timestamp::parse_rfc3339(b"2026-11-23T00:00:00Z").unwrap());
        let stamp = stamp(text.as_bytes(), &mut times)?;
        let time = stamp.time.map_or("-".to_owned(), |time| time.to_string());
        Some(format!("{time}|{}", String::from_utf8_lossy(stamp.rest)))
    }

    #[test]
    fn stamps_of_all_sorts_are_one_time() {
        for text in [
            "2026-03-04 10:00:01 x",
            "2026-03-04T10:00:01Z x",
            "2026-03-04 11:00:01 +0100 x",
            "2026-03-04 11:00:01 +01:00: x",
            "2026/03/04 10:00:01 x",
            "2026.03.04 10:00:01 x",
            "20260304 10:00:01 x",
            "260304 10:00:01 x",
            "[04/Mar/2026:10:00:01 +0000] x",
            "[04/Mar/2026 10:00:01] x",
            "04-Mar-2026 10:00:01 x",
            "04 Mar 2026 10:00:01 x",
            "Wed, 04 Mar 2026 10:00:01 +0000 x",
            "Wed Mar  4 10:00:01 2026 x",
            "Wed Mar 04 10:00:01 UTC 2026 x",
            "[Wed Mar  4 10:00:01 2026] x",
            "Mar 4, 2026 10:00:01 AM x",
            "Mar 04 10:00:01 x",
            "[Mar  4 10:00:01] x",
            "[UTC Mar  4 10:00:01] x",
            "Mar-04-26 10:00:01 x",
            "03/04/2026 10:00:01 x",
            "03/04/26 10:00:01 x",
            "L 03/04/2026 - 10:00:01: x",
            "04.03.2026 10:00:01 x",
            "04.03.2026, 10:00:01 x",
            "04-03-2026 10:00:01 x",
            "03/04 10:00:01 x",
            "1772618401 x",
            "[1772618401] x",
            "1772618401000 x",
            "@4000000069a802ab00000000 x",
            "<W>2026-03-04 10:00:01 x",
            "2026-03-04_10:00:01 x",
            "20260304-10:00:01 x",
            "2026:03:04-10:00:01: x",
        ] {
            assert_eq!(read(text).as_deref(), Some("2026-03-04T10:00:01Z|x"), "{text}");
        }
        assert_eq!(read("2026-03-04 10:00:01,123 x").as_deref(), Some("2026-03-04T10:00:01.123000Z|x"));
        assert_eq!(read("[2026-03-04 10:00:01.5][a] x").as_deref(), Some("2026-03-04T10:00:01.500000Z|[a] x"));
        assert_eq!(read("3/4/2026 10:00:01 PM x").as_deref(), Some("2026-03-04T22:00:01Z|x"));
        assert_eq!(read("260304  9:00:01 x").as_deref(), Some("2026-03-04T09:00:01Z|x"));
        assert_eq!(read("[10:00:01] x").as_deref(), Some("-|x"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "x",
            "[",
            "[error] x",
            "12 x",
            "2026-13-04 10:00:01 x",
            "2026-03-04 25:00:01 x",
            "Marvin 4 x",
            "10.0.0.1 x",
            "@x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
