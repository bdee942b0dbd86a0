//! Error logs of the Apache web server, 2.2 and 2.4, with and without process and client; behind syslog without the time.
//!
//! `[time] [[module:]level] [pid N[:tid M]] [(code)text: ][file.c(line): ][client A[:port]] [AHnnnnn: ]message[, referer: F]`
//! The client counts where the server puts it, in front of the message; messages hold text of clients and scripts.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memrchr};

use crate::address::{decimal, put_endpoint};
use crate::apache_message;
use crate::context::{Context, Refusal};
use crate::needle::find;
use crate::request::split_word;

/// `[Wed Mar 04 …] [` or `[04/Mar/2026:…] [`
pub(crate) fn looks_like(text: &[u8]) -> bool {
    match text {
        [b'[', b'A'..=b'Z', _, _, b' ', b'A'..=b'Z', _, _, b' ', ..]
        | [b'[', b'0'..=b'9', _, b'/', b'A'..=b'Z', ..] => {
            split_time(text).is_some_and(|(_, rest)| level(rest).is_some())
        }
        _ => false,
    }
}

fn split_time(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', inside.get(..40.min(inside.len()))?)?;
    Some((&inside[..close], inside[close + 1..].strip_prefix(b" ")?))
}

const LEVELS: &[&[u8]] = &[b"emerg", b"alert", b"crit", b"error", b"warn", b"notice", b"info", b"debug"];

/// `[module:level] `: the level, and what follows.
fn level(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', inside.get(..40.min(inside.len()))?)?;
    let word = &inside[..close];
    let level = memrchr(b':', word).map_or(word, |colon| &word[colon + 1..]);
    let is_known =
        LEVELS.contains(&level) || level.strip_prefix(b"trace").is_some_and(|number| decimal(number).is_some());
    is_known.then(|| (level, inside[close + 1..].trim_ascii_start()))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not an error line of Apache: no time and level in brackets at the start");
    let (stamp, rest) = split_time(text).ok_or(OTHER)?;
    let (level, rest) = level(rest).ok_or(OTHER)?;
    let time = match stamp.first() {
        Some(b'0'..=b'9') => context.times.bracketed(stamp),
        _ => context.times.of_c(stamp),
    };
    context.times.put(time.ok_or(OTHER)?, rows);
    put_line(level, rest, rows);
    Ok(dataset::HTTP_ERROR)
}

/// The message of a syslog line: the same, mostly without the time.
pub(crate) fn read_message(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    if let Some((level, rest)) = level(text) {
        put_line(level, rest, rows);
        return Some(dataset::HTTP_ERROR);
    }
    read(text, context, rows).ok()
}

fn put_line(level: &[u8], rest: &[u8], rows: &mut BatchBuilder) {
    rows.text(field::LOG_LEVEL, level);
    let header = ApacheHeader::read(rest);
    if let Some(pid) = header.pid {
        rows.long(field::PROCESS_PID, pid);
    }
    if let Some(thread) = header.thread {
        rows.long(field::PROCESS_THREAD_ID, thread);
    }
    if let Some(client) = header.client {
        put_endpoint(rows, client);
    }
    if let Some(server) = header.remote
        && let Some((address, port)) = crate::address::endpoint(server)
    {
        rows.text(field::DESTINATION_IP, address);
        if let Some(port) = port {
            rows.long(field::DESTINATION_PORT, port);
        }
    }
    rows.text(field::MESSAGE, header.message);
    apache_message::put(header.message, rows);
}

/// What stands between level and message.
#[derive(Default)]
struct ApacheHeader<'a> {
    pid: Option<i64>,
    thread: Option<i64>,
    client: Option<&'a [u8]>,
    /// The other end of a connection that the server made itself.
    remote: Option<&'a [u8]>,
    message: &'a [u8],
}

impl<'a> ApacheHeader<'a> {
    fn read(text: &'a [u8]) -> Self {
        let mut header = ApacheHeader { message: text, ..ApacheHeader::default() };
        let mut start = text;
        if let Some((ids, rest)) = bracketed(text, b"pid ") {
            let (pid, thread) = find!(ids, b":tid ").map_or((ids, None), |at| (&ids[..at], Some(&ids[at + 5..])));
            (header.pid, header.thread) = (decimal(pid), thread.and_then(decimal));
            (start, header.message) = (rest, rest);
        }
        // Source file and error of the system stand in front of the client, and are the message's where there is none.
        let rest = after_error(after_file(start));
        let rest = after_file(rest);
        if let Some((client, after)) = bracketed(rest, b"client ") {
            header.client = Some(client);
            // ModSecurity names the client again.
            let again = bracketed(after, b"client ").filter(|(again, _)| client.starts_with(again));
            header.message = again.map_or(after, |(_, after)| after);
        } else if let Some((remote, after)) = bracketed(rest, b"remote ") {
            (header.remote, header.message) = (Some(remote), after);
        }
        header
    }
}

/// `[KEY VALUE] `: an IPv6 address has brackets of its own.
fn bracketed<'a>(text: &'a [u8], key: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let inside = text.strip_prefix(b"[")?.strip_prefix(key)?;
    let from = if inside.first() == Some(&b'[') { memchr(b']', inside)? + 1 } else { 0 };
    let close = from + memchr(b']', &inside[from..])?;
    Some((&inside[..close], inside[close + 1..].strip_prefix(b" ").unwrap_or(&inside[close + 1..])))
}

/// Steps over `(113)No route to host: `.
fn after_error(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"(") else { return text };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || rest.get(digits) != Some(&b')') {
        return text;
    }
    find!(&rest[..rest.len().min(160)], b": ").map_or(text, |at| &rest[at + 2..])
}

/// Steps over `mod_x.c(123): `.
fn after_file(text: &[u8]) -> &[u8] {
    let (word, rest) = split_word(text);
    let is_place = word.ends_with(b"):") && find!(word, b".c(").is_some();
    if is_place { rest } else { text }
}
