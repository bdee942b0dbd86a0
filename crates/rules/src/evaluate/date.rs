//! Parts of dates for the oracle: the calendar counted day by day. `date.rs` above has the form that the matcher uses.

use crate::check::TimePart;

/// Part of `2026-11-24`, `2026/11/24`, `2026-11-24T10:15…` or `2026-11-24 10:15…`, taken as written. `None` where the
/// text is no such date, or has no such part.
pub(super) fn part(part: TimePart, text: &str) -> Option<i64> {
    let text: Vec<char> = text.trim_start().chars().collect();
    let digits = |from: usize, count: usize| -> Option<i64> {
        let digits = text.get(from..from + count)?;
        digits.iter().try_fold(0, |number, digit| Some(number * 10 + i64::from(digit.to_digit(10)?)))
    };
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let separators = [text[4], text[7]];
    let is_date = separators == ['-', '-'] || separators == ['/', '/'];
    if !is_date || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let clock = match text.get(10) {
        None => None,
        Some('T' | 't' | ' ') if text.get(13) == Some(&':') => Some((digits(11, 2)?, digits(14, 2)?)),
        Some(_) => return None,
    };
    if clock.is_some_and(|(hour, minute)| hour > 23 || minute > 59) {
        return None;
    }
    match part {
        TimePart::Year => Some(year),
        TimePart::Month => Some(month),
        TimePart::Week => Some(week(year, month, day)),
        TimePart::Day => Some(day),
        TimePart::Hour => clock.map(|(hour, _)| hour),
        TimePart::Minute => clock.map(|(_, minute)| minute),
    }
}

fn is_leap(year: i64) -> bool {
    year % 400 == 0 || year % 4 == 0 && year % 100 != 0
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

/// ISO 8601: a week begins on Monday, and belongs to the year that its Thursday is in.
fn week(year: i64, month: i64, day: i64) -> i64 {
    let day_of_year = (1..month).map(|month| days_of_month(year, month)).sum::<i64>() + day;
    // 1 January of the year 1 is a Monday, and so is that of the year -399: 400 years are whole weeks.
    let days_before: i64 = (-399..year).map(days_of_year).sum();
    let weekday = (days_before + day_of_year - 1) % 7;
    let thursday = day_of_year - weekday + 3;
    let day_in_its_year = if thursday < 1 {
        thursday + days_of_year(year - 1)
    } else if thursday > days_of_year(year) {
        thursday - days_of_year(year)
    } else {
        thursday
    };
    (day_in_its_year - 1) / 7 + 1
}
