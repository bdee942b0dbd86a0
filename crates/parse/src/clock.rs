//! Times as log lines write them. Equal stamps on neighbouring lines are read once: the last one is remembered.
//!
//! RFC 3164 §5.1 stamps lack year and zone: the zone comes from [`Clock`], the year is the latest one that puts the
//! event at most 24 hours after the block's reference time (so that 31 December read on 1 January is last year's).

use event::builder::ValueNow;
use event::catalog::field;
use event::time::{
    Civil, DAY_SECONDS, SECOND_US, days_in_month, is_leap_year, parse_date_time, parse_fraction, parse_offset,
};
use event::{BatchBuilder, Timestamp};
use jiff::tz::TimeZone;

use crate::day_names::month;

/// How far ahead of the reference time an event may be before it is taken for one of the year before.
const AHEAD_MAX_US: i64 = DAY_SECONDS * SECOND_US;
/// Years to look back for a 29 February (1896 to 1904 is the longest gap).
const YEARS_BACK_MAX: i32 = 8;

/// Zone and year of times that name none.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    is_utc: bool,
    /// Year of the first line; a step from November or December to January or February begins the next year.
    year: Option<i32>,
}

/// A time zone that the zone database does not know; its name.
#[derive(Debug, thiserror::Error)]
#[error("unknown time zone `{0}`: use an IANA name such as Europe/Berlin, or UTC")]
pub struct UnknownZone(String);

impl Default for Clock {
    fn default() -> Self {
        Clock { zone: TimeZone::UTC, is_utc: true, year: None }
    }
}

impl Clock {
    /// `zone`: an IANA name, or UTC. `year`: of the first line that names none; `None`: the latest that is not in the
    /// future.
    pub fn new(zone: &str, year: Option<i32>) -> Result<Self, UnknownZone> {
        let is_utc = matches!(zone, "UTC" | "utc" | "Z");
        let zone =
            if is_utc { TimeZone::UTC } else { TimeZone::get(zone).map_err(|_| UnknownZone(zone.to_owned()))? };
        Ok(Clock { zone, is_utc, year })
    }

    /// The instant of a local time. In the gap of a clock change the later reading counts, in the fold the earlier.
    fn resolve(&self, civil: Civil) -> Timestamp {
        if self.is_utc {
            return civil.at_offset(0);
        }
        let second = civil.second.min(59);
        let (Ok(year), subsec) = (i16::try_from(civil.year), civil.microsecond as i32 * 1000) else {
            return civil.at_offset(0);
        };
        let local = jiff::civil::DateTime::new(
            year,
            civil.month as i8,
            civil.day as i8,
            civil.hour as i8,
            civil.minute as i8,
            second as i8,
            subsec,
        );
        match local.and_then(|local| self.zone.to_timestamp(local)) {
            Ok(instant) => {
                Timestamp(instant.as_microsecond() + i64::from(civil.second - second) * SECOND_US).within_years()
            }
            Err(_) => civil.at_offset(0),
        }
    }
}

fn latest(reference: Timestamp) -> (Timestamp, i32) {
    let latest = reference.saturating_add_us(AHEAD_MAX_US);
    (latest, latest.year())
}

/// A stamp of fixed width and what it meant.
#[derive(Clone, Copy, Debug)]
struct Remembered<const N: usize> {
    stamp: [u8; N],
    time: Timestamp,
}

/// Longest time as people write it, in bytes.
pub(crate) const SPELLED_BYTES_MAX: usize = 48;

/// Reads stamps against one clock and one reference time.
#[derive(Debug)]
pub(crate) struct Times {
    clock: Clock,
    reference: Timestamp,
    /// The last moment that a stamp without a year can mean, and its year.
    latest: (Timestamp, i32),
    clf: Remembered<26>,
    bsd: Remembered<15>,
    /// A time as people write it, with zeros behind it.
    spelled: Remembered<SPELLED_BYTES_MAX>,
    last_month: u8,
    years_rolled: i32,
    /// Addresses of the block's first byte and of the byte behind its last one.
    block: (usize, usize),
    /// The text of the block in front of which a time with its year was read last (address and length), the time, and its length.
    dated: ((usize, usize), Timestamp, usize),
}

impl Times {
    pub(crate) fn new(clock: Clock) -> Self {
        let nothing = Timestamp(0);
        Times {
            clock,
            reference: nothing,
            latest: latest(nothing),
            clf: Remembered { stamp: [0; 26], time: nothing },
            bsd: Remembered { stamp: [0; 15], time: nothing },
            spelled: Remembered { stamp: [0; SPELLED_BYTES_MAX], time: nothing },
            last_month: 0,
            years_rolled: 0,
            block: (0, 0),
            dated: ((0, 0), nothing, 0),
        }
    }

    /// The lines that follow stand in this block, which stays where it is.
    pub(crate) fn stand_in(&mut self, block: &[u8]) {
        let start = block.as_ptr() as usize;
        self.block = (start, start + block.len());
        self.dated.0 = (0, 0);
    }

    /// What was read in front of this very text.
    #[inline]
    pub(crate) fn dated<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (known, time, length) = self.dated;
        let is_known = !text.is_empty() && known == (text.as_ptr() as usize, text.len());
        if is_known { Some((time, text.get(length..)?)) } else { None }
    }

    /// Several formats look for a time in front of one text: one that names its year is read once.
    #[inline]
    pub(crate) fn note_dated(&mut self, text: &[u8], time: Timestamp, rest: &[u8]) {
        let start = text.as_ptr() as usize;
        if start >= self.block.0 && start + text.len() <= self.block.1 {
            self.dated = ((start, text.len()), time, text.len() - rest.len());
        }
    }

    pub(crate) fn begin_block(&mut self, reference: Timestamp) {
        if self.reference != reference {
            self.reference = reference;
            self.latest = latest(reference);
            self.bsd.stamp = [0; 15];
        }
    }

    /// Puts the time of a line that another may carry. The outer time stays where the two differ by a zone, because the outer
    /// one may name its zone; else the inner one counts, which has the year.
    pub(crate) fn put(&self, time: Timestamp, rows: &mut BatchBuilder) {
        const MINUTE_US: i64 = 60 * SECOND_US;
        if let Some(ValueNow::Number(outer)) = rows.value_now(field::TIMESTAMP) {
            let apart = time.micros().abs_diff(outer) as i64;
            if (10 * MINUTE_US..=15 * 60 * MINUTE_US).contains(&apart) {
                return;
            }
        }
        rows.date(field::TIMESTAMP, time);
    }

    /// `10/Oct/2000:13:55:36 -0700`, the Common Log Format.
    #[inline]
    pub(crate) fn clf(&mut self, text: &[u8]) -> Option<Timestamp> {
        let stamp: &[u8; 26] = text.try_into().ok()?;
        if self.clf.stamp == *stamp {
            return Some(self.clf.time);
        }
        if stamp[20] != b' ' {
            return None;
        }
        let civil = clf_civil(stamp)?;
        let (offset_s, _) = parse_offset(&stamp[21..])?;
        let time = civil.is_valid().then(|| civil.at_offset(offset_s))?;
        self.clf = Remembered { stamp: *stamp, time };
        Some(time)
    }

    /// A time as people write it, which names its year: read by `read` where the last one was another.
    pub(crate) fn spelled(
        &mut self,
        text: &[u8],
        read: impl FnOnce(&[u8]) -> Option<(Civil, Option<i32>)>,
    ) -> Option<Timestamp> {
        let mut stamp = [0; SPELLED_BYTES_MAX];
        stamp.get_mut(..text.len())?.copy_from_slice(text);
        if self.spelled.stamp != stamp {
            let (civil, offset_s) = read(text).filter(|_| text.last() != Some(&0))?;
            self.spelled = Remembered { stamp, time: self.at(civil, offset_s)? };
        }
        Some(self.spelled.time)
    }

    /// What web servers write in brackets: [`Self::clf`] with a fraction (`10/Oct/2000:13:55:36.725 -0700`) or without a zone,
    /// or ISO 8601. The whole text must be the time.
    pub(crate) fn bracketed(&mut self, text: &[u8]) -> Option<Timestamp> {
        if text.get(2) != Some(&b'/') {
            return self.iso(text).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| time);
        }
        let mut civil = clf_civil(text)?;
        let mut rest = &text[20..];
        if let Some(fraction) = rest.strip_prefix(b".") {
            (civil.microsecond, rest) = parse_fraction(fraction);
        }
        if !civil.is_valid() {
            return None;
        }
        if rest.is_empty() {
            return Some(self.clock.resolve(civil));
        }
        let (offset_s, rest) = parse_offset(rest.strip_prefix(b" ")?)?;
        rest.is_empty().then(|| civil.at_offset(offset_s))
    }

    /// `2026/03/04 10:00:01` at the start of a text; returns what follows.
    pub(crate) fn slashed<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let head = text.get(..19)?;
        if head[4] != b'/' || head[7] != b'/' || head[10] != b' ' {
            return None;
        }
        let (clock, _) = clock_time(&head[11..])?;
        let civil = Civil { year: year(&head[..4])?, month: two(&head[5..7])?, day: two(&head[8..10])?, ..clock };
        civil.is_valid().then(|| (self.clock.resolve(civil), &text[19..]))
    }

    /// `Wed Mar 04 10:00:01[.123456] 2026`, the form of the C library; the whole text must be the time.
    pub(crate) fn of_c(&self, text: &[u8]) -> Option<Timestamp> {
        let month = month(text.get(4..7)?)?;
        let (day, rest) = number(skip_blanks(text.get(7..)?)?, 2)?;
        let (clock, rest) = clock_time(skip_blanks(rest)?)?;
        let rest = rest.strip_prefix(b" ").filter(|rest| rest.len() == 4)?;
        let civil = Civil { year: year(rest)?, month, day, ..clock };
        civil.is_valid().then(|| self.clock.resolve(civil))
    }

    /// `2026-03-04` and `10:00:01[.123]`, in UTC whatever zone the machine has.
    pub(crate) fn utc(date: &[u8], time: &[u8]) -> Option<Timestamp> {
        dashed(date, time).map(|civil| civil.at_offset(0))
    }

    /// As [`Self::utc`], in the zone of the clock.
    pub(crate) fn local(&self, date: &[u8], time: &[u8]) -> Option<Timestamp> {
        dashed(date, time).map(|civil| self.clock.resolve(civil))
    }

    /// ISO 8601 with or without a zone; returns what follows.
    pub(crate) fn iso<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (civil, rest) = parse_date_time(text)?;
        match parse_offset(rest) {
            Some((offset_s, rest)) => Some((civil.at_offset(offset_s), rest)),
            None => Some((self.clock.resolve(civil), rest)),
        }
    }

    /// The instant of a local time, or of one at an offset in seconds east of UTC.
    pub(crate) fn at(&self, civil: Civil, offset_s: Option<i32>) -> Option<Timestamp> {
        civil
            .is_valid()
            .then(|| offset_s.map_or_else(|| self.clock.resolve(civil), |offset_s| civil.at_offset(offset_s)))
    }

    /// The instant of a time that names no year.
    pub(crate) fn at_latest(&mut self, civil: Civil, offset_s: Option<i32>) -> Option<Timestamp> {
        self.with_year(BsdStamp { civil, year: None, offset_s })
    }

    /// RFC 3164 stamps and their relatives (`Oct 11 22:14:15`, with year, fraction or zone); returns what follows.
    #[inline]
    pub(crate) fn bsd<'a>(&mut self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        if let Some((stamp, rest)) = text.split_first_chunk::<15>()
            && self.bsd.stamp == *stamp
            && rest.first() == Some(&b' ')
            && !rest.get(1).is_some_and(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        {
            return Some((self.bsd.time, rest));
        }
        self.bsd_slow(text)
    }

    fn bsd_slow<'a>(&mut self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (stamp, rest) = BsdStamp::read(text)?;
        let time = match stamp.year {
            Some(_) => self.place(stamp, stamp.civil)?,
            None => self.with_year(stamp)?,
        };
        let plain = stamp.year.is_none() && stamp.offset_s.is_none() && text.len() - rest.len() == 15;
        if plain && let Some(bytes) = text.first_chunk::<15>() {
            self.bsd = Remembered { stamp: *bytes, time };
        }
        Some((time, rest))
    }

    fn place(&self, stamp: BsdStamp, civil: Civil) -> Option<Timestamp> {
        civil.is_valid().then(|| match stamp.offset_s {
            Some(offset_s) => civil.at_offset(offset_s),
            None => self.clock.resolve(civil),
        })
    }

    /// The time of a stamp without a year.
    fn with_year(&mut self, stamp: BsdStamp) -> Option<Timestamp> {
        let month = stamp.civil.month;
        if let Some(first_year) = self.clock.year {
            if self.last_month >= 11 && month <= 2 {
                self.years_rolled += 1;
            }
            self.last_month = month;
            return self.place(stamp, Civil { year: first_year + self.years_rolled, ..stamp.civil });
        }
        let (latest, this_year) = self.latest;
        (0..=YEARS_BACK_MAX).find_map(|back| {
            let year = this_year - back;
            let time = self.place(stamp, Civil { year, ..stamp.civil })?;
            (time <= latest).then_some(time)
        })
    }
}

/// Date and time in front of the zone of the Common Log Format, unchecked: `10/Oct/2000:13:55:36`.
#[inline]
fn clf_civil(stamp: &[u8]) -> Option<Civil> {
    let stamp = stamp.get(..20)?;
    let separators =
        stamp[2] == b'/' && stamp[6] == b'/' && stamp[11] == b':' && stamp[14] == b':' && stamp[17] == b':';
    Some(Civil {
        year: if separators { year(&stamp[7..11])? } else { return None },
        month: month(&stamp[3..6])?,
        day: two(&stamp[0..2])?,
        hour: two(&stamp[12..14])?,
        minute: two(&stamp[15..17])?,
        second: two(&stamp[18..20])?,
        microsecond: 0,
    })
}

fn dashed(date: &[u8], time: &[u8]) -> Option<Civil> {
    if date.len() != 10 || date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (clock, rest) = clock_time(time)?;
    let civil = Civil { year: year(&date[..4])?, month: two(&date[5..7])?, day: two(&date[8..10])?, ..clock };
    (rest.is_empty() && civil.is_valid()).then_some(civil)
}

#[inline]
fn year(text: &[u8]) -> Option<i32> {
    Some(i32::from(two(text.get(..2)?)?) * 100 + i32::from(two(text.get(2..4)?)?))
}

/// The parts of a stamp in RFC 3164 style.
#[derive(Clone, Copy, Debug)]
struct BsdStamp {
    civil: Civil,
    year: Option<i32>,
    offset_s: Option<i32>,
}

impl BsdStamp {
    fn read(text: &[u8]) -> Option<(Self, &[u8])> {
        let month = month(text.get(..3)?)?;
        let rest = skip_blanks(text.get(3..)?)?;
        let (day, rest) = number(rest, 2)?;
        let mut rest = skip_blanks(rest)?;
        let mut year = None;
        if let Some((read, after)) = four_digit_year(rest) {
            year = Some(read);
            rest = skip_blanks(after)?;
        }
        let (civil, mut rest) = clock_time(rest)?;
        if let Some((read, after)) = rest.strip_prefix(b" ").and_then(four_digit_year)
            && year.is_none()
            && matches!(after.first(), Some(b' ' | b':'))
        {
            year = Some(read);
            rest = after;
        }
        let (offset_s, mut rest) = zone_after(rest);
        // `05:34:00 CST 1987`, as in the examples of RFC 3164 §5.4.
        if let Some((read, after)) = rest.strip_prefix(b" ").and_then(four_digit_year)
            && year.is_none()
            && offset_s.is_some()
        {
            year = Some(read);
            rest = after;
        }
        if let Some(after) = rest.strip_prefix(b":") {
            rest = after;
        }
        let civil = Civil { year: year.unwrap_or(4), month, day, ..civil };
        let known = day >= 1 && day <= days_in_month(4, month) && is_leap_year(4) && civil.hour <= 23;
        known.then_some((BsdStamp { civil, year, offset_s }, rest))
    }
}

/// `hh:mm:ss`, with a fraction that may be empty.
pub(crate) fn clock_time(text: &[u8]) -> Option<(Civil, &[u8])> {
    let head = text.get(..8)?;
    if head[2] != b':' || head[5] != b':' {
        return None;
    }
    let mut civil =
        Civil { hour: two(&head[0..2])?, minute: two(&head[3..5])?, second: two(&head[6..8])?, ..Civil::default() };
    let mut rest = &text[8..];
    if let Some(after) = rest.strip_prefix(b".").or(rest.strip_prefix(b",")) {
        (civil.microsecond, rest) = parse_fraction(after);
    }
    (civil.minute <= 59 && civil.second <= 60).then_some((civil, rest))
}

pub(crate) fn four_digit_year(text: &[u8]) -> Option<(i32, &[u8])> {
    let year = i32::from(two(text.get(0..2)?)?) * 100 + i32::from(two(text.get(2..4)?)?);
    let after = &text[4..];
    ((1970..=9999).contains(&year) && !after.first().is_some_and(u8::is_ascii_digit)).then_some((year, after))
}

/// Zone names that device logs write, in hours east of UTC.
const ZONES: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("BST", 1),
    ("CET", 1),
    ("WEST", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("JST", 9),
    ("AEST", 10),
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MDT", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
];

/// A zone name or offset behind a time, and what follows it.
pub(crate) fn zone_after(text: &[u8]) -> (Option<i32>, &[u8]) {
    let spaced = text.strip_prefix(b" ").unwrap_or(text);
    if matches!(spaced.first(), Some(b'+' | b'-' | b'Z'))
        && let Some((offset_s, rest)) = parse_offset(spaced)
        && matches!(rest.first(), Some(b' ' | b':' | b']') | None)
    {
        return (Some(offset_s), rest);
    }
    let length = spaced.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let (name, rest) = spaced.split_at(length);
    if matches!(rest.first(), Some(b' ' | b':' | b']') | None)
        && let Some((_, hours)) = ZONES.iter().find(|(known, _)| known.as_bytes() == name)
    {
        return (Some(hours * 3600), rest);
    }
    (None, text)
}

fn skip_blanks(text: &[u8]) -> Option<&[u8]> {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    (1..=3).contains(&blanks).then(|| &text[blanks..])
}

pub(crate) fn number(text: &[u8], digits_max: usize) -> Option<(u8, &[u8])> {
    let digits = text.iter().take(digits_max).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0_u8, |value, digit| value * 10 + (digit - b'0'));
    (digits > 0).then(|| (value, &text[digits..]))
}

fn two(text: &[u8]) -> Option<u8> {
    let (high, low) = (text[0].wrapping_sub(b'0'), text[1].wrapping_sub(b'0'));
    (high <= 9 && low <= 9).then(|| high * 10 + low)
}

#[cfg(test)]
mod tests;
