//! How a line writes the time of its event: a style and the zone of the clock, so that the text can be made again from
//! `@timestamp`. Finding a style in a text and writing it are each other's twins; nothing here guesses a time.

use std::fmt;

use event::Timestamp;
use event::time::{Civil, parse_date_time, parse_fraction};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Clocks are at most this far from UTC, in minutes.
const ZONE_MINUTES_MAX: i64 = 14 * 60;

/// Zones are whole quarters of an hour apart.
const ZONE_STEP_MINUTES: i64 = 15;

/// How a text names its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Zone {
    /// Not at all.
    Unnamed,
    /// `Z`.
    Letter,
    /// `+01:00`.
    Colon,
    /// `+0100`.
    Plain,
}

/// The order of the parts of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// `23/Nov/2026:10:00:00 +0000`.
    Access,
    /// `Nov  3 10:00:00`.
    Syslog,
    /// `2026-11-03T10:00:00.123+01:00`: what stands between the parts of the date, between date and time, in front of the
    /// fraction; digits of the fraction; the zone.
    Iso { dash: u8, middle: u8, point: u8, digits: u8, zone: Zone },
    /// Seconds since 1970 with so many digits behind the point; 0: no point.
    Epoch { digits: u8 },
}

/// A style of writing times, and how far the clock is from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    pub(crate) shape: Shape,
    pub(crate) offset_minutes: i16,
}

impl Stamp {
    /// Writes the time; digits that the style has no room for are left out.
    pub(crate) fn write(self, time: Timestamp, out: &mut Vec<u8>) {
        let civil = Civil::shown(time, i32::from(self.offset_minutes) * 60);
        match self.shape {
            Shape::Access => {
                two(civil.day, b'0', out);
                out.push(b'/');
                out.extend_from_slice(month_name(civil.month).as_bytes());
                out.push(b'/');
                four(civil.year, out);
                out.push(b':');
                clock(&civil, out);
                out.push(b' ');
                zone(self.offset_minutes, "", out);
            }
            Shape::Syslog => {
                out.extend_from_slice(month_name(civil.month).as_bytes());
                out.push(b' ');
                two(civil.day, b' ', out);
                out.push(b' ');
                clock(&civil, out);
            }
            Shape::Iso { dash, middle, point, digits, zone: named } => {
                four(civil.year, out);
                out.push(dash);
                two(civil.month, b'0', out);
                out.push(dash);
                two(civil.day, b'0', out);
                out.push(middle);
                clock(&civil, out);
                fraction(civil.microsecond, (point, digits), out);
                match named {
                    Zone::Unnamed => {}
                    Zone::Letter => out.push(b'Z'),
                    Zone::Colon => zone(self.offset_minutes, ":", out),
                    Zone::Plain => zone(self.offset_minutes, "", out),
                }
            }
            Shape::Epoch { digits } => {
                let seconds = time.micros().div_euclid(event::time::SECOND_US);
                out.extend_from_slice(seconds.to_string().as_bytes());
                fraction(time.micros().rem_euclid(event::time::SECOND_US) as u32, (b'.', digits), out);
            }
        }
    }

    /// The style in which the start of the text writes this time, and the length of it in bytes.
    pub(crate) fn find(text: &[u8], time: Timestamp) -> Option<(Stamp, usize)> {
        let found = access(text).or_else(|| syslog(text, time)).or_else(|| iso(text, time)).or_else(|| epoch(text));
        let (stamp, length) = found?;
        // The proof: what the style writes is what stands there.
        let mut written = Vec::with_capacity(length);
        stamp.write(time, &mut written);
        (written == text[..length]).then_some((stamp, length))
    }
}

/// The offset that makes the clock show these parts at this time; `None` where no zone does.
fn offset_of(civil: &Civil, time: Timestamp) -> Option<i16> {
    let minute_us = 60 * event::time::SECOND_US;
    let apart = civil.at_offset(0).micros() - time.micros();
    let minutes = (apart + minute_us / 2).div_euclid(minute_us);
    let is_zone = minutes.abs() <= ZONE_MINUTES_MAX && minutes % ZONE_STEP_MINUTES == 0;
    is_zone.then_some(minutes as i16)
}

fn digits_at<const N: usize>(text: &[u8], at: usize) -> Option<i32> {
    let digits: [u8; N] = text.get(at..at + N)?.try_into().ok()?;
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
}

fn month_at(text: &[u8], at: usize) -> Option<u8> {
    let name = text.get(at..at + 3)?;
    MONTHS.iter().position(|month| month.as_bytes() == name).map(|at| at as u8 + 1)
}

fn clock_at(text: &[u8], at: usize, civil: &mut Civil) -> Option<()> {
    if text.get(at + 2) != Some(&b':') || text.get(at + 5) != Some(&b':') {
        return None;
    }
    civil.hour = digits_at::<2>(text, at)? as u8;
    civil.minute = digits_at::<2>(text, at + 3)? as u8;
    civil.second = digits_at::<2>(text, at + 6)? as u8;
    Some(())
}

fn access(text: &[u8]) -> Option<(Stamp, usize)> {
    if text.get(2) != Some(&b'/') || text.get(6) != Some(&b'/') {
        return None;
    }
    let sign = match text.get(21)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes = digits_at::<2>(text, 22)? * 60 + digits_at::<2>(text, 24)?;
    Some((Stamp { shape: Shape::Access, offset_minutes: (sign * minutes) as i16 }, 26))
}

/// The year stands in no such text: it is that of the time.
fn syslog(text: &[u8], time: Timestamp) -> Option<(Stamp, usize)> {
    let month = month_at(text, 0)?;
    let day = if text.get(4) == Some(&b' ') { digits_at::<1>(text, 5)? } else { digits_at::<2>(text, 4)? };
    let mut civil = Civil { month, day: day as u8, ..Civil::default() };
    clock_at(text, 7, &mut civil)?;
    // A zone can move the time over a new year.
    let of_year = |year| {
        let civil = Civil { year, ..civil };
        civil.is_valid().then(|| offset_of(&civil, time)).flatten()
    };
    let offset_minutes = [time.year(), time.year() + 1, time.year() - 1].into_iter().find_map(of_year)?;
    Some((Stamp { shape: Shape::Syslog, offset_minutes }, 15))
}

fn iso(text: &[u8], time: Timestamp) -> Option<(Stamp, usize)> {
    let (dash, middle) = (*text.get(4)?, *text.get(10)?);
    if !matches!(dash, b'-' | b'/' | b'.') || !matches!(middle, b'T' | b' ' | b':' | b'-') {
        return None;
    }
    let mut plain: [u8; 19] = text.get(..19)?.try_into().ok()?;
    (plain[4], plain[7], plain[10]) = (b'-', if text[7] == dash { b'-' } else { 0 }, b'T');
    let (mut civil, _) = parse_date_time(&plain)?;
    let mut length = 19;
    let (mut point, mut digits) = (b'.', 0);
    if let Some(mark @ (b'.' | b',')) = text.get(19) {
        let (micros, rest) = parse_fraction(&text[20..]);
        let read = text.len() - 20 - rest.len();
        if (1..=6).contains(&read) {
            (point, digits, civil.microsecond) = (*mark, read as u8, micros);
            length += 1 + read;
        }
    }
    let zone = match text.get(length) {
        Some(b'Z') => Zone::Letter,
        Some(b'+' | b'-') if text.get(length + 3) == Some(&b':') => Zone::Colon,
        Some(b'+' | b'-') => Zone::Plain,
        _ => Zone::Unnamed,
    };
    let of_zone = |zone: Zone| match zone {
        Zone::Unnamed => 0,
        Zone::Letter => 1,
        Zone::Colon => 6,
        Zone::Plain => 5,
    };
    let offset_minutes = offset_of(&civil, time)?;
    let shape = |zone| Shape::Iso { dash, middle, point, digits, zone };
    let whole = Stamp { shape: shape(zone), offset_minutes };
    let mut written = Vec::new();
    whole.write(time, &mut written);
    if text.starts_with(&written) {
        return Some((whole, length + of_zone(zone)));
    }
    // What follows looks like a zone and is none.
    Some((Stamp { shape: shape(Zone::Unnamed), offset_minutes }, length))
}

fn epoch(text: &[u8]) -> Option<(Stamp, usize)> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(9..=11).contains(&whole) {
        return None;
    }
    let fraction = match text.get(whole) {
        Some(b'.') => text[whole + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count().min(6),
        _ => 0,
    };
    let length = whole + if fraction == 0 { 0 } else { 1 + fraction };
    Some((Stamp { shape: Shape::Epoch { digits: fraction as u8 }, offset_minutes: 0 }, length))
}

fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("???")
}

fn two(number: u8, pad: u8, out: &mut Vec<u8>) {
    out.push(if number >= 10 { b'0' + number / 10 } else { pad });
    out.push(b'0' + number % 10);
}

fn four(year: i32, out: &mut Vec<u8>) {
    let year = year.clamp(0, 9999) as u16;
    two((year / 100) as u8, b'0', out);
    two((year % 100) as u8, b'0', out);
}

fn clock(civil: &Civil, out: &mut Vec<u8>) {
    two(civil.hour, b'0', out);
    out.push(b':');
    two(civil.minute, b'0', out);
    out.push(b':');
    two(civil.second, b'0', out);
}

fn fraction(microsecond: u32, (point, digits): (u8, u8), out: &mut Vec<u8>) {
    if digits > 0 {
        out.push(point);
        out.extend_from_slice(&format!("{microsecond:06}").as_bytes()[..usize::from(digits.min(6))]);
    }
}

fn zone(offset_minutes: i16, colon: &str, out: &mut Vec<u8>) {
    out.push(if offset_minutes < 0 { b'-' } else { b'+' });
    let minutes = offset_minutes.unsigned_abs();
    two((minutes / 60) as u8, b'0', out);
    out.extend_from_slice(colon.as_bytes());
    two((minutes % 60) as u8, b'0', out);
}

/// The name of the style in a form: `access 60`, `syslog 0`, `iso -T.3: 60`, `epoch 3`.
impl fmt::Display for Stamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset_minutes;
        match self.shape {
            Shape::Access => write!(out, "access {offset}"),
            Shape::Syslog => write!(out, "syslog {offset}"),
            Shape::Iso { dash, middle, point, digits, zone } => {
                let zone = match zone {
                    Zone::Unnamed => '!',
                    Zone::Letter => 'Z',
                    Zone::Colon => ':',
                    Zone::Plain => '+',
                };
                write!(out, "iso {}{}{}{digits}{zone} {offset}", dash as char, middle as char, point as char)
            }
            Shape::Epoch { digits } => write!(out, "epoch {digits}"),
        }
    }
}

impl Stamp {
    /// Reads what `Display` writes.
    pub(crate) fn named(text: &str) -> Option<Stamp> {
        if let Some(digits) = text.strip_prefix("epoch ") {
            return Some(Stamp { shape: Shape::Epoch { digits: digits.parse().ok()? }, offset_minutes: 0 });
        }
        let (style, offset) = text.rsplit_once(' ')?;
        let shape = match style {
            "access" => Shape::Access,
            "syslog" => Shape::Syslog,
            _ => {
                let parts: [u8; 5] = style.strip_prefix("iso ")?.as_bytes().try_into().ok()?;
                let [dash, middle, point, digits, zone] = parts;
                let zone = match zone {
                    b'!' => Zone::Unnamed,
                    b'Z' => Zone::Letter,
                    b':' => Zone::Colon,
                    b'+' => Zone::Plain,
                    _ => return None,
                };
                Shape::Iso { dash, middle, point, digits: digits.checked_sub(b'0')?, zone }
            }
        };
        Some(Stamp { shape, offset_minutes: offset.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_that_is_found_writes_the_text_again_and_has_a_name() {
        let time = Timestamp::parse_rfc3339(b"2026-11-03T10:00:00.250Z").unwrap();
        let whole = Timestamp::parse_rfc3339(b"2026-11-03T10:00:00Z").unwrap();
        for (text, time, length) in [
            ("03/Nov/2026:11:00:00 +0100] \"GET", whole, 26),
            ("Nov  3 04:00:00 web sshd", whole, 15),
            ("2026-11-03T10:00:00.250Z x", time, 24),
            ("2026-11-03T15:30:00.250+05:30", time, 29),
            ("2026/11/03 10:00:00 [error]", whole, 19),
            ("2026-11-03 09:00:00,250-0100", time, 28),
            ("2026-11-03 10:00:00-17", whole, 19),
            ("1793700000.250:77)", time, 14),
            ("1793700000", whole, 10),
        ] {
            let (stamp, found) = Stamp::find(text.as_bytes(), time).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found, length, "{text}");
            assert_eq!(Stamp::named(&stamp.to_string()), Some(stamp), "{text}");
        }
    }

    #[test]
    fn another_time_is_not_taken_for_that_of_the_event() {
        let time = Timestamp::parse_rfc3339(b"2026-11-03T10:00:00Z").unwrap();
        for text in ["03/Nov/2026:10:00:01 +0000", "Nov  3 10:07:00", "2026-11-03T10:00:00.001Z", "1793700001"] {
            assert_eq!(Stamp::find(text.as_bytes(), time), None, "{text}");
        }
    }
}
