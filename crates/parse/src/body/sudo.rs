//! sudo: `NAME : [reason ; ]TTY=… ; PWD=… ; USER=… ; [GROUP=… ; ][TSID=… ; ][ENV=… ; ]COMMAND=…`
//!
//! The command comes last and may itself contain ` ; `: it reaches to the end of the line. Whoever calls sudo names folders,
//! variables and arguments, and may write attributes into them: where a line can be read in several ways, the account that
//! the command ran as is told only if all of them agree.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memmem;

use super::outcome::outcome;
use crate::needle::{self, find};

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(colon) = find!(message, b" : ") else { return false };
    let name = message[..colon].trim_ascii();
    let rest = &message[colon + 3..];
    if let Some(more) = rest.strip_prefix(b"(command continued) ") {
        rows.text(field::USER_NAME, name);
        rows.text(field::PROCESS_COMMAND_LINE, more);
        outcome("sudo", "success").put(rows);
        return true;
    }
    let (attributes, command) = match command_start(rest) {
        Some(at) => (&rest[..at], Some(&rest[at + 8..])),
        None => (rest, None),
    };
    if command.is_none() && find!(attributes, b"TTY=").is_none() && !is_refusal(attributes) {
        return false;
    }
    rows.text(field::USER_NAME, name);
    let refused = put_attributes(rows, attributes);
    if let Some(user) = effective_user(rest) {
        rows.text(field::USER_EFFECTIVE_NAME, user);
    }
    if let Some(command) = command {
        rows.text(field::PROCESS_COMMAND_LINE, command);
    }
    match refused {
        Some(reason) => {
            rows.text(field::SYSTEM_AUTH_SUDO_ERROR, reason);
            outcome("sudo", "failure").put(rows);
        }
        None => outcome("sudo", "success").put(rows),
    }
    true
}

/// Puts what stands in front of the command; gives the reason of a refusal.
fn put_attributes<'a>(rows: &mut BatchBuilder, attributes: &'a [u8]) -> Option<&'a [u8]> {
    let mut refused = None;
    let mut named = false;
    for part in attributes_of(attributes) {
        let key =
            part.iter().position(|byte| *byte == b'=').filter(|at| part[..*at].iter().all(u8::is_ascii_uppercase));
        named |= key.is_some();
        match key.map(|at| (&part[..at], &part[at + 1..])) {
            Some((b"TTY", value)) if !rows.has(field::SYSTEM_AUTH_SUDO_TTY) => {
                rows.text(field::SYSTEM_AUTH_SUDO_TTY, value);
            }
            Some((b"PWD", value)) if !rows.has(field::PROCESS_WORKING_DIRECTORY) => {
                rows.text(field::PROCESS_WORKING_DIRECTORY, value);
            }
            Some((b"GROUP", value)) => rows.text(field::GROUP_NAME, value),
            Some(_) => {}
            // A reason stands in front of the first attribute; later text belongs to a path with a semicolon.
            None if !named => refused = Some(part),
            None => {}
        }
    }
    refused
}

/// Bytes in which the name of an account ends (`LOGIN_NAME_MAX` is 256).
const NAME_BYTES_MAX: usize = 260;

/// The account of `USER=…`, if every `USER=` that a further attribute follows, as the true one is, names the same.
fn effective_user(text: &[u8]) -> Option<&[u8]> {
    const NEXT: [&[u8]; 4] = [b"GROUP=", b"TSID=", b"ENV=", b"COMMAND="];
    let mut users = memmem::find_iter(text, b"USER=").filter_map(|at| {
        let value = (at == 0 || text[..at].ends_with(b"; ")).then(|| &text[at + 5..])?;
        let end = find!(&value[..value.len().min(NAME_BYTES_MAX)], b" ; ")?;
        NEXT.iter().any(|next| value[end + 3..].starts_with(next)).then(|| value[..end].trim_ascii())
    });
    let first = users.next()?;
    users.all(|other| other == first).then_some(first)
}

/// The attributes, which ` ; ` separates. A semicolon alone is part of a value.
fn attributes_of(mut text: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find!(text, b" ; ") {
        parts.push(text[..at].trim_ascii());
        text = &text[at + 3..];
    }
    parts.push(text.trim_ascii());
    parts.retain(|part| !part.is_empty() && *part != b";");
    parts
}

/// Where ` COMMAND=` starts: the first one that begins an attribute.
fn command_start(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"COMMAND=").find(|at| *at == 0 || text[..*at].ends_with(b"; "))
}

fn is_refusal(text: &[u8]) -> bool {
    let known: [&[u8]; 4] =
        [b"incorrect password attempt", b"NOT in sudoers", b"not allowed", b"a password is required"];
    known.iter().any(|words| needle::find_word(text, words).is_some())
}
