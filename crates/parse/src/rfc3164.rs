//! BSD syslog (RFC 3164) as it is found: with and without PRI, with BSD or ISO 8601 stamps, as in `/var/log` files and as
//! `journalctl` prints it.
//!
//! `[<PRI>][seq: ][stamp ][host ][facility.severity ][tag[pid]:] message`
//! Without PRI a line must have a BSD stamp and a host, or another stamp with host and tag, so that other text is not taken
//! for syslog.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp};
use memchr::memchr;

use crate::address::is_ip;
use crate::body;
use crate::cisco;
use crate::clock::Times;
use crate::context::{Context, Refusal};
use crate::day_names::starts_with_month;
use crate::envelope::relay;
use crate::header_stamp;
use crate::host::packages;
use crate::level::is_level;
use crate::syslog::{Priority, Program, priority, put_host, put_message};
use crate::tag::{self, Tag, tag};
use crate::unifi;
use crate::{own_file, rfc5424};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    let starts_with_iso = text.len() > 20 && text[4] == b'-' && text[7] == b'-' && text[13] == b':';
    text.first() == Some(&b'<') || starts_with_month(text) || starts_with_iso || header_stamp::starts_with_weekday(text)
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
    /// What stands between the tag and its colon on macOS: the process that the message is about.
    about: &'a [u8],
    /// The number of the message in Solaris's catalog.
    message_id: &'a [u8],
    message: &'a [u8],
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let header = BsdHeader::read(text, &mut context.times)?;
    // A program that writes its own file names no host, nor puts a letter between day and hour.
    let is_event = matches!(header.message.get(..4), Some(b"CEF:" | b"LEEF"));
    let may_be_own = header.priority.is_none()
        && !is_event
        && (header.host.is_empty() || header.program.name.is_empty() || text.get(10) == Some(&b' '));
    if may_be_own && let Ok(dataset) = own_file::read(text, context, rows) {
        return Ok(dataset);
    }
    let header = match header.program.pid {
        None => match of_device(header, text, context, rows) {
            Ok(dataset) => return Ok(dataset),
            Err(header) => header,
        },
        Some(_) => header,
    };
    // A relay that does not understand the sender's header puts its own in front of it.
    let inner = (header.program.name.is_empty() && is_header_start(header.message))
        .then(|| BsdHeader::read(header.message, &mut context.times).ok())
        .flatten()
        .filter(|inner| !inner.program.name.is_empty());
    let outer = &header;
    if inner.is_none() && header.program.name.is_empty() && is_relayed(header.message) {
        outer.put_outer(rows);
        if let Some(dataset) = read_relayed(header.message, context, rows) {
            return Ok(dataset);
        }
        rows.clear_row();
    }
    let header = inner.as_ref().unwrap_or(outer);
    if let Some(priority) = header.priority.or(outer.priority) {
        priority.put(rows);
    }
    if let Some(time) = header.time.or(outer.time) {
        rows.date(field::TIMESTAMP, time);
    }
    put_host(rows, header.host);
    if !header.about.is_empty() {
        rows.text(field::LOG_LOGGER, header.about);
    }
    if !header.message_id.is_empty() {
        rows.text(field::LOG_SYSLOG_MSGID, header.message_id);
    }
    Ok(put_message(rows, &header.program, header.message, context))
}

/// A device's own header stands in other places, behind that of a relay, too; the header is given back where it is none.
fn of_device<'a>(
    header: BsdHeader<'a>,
    text: &'a [u8],
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Result<DatasetId, BsdHeader<'a>> {
    if cisco::looks_like(text)
        && let Ok(dataset) = cisco::read(text, context, rows)
    {
        return Ok(dataset);
    }
    match unifi::inner(header.program.name, header.message) {
        Some((program, message)) if header.host.is_empty() => {
            Err(BsdHeader { host: header.program.name, program, message, ..header })
        }
        Some((program, message)) => Err(BsdHeader { program, message, ..header }),
        None => Err(header),
    }
}

fn is_relayed(message: &[u8]) -> bool {
    match message.first() {
        Some(b'O') => message.starts_with(relay::ORIGINAL),
        Some(b'<') => priority(message).is_ok() && rfc5424::looks_like(message),
        _ => false,
    }
}

/// A message that another machine had given a header of its own, RFC 5424 or with its address, before it was passed on.
fn read_relayed(message: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    if let Some((host, message)) = relay::original(message) {
        put_host(rows, host);
        return context.read_carried(message, rows).or_else(|| {
            let Tag { program, message, .. } = tag(message)?;
            Some(put_message(rows, &program, message, context))
        });
    }
    context.read_carried(message, rows)
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
            let mut header = BsdHeader { priority, message: rest, ..BsdHeader::default() };
            header.put_tag(tag(rest.trim_ascii_start()));
            return Ok(header);
        };
        let mut header = BsdHeader { priority, time: Some(time), ..BsdHeader::default() };
        let stamp_bytes = &stamp_at[..stamp_at.len() - after.len()];
        let is_bsd = priority.is_some() || starts_with_month(stamp_bytes);
        if !is_bsd && !may_be_header(after) {
            return Err(Refusal::Other("not syslog: no host and program after the time"));
        }
        let recognised = header.after_stamp(after.trim_ascii_start());
        let is_sure = is_bsd && (priority.is_some() || header.is_of_bsd(recognised));
        if !is_sure && (is_bsd || !header.is_surely_syslog(recognised, stamp_bytes, after)) {
            return Err(Refusal::Other("not syslog: no host and program after the time"));
        }
        Ok(header)
    }

    /// Whether what stands in the place of the host is the level, or the dash, of a program's own log.
    fn is_of_a_program(&self) -> bool {
        is_level(self.host)
            || matches!(self.host, b"SUBDEBUG" | b"DDEBUG")
            || (self.host == b"-" && self.program.name.ends_with(b".py"))
    }

    fn put_outer(&self, rows: &mut BatchBuilder) {
        if let Some(priority) = self.priority {
            priority.put(rows);
        }
        if let Some(time) = self.time {
            rows.date(field::TIMESTAMP, time);
        }
        put_host(rows, self.host);
    }

    /// Whether a line without PRI is of syslog: a BSD stamp and a host are by themselves.
    #[inline]
    fn is_of_bsd(&self, recognised: bool) -> bool {
        recognised || !matches!(self.host.first(), None | Some(b'['))
    }

    /// Whether a line without PRI and with another stamp, which begins many other logs, is of syslog.
    fn is_surely_syslog(&self, recognised: bool, stamp: &[u8], after: &[u8]) -> bool {
        if !self.host.is_empty() && (!is_host_name(self.host) || self.is_of_a_program()) {
            return false;
        }
        let has_pid = self.program.pid.is_some_and(|pid| !pid.is_empty());
        if recognised && (has_pid || self.priority.is_some() || body::is_known(self.program.name)) {
            return true;
        }
        // What rsyslog writes has its zone, and one blank everywhere.
        let is_zoned = stamp.get(10) == Some(&b'T') && stamp.len() > 19;
        let one_blank = after.get(1).is_some_and(|byte| *byte != b' ');
        let named = recognised && !self.program.name.is_empty() && !is_level(self.program.name);
        // The sender's whole line behind the header of a relay.
        let is_relayed = self.program.name.is_empty() && starts_with_month(self.message);
        let of_program = named && self.message.len() + self.program.name.len() + self.host.len() + 5 > after.len();
        is_zoned
            && one_blank
            && !self.host.is_empty()
            && (of_program
                || is_relayed
                || is_ip(self.host) && self.message.starts_with(b"{")
                || self.program.name.is_empty() && body::is_of_device(self.message))
    }

    /// Host, tag and message. False where no tag or known wording says that this is syslog.
    fn after_stamp(&mut self, rest: &'a [u8]) -> bool {
        self.message = rest;
        match rest.first() {
            // FreeBSD's `syslogd -v` writes `<4.6>` or `<auth.info>` in front of the host.
            Some(b'<') => {
                if let Some((level, rest)) = tag::level_in_angles(rest) {
                    self.priority = self.priority.or(Some(level));
                    return self.after_stamp(rest);
                }
            }
            // metalog writes no host.
            Some(b'[') => return self.put_tag(tag::bracketed(rest)),
            Some(b'-') if rest.starts_with(b"-- MARK --") || rest.starts_with(b"--- last message repeated ") => {
                return true;
            }
            Some(b'l') if rest.starts_with(b"last message repeated ") => return true,
            Some(b'M') => {
                if let Some((host, message)) = forwarded(rest) {
                    self.host = host;
                    self.message = message;
                    self.put_tag(tag(message));
                    return true;
                }
            }
            _ => {}
        }
        // Without a host the tag comes first: `prog[1]: text`. A host never ends in a colon.
        let blank = memchr(b' ', rest);
        let first = blank.map_or(rest, |blank| &rest[..blank]);
        // yum's own log: no program, but what was done.
        if first.ends_with(b":") && packages::is_rpm(rest) {
            return false;
        }
        if first.ends_with(b":") && self.put_tag(tag(rest)) {
            return true;
        }
        let Some(blank) = blank.filter(|blank| *blank > 0) else { return false };
        let after_host = rest[blank..].trim_ascii_start();
        // OpenWrt's logread writes facility and severity and no host.
        if first.contains(&b'.')
            && let Some(level) = Priority::of_words(first)
        {
            self.priority = self.priority.or(Some(level));
            self.message = after_host;
            return self.put_tag(tag(after_host).or_else(|| tag::loose(after_host)));
        }
        self.host = first;
        self.message = after_host;
        self.put_tag(tag(after_host)) || self.after_host(after_host)
    }

    /// What is unusual behind the host.
    fn after_host(&mut self, text: &'a [u8]) -> bool {
        // A local sender that names the host puts a second one behind that of the daemon.
        if let Some(rest) = text.strip_prefix(self.host).and_then(|rest| rest.strip_prefix(b" "))
            && self.put_tag(tag(rest))
        {
            return true;
        }
        // `auth.info` of BusyBox, `auth|security:info` of AIX.
        if let Some((level, rest)) = tag::level_word(text) {
            self.priority = self.priority.or(Some(level));
            self.message = rest;
            return self.put_tag(tag(rest).or_else(|| tag::loose(rest)));
        }
        self.put_tag(tag::loose(text))
            || text.starts_with(b"-- MARK --")
            || text.starts_with(b"last message repeated ")
            || text.starts_with(b"message repeated ")
            || is_header_start(text)
    }

    #[inline]
    fn put_tag(&mut self, read: Option<Tag<'a>>) -> bool {
        let Some(Tag { program, message, is_open }) = read else { return false };
        (self.program, self.message) = (program, message);
        match message.first() {
            Some(b'[') => self.put_solaris_id(),
            Some(b'(' | b'<') if is_open => {
                if let Some((about, message)) = tag::of_macos(message) {
                    (self.about, self.message) = (about, message);
                }
            }
            _ => {}
        }
        true
    }

    fn put_solaris_id(&mut self) {
        if let Some((id, level, rest)) = tag::solaris_id(self.message) {
            (self.message_id, self.message) = (id, rest);
            self.priority = self.priority.or(Some(level));
        }
    }
}

/// Whether what stands behind a time that begins many logs may be a host or a tag, and not a level or a number in brackets.
fn may_be_header(after: &[u8]) -> bool {
    let text = after.trim_ascii_start();
    let first = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    match first.first() {
        None => false,
        Some(b'[') => !first.get(1).is_some_and(u8::is_ascii_digit),
        Some(b'<') => true,
        Some(_) => !is_level(first.strip_suffix(b":").unwrap_or(first)),
    }
}

/// Letters, digits, dots, hyphens and underscores, or an address. A word such as `ERROR` and a number are none.
fn is_host_name(text: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'@');
    let plain = text.iter().all(is_of_name) && !text.iter().all(u8::is_ascii_digit) && !is_level(text);
    plain || is_ip(text)
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
    let (time, rest) = header_stamp::of_syslog(text, times)?;
    (rest.is_empty() || rest[0] == b' ').then_some((time, rest))
}

/// `Message forwarded from HOST: …` (AIX).
fn forwarded(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"Message forwarded from ")?;
    let colon = memchr(b':', rest)?;
    Some((&rest[..colon], rest[colon + 1..].trim_ascii_start()))
}
