//! Times at the start of a line, in the forms that programs write. Knows no format; a date that can be read in two ways
//! (`03/04/2026` without a clock of twelve hours) is not read.

use event::Timestamp;
use event::time::{Civil, parse_date_time, parse_offset};

use crate::clock::{Times, clock_time, four_digit_year, month, number, starts_with_month, two, zone_after};

/// A time and the text behind it.
type Read<'a> = Option<(Timestamp, &'a [u8])>;

/// Seconds since 1970 that logs of this century have: from September 2001 to the year 2100.
const UNIX_SECONDS: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// The time at the start of a syslog line: BSD or ISO 8601, with a weekday or the year in front, or as seconds since 1970.
pub(crate) fn of_syslog<'a>(text: &'a [u8], times: &mut Times) -> Read<'a> {
    match text.first()? {
        b'0'..=b'9' => iso(text, times).or_else(|| year_first(text, times)).or_else(|| unix(text)),
        _ => times.bsd(text).or_else(|| with_weekday(text, times)),
    }
}

/// The time at the start of any line.
pub(crate) fn of_line<'a>(text: &'a [u8], times: &mut Times) -> Read<'a> {
    if !text.first()?.is_ascii_digit() {
        return twelve_hours(text, times).or_else(|| times.bsd(text)).or_else(|| with_weekday(text, times));
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match (digits, text.get(digits)?) {
        (4, b'-') => iso(text, times),
        (4, b'/' | b'.') => numbers(text, times),
        (4, b' ') => year_first(text, times),
        (6 | 8, b' ' | b'T' | b'-') => compact(text, digits, times),
        (10, _) => unix(text),
        (1 | 2, b'.') => day_first(text, times),
        (1 | 2, b'/') => named_month(text, times).or_else(|| slashed(text, times)),
        (1 | 2, b'-' | b' ') => named_month(text, times),
        _ => None,
    }
}

/// Whether the text begins with the name of a weekday, as C's `ctime` and `journalctl -o short-full` write it.
pub(crate) fn starts_with_weekday(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "];
    text.get(..4).is_some_and(|head| NAMES.contains(&head))
}

/// ISO 8601, with the zone behind a blank, too, and by its name.
fn iso<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let (civil, rest) = parse_date_time(text)?;
    // `+0100`, `-05` and `Z` follow at once; anything else may be a zone behind a blank.
    let (offset_s, rest) = match parse_offset(rest) {
        Some((offset_s, rest)) => (Some(offset_s), rest),
        None => zone_after(rest),
    };
    Some((times.at(civil, offset_s)?, rest))
}

/// `2026 Nov 05 08:48:47`
fn year_first<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let (year, rest) = four_digit_year(text)?;
    let rest = rest.strip_prefix(b" ").filter(|rest| starts_with_month(rest))?;
    let (day, after) = number(rest[3..].trim_ascii_start(), 2)?;
    let (civil, after) = clock_time(after.trim_ascii_start())?;
    let (offset_s, after) = zone_after(after);
    Some((times.at(Civil { year, month: month(&rest[..3])?, day, ..civil }, offset_s)?, after))
}

/// `1772618401`, `1772618401.120`
fn unix(text: &[u8]) -> Read<'_> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let seconds = crate::address::decimal(&text[..digits]).filter(|seconds| UNIX_SECONDS.contains(seconds))?;
    let (micros, rest) = match text[digits..].strip_prefix(b".") {
        Some(fraction) => event::time::parse_fraction(fraction),
        None => (0, &text[digits..]),
    };
    Some((Timestamp::from_unix_seconds(seconds).saturating_add_us(i64::from(micros)), rest))
}

/// `Sun Nov  8 20:24:56 2026`, `Mon 2026-11-23 10:00:00 CET`, `Sun, 08 Nov 2026 20:24:56 GMT`
fn with_weekday<'a>(text: &'a [u8], times: &mut Times) -> Read<'a> {
    if let Some(rest) = text.get(3..).and_then(|rest| rest.strip_prefix(b", ")) {
        return text[..3].iter().all(u8::is_ascii_alphabetic).then(|| named_month(rest, times)).flatten();
    }
    if !starts_with_weekday(text) {
        return None;
    }
    let rest = text[4..].trim_ascii_start();
    if rest.first()?.is_ascii_digit() { iso(rest, times) } else { times.bsd(rest) }
}

/// `2026/11/28 10:00:00`, as Go and nginx write it.
fn numbers<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let head = text.get(..11)?;
    if head[4] != head[7] || head[10] != b' ' {
        return None;
    }
    let (year, _) = four_digit_year(head)?;
    let (clock, rest) = clock_time(&text[11..])?;
    let (offset_s, rest) = zone_after(rest);
    Some((times.at(Civil { year, month: two(&head[5..7])?, day: two(&head[8..10])?, ..clock }, offset_s)?, rest))
}

/// `28-Nov-2026 10:00:00.123`, `28/Nov/2026:10:00:00 +0100`, `28 Nov 2026 10:00:00,123`
fn named_month<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let (day, rest) = number(text, 2)?;
    let separator = *rest.first()?;
    let month = month(rest.get(1..4)?)?;
    let rest = rest.get(4..)?.strip_prefix(&[separator])?;
    let (year, rest) = four_digit_year(rest)?;
    let (clock, rest) = clock_time(rest.strip_prefix(b" ").or(rest.strip_prefix(b":"))?)?;
    let (offset_s, rest) = zone_after(rest);
    Some((times.at(Civil { year, month, day, ..clock }, offset_s)?, rest))
}

/// `28.11.2026 10:00:00`
fn day_first<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let (day, rest) = number(text, 2)?;
    let (month, rest) = number(rest.strip_prefix(b".")?, 2)?;
    let (year, rest) = four_digit_year(rest.strip_prefix(b".")?)?;
    let (clock, rest) = clock_time(rest.strip_prefix(b" ")?)?;
    Some((times.at(Civil { year, month, day, ..clock }, None)?, rest))
}

/// `11/28/2026 10:00:00 AM`; `28/11/2026 10:00:00` where only one of the two can be the month.
fn slashed<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    let (first, rest) = number(text, 2)?;
    let (second, rest) = number(rest.strip_prefix(b"/")?, 2)?;
    let (year, rest) = four_digit_year(rest.strip_prefix(b"/")?)?;
    let rest = rest.strip_prefix(b" ").or(rest.strip_prefix(b", "))?;
    let (clock, is_of_twelve, rest) = clock_of_twelve(rest)?;
    let (month, day) = match (first, second) {
        (1..=12, 13..) => (first, second),
        (13.., 1..=12) => (second, first),
        _ if is_of_twelve || first == second => (first, second),
        _ => return None,
    };
    Some((times.at(Civil { year, month, day, ..clock }, None)?, rest))
}

/// `Nov 28, 2026 1:02:03 PM`, as `java.util.logging` writes it.
fn twelve_hours<'a>(text: &'a [u8], times: &Times) -> Read<'a> {
    if !starts_with_month(text) {
        return None;
    }
    let (day, rest) = number(text[4..].trim_ascii_start(), 2)?;
    let (year, rest) = four_digit_year(rest.strip_prefix(b", ")?)?;
    let (clock, _, rest) = clock_of_twelve(rest.strip_prefix(b" ")?)?;
    Some((times.at(Civil { year, month: month(&text[..3])?, day, ..clock }, None)?, rest))
}

/// `1:02:03 PM`, or `13:02:03` of a day of 24 hours; whether it was the former.
fn clock_of_twelve(text: &[u8]) -> Option<(Civil, bool, &[u8])> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let half = rest.strip_prefix(b" ").and_then(|rest| rest.get(..2)).map(<[u8]>::to_ascii_uppercase);
    let hour = match half.as_deref() {
        Some(b"AM") if hour == 12 => 0,
        Some(b"PM") if hour < 12 => hour + 12,
        _ => hour,
    };
    let is_of_twelve = matches!(half.as_deref(), Some(b"AM" | b"PM"));
    let rest = if is_of_twelve { &rest[3..] } else { rest };
    Some((Civil { hour, minute, second, ..Civil::default() }, is_of_twelve, rest))
}

/// `20261128 10:00:00`, `20261128T100000Z`, `261128 10:00:00`
fn compact<'a>(text: &'a [u8], digits: usize, times: &Times) -> Read<'a> {
    let (date, rest) = text.split_at(digits);
    let (century, date) = if digits == 8 { (two(date)?, &date[2..]) } else { (20, date) };
    let rest = &rest[1..];
    let is_short = rest.len() >= 6 && rest[..6].iter().all(u8::is_ascii_digit);
    let (clock, rest) = match is_short {
        true => {
            let clock =
                Civil { hour: two(rest)?, minute: two(&rest[2..])?, second: two(&rest[4..])?, ..Civil::default() };
            (clock, &rest[6..])
        }
        false => clock_time(rest.trim_ascii_start())?,
    };
    let year = i32::from(century) * 100 + i32::from(two(date)?);
    let (offset_s, rest) = zone_after(rest);
    let civil = Civil { year, month: two(&date[2..])?, day: two(&date[4..])?, ..clock };
    (1990..=2100).contains(&year).then_some(())?;
    Some((times.at(civil, offset_s)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn read(text: &str) -> Option<String> {
        let mut times = Times::new(Clock::default());
        times.begin_block(Timestamp::parse_rfc3339(b"2026-11-29T12:00:00Z").unwrap());
        of_line(text.as_bytes(), &mut times).map(|(time, rest)| format!("{time}|{}", String::from_utf8_lossy(rest)))
    }

    #[test]
    fn every_usual_form_is_read() {
        for (text, expected) in [
            ("2026-11-28 10:00:00 +0100 h", "2026-11-28T09:00:00Z| h"),
            ("2026-11-28 10:00:00.5 CET h", "2026-11-28T09:00:00.500000Z| h"),
            ("2026-11-28T10:00:00,123Z h", "2026-11-28T10:00:00.123000Z| h"),
            ("2026-11-28 10:00:00 - name", "2026-11-28T10:00:00Z| - name"),
            ("2026/11/28 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("2026 Nov 28 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("20261128 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("20261128T100000Z x", "2026-11-28T10:00:00Z| x"),
            ("261128 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("1772618401.12 x", "2026-03-04T10:00:01.120000Z| x"),
            ("28-Nov-2026 10:00:00.123 x", "2026-11-28T10:00:00.123000Z| x"),
            ("28/Nov/2026:10:00:00 +0100 x", "2026-11-28T09:00:00Z| x"),
            ("28 Nov 2026 10:00:00,123 x", "2026-11-28T10:00:00.123000Z| x"),
            ("28.11.2026 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("28/11/2026 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("03/04/2026 1:00:00 PM x", "2026-03-04T13:00:00Z| x"),
            ("Nov 28, 2026 12:00:01 AM a.B c", "2026-11-28T00:00:01Z| a.B c"),
            ("Sun Nov  8 20:24:56 2026 x", "2026-11-08T20:24:56Z| x"),
            ("Mon 2026-11-23 10:00:00 CET x", "2026-11-23T09:00:00Z| x"),
            ("Sun, 08 Nov 2026 20:24:56 GMT x", "2026-11-08T20:24:56Z| x"),
            ("Nov 28 10:00:00,5 x", "2026-11-28T10:00:00.500000Z| x"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "7",
            "03/04/2026 10:00:00 x",
            "2026-11-31 10:00:00 x",
            "1234567 x",
            "0000000000 x",
            "12-34 x",
            "Foo bar",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
