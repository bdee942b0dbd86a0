//! Dovecot: logins that failed or succeeded.
//!
//! The client's name stands in `user=<…>` in front of what the server knows of the connection, and may hold the same words; so
//! may the name of a method. Behind `rip=` the server writes only its own.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::mail::{FAILED, LOGGED_IN};
use crate::address::{decimal, is_ip, put_peer};

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_login(rows, message) || put_worker(rows, message)
}

/// `imap-login: Disconnected (auth failed, N attempts in S secs): user=<NAME>, method=…, rip=ADDRESS, …` and
/// `imap-login: Login: user=<NAME>, …`
fn put_login(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(colon) = memmem::find(message, b"-login: ").filter(|at| *at <= 12) else { return false };
    let text = &message[colon + 8..];
    let text = text.strip_prefix(b"Info: ").unwrap_or(text);
    // In front of the name stand the server's words only.
    let Some(open) = memmem::find(text, b": user=<") else { return false };
    let (event, rest) = (&text[..open], &text[open + 8..]);
    let failed = memmem::find(event, b"(auth failed, ").filter(|_| is_end(event));
    if failed.is_none() && event != b"Login" {
        return false;
    }
    let Some(peer) = memmem::rfind(rest, b", rip=") else { return false };
    let address = &rest[peer + 6..];
    put_peer(rows, &address[..memchr(b',', address).unwrap_or(address.len())]);
    if let Some(name) = name_before(&rest[..peer]).filter(|name| !name.is_empty()) {
        rows.text(field::USER_NAME, name);
    }
    if let Some(at) = failed {
        let digits = event[at + 14..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(attempts) = decimal(&event[at + 14..at + 14 + digits]).filter(|attempts| *attempts > 1) {
            rows.long(field::LOG_SYSLOG_REPEATED, attempts);
        }
        FAILED.put(rows);
    } else {
        LOGGED_IN.put(rows);
    }
    true
}

/// How the server calls the end of a connection; other messages quote what the client told of itself.
fn is_end(event: &[u8]) -> bool {
    const ENDS: [&[u8]; 4] = [b"Disconnected", b"Aborted login", b"Login aborted", b"Maximum number of connections"];
    ENDS.iter().any(|end| event.starts_with(end))
}

/// `NAME>[, method=METHOD]`: methods are written in capitals, so that the last `method=` is the server's.
fn name_before(text: &[u8]) -> Option<&[u8]> {
    let named = memmem::rfind(text, b">, method=").map(|at| &text[..at]);
    match (named, text.strip_suffix(b">")) {
        // Either a name with these words in it, or a method that ends like a name.
        (Some(_), Some(_)) => None,
        (named, whole) => named.or(whole),
    }
}

/// Bytes that no message of a worker has: others are not looked at.
const WORKER_BYTES_MAX: usize = 4096;

/// `auth-worker(N): pam(NAME,ADDRESS): …failed…`, `auth: sql(NAME,ADDRESS,<SESSION>): Password mismatch`
fn put_worker(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if !message.starts_with(b"auth") || message.len() > WORKER_BYTES_MAX {
        return false;
    }
    // The worker's own brackets come first.
    let Some(start) = memmem::find(message, b": ").map(|at| at + 2) else { return false };
    let Some(open) = memchr(b'(', &message[start..]).map(|at| start + at + 1) else { return false };
    let text = &message[open..];
    let mut readings = memmem::rfind_iter(text, b"): ").filter_map(|end| account(&text[..end], &text[end + 3..]));
    let Some((name, peer)) = readings.next() else { return false };
    // The name may hold these words, and so may a password, where passwords are told.
    let is_last = memmem::find(text, b"given password: ").is_none();
    let (mut same_name, mut same_peer) = (true, true);
    for (other, address) in readings.filter(|_| !is_last) {
        same_name &= other == name;
        same_peer &= address == peer;
    }
    if same_peer {
        put_peer(rows, peer);
    }
    if same_name {
        rows.text(field::USER_NAME, name);
    }
    FAILED.put(rows);
    true
}

/// `NAME,ADDRESS[,<SESSION>]` in front of a reason for a failure: the name and the address.
fn account<'a>(account: &'a [u8], reason: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    const REASONS: [&[u8]; 8] = [
        b"pam_authenticate() failed",
        b"Password mismatch",
        b"password mismatch",
        b"unknown user",
        b"Unknown user",
        b"invalid credentials",
        b"CRYPT(",
        b"Login failed",
    ];
    if !REASONS.iter().any(|known| reason.starts_with(known)) {
        return None;
    }
    let cut = |text: &'a [u8]| memchr::memrchr(b',', text).map(|comma| (&text[..comma], &text[comma + 1..]));
    let (head, last) = cut(account)?;
    let (name, peer) = if last.starts_with(b"<") && last.ends_with(b">") { cut(head)? } else { (head, last) };
    is_ip(peer).then_some((name, peer))
}
