//! sudo: `NAME : [reason ; ]TTY=… ; PWD=… ; USER=… ; [GROUP=… ; ][TSID=… ; ][ENV=… ; ]COMMAND=…`
//!
//! The command comes last and may itself contain ` ; `: it reaches to the end of the line.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memmem;

use super::outcome;

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(colon) = memmem::find(message, b" : ") else { return false };
    let name = message[..colon].trim_ascii();
    let rest = &message[colon + 3..];
    let (attributes, command) = match command_start(rest) {
        Some(at) => (&rest[..at], Some(&rest[at + 8..])),
        None => (rest, None),
    };
    let continued = rest.starts_with(b"(command continued)");
    if command.is_none() && !continued && memmem::find(attributes, b"TTY=").is_none() && !is_refusal(attributes) {
        return false;
    }
    rows.text(field::USER_NAME, name);
    let mut refused = None;
    for part in attributes.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty()) {
        match part.iter().position(|byte| *byte == b'=').map(|at| (&part[..at], &part[at + 1..])) {
            Some((b"TTY", value)) => rows.text(field::SYSTEM_AUTH_SUDO_TTY, value),
            Some((b"PWD", value)) => rows.text(field::PROCESS_WORKING_DIRECTORY, value),
            Some((b"USER", value)) => rows.text(field::USER_EFFECTIVE_NAME, value),
            Some((b"GROUP", value)) => rows.text(field::GROUP_NAME, value),
            Some(_) => {}
            None => refused = Some(part),
        }
    }
    if let Some(command) = command {
        rows.text(field::PROCESS_COMMAND_LINE, command);
    }
    match refused.filter(|_| !continued) {
        Some(reason) => {
            rows.text(field::SYSTEM_AUTH_SUDO_ERROR, reason);
            outcome("sudo", "failure").put(rows);
        }
        None => outcome("sudo", "success").put(rows),
    }
    true
}

/// Where ` COMMAND=` starts: the first one that begins an attribute.
fn command_start(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, b"COMMAND=").find(|at| *at == 0 || text[..*at].ends_with(b"; "))
}

fn is_refusal(text: &[u8]) -> bool {
    let known: [&[u8]; 4] =
        [b"incorrect password attempt", b"NOT in sudoers", b"not allowed", b"a password is required"];
    known.iter().any(|words| memmem::find(text, words).is_some())
}
