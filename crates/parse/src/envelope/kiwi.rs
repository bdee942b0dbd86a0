//! Kiwi Syslog's files: `DATE<TAB or blank>TIME<TAB>Facility.Level<TAB>HOST<TAB>MESSAGE`, and the `Original Address=` that it
//! puts in front of messages that it passes on.

use event::catalog::field;
use event::{BatchBuilder, DatasetId};
use memchr::memchr;

use super::relay;
use crate::context::{Context, Refusal};
use crate::syslog::put_host;
use crate::{rfc3164, rfc5424};

/// Facilities as Kiwi names them, by their codes (RFC 5424 §6.2.1).
const FACILITIES: [&str; 24] = [
    "kernel", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "system0", "system1",
    "system2", "system3", "system4", "system5", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];
/// Levels by their codes, each as far as it is compared.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

struct Columns<'a> {
    stamp: [u8; 19],
    priority: usize,
    host: &'a [u8],
    message: &'a [u8],
}

fn columns(text: &[u8]) -> Option<Columns<'_>> {
    let (stamp, rest) = text.split_first_chunk::<19>()?;
    let mut stamp = *stamp;
    if stamp[4] != b'-' || !matches!(stamp[10], b' ' | b'\t') || rest.first() != Some(&b'\t') {
        return None;
    }
    stamp[10] = b' ';
    let mut parts = rest[1..].splitn(3, |byte| *byte == b'\t');
    let (word, host, message) = (parts.next()?, parts.next()?, parts.next()?);
    let dot = memchr(b'.', word)?;
    let (facility, level) = (word[..dot].to_ascii_lowercase(), word[dot + 1..].to_ascii_lowercase());
    let facility = FACILITIES.iter().position(|name| name.as_bytes() == facility)?;
    let level = LEVELS.iter().position(|name| level.starts_with(name.as_bytes()))?;
    let is_host = !host.is_empty() && !host.contains(&b' ');
    is_host.then_some(Columns { stamp, priority: facility * 8 + level, host, message })
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    columns(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let columns = columns(text).ok_or(Refusal::Other("no line of Kiwi: no date, priority and host between tabs"))?;
    let (time, _) = context.times.iso(&columns.stamp).ok_or(Refusal::Other("no time in front"))?;
    let (host, message) = relay::original(columns.message).unwrap_or((columns.host, columns.message));
    rows.date(field::TIMESTAMP, time);
    put_host(rows, host);
    // The message as the sender's priority and message would have come, with whatever header of its own.
    let own;
    let line = if message.first() == Some(&b'<') {
        message
    } else {
        own = [format!("<{}>", columns.priority).as_bytes(), message].concat();
        &own
    };
    if rfc5424::looks_like(line) {
        return rfc5424::read(line, context, rows);
    }
    rfc3164::read(line, context, rows)
}
