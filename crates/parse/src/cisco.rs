//! Syslog as Cisco's devices write it: what stands before `%FACILITY-SEVERITY-MNEMONIC:` has no fixed order. Sequence numbers,
//! the device's name, a stamp with a mark and a zone, the card of a router. All of it must be known, so that a client's words in
//! another program's message are never taken for a device's.
//!
//! `[<PRI>][seq: ][stamp relay ][name: ][*]Mar  4 2026 10:00:01.123 UTC: %SYS-5-CONFIG_I: message`

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp};
use memchr::memchr;

use crate::body::cisco::code;
use crate::clock::Times;
use crate::context::{Context, Refusal};
use crate::day_names::starts_with_month;
use crate::syslog::{Priority, Program, priority, put_host, put_message};

/// Names that may stand before the code: a relay's, and the device's own.
const HOSTS_MAX: usize = 2;

/// Whether a code stands in the line where one can stand.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    code(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("no code of a Cisco device");
    let (head, code) = code(text).ok_or(OTHER)?;
    let (rest, priority) = after_priority(head);
    let mut words = HeaderWords { rest, ..HeaderWords::default() };
    if !words.read(&mut context.times) {
        return Err(OTHER);
    }
    if let Some(priority) = priority {
        priority.put(rows);
    }
    if let Some(time) = words.time {
        rows.date(field::TIMESTAMP, time);
    }
    put_host(rows, words.host);
    let program = Program { name: code.name, pid: words.pid };
    Ok(put_message(rows, &program, code.message, context))
}

fn after_priority(text: &[u8]) -> (&[u8], Option<Priority>) {
    priority(text).map_or((text, None), |(rest, priority)| (rest, Some(priority)))
}

/// What stands before the code, word by word.
#[derive(Debug, Default)]
struct HeaderWords<'a> {
    rest: &'a [u8],
    host: &'a [u8],
    hosts: usize,
    /// The last name had a colon right behind it, as a program's has.
    host_is_tag: bool,
    /// The card of a router was named.
    has_card: bool,
    pid: Option<&'a [u8]>,
    time: Option<Timestamp>,
}

impl<'a> HeaderWords<'a> {
    /// Reads all words. False where one is not known.
    fn read(&mut self, times: &mut Times) -> bool {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if self.rest.is_empty() {
                // `program: %X` is a program that says so; a device writes a time or a blank between its name and the code.
                return !self.host_is_tag;
            }
            let known =
                self.colon() || self.time(times) || self.number() || self.card() || self.process() || self.name();
            if !known {
                return false;
            }
        }
    }

    /// A colon by itself.
    fn colon(&mut self) -> bool {
        self.rest.strip_prefix(b":").is_some_and(|rest| {
            self.rest = rest;
            self.host_is_tag = false;
            true
        })
    }

    /// A stamp; `*` says that the clock is not set, `.` that it was lost.
    fn time(&mut self, times: &mut Times) -> bool {
        let is_unsure = matches!(self.rest.first(), Some(b'*' | b'.'));
        let Some((time, rest)) = stamp(&self.rest[usize::from(is_unsure)..], times) else { return false };
        if self.time.is_none() || !is_unsure {
            self.time = Some(time);
        }
        self.rest = after_zone(rest);
        self.host_is_tag = false;
        true
    }

    /// A sequence number, or the time since the start: `000123:`, `1w2d:`, `00:01:02:`.
    fn number(&mut self) -> bool {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit() || b"wdhmsy:".contains(byte)).count();
        let number = &self.rest[..length];
        if !number.first().is_some_and(u8::is_ascii_digit) || !number.ends_with(b":") {
            return false;
        }
        self.rest = &self.rest[length..];
        true
    }

    /// The card of a router: `RP/0/RSP0/CPU0:`, `LC/0/0/CPU0:`.
    fn card(&mut self) -> bool {
        let Some(colon) = memchr(b':', self.rest) else { return false };
        let card = &self.rest[..colon];
        let is_card = card.contains(&b'/')
            && card.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'/');
        if is_card {
            self.rest = &self.rest[colon + 1..];
            self.has_card = true;
        }
        is_card
    }

    /// The process of a router or controller: `sshd[66]:`, `*apfMsConnTask_1:`.
    fn process(&mut self) -> bool {
        let Some(colon) = memchr(b':', self.rest) else { return false };
        let word = &self.rest[..colon];
        let (name, pid) = match word.strip_suffix(b"]").and_then(|word| memchr(b'[', word).map(|at| word.split_at(at)))
        {
            Some((name, pid)) => (name, Some(&pid[1..])),
            None => (word.strip_prefix(b"*").unwrap_or_default(), None),
        };
        let is_name = |name: &[u8]| {
            !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        };
        // Without a card a program's name with a number is that of any program.
        if !is_name(name) || (pid.is_some() && !self.has_card) {
            return false;
        }
        self.pid = pid;
        self.rest = &self.rest[colon + 1..];
        true
    }

    /// The name or address of the device or of a relay.
    fn name(&mut self) -> bool {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(byte)).count();
        if length == 0 || !matches!(self.rest.get(length), Some(b' ') | None) || self.hosts == HOSTS_MAX {
            return false;
        }
        let word = &self.rest[..length];
        self.host = word.strip_suffix(b":").unwrap_or(word);
        self.host_is_tag = word.ends_with(b":");
        self.hosts += 1;
        self.rest = &self.rest[length..];
        !self.host.is_empty()
    }
}

/// Steps over the name of a zone that is not known by it: `BRT:`.
fn after_zone(text: &[u8]) -> &[u8] {
    let word = text.trim_ascii_start();
    let length = word.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match (length, word.get(length)) {
        (2..=5, Some(b':')) => &word[length + 1..],
        _ => text,
    }
}

fn stamp<'a>(text: &'a [u8], times: &mut Times) -> Option<(Timestamp, &'a [u8])> {
    if starts_with_month(text) {
        return times.bsd(text);
    }
    if text.get(4) == Some(&b'-') {
        return times.iso(text);
    }
    // `2026 Mar  4 10:00:01 UTC:` is read with its year behind the day.
    let (year, rest) = text.split_at_checked(5)?;
    if !starts_with_month(rest) || year[4] != b' ' || !year[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let day = rest.get(..7)?;
    let written = [day, year, &rest[7..rest.len().min(60)]].concat();
    let (time, after) = times.bsd(&written)?;
    Some((time, &rest[(written.len() - after.len()).checked_sub(5)?..]))
}
