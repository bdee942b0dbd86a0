//! `apt/history.log` (one record of several lines for each run), `apt/term.log` and `unattended-upgrades.log`.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::packages::{put_action, put_names};
use crate::context::{Context, Refusal};
use crate::needle::{find, rfind};

/// What a record of the history begins with, and the last of its lines.
pub(crate) const HISTORY: &[u8] = b"Start-Date: ";
pub(crate) const HISTORY_END: &[u8] = b"End-Date: ";
/// First and last line of a record of the terminal's log.
pub(crate) const TERM: &[u8] = b"Log started: ";
pub(crate) const TERM_END: &[u8] = b"Log ended: ";

/// Lists of packages in a record, and what was done to them.
const LISTS: [(&[u8], &str); 6] = [
    (b"Install: ", "package_installed"),
    (b"Reinstall: ", "package_installed"),
    (b"Upgrade: ", "package_upgraded"),
    (b"Downgrade: ", "package_downgraded"),
    (b"Remove: ", "package_removed"),
    (b"Purge: ", "package_removed"),
];

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(HISTORY) || text.starts_with(TERM)
}

/// `2026-03-04  10:00:01`, with two blanks.
fn put_time(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<()> {
    let stamp = [text.get(..10)?, b" ", text.get(10..)?.trim_ascii()].concat();
    let (time, _) = context.times.iso(&stamp)?;
    rows.date(field::TIMESTAMP, time);
    Some(())
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    if !looks_like(text) {
        return Err(Refusal::Other("no record of apt"));
    }
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.next().unwrap_or_default();
    let is_history = first.starts_with(HISTORY);
    let Some(stamp) = first.strip_prefix(HISTORY).or(first.strip_prefix(TERM)) else {
        return Err(Refusal::Other("no record of apt"));
    };
    put_time(stamp, context, rows).ok_or(Refusal::Broken("apt: the time cannot be read"))?;
    rows.literal(field::PROCESS_NAME, "apt");
    if is_history {
        put_history(lines, rows);
    } else {
        put_action(rows, "package_manager_output");
        if let Some(line) = memchr(b'\n', text) {
            rows.text(field::MESSAGE, text[line + 1..].trim_ascii());
        }
    }
    Ok(dataset::PACKAGES)
}

fn put_history<'a>(lines: impl Iterator<Item = &'a [u8]>, rows: &mut BatchBuilder) {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut version: &[u8] = b"";
    let mut actions: Vec<&'static str> = Vec::new();
    for line in lines {
        if let Some(command) = line.strip_prefix(b"Commandline: ") {
            rows.text(field::PROCESS_COMMAND_LINE, command);
        } else if let Some(user) = line.strip_prefix(b"Requested-By: ") {
            put_user(user, rows);
        } else if let Some(reason) = line.strip_prefix(b"Error: ") {
            rows.text(field::EVENT_REASON, reason);
        } else if let Some((list, action)) =
            LISTS.iter().find_map(|(word, action)| Some((line.strip_prefix(*word)?, action)))
        {
            for (name, versions) in packages(list) {
                names.push(name);
                version = versions;
            }
            if !actions.contains(action) {
                actions.push(action);
            }
        }
    }
    put_action(
        rows,
        match actions[..] {
            [] => "package_manager_started",
            [action] => action,
            _ => "packages_changed",
        },
    );
    put_names(rows, &names);
    if let [_] = names[..] {
        let mut versions =
            version.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|part| *part != b"automatic");
        match (versions.next(), versions.next()) {
            (Some(old), Some(new)) => {
                rows.text(field::PACKAGE_PREVIOUS_VERSION, old);
                rows.text(field::PACKAGE_VERSION, new);
            }
            (Some(only), None) => rows.text(field::PACKAGE_VERSION, only),
            _ => {}
        }
    }
}

/// `ann (1000)`
fn put_user(text: &[u8], rows: &mut BatchBuilder) {
    let Some(open) = rfind!(text, b" (") else { return };
    rows.text(field::USER_NAME, &text[..open]);
    if let Some(id) = text[open + 2..].strip_suffix(b")") {
        rows.text(field::USER_ID, id);
    }
}

/// `a:amd64 (1.0), b:amd64 (1.0, 1.1), c:amd64 (2.0, automatic)`: names and what stands in brackets.
fn packages(list: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let open = find!(rest, b" (")?;
        let close = open + memchr(b')', &rest[open..])?;
        let (name, versions) = (&rest[..open], &rest[open + 2..close]);
        rest = rest[close + 1..].strip_prefix(b", ").unwrap_or_default();
        let name = memchr(b':', name).map_or(name, |colon| &name[..colon]);
        Some((name, versions))
    })
}

/// Levels as Python names them.
const LEVELS: [&[u8]; 5] = [b"DEBUG", b"INFO", b"WARNING", b"ERROR", b"CRITICAL"];

/// What unattended-upgrades says.
const SAYS: [&[u8]; 22] = [
    b"Starting unattended upgrades",
    b"Initial blacklist",
    b"Initial whitelist",
    b"Allowed origins are",
    b"Option --dry-run",
    b"Using ",
    b"Removing unused kernel packages",
    b"No packages found that can be upgraded unattended",
    b"Packages that will be upgraded: ",
    b"Packages that were upgraded: ",
    b"Packages that are auto removed: ",
    b"Packages that were successfully auto-removed: ",
    b"Packages that are kept back: ",
    b"Packages with upgradable origin but kept back",
    b"Packages that attempted to upgrade: ",
    b"Writing dpkg log to ",
    b"All upgrades installed",
    b"Installing the upgrades failed",
    b"error message: ",
    b"Package ",
    b"Checking",
    b"Unattended-upgrade",
];

/// Message of `DATE TIME,MILLIS LEVEL MESSAGE`, where it is one of these.
fn unattended(text: &[u8]) -> Option<&[u8]> {
    let is_stamped = text.len() > 24 && text[4] == b'-' && text[10] == b' ' && text[19] == b',' && text[23] == b' ';
    let rest = text.get(24..).filter(|_| is_stamped)?;
    let level = LEVELS.iter().find(|level| rest.starts_with(level))?;
    let message = rest[level.len()..].strip_prefix(b" ")?;
    SAYS.iter().any(|start| message.starts_with(start)).then_some(message)
}

pub(crate) fn looks_like_unattended(text: &[u8]) -> bool {
    unattended(text).is_some()
}

pub(crate) fn read_unattended(
    text: &[u8],
    context: &mut Context,
    rows: &mut BatchBuilder,
) -> Result<DatasetId, Refusal> {
    let message = unattended(text).ok_or(Refusal::Other("no line of unattended-upgrades"))?;
    let (time, _) = context.times.iso(text).ok_or(Refusal::Other("no time in front"))?;
    rows.date(field::TIMESTAMP, time);
    rows.text(field::MESSAGE, message);
    rows.literal(field::PROCESS_NAME, "unattended-upgrades");
    let list = |word: &[u8]| message.strip_prefix(word).map(<[u8]>::trim_ascii);
    let (action, names) = if let Some(names) = list(b"Packages that will be upgraded: ") {
        ("package_upgrade_planned", names)
    } else if let Some(names) = list(b"Packages that were upgraded: ") {
        ("package_upgraded", names)
    } else if let Some(names) = list(b"Packages that were successfully auto-removed: ") {
        ("package_removed", names)
    } else {
        ("package_manager_output", &b""[..])
    };
    put_action(rows, action);
    let names: Vec<&[u8]> = names.split(|byte| *byte == b' ').filter(|name| !name.is_empty()).collect();
    put_names(rows, &names);
    Ok(dataset::PACKAGES)
}
