//! `zypp/history` of SUSE: `DATE TIME|install|NAME|VERSION|ARCH|USER@HOST|REPOSITORY|…`, blanks around words allowed.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use super::packages::{Package, put, put_action};
use crate::context::{Context, Refusal};

/// A line taken apart.
struct ZyppEntry<'a> {
    stamp: &'a [u8],
    verb: &'a [u8],
    columns: Vec<&'a [u8]>,
}

/// What the scripts of a package said, as a remark: `# 2026-03-04 10:00:01 nginx-1.24.rpm installed ok`.
fn remark(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"# ")?;
    (rest.len() > 20 && rest[4] == b'-' && rest[10] == b' ' && rest[13] == b':' && rest[19] == b' ').then_some(rest)
}

fn entry(text: &[u8]) -> Option<ZyppEntry<'_>> {
    if text.len() < 22 || text[4] != b'-' || text[10] != b' ' || text[19] != b'|' {
        return None;
    }
    let mut parts = text[20..].split(|byte| *byte == b'|').map(<[u8]>::trim_ascii);
    let verb = parts.next()?;
    let known =
        matches!(verb, b"install" | b"remove" | b"patch" | b"radd" | b"rremove" | b"ralias" | b"rurl" | b"command");
    known.then(|| ZyppEntry { stamp: &text[..19], verb, columns: parts.collect() })
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    entry(text).is_some() || remark(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if let Some(rest) = remark(text) {
        let (time, said) = context.times.iso(rest).ok_or(Refusal::Other("no time in front"))?;
        rows.date(field::TIMESTAMP, time);
        rows.literal(field::PROCESS_NAME, "zypp");
        rows.text(field::MESSAGE, said.trim_ascii_start());
        return Ok(dataset::PACKAGES);
    }
    let ZyppEntry { stamp, verb, columns } = entry(text).ok_or(Refusal::Other("no line of zypp's history"))?;
    let (time, _) = context.times.iso(stamp).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.literal(field::PROCESS_NAME, "zypp");
    rows.text(field::MESSAGE, &text[20..]);
    let column = |at: usize| columns.get(at).copied().unwrap_or_default();
    let package = Package { name: column(0), version: column(1), previous: b"", architecture: column(2) };
    match verb {
        b"install" => put(rows, "package_installed", &package),
        b"remove" => put(rows, "package_removed", &package),
        b"command" => {
            put_action(rows, "package_manager_started");
            rows.text(field::PROCESS_COMMAND_LINE, column(1));
        }
        _ => put_action(rows, "package_sources_changed"),
    }
    let who = if verb == b"command" { column(0) } else { column(3) };
    if let Some(at) = memchr::memrchr(b'@', who).filter(|at| *at > 0) {
        rows.text(field::USER_NAME, &who[..at]);
        rows.text(field::HOST_HOSTNAME, &who[at + 1..]);
    }
    Ok(dataset::PACKAGES)
}
