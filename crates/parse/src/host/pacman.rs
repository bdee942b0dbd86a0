//! `pacman.log` of Arch (`[2026-03-04T10:00:01+0000] [ALPM] installed nginx (1.24.0-1)`) and what apk of Alpine writes
//! (`(1/3) Installing nginx (1.24.0-r1)`).

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::packages::{Package, put, put_action};
use crate::context::{Context, Refusal};
use crate::needle::rfind;

/// Words in front of packages.
const WORDS: [(&[u8], &str); 9] = [
    (b"installed ", "package_installed"),
    (b"reinstalled ", "package_installed"),
    (b"upgraded ", "package_upgraded"),
    (b"downgraded ", "package_downgraded"),
    (b"removed ", "package_removed"),
    (b"Installing ", "package_installed"),
    (b"Upgrading ", "package_upgraded"),
    (b"Downgrading ", "package_downgraded"),
    (b"Purging ", "package_removed"),
];

fn change(message: &[u8]) -> Option<(&'static str, Package<'_>)> {
    WORDS.iter().find_map(|(word, action)| Some((*action, Package::in_brackets(message.strip_prefix(*word)?)?)))
}

/// Time and message; old versions write no part between them.
fn parts(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', &inside[..inside.len().min(30)])?;
    let (stamp, rest) = (&inside[..close], inside[close + 1..].strip_prefix(b" ")?);
    let is_date = stamp.len() >= 16 && stamp[4] == b'-' && stamp[7] == b'-' && stamp[13] == b':';
    for part in [&b"[ALPM] "[..], b"[PACMAN] ", b"[ALPM-SCRIPTLET] "] {
        if let Some(message) = rest.strip_prefix(part) {
            return is_date.then_some((stamp, message));
        }
    }
    (is_date && change(rest).is_some()).then_some((stamp, rest))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    parts(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let (stamp, message) = parts(text).ok_or(Refusal::Other("no line of pacman"))?;
    // Old versions write no seconds.
    let full = if stamp.len() == 16 { [stamp, b":00"].concat() } else { stamp.to_vec() };
    let (time, _) = context.times.iso(&full).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "pacman");
    rows.text(field::MESSAGE, message);
    if let Some((action, package)) = change(message) {
        put(rows, action, &package);
    } else if let Some(command) = message.strip_prefix(b"Running '").and_then(|rest| rest.strip_suffix(b"'")) {
        put_action(rows, "package_manager_started");
        rows.text(field::PROCESS_COMMAND_LINE, command);
    } else {
        put_action(rows, "package_manager_output");
    }
    Ok(dataset::PACKAGES)
}

/// `(1/3) `
fn after_counter(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"(")?;
    let close = memchr(b')', &inside[..inside.len().min(16)])?;
    let slash = memchr(b'/', &inside[..close])?;
    let digits = |part: &[u8]| !part.is_empty() && part.trim_ascii().iter().all(u8::is_ascii_digit);
    (digits(&inside[..slash]) && digits(&inside[slash + 1..close])).then_some(())?;
    inside[close + 1..].strip_prefix(b" ")
}

/// `` Running `apk add nginx` at 2026-03-04 10:00:01 ``: command and time.
fn run(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"Running `")?;
    let close = rfind!(rest, b"` at ")?;
    Some((&rest[..close], &rest[close + 5..]))
}

pub(crate) fn looks_like_apk(text: &[u8]) -> bool {
    after_counter(text).and_then(change).is_some() || run(text).is_some_and(|(command, _)| command.starts_with(b"apk"))
}

pub(crate) fn read_apk(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like_apk(text) {
        return Err(Refusal::Other("no line of apk"));
    }
    rows.literal(field::PROCESS_NAME, "apk");
    if let Some((command, stamp)) = run(text) {
        if let Some((time, _)) = context.times.iso(stamp) {
            rows.date(field::TIMESTAMP, time);
        }
        put_action(rows, "package_manager_started");
        rows.text(field::PROCESS_COMMAND_LINE, command);
    } else if let Some((action, package)) = after_counter(text).and_then(change) {
        put(rows, action, &package);
    }
    Ok(dataset::PACKAGES)
}
