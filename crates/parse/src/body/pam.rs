//! PAM modules, under any program: `MODULE(SERVICE:PHASE): text`, and of old `PROGRAM(MODULE)[PID]: text`.
//!
//! Account names may come from a client and hold the words that modules write: a text is read in every way in which it can
//! have been written, and counts only as far as all ways agree.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::outcome::outcome;
use crate::address::{decimal, put_peer};

/// `MODULE(SERVICE:PHASE): text`
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(open) = memchr(b'(', message) else { return false };
    let Some(close) = memmem::find(message, b"): ").filter(|close| *close > open) else { return false };
    let (module, inside, text) = (&message[..open], &message[open + 1..close], &message[close + 3..]);
    let (service, phase) = memchr(b':', inside).map_or((inside, &b""[..]), |at| (&inside[..at], &inside[at + 1..]));
    rows.text(field::SYSTEM_AUTH_PAM_MODULE, &message[..close + 1]);
    rows.text(field::SERVICE_NAME, service);
    put_text(rows, module, phase, text);
    true
}

/// `PROGRAM(MODULE)[PID]: text`: the program is the service, and no phase is told.
pub(super) fn put_of_tag(rows: &mut BatchBuilder, program: &[u8], module: &[u8], text: &[u8]) {
    rows.text(field::SYSTEM_AUTH_PAM_MODULE, module);
    rows.text(field::SERVICE_NAME, program);
    put_text(rows, module, b"", text);
}

fn put_text(rows: &mut BatchBuilder, module: &[u8], phase: &[u8], text: &[u8]) {
    let failure = if phase == b"account" { "pam_account" } else { "pam_authentication" };
    if let Some(rest) = text.strip_prefix(b"session opened for user ") {
        put_session(rows, rest);
        outcome("session_opened", "success").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"session closed for user ") {
        rows.text(field::USER_NAME, rest.trim_ascii_end());
        outcome("session_closed", "").put(rows);
    } else if text.starts_with(b"authentication failure") {
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
    } else if let Some(name) = denied_account(text) {
        rows.text(field::USER_NAME, name);
        outcome(failure, "failure").put(rows);
    }
}

/// `NAME[(uid=N)] by [NAME](uid=N)`
fn put_session(rows: &mut BatchBuilder, rest: &[u8]) {
    let by = memmem::rfind(rest, b" by ").unwrap_or(rest.len());
    let account = &rest[..by];
    let at = memmem::rfind(account, b"(uid=").unwrap_or(account.len());
    rows.text(field::USER_NAME, &account[..at]);
    if let Some(uid) = account.get(at + 5..).and_then(|uid| uid.strip_suffix(b")")) {
        rows.text(field::USER_ID, uid);
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
    let Some(count) = decimal(&text[..digits]).filter(|_| text[digits..].starts_with(b" more authentication failure"))
    else {
        return false;
    };
    rows.long(field::LOG_SYSLOG_REPEATED, count.max(1));
    put_attributes(rows, text);
    true
}

/// One way to read `… ruser=RUSER rhost=RHOST  user=USER`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reading<'a> {
    rhost: &'a [u8],
    user: Option<&'a [u8]>,
}

/// Puts where an attempt came from and for whom: `ruser=RUSER rhost=RHOST[  user=USER]`. RUSER and USER may be what a client
/// wrote, RHOST has no blanks, and modules write each once.
fn put_attributes(rows: &mut BatchBuilder, text: &[u8]) {
    let text = memmem::find(text, b" ruser=").map_or(text, |at| &text[at + 7..]);
    let mut readings = memmem::find_iter(text, b" rhost=").filter_map(|at| reading(&text[at + 7..]));
    let Some(first) = readings.next() else {
        // Modules that tell no host.
        if memmem::find(text, b" rhost=").is_none()
            && let Some(at) = memmem::find(text, b" user=").filter(|at| memchr(b' ', &text[..*at]).is_none())
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
    }
    if let Some(user) = first.user.filter(|_| same_user) {
        rows.text(field::USER_NAME, user);
    }
}

/// The text behind a ` rhost=`, if nothing but a user follows the host.
fn reading(rest: &[u8]) -> Option<Reading<'_>> {
    let (rhost, tail) = rest.split_at(memchr(b' ', rest).unwrap_or(rest.len()));
    let tail = tail.trim_ascii();
    match tail.strip_prefix(b"user=") {
        Some(user) => Some(Reading { rhost, user: Some(user).filter(|user| !user.is_empty()) }),
        None => tail.is_empty().then_some(Reading { rhost, user: None }),
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
            memmem::rfind(rest, b" (").map_or(rest, |at| &rest[..at])
        }
    };
    Some(name)
}

/// `access denied for user `NAME' from `ORIGIN'`, `account NAME has expired (…)`, `user NAME: reason`
fn denied_account(text: &[u8]) -> Option<&[u8]> {
    let rest = text
        .strip_prefix(b"access denied for user ")
        .or(text.strip_prefix(b"account "))
        .or(text.strip_prefix(b"user "))?;
    if let Some(quoted) = rest.strip_prefix(b"`").or(rest.strip_prefix(b"'")) {
        let end = memmem::rfind(quoted, b"' from `").or(memmem::rfind(quoted, b"'"))?;
        return Some(&quoted[..end]);
    }
    let end = memmem::rfind(rest, b" has ").or(memmem::rfind(rest, b": ")).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty() && memchr(b' ', name).is_none())
}
