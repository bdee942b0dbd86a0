//! Mail servers (Postfix, Exim, saslauthd): logins that failed, and recipients that were refused, with the client's address.
//!
//! Account names, methods, senders and greetings come from the client: the address stands where the server writes it, at
//! the start.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::outcome::{Outcome, outcome};
use crate::address::put_peer;

pub(super) const FAILED: Outcome = outcome("mail_login", "failure");
pub(super) const LOGGED_IN: Outcome = outcome("mail_login", "success");
const REJECTED: Outcome = outcome("mail_rejected", "failure");

/// `HOST[ADDRESS]` at the start, where HOST has neither blanks nor brackets: the address and what follows.
fn named_peer(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = memchr(b'[', text)?;
    let close = open + memchr(b']', &text[open..])?;
    memchr(b' ', &text[..close]).is_none().then(|| (&text[open + 1..close], &text[close + 1..]))
}

/// `warning: HOST[ADDRESS]: SASL METHOD authentication failed: …, sasl_username=NAME`,
/// `NOQUEUE: reject: RCPT from HOST[ADDRESS]: REASON`
pub(super) fn put_postfix(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let text = message.strip_prefix(b"warning: ").unwrap_or(message);
    if let Some((peer, rest)) = named_peer(text)
        && let Some(rest) = rest.strip_prefix(b": SASL ")
        && memmem::find(rest, b" authentication failed").is_some()
    {
        put_peer(rows, peer);
        // The method is the client's, too: with these words in it, it leaves open where the name begins.
        let mut names = memmem::find_iter(rest, b", sasl_username=");
        if let (Some(at), None) = (names.next(), names.next()) {
            rows.text(field::USER_NAME, &rest[at + 16..]);
        }
        FAILED.put(rows);
        return true;
    }
    let Some(at) = memmem::find(message, b"reject: RCPT from ").filter(|at| *at <= 12) else { return false };
    let Some((peer, rest)) = named_peer(&message[at + 18..]) else { return false };
    put_peer(rows, peer);
    rows.text(field::EVENT_REASON, rest.strip_prefix(b": ").unwrap_or(rest));
    REJECTED.put(rows);
    true
}

pub(super) fn put_exim(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_exim_login(rows, message) || put_exim_rejected(rows, message)
}

/// `[HOST ][(GREETING) ][ADDRESS]` at the start: the address and what follows. A greeting may name another address in
/// brackets, and ends at the bracket that the true one follows.
fn exim_peer(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = match memchr(b' ', text) {
        Some(blank) if !matches!(text[0], b'[' | b'(') => &text[blank + 1..],
        _ => text,
    };
    let open = if text.starts_with(b"(") { memmem::find(text, b") [")? + 2 } else { 0 };
    let rest = text[open..].strip_prefix(b"[")?;
    let close = memchr(b']', rest)?;
    Some((&rest[..close], &rest[close + 1..]))
}

/// `METHOD authenticator failed for HOST (GREETING) [ADDRESS]:PORT: 535 … (set_id=NAME)`
fn put_exim_login(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    const FOR: &[u8] = b" authenticator failed for ";
    let Some(at) = memmem::find(message, FOR) else { return false };
    let Some((peer, rest)) = exim_peer(&message[at + FOR.len()..]) else { return false };
    put_peer(rows, peer);
    if let Some(at) = memmem::find(rest, b"(set_id=") {
        let name = &rest[at + 8..];
        rows.text(field::USER_NAME, name.strip_suffix(b")").unwrap_or(name));
    }
    FAILED.put(rows);
    true
}

/// `H=HOST (GREETING) [ADDRESS] F=<SENDER> rejected RCPT <…>: REASON`
fn put_exim_rejected(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(text) = message.strip_prefix(b"H=") else { return false };
    let Some((peer, rest)) = exim_peer(text) else { return false };
    let Some(at) = memmem::find(rest, b" F=<").and_then(|_| memmem::find(rest, b" rejected RCPT ")) else {
        return false;
    };
    put_peer(rows, peer);
    rows.text(field::EVENT_REASON, &rest[at + 1..]);
    REJECTED.put(rows);
    true
}

/// `… auth failure: [user=NAME] [service=…] …`
pub(super) fn put_saslauthd(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"auth failure: [user=") else { return false };
    let name = &message[at + 20..];
    if let Some(end) = memmem::rfind(name, b"] [service=") {
        rows.text(field::USER_NAME, &name[..end]);
    }
    FAILED.put(rows);
    true
}
