//! `yum.log` (`Mar 04 10:00:01 Installed: …`) and the logs of dnf (`2026-03-04T10:00:01+0000 LEVEL MESSAGE`, with a process
//! number in brackets from dnf 5 on).

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::packages::{is_rpm, put_action, put_rpm};
use crate::context::{Context, Refusal};
use crate::day_names::starts_with_month;

/// Levels as dnf names them.
const LEVELS: [&[u8]; 9] =
    [b"SUBDEBUG", b"DDEBUG", b"DEBUG", b"TRACE", b"INFO", b"NOTICE", b"WARNING", b"ERROR", b"CRITICAL"];

/// The message of a line of dnf: the time is written as Python's `%z` does, without a colon, or in UTC.
fn message(text: &[u8]) -> Option<&[u8]> {
    if text.len() < 26 || text[4] != b'-' || text[10] != b'T' || text[16] != b':' {
        return None;
    }
    let rest = match text[19] {
        b'+' | b'-' if text[20..24].iter().all(u8::is_ascii_digit) => text[24..].strip_prefix(b" ")?,
        b'Z' => text[20..].strip_prefix(b" ")?,
        _ => return None,
    };
    let rest = match rest.strip_prefix(b"[") {
        Some(inside) => {
            let close = memchr(b']', inside).filter(|at| inside[..*at].iter().all(u8::is_ascii_digit))?;
            inside[close + 1..].strip_prefix(b" ")?
        }
        None => rest,
    };
    let level = LEVELS.iter().find(|level| rest.starts_with(level))?;
    let message = rest[level.len()..].strip_prefix(b" ")?;
    // In UTC many others write so.
    let is_own = text[19] != b'Z' || level.ends_with(b"DDEBUG") || level.starts_with(b"SUB") || is_rpm(message);
    is_own.then_some(message)
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    message(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let message = message(text).ok_or(Refusal::Other("no line of dnf: no time and level in front"))?;
    let (time, _) = context.times.iso(text).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "dnf");
    rows.text(field::MESSAGE, message);
    if let Some(command) = message.strip_prefix(b"Command: ") {
        put_action(rows, "package_manager_started");
        rows.text(field::PROCESS_COMMAND_LINE, command.trim_ascii());
    } else if !put_rpm(rows, message) {
        put_action(rows, "package_manager_output");
    }
    Ok(dataset::PACKAGES)
}

pub(crate) fn looks_like_yum(text: &[u8]) -> bool {
    starts_with_month(text) && text.get(15) == Some(&b' ') && is_rpm(&text[16..])
}

pub(crate) fn read_yum(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like_yum(text) {
        return Err(Refusal::Other("no line of yum"));
    }
    let (time, _) = context.times.bsd(text).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "yum");
    rows.text(field::MESSAGE, &text[16..]);
    put_rpm(rows, &text[16..]);
    Ok(dataset::PACKAGES)
}
