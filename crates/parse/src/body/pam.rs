//! PAM modules, under any program: `MODULE(SERVICE:PHASE): text`, and of old `PROGRAM(MODULE)[PID]: text`.
//!
//! Account names may come from a client and hold the words that modules write: a text is read in every way in which it can
//! have been written, and counts only as far as all ways agree.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::outcome::outcome;
use super::pam_lines::LINES;
use crate::address::{AMBIGUOUS, decimal, is_ip, put_peer};
use crate::needle::{find, rfind};

/// How a module that writes without its name begins.
pub(super) const FAILURE: &[u8] = b"authentication failure; logname=";

/// Whether a message begins with the name of a module.
#[inline]
pub(super) fn begins(message: &[u8]) -> bool {
    message.starts_with(b"pam_") || message.starts_with(b"(pam_")
}

/// Whether a program is a module that writes under its own name: `PAM_pwdb[99]: (su) session opened …`.
#[inline]
pub(super) fn is_module(program: &[u8]) -> bool {
    program.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"pam_") || head.eq_ignore_ascii_case(b"pam-"))
}

/// `MODULE(SERVICE:PHASE): text`, `MODULE: text`, or of old `(MODULE) text`.
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if let Some(inside) = message.strip_prefix(b"(") {
        let Some(close) = find!(inside, b") ") else { return false };
        rows.text(field::SYSTEM_AUTH_PAM_MODULE, &inside[..close]);
        put_text(rows, (&inside[..close], b"", b""), &inside[close + 2..]);
        return true;
    }
    let end = message.iter().position(|byte| matches!(byte, b'(' | b':' | b' ' | b'[')).unwrap_or(message.len());
    let behind = match message.get(end) {
        Some(b':') => message[end..].strip_prefix(b": "),
        Some(b'[') => find!(&message[end..], b"]: ").map(|at| &message[end + at + 3..]),
        _ => None,
    };
    if let Some(text) = behind {
        rows.text(field::SYSTEM_AUTH_PAM_MODULE, &message[..end]);
        put_text(rows, (&message[..end], b"", b""), text);
        return true;
    }
    let Some(open) = memchr(b'(', message) else { return false };
    let Some(close) = find!(message, b"): ").filter(|close| *close > open) else { return false };
    let (module, inside, text) = (&message[..open], &message[open + 1..close], &message[close + 3..]);
    let (service, phase) = memchr(b':', inside).map_or((inside, &b""[..]), |at| (&inside[..at], &inside[at + 1..]));
    rows.text(field::SYSTEM_AUTH_PAM_MODULE, &message[..close + 1]);
    rows.text(field::SERVICE_NAME, service);
    put_text(rows, (module, service, phase), text);
    true
}

/// `PROGRAM(MODULE)[PID]: text`: the program is the service, and no phase is told. Or `MODULE[PID]: [(SERVICE) ]text`.
pub(super) fn put_of_tag(rows: &mut BatchBuilder, program: &[u8], module: &[u8], text: &[u8]) {
    let (module, service, text) = match module {
        b"" => {
            let inside = text.strip_prefix(b"(").and_then(|inside| Some((inside, find!(inside, b") ")?)));
            let (service, text) = inside.map_or((&b""[..], text), |(inside, at)| (&inside[..at], &inside[at + 2..]));
            (program, service, text)
        }
        module => (module, program, text),
    };
    rows.text(field::SYSTEM_AUTH_PAM_MODULE, module);
    if !service.is_empty() {
        rows.text(field::SERVICE_NAME, service);
    }
    put_text(rows, (module, service, b""), text);
}

/// What a module, called for a service in a phase, says.
fn put_text(rows: &mut BatchBuilder, (module, service, phase): (&[u8], &[u8], &[u8]), text: &[u8]) {
    let failure = if phase == b"account" { "pam_account" } else { "pam_authentication" };
    if let Some(rest) = text.strip_prefix(b"session opened for user ") {
        put_session(rows, service, rest);
        outcome("session_opened", "success").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"session closed for user ") {
        rows.text(field::USER_NAME, rest.trim_ascii_end());
        outcome("session_closed", "").put(rows);
    } else if text.starts_with(b"authentication failure") && !is_of_pwdb(text) {
        put_attributes(rows, text);
        outcome("pam_authentication", "failure").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"received for user ") {
        put_received(rows, rest);
        outcome("pam_authentication", "failure").put(rows);
    } else if put_more_failures(rows, text) {
        outcome("pam_authentication", "failure").put(rows);
    } else if text.starts_with(b"check pass; user unknown") {
        outcome("pam_unknown_user", "failure").put(rows);
    } else if text.starts_with(b"authentication success") {
        put_attributes(rows, text);
        outcome("pam_authentication", "success").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"password changed for ") {
        rows.text(field::USER_TARGET_NAME, rest);
        outcome("password_changed", "success").put(rows);
    } else if is_lock(module, text) {
        if let Some(name) = locked_account(text) {
            rows.text(field::USER_NAME, name);
        }
        outcome("account_locked", "failure").put(rows);
    } else if put_denied(rows, text) {
        outcome(failure, "failure").put(rows);
    } else {
        LINES.put_known(rows, text);
    }
}

/// `NAME[(uid=N)] by [NAME](uid=N)`: whose session it is, and who opened it. Services that let people in run as root: there
/// the session's account is the one that acts, and the other one only says from whose session the service was started.
fn put_session(rows: &mut BatchBuilder, service: &[u8], rest: &[u8]) {
    let by = rfind!(rest, b" by ");
    let account = with_id(&rest[..by.unwrap_or(rest.len())]);
    rows.text(field::USER_EFFECTIVE_NAME, account.name);
    if let Some(id) = account.id {
        rows.text(field::USER_EFFECTIVE_ID, id);
    }
    let opener = by.map(|by| with_id(rest[by + 4..].trim_ascii_end()));
    let acts = |opener: &Account<'_>| match opener.id {
        None | Some(b"0") => !matches!(opener.name, b"" | b"LOGIN") && is_of_becoming(service),
        Some(_) => opener.name != b"LOGIN",
    };
    let actor = opener.filter(acts).unwrap_or(account);
    if !actor.name.is_empty() {
        rows.text(field::USER_NAME, actor.name);
    }
    if let Some(id) = actor.id {
        rows.text(field::USER_ID, id);
    }
}

/// Services through which an account becomes another one.
fn is_of_becoming(service: &[u8]) -> bool {
    const SERVICES: [&[u8]; 9] =
        [b"su", b"su-l", b"sudo", b"sudo-i", b"runuser", b"runuser-l", b"doas", b"polkit-1", b"pkexec"];
    SERVICES.contains(&service)
}

#[derive(Clone, Copy)]
struct Account<'a> {
    name: &'a [u8],
    id: Option<&'a [u8]>,
}

/// `NAME[(uid=N)]`
fn with_id(text: &[u8]) -> Account<'_> {
    let digits = rfind!(text, b"(uid=").and_then(|at| Some((at, text[at + 5..].strip_suffix(b")")?)));
    match digits.filter(|(_, id)| !id.is_empty() && id.iter().all(u8::is_ascii_digit)) {
        Some((at, id)) => Account { name: &text[..at], id: Some(id) },
        None => Account { name: text, id: None },
    }
}

/// `NAME: CODE (reason)`
fn put_received(rows: &mut BatchBuilder, rest: &[u8]) {
    let is_code = |at: &usize| {
        let digits = rest[at + 2..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest[at + 2 + digits..].starts_with(b" (")
    };
    if let Some(at) = memmem::rfind_iter(rest, b": ").find(is_code) {
        rows.text(field::USER_NAME, &rest[..at]);
    }
}

/// `N more authentication failure[s]; … rhost=ADDRESS  user=NAME`
pub(super) fn put_more_failures(rows: &mut BatchBuilder, text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_more = text[digits..].starts_with(b" more authentication failure") && !is_of_pwdb(text);
    let Some(count) = decimal(&text[..digits]).filter(|_| is_more) else { return false };
    rows.long(field::LOG_SYSLOG_REPEATED, count.max(1));
    put_attributes(rows, text);
    true
}

/// `…; [NAME](uid=N) -> USER for SERVICE service`, before there were attributes.
fn is_of_pwdb(text: &[u8]) -> bool {
    let Some(rest) = memchr(b';', text).map(|at| text[at + 1..].trim_ascii_start()) else { return false };
    if rest.starts_with(b"logname=") {
        return false;
    }
    find!(rest, b"(uid=").is_some_and(|at| !rest[..at].iter().any(|byte| matches!(byte, b' ' | b'=')))
}

/// One way to read `… ruser=RUSER rhost=RHOST  user=USER`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Attributes<'a> {
    rhost: &'a [u8],
    user: Option<&'a [u8]>,
}

/// Puts where an attempt came from and for whom: `ruser=RUSER rhost=RHOST[  user=USER]`. RUSER and USER may be what a client
/// wrote, RHOST has no blanks, and modules write each once.
fn put_attributes(rows: &mut BatchBuilder, text: &[u8]) {
    let text = find!(text, b" ruser=").map_or(text, |at| &text[at + 7..]);
    let mut readings = memmem::find_iter(text, b" rhost=").filter_map(|at| reading(&text[at + 7..]));
    let Some(first) = readings.next() else {
        // Modules that tell no host.
        if find!(text, b" rhost=").is_none()
            && let Some(at) = find!(text, b" user=").filter(|at| memchr(b' ', &text[..*at]).is_none())
        {
            rows.text(field::USER_NAME, text[at + 6..].trim_ascii());
        }
        return;
    };
    let (mut same_host, mut same_user) = (true, true);
    for other in readings {
        same_host &= other.rhost == first.rhost;
        same_user &= other.user == first.user;
    }
    if same_host {
        put_peer(rows, first.rhost);
    } else {
        rows.mark(AMBIGUOUS);
    }
    if let Some(user) = first.user.filter(|_| same_user) {
        rows.text(field::USER_NAME, user);
    }
}

/// The text behind a ` rhost=`, if nothing but a user follows the host.
fn reading(rest: &[u8]) -> Option<Attributes<'_>> {
    let (rhost, tail) = rest.split_at(memchr(b' ', rest).unwrap_or(rest.len()));
    let tail = tail.trim_ascii();
    match tail.strip_prefix(b"user=") {
        Some(user) => Some(Attributes { rhost, user: Some(user).filter(|user| !user.is_empty()) }),
        None => tail.is_empty().then_some(Attributes { rhost, user: None }),
    }
}

/// pam_faillock and pam_tally2 tell that the limit of an account was reached.
fn is_lock(module: &[u8], text: &[u8]) -> bool {
    matches!(module, b"pam_faillock" | b"pam_tally2" | b"pam_tally")
        && (text.starts_with(b"Consecutive login failures for user ") || text.starts_with(b"user "))
}

/// `Consecutive login failures for user NAME account temporarily locked`, `user NAME (UID) tally N, deny M`
fn locked_account(text: &[u8]) -> Option<&[u8]> {
    let name = match text.strip_prefix(b"Consecutive login failures for user ") {
        Some(rest) => rest.strip_suffix(b" account temporarily locked").unwrap_or(rest),
        None => {
            let rest = text.strip_prefix(b"user ")?;
            rfind!(rest, b" (").map_or(rest, |at| &rest[..at])
        }
    };
    Some(name)
}

/// `access denied for user `NAME' from `ORIGIN'`, where ORIGIN is a host or a terminal; `account NAME has expired (…)`
fn put_denied(rows: &mut BatchBuilder, text: &[u8]) -> bool {
    if let Some(quoted) = text.strip_prefix(b"access denied for user `") {
        let at = rfind!(quoted, b"' from `").unwrap_or(quoted.len());
        rows.text(field::USER_NAME, quoted[..at].strip_suffix(b"'").unwrap_or(&quoted[..at]));
        if let Some(origin) = quoted.get(at + 8..).and_then(|origin| origin.strip_suffix(b"'"))
            && is_ip(origin)
        {
            put_peer(rows, origin);
        }
        return true;
    }
    let Some(name) = text.strip_prefix(b"account ").and_then(|rest| Some(&rest[..rfind!(rest, b" has ")?])) else {
        return false;
    };
    if !name.is_empty() && memchr(b' ', name).is_none() {
        rows.text(field::USER_NAME, name);
    }
    true
}
