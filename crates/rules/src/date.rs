//! Parts of dates, for the modifiers `minute` to `year`: taken as written, no time zone is converted.

use event::Timestamp;

/// A part of a date that a modifier compares (Sigma specification 2.1, time modifiers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, 1 to 31.
    Day,
    /// Of the year, as ISO 8601 counts them.
    Week,
    /// 1 to 12.
    Month,
    /// 0 to 9999.
    Year,
}

impl TimePart {
    /// Smallest and largest number that it can be.
    pub(crate) fn range(self) -> (i64, i64) {
        match self {
            TimePart::Minute => (0, 59),
            TimePart::Hour => (0, 23),
            TimePart::Day => (1, 31),
            TimePart::Week => (1, 53),
            TimePart::Month => (1, 12),
            TimePart::Year => (0, 9999),
        }
    }
}

/// Year, month, day, and hour and minute where the text has them.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    clock: Option<(i64, i64)>,
}

/// Part of `2026-11-24`, `2026-11-24T10:15…` or `2026-11-24 10:15…`; `None` where the text is no such date.
pub(crate) fn part_of_text(part: TimePart, text: &str) -> Option<i64> {
    part_of(part, &read(text.trim_start())?)
}

/// Part of a time in microseconds since 1970, in UTC.
pub(crate) fn part_of_time(part: TimePart, micros: i64) -> Option<i64> {
    part_of_text(part, &Timestamp(micros).to_string())
}

fn read(text: &str) -> Option<Date> {
    let number = |from: usize, length: usize| -> Option<i64> {
        let digits = text.get(from..from + length)?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let bytes = text.as_bytes();
    let separator = *bytes.get(4)?;
    if !matches!(separator, b'-' | b'/') || bytes.get(7) != Some(&separator) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let clock = match bytes.get(10) {
        None => None,
        Some(b'T' | b't' | b' ') if bytes.get(13) == Some(&b':') => Some((number(11, 2)?, number(14, 2)?)),
        Some(_) => return None,
    };
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && clock.is_none_or(|(hour, minute)| hour < 24 && minute < 60);
    in_range.then_some(Date { year, month, day, clock })
}

fn part_of(part: TimePart, date: &Date) -> Option<i64> {
    match part {
        TimePart::Minute => date.clock.map(|(_, minute)| minute),
        TimePart::Hour => date.clock.map(|(hour, _)| hour),
        TimePart::Day => Some(date.day),
        TimePart::Week => Some(iso_week(date)),
        TimePart::Month => Some(date.month),
        TimePart::Year => Some(date.year),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 1 January of the year: 0 is Monday.
fn first_weekday(year: i64) -> i64 {
    let before = year - 1;
    (before * 365 + before / 4 - before / 100 + before / 400).rem_euclid(7)
}

fn weeks_in(year: i64) -> i64 {
    let first = first_weekday(year);
    if first == 3 || first == 2 && is_leap(year) { 53 } else { 52 }
}

fn iso_week(date: &Date) -> i64 {
    let day_of_year = (1..date.month).map(|month| days_in(date.year, month)).sum::<i64>() + date.day;
    let weekday = (first_weekday(date.year) + day_of_year - 1) % 7;
    match (day_of_year - weekday - 1 + 10) / 7 {
        0 => weeks_in(date.year - 1),
        week if week > weeks_in(date.year) => 1,
        week => week,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_taken_as_written() {
        for (part, text, expected) in [
            (TimePart::Hour, "2026-11-24T23:15:00+02:00", Some(23)),
            (TimePart::Minute, "2026-11-24 23:15", Some(15)),
            (TimePart::Day, "2026/11/24", Some(24)),
            (TimePart::Month, "2026-11-24", Some(11)),
            (TimePart::Year, "2026-11-24", Some(2026)),
            (TimePart::Hour, "2026-11-24", None),
            (TimePart::Day, "2026-02-29", None),
            (TimePart::Day, "2024-02-29", Some(29)),
            (TimePart::Hour, "2026-11-24T24:00", None),
            (TimePart::Year, "20261124", None),
            (TimePart::Year, "yesterday", None),
            (TimePart::Year, "20é6-11-24", None),
        ] {
            assert_eq!(part_of_text(part, text), expected, "{part:?} of {text}");
        }
        assert_eq!(part_of_time(TimePart::Hour, 3_600_000_000), Some(1));
    }

    /// Known beginnings and ends of years, after ISO 8601.
    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (text, week) in [
            ("2005-01-01", 53),
            ("2005-01-02", 53),
            ("2005-12-31", 52),
            ("2007-01-01", 1),
            ("2007-12-30", 52),
            ("2007-12-31", 1),
            ("2008-12-28", 52),
            ("2008-12-29", 1),
            ("2009-12-31", 53),
            ("2010-01-03", 53),
            ("2026-11-24", 48),
        ] {
            assert_eq!(part_of_text(TimePart::Week, text), Some(week), "{text}");
        }
    }
}
