//! PAM modules, under any program: `MODULE(SERVICE:PHASE): text`.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::{outcome, value_of};
use crate::address::put_peer;

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(open) = memchr(b'(', message) else { return false };
    let Some(close) = memmem::find(message, b"): ").filter(|close| *close > open) else { return false };
    let (module, inside, text) = (&message[..open], &message[open + 1..close], &message[close + 3..]);
    let (service, phase) = memchr(b':', inside).map_or((inside, &b""[..]), |at| (&inside[..at], &inside[at + 1..]));
    rows.text(field::SYSTEM_AUTH_PAM_MODULE, &message[..close + 1]);
    rows.text(field::SERVICE_NAME, service);
    let failure = if phase == b"account" { "pam_account" } else { "pam_authentication" };
    if let Some(rest) = text.strip_prefix(b"session opened for user ") {
        put_session(rows, rest);
        outcome("session_opened", "success").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"session closed for user ") {
        rows.text(field::USER_NAME, until(rest, b" ("));
        outcome("session_closed", "").put(rows);
    } else if text.starts_with(b"authentication failure") || text.starts_with(b"received for user") {
        put_attributes(rows, text);
        outcome("pam_authentication", "failure").put(rows);
    } else if text.starts_with(b"check pass; user unknown") {
        outcome("pam_unknown_user", "failure").put(rows);
    } else if text.starts_with(b"authentication success") {
        put_attributes(rows, text);
        outcome("pam_authentication", "success").put(rows);
    } else if let Some(rest) = text.strip_prefix(b"password changed for ") {
        rows.text(field::USER_TARGET_NAME, rest);
        outcome("password_changed", "success").put(rows);
    } else if let Some(name) = locked_account(module, text) {
        rows.text(field::USER_NAME, name);
        outcome("account_locked", "failure").put(rows);
    } else if let Some(name) = denied_account(text) {
        rows.text(field::USER_NAME, name);
        outcome(failure, "failure").put(rows);
    }
    true
}

/// `NAME[(uid=N)] by [NAME](uid=N)`
fn put_session(rows: &mut BatchBuilder, rest: &[u8]) {
    let by = memmem::find(rest, b" by ").unwrap_or(rest.len());
    let account = &rest[..by];
    let name = until(account, b"(uid=");
    rows.text(field::USER_NAME, name);
    if let Some(uid) = account.get(name.len() + 5..).and_then(|uid| uid.strip_suffix(b")")) {
        rows.text(field::USER_ID, uid);
    }
}

fn until<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    memmem::find(text, end).map_or(text, |at| &text[..at])
}

/// `rhost=ADDRESS` and `user=NAME`; the name comes last and may hold blanks.
pub(super) fn put_attributes(rows: &mut BatchBuilder, text: &[u8]) {
    let name_at = memmem::find(text, b" user=");
    if let Some(at) = name_at {
        rows.text(field::USER_NAME, text[at + 6..].trim_ascii());
    }
    let fixed = name_at.map_or(text, |at| &text[..at]);
    if let Some(peer) = value_of(fixed, b"rhost=") {
        put_peer(rows, peer);
    }
}

/// pam_faillock and pam_tally2 name the account whose limit was reached.
fn locked_account<'a>(module: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    if !matches!(module, b"pam_faillock" | b"pam_tally2" | b"pam_tally") {
        return None;
    }
    let rest = text.strip_prefix(b"Consecutive login failures for user ").or(text.strip_prefix(b"user "))?;
    Some(rest.split(|byte| *byte == b' ').next().unwrap_or(rest))
}

/// `account NAME has expired`, `access denied for user NAME`
fn denied_account(text: &[u8]) -> Option<&[u8]> {
    let rest = text
        .strip_prefix(b"access denied for user ")
        .or(text.strip_prefix(b"account "))
        .or(text.strip_prefix(b"user "))?;
    let name = rest.split(|byte| matches!(byte, b' ' | b':' | b'\'')).find(|word| !word.is_empty())?;
    Some(name)
}
