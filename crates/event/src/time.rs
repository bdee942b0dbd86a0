//! Event time: microseconds since 1970-01-01T00:00:00 UTC, and its text form (RFC 3339).
//! Microseconds, not nanoseconds: 64 bits then reach every year from 0 to 9999 that a log can name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since the Unix epoch, UTC, leap seconds ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Microseconds of a second.
pub const SECOND_US: i64 = 1_000_000;
/// Seconds of a day, without leap seconds.
pub const DAY_SECONDS: i64 = 86_400;

/// A date and time as a log line names it, in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Civil {
    /// Astronomical: the year before 1 is 0.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0-60: a leap second counts as the last microseconds of second 59 plus one second.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
}

impl Civil {
    /// Whether each part is in its range and the day exists in its month.
    pub fn is_valid(&self) -> bool {
        (1..=12).contains(&self.month)
            && self.day >= 1
            && self.day <= days_in_month(self.year, self.month)
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 60
            && self.microsecond < 1_000_000
    }

    /// What a clock that is `offset_s` seconds east of UTC shows at an instant of the years 0 to 9999.
    pub fn shown(time: Timestamp, offset_s: i32) -> Civil {
        let shifted = time.0 + i64::from(offset_s) * SECOND_US;
        let seconds = shifted.div_euclid(SECOND_US);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let of_day = seconds.rem_euclid(DAY_SECONDS);
        Civil {
            year: year as i32,
            month,
            day,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            microsecond: shifted.rem_euclid(SECOND_US) as u32,
        }
    }

    /// The instant, for a clock that is `offset_s` seconds east of UTC. An offset that leads out of the years 0 to 9999
    /// gives the first or last instant of them, so that every time can be written and read again.
    pub fn at_offset(&self, offset_s: i32) -> Timestamp {
        let days = days_from_civil(self.year, self.month, self.day);
        let seconds =
            days * DAY_SECONDS + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
                - i64::from(offset_s);
        Timestamp(seconds * SECOND_US + i64::from(self.microsecond)).within_years()
    }
}

/// By the rules of the Gregorian calendar, for all years.
pub fn is_leap_year(year: i32) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// 28 to 31; `month` is 1 to 12.
pub fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01. Counts in 400-year eras that start on 1 March, so that the leap day comes last.
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Timestamp {
    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
    pub const FIRST: Timestamp = Timestamp(-62_167_219_200 * SECOND_US);
    /// The last moment that RFC 3339 can write: the end of the year 9999.
    pub const LAST: Timestamp = Timestamp(253_402_300_800 * SECOND_US - 1);

    /// The time, or the nearest one of the years 0 to 9999.
    pub fn within_years(self) -> Self {
        self.clamp(Self::FIRST, Self::LAST)
    }

    /// Seconds since the epoch, negative before it.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(SECOND_US))
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Later by `us` microseconds, within what the type holds.
    pub fn saturating_add_us(self, us: i64) -> Self {
        Timestamp(self.0.saturating_add(us))
    }

    /// Earlier by `us` microseconds, within what the type holds.
    pub fn saturating_sub_us(self, us: i64) -> Self {
        Timestamp(self.0.saturating_sub(us))
    }

    /// The year in UTC.
    pub fn year(self) -> i32 {
        civil_from_days(self.0.div_euclid(SECOND_US * DAY_SECONDS)).0 as i32
    }

    /// Reads `2026-01-02T03:04:05[.123456789](Z|±hh[:]mm)`; `T` may be a blank or in lower case.
    /// Digits beyond microseconds are read and dropped. `None` when any part is missing or out of range.
    pub fn parse_rfc3339(text: &[u8]) -> Option<Timestamp> {
        let (civil, rest) = parse_date_time(text)?;
        let (offset_s, rest) = parse_offset(rest)?;
        rest.is_empty().then(|| civil.at_offset(offset_s))
    }
}

fn two_digits(text: &[u8], at: usize) -> Option<u8> {
    let (high, low) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
    (high <= 9 && low <= 9).then(|| high * 10 + low)
}

/// `YYYY-MM-DD(T| )hh:mm:ss[.fraction]`; returns what follows. A fraction may be empty or have any number of digits.
pub fn parse_date_time(text: &[u8]) -> Option<(Civil, &[u8])> {
    if text.len() < 19 || text[4] != b'-' || text[7] != b'-' || !matches!(text[10], b'T' | b't' | b' ') {
        return None;
    }
    if text[13] != b':' || text[16] != b':' {
        return None;
    }
    let year = i32::from(two_digits(text, 0)?) * 100 + i32::from(two_digits(text, 2)?);
    let mut civil = Civil {
        year,
        month: two_digits(text, 5)?,
        day: two_digits(text, 8)?,
        hour: two_digits(text, 11)?,
        minute: two_digits(text, 14)?,
        second: two_digits(text, 17)?,
        microsecond: 0,
    };
    let mut rest = &text[19..];
    if let Some(b'.' | b',') = rest.first() {
        let (micros, after) = parse_fraction(&rest[1..]);
        civil.microsecond = micros;
        rest = after;
    }
    civil.is_valid().then_some((civil, rest))
}

/// Digits after the point as microseconds, and what follows them.
pub fn parse_fraction(text: &[u8]) -> (u32, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let padded = text[..digits].iter().map(|digit| u32::from(digit - b'0')).chain(std::iter::repeat(0));
    (padded.take(6).fold(0, |micros, digit| micros * 10 + digit), &text[digits..])
}

/// `Z`, `±hh`, `±hhmm` or `±hh:mm` as seconds east of UTC, and what follows.
pub fn parse_offset(text: &[u8]) -> Option<(i32, &[u8])> {
    let sign = match text.first()? {
        b'Z' | b'z' => return Some((0, &text[1..])),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = i32::from(two_digits(text, 1)?);
    let mut rest = &text[3..];
    let mut minutes = 0;
    let colon = usize::from(rest.first() == Some(&b':'));
    if let Some(read) = two_digits(rest, colon) {
        minutes = i32::from(read);
        rest = &rest[colon + 2..];
    } else if colon == 1 {
        return None;
    }
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// A number since the epoch, as text: seconds, milli-, micro- or nanoseconds by its size, perhaps with a fraction.
pub fn parse_epoch(text: &[u8]) -> Option<Timestamp> {
    let (digits, is_before) = text.strip_prefix(b"-").map_or((text, false), |digits| (digits, true));
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = digits.get(whole..).filter(|rest| !rest.is_empty());
    let fraction = match fraction {
        Some([b'.', fraction @ ..]) if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => fraction,
        Some(_) => return None,
        None => &[],
    };
    if whole == 0 || whole > 20 {
        return None;
    }
    let zeros = digits[..whole].iter().take_while(|digit| **digit == b'0').count();
    let value_of = |digits: &[u8]| digits.iter().fold(0, |value: i64, digit| value * 10 + i64::from(digit - b'0'));
    let significant = &digits[zeros..whole];
    // Nanoseconds have eighteen digits and more.
    if let Some(micros) = significant.len().checked_sub(3).filter(|micros| *micros >= 15) {
        return Some(signed(value_of(&significant[..micros]), is_before));
    }
    let value = value_of(significant);
    // Digits of the fraction that are still microseconds.
    let (micros_each, places) = match value {
        ..100_000_000_000 => (1_000_000, 6),
        100_000_000_000..100_000_000_000_000 => (1000, 3),
        _ => (1, 0),
    };
    let mut micros = value * micros_each;
    let mut unit = micros_each;
    for digit in fraction.iter().take(places) {
        unit /= 10;
        micros += i64::from(digit - b'0') * unit;
    }
    if fraction.get(places).is_some_and(|digit| *digit >= b'5') {
        micros += 1;
    }
    Some(signed(micros, is_before))
}

fn signed(micros: i64, is_before: bool) -> Timestamp {
    Timestamp(if is_before { -micros } else { micros }).within_years()
}

/// A time span as people write it (`90s`, `5m`, `1h`, `2d`, `1w`), in microseconds.
pub fn parse_span_us(text: &str) -> Option<i64> {
    const COUNT_MAX: i64 = 1_000_000;
    let (at, unit) = text.char_indices().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => DAY_SECONDS,
        'w' => 7 * DAY_SECONDS,
        _ => return None,
    };
    let count: i64 = text[..at].parse().ok().filter(|count| (0..=COUNT_MAX).contains(count))?;
    Some(count * seconds * SECOND_US)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with microseconds only where they are not zero. Years beyond 9999 get a sign (ISO 8601).
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(SECOND_US);
        let micros = self.0.rem_euclid(SECOND_US);
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let of_day = seconds.rem_euclid(DAY_SECONDS);
        if (0..=9999).contains(&year) {
            write!(out, "{year:04}")?;
        } else {
            write!(out, "{year:+07}")?;
        }
        write!(out, "-{month:02}-{day:02}T{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)?;
        if micros != 0 {
            write!(out, ".{micros:06}")?;
        }
        out.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse_rfc3339(text.as_bytes())
            .ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time such as 2026-01-02T03:04:05Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        Timestamp::parse_rfc3339(text.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn numbers_since_the_epoch_are_read_by_their_size() {
        let read = |text: &str| parse_epoch(text.as_bytes()).map(|time| time.to_string());
        for text in ["1772618401", "1772618401000", "1772618401000000", "1772618401000000000", "1772618401.0000004"] {
            assert_eq!(read(text).as_deref(), Some("2026-03-04T10:00:01Z"), "{text}");
        }
        assert_eq!(read("1772618401.12").as_deref(), Some("2026-03-04T10:00:01.120000Z"));
        assert_eq!(read("1772618401.1234567").as_deref(), Some("2026-03-04T10:00:01.123457Z"));
        assert_eq!(read("1772618401123.4").as_deref(), Some("2026-03-04T10:00:01.123400Z"));
        assert_eq!(read("-1").as_deref(), Some("1969-12-31T23:59:59Z"));
        for text in ["", "-", ".5", "1.", "1e9", "1.2.3", "x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn rfc3339_reads_and_writes_every_year_of_four_digits() {
        assert_eq!(round("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00Z");
        assert_eq!(round("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00Z");
        assert_eq!(round("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
        assert_eq!(round("2024-02-29T23:30:00-01:00"), "2024-03-01T00:30:00Z");
        assert_eq!(round("2026-11-23 10:00:00.5+0230"), "2026-11-23T07:30:00.500000Z");
        assert_eq!(round("2026-01-01T00:00:00.123456789Z"), "2026-01-01T00:00:00.123456Z");
        assert_eq!(round("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
        assert_eq!(round("0000-01-01T00:30:00+01:00"), "0000-01-01T00:00:00Z");
        assert_eq!(round("9999-12-31T23:59:59-12:00"), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(parse_span_us("90s"), Some(90_000_000));
        assert_eq!(parse_span_us("2d"), Some(2 * 86_400_000_000));
        for text in ["", "5", "m", "5x", "-5m", "1.5h", "5µ", "9999999d"] {
            assert_eq!(parse_span_us(text), None, "{text}");
        }
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in ["2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "x"]
        {
            assert_eq!(Timestamp::parse_rfc3339(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn days_and_dates_agree_over_eight_hundred_years() {
        for days in -200_000..100_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year as i32, month, day), days);
        }
    }
}
