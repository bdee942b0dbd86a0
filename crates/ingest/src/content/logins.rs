//! Records of logins (wtmp, btmp, utmp, lastlog, faillog, tallylog) to lines like those of utmpdump(1), with the log's name in
//! front: `btmp [6] [99] [] [ann] [ssh:notty] [client.example] [203.0.113.7] [2026-03-04T10:00:01.000000Z]`.
//!
//! Fixed records as glibc on Linux has them: utmp(5), with 32-bit times on x86 and 64-bit times on others. Records of nothing
//! give no line. Names that clients chose are written without control characters and brackets.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use event::Timestamp;

use super::handed::hand_over;

/// Times that a record may have, in seconds since 1970: 1990 to 2100.
const TIMES: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// First records that are looked at in a file whose name tells what it holds.
const NAMED_LOOKED_AT: usize = 8;

/// Which log, and how its records are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLog {
    kind: Kind,
    /// Times and numbers of 64 bits.
    is_wide: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wtmp,
    Btmp,
    Utmp,
    Lastlog,
    Faillog,
    Tallylog,
}

const KINDS: [(&str, Kind); 6] = [
    ("wtmp", Kind::Wtmp),
    ("btmp", Kind::Btmp),
    ("utmp", Kind::Utmp),
    ("lastlog", Kind::Lastlog),
    ("faillog", Kind::Faillog),
    ("tallylog", Kind::Tallylog),
];

impl LoginLog {
    /// By the name (`wtmp`, `btmp-20260301`, `host1.wtmp`) and by what the first records hold. Without such a name records that
    /// cannot be mistaken are taken for those of wtmp.
    pub(super) fn detect(name: &str, first: &[u8]) -> Option<Self> {
        let named = KINDS.iter().find(|(word, _)| name.split(['.', '-', '_']).any(|part| part == *word));
        let kind = named.map_or(Kind::Wtmp, |(_, kind)| *kind);
        let is_named = named.is_some();
        // Records by account are mostly empty: the layout that makes sense of more of those that are not is the one. Where both
        // make as much, that of x86-64.
        let layouts = if kind == Kind::Faillog { [true, false] } else { [false, true] };
        let fitting =
            layouts.map(|is_wide| LoginLog { kind, is_wide }).into_iter().filter(|log| log.fits(first, is_named));
        fitting.rev().max_by_key(|log| log.sense(first))
    }

    /// Records that hold something plausible, less those that hold something else.
    fn sense(self, first: &[u8]) -> i64 {
        let records = first.chunks_exact(self.record_bytes()).filter(|record| record.iter().any(|byte| *byte != 0));
        records.map(|record| if self.is_plausible(record, true) { 1 } else { -1 }).sum()
    }

    fn record_bytes(self) -> usize {
        match (self.kind, self.is_wide) {
            (Kind::Wtmp | Kind::Btmp | Kind::Utmp, false) => 384,
            (Kind::Wtmp | Kind::Btmp | Kind::Utmp, true) => 400,
            (Kind::Lastlog, false) => 292,
            (Kind::Lastlog, true) => 296,
            (Kind::Faillog, false) => 24,
            (Kind::Faillog, true) => 32,
            (Kind::Tallylog, _) => 64,
        }
    }

    fn fits(self, first: &[u8], is_named: bool) -> bool {
        let records = || first.chunks_exact(self.record_bytes()).take(if is_named { NAMED_LOOKED_AT } else { 2 });
        let by_place = matches!(self.kind, Kind::Lastlog | Kind::Faillog | Kind::Tallylog);
        let holds_any = by_place || records().any(|record| number(record, 0, 2) != 0);
        // No text holds as many.
        let has_nuls = first.iter().filter(|byte| **byte == 0).count() * 4 >= first.len();
        let (all, sound) = (records().count(), records().filter(|record| self.is_plausible(record, is_named)).count());
        // A name tells more than a record that somebody wiped or damaged.
        has_nuls && all > 0 && holds_any && if is_named { sound * 2 > all } else { sound == all }
    }

    fn is_plausible(self, record: &[u8], is_named: bool) -> bool {
        if is_named && record.iter().all(|byte| *byte == 0) {
            return true;
        }
        let time = |seconds: i64| TIMES.contains(&seconds);
        match self.kind {
            Kind::Wtmp | Kind::Btmp | Kind::Utmp => {
                let is_text = |range: std::ops::Range<usize>| {
                    let text = &record[range];
                    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
                    text[end..].iter().all(|byte| *byte == 0) || is_named
                };
                number(record, 0, 2) <= 9
                    && time(self.seconds(record).0)
                    && is_text(8..40)
                    && is_text(44..76)
                    && is_text(76..332)
            }
            Kind::Lastlog => time(number(record, 0, if self.is_wide { 8 } else { 4 })),
            Kind::Faillog => time(self.fail_time(record)) && number(record, 0, 2) >= 0,
            Kind::Tallylog => time(number(record, 56, 8)),
        }
    }

    /// Seconds and microseconds of a record of utmp.
    fn seconds(self, record: &[u8]) -> (i64, i64) {
        if self.is_wide {
            (number(record, 344, 8), number(record, 352, 8))
        } else {
            (number(record, 340, 4), number(record, 344, 4))
        }
    }

    fn fail_time(self, record: &[u8]) -> i64 {
        number(record, 16, if self.is_wide { 8 } else { 4 })
    }

    /// The line of the record at this place of the file, if it holds anything.
    fn push(self, record: &[u8], at: u64, out: &mut String) {
        if record.iter().all(|byte| *byte == 0) {
            return;
        }
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        out.push_str(name);
        let mut part = |text: &str| {
            out.push_str(" [");
            out.push_str(text);
            out.push(']');
        };
        match self.kind {
            Kind::Wtmp | Kind::Btmp | Kind::Utmp => {
                part(&number(record, 0, 2).to_string());
                part(&number(record, 4, 4).to_string());
                for range in [40..44, 44..76, 8..40, 76..332] {
                    part(&text(&record[range]));
                }
                let address = if self.is_wide { &record[360..376] } else { &record[348..364] };
                part(&ip(address));
                let (seconds, micros) = self.seconds(record);
                part(&stamp(seconds, micros));
            }
            Kind::Lastlog => {
                let width = if self.is_wide { 8 } else { 4 };
                part(&at.to_string());
                part(&text(&record[width..width + 32]));
                part(&text(&record[width + 32..width + 288]));
                part(&stamp(number(record, 0, width), 0));
            }
            Kind::Faillog => {
                part(&at.to_string());
                part(&number(record, 0, 2).to_string());
                part(&text(&record[4..16]));
                part(&stamp(self.fail_time(record), 0));
            }
            Kind::Tallylog => {
                part(&at.to_string());
                part(&(number(record, 54, 2) & 0xFFFF).to_string());
                part(&text(&record[..52]));
                part(&stamp(number(record, 56, 8), 0));
            }
        }
        out.push('\n');
    }
}

/// A signed number of so many bytes, the low one first.
fn number(record: &[u8], at: usize, bytes: usize) -> i64 {
    let mut wide = [0; 8];
    wide[..bytes].copy_from_slice(&record[at..at + bytes]);
    let shift = 64 - 8 * bytes as u32;
    i64::from_le_bytes(wide) << shift >> shift
}

/// Up to the first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let clean = |c: char| if c.is_control() || matches!(c, '[' | ']') { '?' } else { c };
    String::from_utf8_lossy(&field[..end]).chars().map(clean).collect()
}

/// An address of version 4 stands in the first four bytes.
fn ip(bytes: &[u8]) -> String {
    let Ok(all) = <[u8; 16]>::try_from(bytes) else { return String::new() };
    let address = if all[4..].iter().all(|byte| *byte == 0) {
        IpAddr::V4(Ipv4Addr::new(all[0], all[1], all[2], all[3]))
    } else {
        IpAddr::V6(Ipv6Addr::from(all)).to_canonical()
    };
    if address.is_unspecified() { String::new() } else { address.to_string() }
}

fn stamp(seconds: i64, micros: i64) -> String {
    if seconds == 0 {
        return String::new();
    }
    let micros = if (0..1_000_000).contains(&micros) { micros } else { 0 };
    Timestamp(seconds.saturating_mul(1_000_000).saturating_add(micros)).within_years().to_string()
}

/// Lines of what is read through it.
pub(super) struct LoginLines<R> {
    inner: R,
    log: LoginLog,
    record: Vec<u8>,
    records: u64,
    line: String,
    at: usize,
}

impl<R: Read> LoginLines<R> {
    pub(super) fn new(inner: R, log: LoginLog) -> Self {
        LoginLines { inner, log, record: Vec::new(), records: 0, line: String::new(), at: 0 }
    }

    /// The line of the next record, which may be none; false at the end. Half a record at the end is no record yet.
    fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.at = 0;
        self.record.clear();
        let wanted = self.log.record_bytes();
        self.inner.by_ref().take(wanted as u64).read_to_end(&mut self.record)?;
        if self.record.len() < wanted {
            return Ok(false);
        }
        self.log.push(&self.record, self.records, &mut self.line);
        self.records += 1;
        Ok(true)
    }
}

impl<R: Read> Read for LoginLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.line.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        Ok(hand_over(self.line.as_bytes(), &mut self.at, into))
    }
}

#[cfg(test)]
mod tests;
