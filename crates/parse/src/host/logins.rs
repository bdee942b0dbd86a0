//! Records of logins: lines that `ingest` makes of wtmp, btmp, utmp, lastlog, faillog and tallylog, and what utmpdump(1)
//! prints: `[TYPE] [PID] [ID] [USER] [TERMINAL] [HOST] [ADDRESS] [TIME]`, with the log's name in front where it is known.
//!
//! A host's name is what the client's address resolves to: whoever owns the address writes it. The address counts.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use crate::address::{decimal, is_ip, put_peer};
use crate::context::{Context, Refusal};

/// Logs by the names in front of their lines, and how many brackets follow.
const LOGS: [(&[u8], usize); 6] =
    [(b"wtmp", 8), (b"btmp", 8), (b"utmp", 8), (b"lastlog", 4), (b"faillog", 4), (b"tallylog", 4)];

/// The log's name (empty where the line has none), and what stands in the brackets.
fn parts(text: &[u8]) -> Option<(&'static [u8], [&[u8]; 8])> {
    let (log, count, mut rest) = match LOGS.iter().find(|(log, _)| text.starts_with(log)) {
        Some((log, count)) => (*log, *count, text[log.len()..].strip_prefix(b" ")?),
        None => (&b""[..], 8, text),
    };
    let mut parts = [&b""[..]; 8];
    for (at, part) in parts.iter_mut().enumerate().take(count) {
        let inside = rest.strip_prefix(b"[")?;
        let close = memchr(b']', inside)?;
        *part = inside[..close].trim_ascii();
        // Most texts in brackets are no number, which the first one is.
        if at == 0 && decimal(part).is_none() {
            return None;
        }
        rest = &inside[close + 1..];
        if at + 1 < count {
            rest = rest.strip_prefix(b" ")?;
        }
    }
    // Of utmpdump: a type of one digit and a number that is padded with zeros.
    let fits = count == 4 || parts[0].len() == 1;
    (rest.is_empty() && fits).then_some((log, parts))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'[' | b'w' | b'b' | b'u' | b'l' | b'f' | b't')) && parts(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let (log, parts) = parts(text).ok_or(Refusal::Other("no record of a login"))?;
    let stamp = if parts[7].is_empty() { parts[3] } else { parts[7] };
    if !stamp.is_empty() {
        // utmpdump puts a comma in front of the fraction.
        let (time, _) = context.times.iso(stamp).ok_or(Refusal::Other("no time in the last brackets"))?;
        rows.date(field::TIMESTAMP, time);
    }
    match log {
        b"lastlog" => put_last(&parts, rows),
        b"faillog" | b"tallylog" => put_failures(&parts, rows),
        _ => put_record(log == b"btmp", &parts, rows),
    }
    Ok(dataset::LOGINS)
}

fn put(rows: &mut BatchBuilder, category: &'static str, action: &'static str) {
    rows.literal(field::EVENT_CATEGORY, category);
    rows.literal(field::EVENT_ACTION, action);
}

fn put_record(failed: bool, parts: &[&[u8]; 8], rows: &mut BatchBuilder) {
    let [kind, pid, _, user, terminal, host, address, _] = *parts;
    if let Some(pid) = decimal(pid).filter(|pid| *pid > 0) {
        rows.long(field::PROCESS_PID, pid);
    }
    let is_session = failed || matches!(kind, b"6" | b"7" | b"8");
    if is_session {
        if !terminal.is_empty() {
            rows.text(field::SYSTEM_LOGINS_TERMINAL, terminal);
        }
        put_client(host, address, rows);
    }
    match kind {
        _ if failed => {
            put(rows, "authentication", "login");
            rows.literal(field::EVENT_OUTCOME, "failure");
        }
        b"7" => {
            put(rows, "authentication", "login");
            rows.literal(field::EVENT_OUTCOME, "success");
        }
        b"8" => put(rows, "session", "logout"),
        b"6" => put(rows, "session", "login_prompt"),
        b"2" => put(rows, "host", "boot"),
        b"1" if user == b"shutdown" => put(rows, "host", "shutdown"),
        b"1" => put(rows, "host", "runlevel_changed"),
        b"3" | b"4" => put(rows, "host", "clock_changed"),
        _ => put(rows, "host", "accounting"),
    }
    if is_session && !user.is_empty() && !(kind == b"6" && user == b"LOGIN") {
        rows.text(field::USER_NAME, user);
    }
}

/// Terminals and displays stand in the place of the host, too.
fn put_client(host: &[u8], address: &[u8], rows: &mut BatchBuilder) {
    let is_name = |host: &[u8]| {
        !host.is_empty() && host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    if is_ip(address) && address != b"0.0.0.0" && address != b"::" {
        put_peer(rows, address);
        if is_name(host) && !is_ip(host) {
            rows.text(field::SOURCE_DOMAIN, host);
        }
    } else if is_ip(host) || is_name(host) {
        put_peer(rows, host);
    }
}

fn put_last(parts: &[&[u8]; 8], rows: &mut BatchBuilder) {
    put(rows, "authentication", "last_login");
    rows.literal(field::EVENT_OUTCOME, "success");
    rows.text(field::USER_ID, parts[0]);
    if !parts[1].is_empty() {
        rows.text(field::SYSTEM_LOGINS_TERMINAL, parts[1]);
    }
    put_client(parts[2], b"", rows);
}

fn put_failures(parts: &[&[u8]; 8], rows: &mut BatchBuilder) {
    put(rows, "authentication", "login_failures_counted");
    rows.text(field::USER_ID, parts[0]);
    let failures = decimal(parts[1]).unwrap_or(0);
    rows.long(field::SYSTEM_LOGINS_FAILURES, failures);
    if failures > 0 {
        rows.literal(field::EVENT_OUTCOME, "failure");
    }
    // Where the last one was tried: a terminal, or a host.
    if is_ip(parts[2]) {
        put_peer(rows, parts[2]);
    } else if !parts[2].is_empty() {
        rows.text(field::SYSTEM_LOGINS_TERMINAL, parts[2]);
    }
}
