//! Times at the start of a syslog line, in the forms of RFC 3164, ISO 8601, C and `journalctl`. Those of other logs are read
//! elsewhere.

use event::Timestamp;
use event::time::{Civil, parse_date_time, parse_offset};

use crate::clock::{Times, clock_time, four_digit_year, number, zone_after};
use crate::day_names::{month, starts_with_month};

/// A time and the text behind it.
type Stamped<'a> = Option<(Timestamp, &'a [u8])>;

/// Seconds since 1970 that logs of this century have: from September 2001 to the year 2100.
const UNIX_SECONDS: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

/// The time at the start of a syslog line: BSD or ISO 8601, with a weekday or the year in front, or as seconds since 1970.
pub(crate) fn of_syslog<'a>(text: &'a [u8], times: &mut Times) -> Stamped<'a> {
    match text.first()? {
        b'0'..=b'9' => iso(text, times).or_else(|| year_first(text, times)).or_else(|| unix(text)),
        _ => times.bsd(text).or_else(|| with_weekday(text, times)),
    }
}

/// Whether the text begins with the name of a weekday, as C's `ctime` and `journalctl -o short-full` write it.
pub(crate) fn starts_with_weekday(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "];
    text.get(..4).is_some_and(|head| NAMES.contains(&head))
}

/// ISO 8601, with the zone behind a blank, too, and by its name.
fn iso<'a>(text: &'a [u8], times: &Times) -> Stamped<'a> {
    let (civil, rest) = parse_date_time(text)?;
    // `+0100`, `-05` and `Z` follow at once; anything else may be a zone behind a blank.
    let (offset_s, rest) = match parse_offset(rest) {
        Some((offset_s, rest)) => (Some(offset_s), rest),
        None => zone_after(rest),
    };
    Some((times.at(civil, offset_s)?, rest))
}

/// `2026 Nov 05 08:48:47`
fn year_first<'a>(text: &'a [u8], times: &Times) -> Stamped<'a> {
    let (year, rest) = four_digit_year(text)?;
    let rest = rest.strip_prefix(b" ").filter(|rest| starts_with_month(rest))?;
    let (day, after) = number(rest[3..].trim_ascii_start(), 2)?;
    let (civil, after) = clock_time(after.trim_ascii_start())?;
    let (offset_s, after) = zone_after(after);
    Some((times.at(Civil { year, month: month(&rest[..3])?, day, ..civil }, offset_s)?, after))
}

/// `1772618401`, `1772618401.120`
fn unix(text: &[u8]) -> Stamped<'_> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let seconds = crate::address::decimal(&text[..digits]).filter(|seconds| UNIX_SECONDS.contains(seconds))?;
    let (micros, rest) = match text[digits..].strip_prefix(b".") {
        Some(fraction) => event::time::parse_fraction(fraction),
        None => (0, &text[digits..]),
    };
    Some((Timestamp::from_unix_seconds(seconds).saturating_add_us(i64::from(micros)), rest))
}

/// `Sun Nov  8 20:24:56 2026`, `Mon 2026-11-23 10:00:00 CET`
fn with_weekday<'a>(text: &'a [u8], times: &mut Times) -> Stamped<'a> {
    if !starts_with_weekday(text) {
        return None;
    }
    let rest = text[4..].trim_ascii_start();
    if rest.first()?.is_ascii_digit() { iso(rest, times) } else { times.bsd(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn read(text: &str) -> Option<String> {
        let mut times = Times::new(Clock::default());
        times.begin_block(Timestamp::parse_rfc3339(b"2026-11-29T12:00:00Z").unwrap());
        of_syslog(text.as_bytes(), &mut times).map(|(time, rest)| format!("{time}|{}", String::from_utf8_lossy(rest)))
    }

    #[test]
    fn every_usual_form_is_read() {
        for (text, expected) in [
            ("2026-11-28 10:00:00 +0100 h", "2026-11-28T09:00:00Z| h"),
            ("2026-11-28 10:00:00.5 CET h", "2026-11-28T09:00:00.500000Z| h"),
            ("2026-11-28T10:00:00,123Z h", "2026-11-28T10:00:00.123000Z| h"),
            ("2026-11-28 10:00:00 - name", "2026-11-28T10:00:00Z| - name"),
            ("2026 Nov 28 10:00:00 x", "2026-11-28T10:00:00Z| x"),
            ("1772618401.12 x", "2026-03-04T10:00:01.120000Z| x"),
            ("Sun Nov  8 20:24:56 2026 x", "2026-11-08T20:24:56Z| x"),
            ("Mon 2026-11-23 10:00:00 CET x", "2026-11-23T09:00:00Z| x"),
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
