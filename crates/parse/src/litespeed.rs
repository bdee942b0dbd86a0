//! Error logs of LiteSpeed: `2026-03-04 10:00:01.123456 [LEVEL] [pid] [client:port:HTTP2-1#vhost] message`.
//!
//! The client counts where the server puts it; scripts repeat it in their messages.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memrchr};

use crate::address::{decimal, endpoint, put_endpoint};
use crate::context::{Context, Refusal};
use crate::needle::find;

const LEVELS: &[&[u8]] = &[b"DEBUG", b"INFO", b"NOTICE", b"WARN", b"ERROR", b"CRIT", b"ALERT", b"EMERG", b"FATAL"];

/// A line whose time and level are known.
struct LiteSpeedHead<'a> {
    date: &'a [u8],
    time: &'a [u8],
    level: &'a [u8],
    /// What follows: brackets.
    rest: &'a [u8],
}

fn split(text: &[u8]) -> Option<LiteSpeedHead<'_>> {
    let head = text.get(..40.min(text.len()))?;
    if head.get(10) != Some(&b' ') || head.get(4) != Some(&b'-') || head.get(13) != Some(&b':') {
        return None;
    }
    let open = find!(head, b" [")?;
    let close = memchr(b']', &text[open..])? + open;
    let level = text.get(open + 2..close).filter(|level| LEVELS.contains(level))?;
    let rest = text[close + 1..].strip_prefix(b" ").filter(|rest| rest.first() == Some(&b'['))?;
    Some(LiteSpeedHead { date: &text[..10], time: text.get(11..open)?, level, rest })
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    split(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not an error line of LiteSpeed");
    let LiteSpeedHead { date, time, level, mut rest } = split(text).ok_or(OTHER)?;
    let time = context.times.local(date, time).ok_or(OTHER)?;
    let (mut pid, mut client) = (None, None);
    // Process, thread and client, each where it is known; the client is the last of them.
    while let Some(inside) = rest.strip_prefix(b"[")
        && let Some(close) = close_of(inside)
        && client.is_none()
    {
        let word = &inside[..close];
        match decimal(word) {
            Some(number) if pid.is_none() => pid = Some(number),
            _ if word.starts_with(b"T") && decimal(&word[1..]).is_some() => {}
            _ => {
                client = client_of(word);
                if client.is_none() {
                    break;
                }
            }
        }
        rest = inside[close + 1..].strip_prefix(b" ").unwrap_or(&inside[close + 1..]);
    }
    if pid.is_none() && client.is_none() {
        return Err(OTHER);
    }
    rows.date(field::TIMESTAMP, time);
    rows.text(field::LOG_LEVEL, level);
    rows.text(field::MESSAGE, rest);
    if let Some(pid) = pid {
        rows.long(field::PROCESS_PID, pid);
    }
    if let Some(client) = client {
        put_endpoint(rows, client);
    }
    put_message(rest, rows);
    Ok(dataset::HTTP_ERROR)
}

fn close_of(inside: &[u8]) -> Option<usize> {
    let from = if inside.first() == Some(&b'[') { memchr(b']', inside)? + 1 } else { 0 };
    memchr(b']', &inside[from..]).map(|at| from + at)
}

/// `ADDRESS:PORT[:PROTOCOL][#HOST]`
fn client_of(word: &[u8]) -> Option<&[u8]> {
    let word = &word[..memchr(b'#', word).unwrap_or(word.len())];
    if endpoint(word).is_some_and(|(_, port)| port.is_some()) {
        return Some(word);
    }
    let word = &word[..memrchr(b':', word)?];
    endpoint(word).is_some_and(|(_, port)| port.is_some()).then_some(word)
}

/// `Failed Login Attempt - username:NAME ip:ADDRESS url:TARGET`
fn put_message(message: &[u8], rows: &mut BatchBuilder) {
    let Some(at) = find!(message, b"Failed Login Attempt - username:") else {
        rows.literal(field::EVENT_CATEGORY, "web");
        return;
    };
    let rest = &message[at + 32..];
    if let Some(end) = find!(rest, b" ip:").filter(|end| find!(&rest[end + 1..], b" ip:").is_none() && *end > 0) {
        rows.text(field::USER_NAME, &rest[..end]);
    }
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, "failure");
    rows.literal(field::EVENT_REASON, "the login failed");
}
