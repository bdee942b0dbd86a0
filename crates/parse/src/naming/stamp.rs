//! Times as people write them: `Wed, 04 Mar 2026 10:00:01 +0100`, `Mar 4 10:00:01 2026`, `3/4/2026 10:00:01 AM`,
//! `2026/03/04 10:00:01`. Only with a year; the zone may be missing.

use event::time::{Civil, parse_fraction, parse_offset};

use crate::address::decimal;
use crate::clock::{self, SPELLED_BYTES_MAX};
use crate::day_names::month;

/// The parts of a stamp as they are found.
#[derive(Default)]
struct StampParts {
    year: Option<i32>,
    month: Option<u8>,
    day: Option<u8>,
    clock: Option<Civil>,
    /// Afternoon, where the stamp tells.
    is_pm: Option<bool>,
    offset_s: Option<i32>,
}

/// The local time of the stamp, and seconds east of UTC where it tells; `None` where the text is anything else.
pub(super) fn read(text: &[u8]) -> Option<(Civil, Option<i32>)> {
    if text.len() > SPELLED_BYTES_MAX || !text.is_ascii() {
        return None;
    }
    let mut found = StampParts::default();
    let words = text.split(|byte| matches!(byte, b' ' | b',')).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        found.take(word, at)?;
    }
    let mut civil = found.clock?;
    (civil.year, civil.month, civil.day) = (found.year?, found.month?, found.day?);
    match found.is_pm {
        Some(true) if civil.hour < 12 => civil.hour += 12,
        Some(false) if civil.hour == 12 => civil.hour = 0,
        _ => {}
    }
    civil.is_valid().then_some((civil, found.offset_s))
}

impl StampParts {
    /// Takes the next word; `None` where it belongs to no stamp.
    fn take(&mut self, word: &[u8], at: usize) -> Option<()> {
        let is_clock = word.iter().position(|byte| *byte == b':').is_some_and(|at| (1..=2).contains(&at));
        if is_clock && word[0].is_ascii_digit() {
            return self.take_clock(word);
        }
        if matches!(word, b"AM" | b"PM" | b"am" | b"pm") {
            self.is_pm = Some(word[0] | 0x20 == b'p');
            return Some(());
        }
        if word[0].is_ascii_digit() {
            return self.take_number_or_date(word);
        }
        if matches!(word[0], b'+' | b'-') {
            self.offset_s = parse_offset(word).filter(|(_, rest)| rest.is_empty()).map(|(offset_s, _)| offset_s);
            return self.offset_s.map(drop);
        }
        if self.month.is_none() && word.len() >= 3 && month(word).is_some() {
            self.month = month(word);
            return Some(());
        }
        let mut zone = word.to_vec();
        zone.push(b' ');
        if let (Some(offset_s), _) = clock::zone_after(&zone) {
            self.offset_s = Some(offset_s);
            return Some(());
        }
        // The day of the week.
        (at == 0 && word.iter().all(u8::is_ascii_alphabetic)).then_some(())
    }

    /// `10:00:01.5`, perhaps with `Z` behind it.
    fn take_clock(&mut self, word: &[u8]) -> Option<()> {
        let mut parts = word.splitn(3, |byte| *byte == b':');
        let small = |text: &[u8]| decimal(text).and_then(|number| u8::try_from(number).ok());
        let (hour, minute) = (small(parts.next()?)?, small(parts.next()?)?);
        let rest = parts.next().unwrap_or(b"0");
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut civil = Civil { hour, minute, second: small(&rest[..digits])?, ..Civil::default() };
        let mut rest = &rest[digits..];
        if let Some(fraction) = rest.strip_prefix(b".") {
            (civil.microsecond, rest) = parse_fraction(fraction);
        }
        if !rest.is_empty() {
            let (offset_s, rest) = parse_offset(rest)?;
            self.offset_s = Some(offset_s);
            if !rest.is_empty() {
                return None;
            }
        }
        self.clock = Some(civil);
        Some(())
    }

    /// A year, a day, or a date with slashes or hyphens.
    fn take_number_or_date(&mut self, word: &[u8]) -> Option<()> {
        let separator = if word.contains(&b'/') { b'/' } else { b'-' };
        let parts: Vec<&[u8]> = word.split(|byte| *byte == separator).collect();
        match parts.as_slice() {
            [only] => {
                let number = decimal(only)?;
                if only.len() == 4 {
                    self.year = Some(number as i32);
                } else if self.day.is_none() && number <= 31 {
                    self.day = Some(number as u8);
                } else {
                    return None;
                }
            }
            [first, second, third] => {
                let (year, month, day) = match (first.len(), third.len()) {
                    (4, _) => (first, decimal(second)? as u8, third),
                    // American order where there are slashes and figures alone.
                    (_, 4) if clock_month(second).is_none() => (third, decimal(first)? as u8, second),
                    (_, 4) => (third, clock_month(second)?, first),
                    _ => return None,
                };
                (self.year, self.month) = (Some(decimal(year)? as i32), Some(month));
                self.day = u8::try_from(decimal(day)?).ok();
            }
            _ => return None,
        }
        Some(())
    }
}

fn clock_month(text: &[u8]) -> Option<u8> {
    if text.len() == 3 { month(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_people_are_read() {
        let shown = |text: &str| {
            let (civil, offset_s) = read(text.as_bytes())?;
            Some(format!("{}{}", civil.at_offset(0), offset_s.map_or_else(String::new, |offset| format!(" {offset}"))))
        };
        for (text, expected) in [
            ("Wed, 04 Mar 2026 10:00:01 +0100", "2026-03-04T10:00:01Z 3600"),
            ("Wed, 4 Mar 2026 10:00:01 GMT", "2026-03-04T10:00:01Z 0"),
            ("Wed Mar  4 10:00:01 2026", "2026-03-04T10:00:01Z"),
            ("Mar 04 2026 10:00:01.250 CET", "2026-03-04T10:00:01.250000Z 3600"),
            ("2026/03/04 10:00:01", "2026-03-04T10:00:01Z"),
            ("3/4/2026 10:00:01 PM", "2026-03-04T22:00:01Z"),
            ("04-Mar-2026 12:00:01 AM", "2026-03-04T00:00:01Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "Mar 4 10:00:01", "2026-13-04 10:00:01", "10:00", "ann 10:00:01 2026", "1.2.3.4"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
