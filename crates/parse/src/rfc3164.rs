//! BSD syslog (RFC 3164) as it is found: with and without PRI, with BSD or ISO 8601 stamps, as in `/var/log` files.
//!
//! `[<PRI>][seq: ][stamp ][host ][tag[pid]:] message`
//! Without PRI a line must have a BSD stamp and a host, or an ISO stamp and a tag, so that other text is not taken for
//! syslog.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp};
use memchr::memchr;

use crate::clock::{Times, starts_with_month};
use crate::context::{Context, Refusal};
use crate::syslog::{Priority, Program, priority, put_host, put_message};
use crate::{own_file, rfc5424};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    let starts_with_iso = text.len() > 20 && text[4] == b'-' && text[7] == b'-' && text[13] == b':';
    text.first() == Some(&b'<') || starts_with_month(text) || starts_with_iso
}

/// A priority, whole or not; markup begins with a letter.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    matches!(text, [b'<', b'0'..=b'9', ..])
}

/// A line taken apart; nothing is put before the whole is known to be syslog.
#[derive(Debug, Default)]
struct BsdHeader<'a> {
    priority: Option<Priority>,
    time: Option<Timestamp>,
    host: &'a [u8],
    program: Program<'a>,
    message: &'a [u8],
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let header = BsdHeader::read(text, &mut context.times)?;
    // A program that writes its own file names no host, nor puts a letter between day and hour.
    let may_be_own = header.priority.is_none()
        && (header.host.is_empty() || header.program.name.is_empty() || text.get(10) == Some(&b' '));
    if may_be_own && let Ok(dataset) = own_file::read(text, context, rows) {
        return Ok(dataset);
    }
    // A relay that does not understand the sender's header puts its own in front of it.
    let inner = (header.program.name.is_empty() && is_header_start(header.message))
        .then(|| BsdHeader::read(header.message, &mut context.times).ok())
        .flatten()
        .filter(|inner| !inner.program.name.is_empty());
    let outer = &header;
    let header = inner.as_ref().unwrap_or(outer);
    if let Some(priority) = header.priority.or(outer.priority) {
        priority.put(rows);
    }
    if let Some(time) = header.time.or(outer.time) {
        rows.date(field::TIMESTAMP, time);
    }
    put_host(rows, header.host);
    header.program.put(rows);
    Ok(put_message(rows, &header.program, header.message, context))
}

fn is_header_start(text: &[u8]) -> bool {
    starts_with_month(text) || priority(text).is_ok()
}

impl<'a> BsdHeader<'a> {
    fn read(text: &'a [u8], times: &mut Times) -> Result<Self, Refusal> {
        let (rest, priority) = match priority(text) {
            Ok((rest, priority)) => (rest, Some(priority)),
            Err(_) if text.first() == Some(&b'<') => {
                return Err(Refusal::Other("syslog priority is not a number of 1 to 3 digits in < >"));
            }
            Err(_) => (text, None),
        };
        let (stamp_at, rest) = (before_stamp(rest), rest);
        let Some((time, after)) = stamp(stamp_at, times) else {
            if priority.is_none() {
                return Err(Refusal::Other("not syslog: neither a priority nor a time at the start"));
            }
            if rfc5424::looks_like(text) {
                return Err(Refusal::Other("RFC 5424, not RFC 3164"));
            }
            let (program, message) = tag(rest.trim_ascii_start()).unwrap_or((Program::default(), rest));
            return Ok(BsdHeader { priority, program, message, ..BsdHeader::default() });
        };
        let mut header = BsdHeader { priority, time: Some(time), ..BsdHeader::default() };
        let after = after.trim_ascii_start();
        let recognised = header.after_stamp(after);
        // A BSD stamp and a host are syslog by themselves; an ISO stamp begins many other logs.
        let bsd_with_host = starts_with_month(stamp_at) && !header.host.is_empty();
        if priority.is_none() && !recognised && !bsd_with_host {
            return Err(Refusal::Other("not syslog: no host and program after the time"));
        }
        Ok(header)
    }

    /// Host, tag and message. False where no tag or known wording says that this is syslog.
    fn after_stamp(&mut self, rest: &'a [u8]) -> bool {
        self.message = rest;
        if rest.starts_with(b"-- MARK --") || rest.starts_with(b"last message repeated ") {
            return true;
        }
        if let Some((host, message)) = forwarded(rest) {
            self.host = host;
            if let Some((program, message)) = tag(message) {
                (self.program, self.message) = (program, message);
            }
            return true;
        }
        // Without a host the tag comes first: `prog[1]: text`. A host never ends in a colon.
        let first = memchr(b' ', rest).map_or(rest, |blank| &rest[..blank]);
        if first.ends_with(b":")
            && let Some((program, message)) = tag(rest)
        {
            (self.program, self.message) = (program, message);
            return true;
        }
        let Some(blank) = memchr(b' ', rest).filter(|blank| *blank > 0) else { return false };
        self.host = &rest[..blank];
        let after_host = rest[blank..].trim_ascii_start();
        self.message = after_host;
        // A local sender that names the host puts a second one behind that of the daemon.
        let repeated = after_host.strip_prefix(self.host).and_then(|rest| rest.strip_prefix(b" "));
        if let Some((program, message)) = tag(after_host).or_else(|| tag(repeated?)) {
            (self.program, self.message) = (program, message);
            return true;
        }
        after_host.starts_with(b"-- MARK --")
            || after_host.starts_with(b"last message repeated ")
            || after_host.starts_with(b"message repeated ")
            || is_header_start(after_host)
    }
}

/// Steps over blanks, Cisco's sequence number (`000123: `) and its clock marks `*` and `.`.
pub(crate) fn before_stamp(text: &[u8]) -> &[u8] {
    let mut rest = text.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0
        && let Some(after) = rest[digits..].strip_prefix(b": ")
    {
        rest = after;
    }
    rest.strip_prefix(b"*").or(rest.strip_prefix(b".")).unwrap_or(rest)
}

#[inline]
fn stamp<'a>(text: &'a [u8], times: &mut Times) -> Option<(Timestamp, &'a [u8])> {
    let (time, rest) = match text.first()? {
        b'0'..=b'9' => times.iso(text)?,
        _ => times.bsd(text)?,
    };
    (rest.is_empty() || rest[0] == b' ').then_some((time, rest))
}

/// `Message forwarded from HOST: …` (AIX).
fn forwarded(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"Message forwarded from ")?;
    let colon = memchr(b':', rest)?;
    Some((&rest[..colon], rest[colon + 1..].trim_ascii_start()))
}

/// `prog:`, `prog[pid]:`, `prog[pid]` and the text after it. The tag has no blanks.
#[inline]
fn tag(text: &[u8]) -> Option<(Program<'_>, &[u8])> {
    let end = memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() || matches!(word[0], b'[' | b'{' | b'(' | b'<') {
        return None;
    }
    if let Some(word) = word.strip_suffix(b":") {
        return (!word.is_empty()).then(|| (Program::read(word), rest.strip_prefix(b" ").unwrap_or(rest)));
    }
    let closing = memchr::memmem::find(word, b"]:");
    if let Some(close) = closing {
        return Some((Program::read(&word[..=close]), &text[close + 2..]));
    }
    let program = Program::read(word);
    let numbered = program.pid.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit));
    numbered.then(|| (program, rest.strip_prefix(b" ").unwrap_or(rest)))
}
