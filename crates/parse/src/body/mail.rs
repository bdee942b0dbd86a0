//! Mail servers: logins that failed or succeeded, and recipients that were refused, with the client's address.
//!
//! Account names, host names and greetings come from the client: an address is taken from the end that the server writes.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::{Outcome, in_last_brackets, outcome, value_of};
use crate::address::{decimal, is_ip, put_peer};

/// Postfix writes as `postfix/smtpd`, of which the last part is the program.
pub(super) const PROGRAMS: &[&str] = &["smtpd", "postscreen", "dovecot", "exim", "exim4", "saslauthd"];

const FAILED: Outcome = outcome("mail_login", "failure");
const LOGGED_IN: Outcome = outcome("mail_login", "success");
const REJECTED: Outcome = outcome("mail_rejected", "failure");

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_postfix(rows, message)
        || put_dovecot_login(rows, message)
        || put_dovecot_worker(rows, message)
        || put_exim(rows, message)
        || put_exim_rejected(rows, message)
        || put_saslauthd(rows, message)
}

/// `warning: HOST[ADDRESS]: SASL METHOD authentication failed: …, sasl_username=NAME`,
/// `NOQUEUE: reject: RCPT from HOST[ADDRESS]: REASON`
fn put_postfix(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if let Some(end) = memmem::rfind(message, b"]: SASL ")
        && memmem::find(&message[end..], b" authentication failed").is_some()
    {
        if let Some(peer) = in_last_brackets(&message[..=end]) {
            put_peer(rows, peer);
        }
        if let Some(at) = memmem::rfind(message, b"sasl_username=") {
            rows.text(field::USER_NAME, &message[at + 14..]);
        }
        FAILED.put(rows);
        return true;
    }
    let Some(at) = memmem::find(message, b"reject: RCPT from ").filter(|at| *at <= 12) else { return false };
    let rest = &message[at + 18..];
    let Some(end) = memmem::find(rest, b"]: ") else { return false };
    if let Some(peer) = in_last_brackets(&rest[..=end]) {
        put_peer(rows, peer);
    }
    rows.text(field::EVENT_REASON, &rest[end + 3..]);
    REJECTED.put(rows);
    true
}

/// `imap-login: Disconnected (auth failed, N attempts in S secs): user=<NAME>, method=…, rip=ADDRESS, …` and
/// `imap-login: Login: user=<NAME>, …`
fn put_dovecot_login(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(colon) = memmem::find(message, b"-login: ").filter(|at| *at <= 12) else { return false };
    let text = &message[colon + 8..];
    // Behind the address the server writes only its own words.
    let Some(peer) = memmem::rfind(text, b", rip=") else { return false };
    let before = &text[..peer];
    let failed = memmem::find(text, b"(auth failed, ").filter(|at| *at < 60);
    let end =
        text[peer + 6..].iter().position(|byte| matches!(byte, b',' | b' ')).map_or(text.len(), |at| peer + 6 + at);
    if failed.is_none() && !text.starts_with(b"Login: ") && !text.starts_with(b"Info: Login: ") {
        return false;
    }
    put_peer(rows, &text[peer + 6..end]);
    if let Some(open) = memmem::find(before, b"user=<") {
        let close = memchr::memrchr(b'>', before).filter(|close| *close > open).unwrap_or(before.len());
        rows.text(field::USER_NAME, &before[open + 6..close]);
    }
    if let Some(at) = failed {
        let digits = text[at + 14..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(attempts) = decimal(&text[at + 14..at + 14 + digits]).filter(|attempts| *attempts > 1) {
            rows.long(field::LOG_SYSLOG_REPEATED, attempts);
        }
        FAILED.put(rows);
    } else {
        LOGGED_IN.put(rows);
    }
    true
}

/// `auth-worker(N): pam(NAME,ADDRESS): …failed…`, `auth: sql(NAME,ADDRESS,<SESSION>): Password mismatch`
fn put_dovecot_worker(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if !message.starts_with(b"auth") {
        return false;
    }
    let Some(end) = memmem::rfind(message, b"): ") else { return false };
    let reason = &message[end + 3..];
    let failed: [&[u8]; 4] = [b"failed", b"mismatch", b"unknown user", b"Unknown user"];
    if !failed.iter().any(|word| memmem::find(reason, word).is_some()) {
        return false;
    }
    // The worker's own brackets come first.
    let Some(start) = memmem::find(&message[..end], b": ").map(|at| at + 2) else { return false };
    let Some(open) = memchr(b'(', &message[start..end]).map(|at| start + at) else { return false };
    let account = &message[open + 1..end];
    let parts: Vec<&[u8]> = account.split(|byte| *byte == b',').collect();
    let Some(peer) = parts.iter().rposition(|part| is_ip(part)).filter(|at| *at > 0) else { return false };
    put_peer(rows, parts[peer]);
    let length: usize = parts[..peer].iter().map(|part| part.len() + 1).sum();
    rows.text(field::USER_NAME, &account[..length - 1]);
    FAILED.put(rows);
    true
}

/// `METHOD authenticator failed for HOST (GREETING) [ADDRESS]:PORT: 535 … (set_id=NAME)`
fn put_exim(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if memmem::find(message, b" authenticator failed for ").is_none() {
        return false;
    }
    let end = memmem::rfind(message, b": 535").unwrap_or(message.len());
    if let Some(peer) = in_last_brackets(&message[..end]) {
        put_peer(rows, peer);
    }
    if let Some(at) = memmem::rfind(message, b"(set_id=") {
        let name = &message[at + 8..];
        rows.text(field::USER_NAME, name.strip_suffix(b")").unwrap_or(name));
    }
    FAILED.put(rows);
    true
}

/// `H=HOST (GREETING) [ADDRESS] F=<SENDER> rejected RCPT <…>: REASON`
fn put_exim_rejected(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::rfind(message, b"] F=<") else { return false };
    let Some(rejected) = memmem::find(&message[at..], b" rejected RCPT ") else { return false };
    if let Some(peer) = in_last_brackets(&message[..=at]) {
        put_peer(rows, peer);
    }
    rows.text(field::EVENT_REASON, &message[at + rejected + 1..]);
    REJECTED.put(rows);
    true
}

/// `… auth failure: [user=NAME] [service=…] …`
fn put_saslauthd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"auth failure: [") else { return false };
    if let Some(name) = value_of(&message[at + 15..], b"user=") {
        rows.text(field::USER_NAME, name.strip_suffix(b"]").unwrap_or(name));
    }
    FAILED.put(rows);
    true
}
