//! OpenSSH server (and dropbear): logins, failures, and connections that end before one.
//!
//! User names come from the attacker and may contain ` from 1.2.3.4 port 22`: a message is read from both ends, and
//! the address is the last one that the end of the message confirms.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::{Outcome, outcome};
use crate::address::{decimal, is_ip, put_peer};
use crate::needle::Needle;

const FROM: Needle = Needle::new(b" from ");
const PORT: Needle = Needle::new(b" port ");
const SIGNATURE: Needle = Needle::new(b" ssh2: ");
const CERTIFICATE: Needle = Needle::new(b"-CERT ");
const SERIAL: Needle = Needle::new(b" (serial ");
const SERVICE_CHANGED: Needle = Needle::new(b": Change of username or service not allowed: ");
const NOT_ALLOWED: Needle = Needle::new(b" not allowed because ");
const BREAK_IN: Needle = Needle::new(b"POSSIBLE BREAK-IN");
const QUOTE_ENDS: Needle = Needle::new(b"' ");

/// How the rest of a message is built, after its fixed start.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// `METHOD for [invalid user ]NAME from ADDRESS port N …`
    Method,
    /// `[for ][invalid user ]NAME from ADDRESS[ port N]…`
    NameFrom,
    /// `[authenticating user |invalid user |user NAME ]ADDRESS port N…`
    Peer,
    /// `N from [ADDRESS]:PORT …`
    Bracketed,
    /// `new ADDRESS/BITS …`
    Penalty,
    /// Text without account or address.
    Plain,
}

struct Start {
    text: &'static [u8],
    word: &'static str,
    shape: Shape,
    outcome: Outcome,
}

const fn start(text: &'static [u8], word: &'static str, shape: Shape, outcome: Outcome) -> Start {
    Start { text, word, shape, outcome }
}

const FAILED: Outcome = outcome("ssh_login", "failure");
const ENDED: Outcome = outcome("ssh_connection_ended", "");
const PROBED: Outcome = outcome("ssh_probe", "failure");

/// How messages start, frequent ones first; the first that fits counts.
static STARTS: &[Start] = &[
    start(b"Failed ", "Failed", Shape::Method, FAILED),
    start(b"Accepted ", "Accepted", Shape::Method, outcome("ssh_login", "success")),
    start(b"Invalid user ", "Invalid", Shape::NameFrom, outcome("ssh_invalid_user", "failure")),
    start(b"Illegal user ", "Invalid", Shape::NameFrom, outcome("ssh_invalid_user", "failure")),
    start(b"input_userauth_request: invalid user ", "Invalid", Shape::NameFrom, outcome("ssh_invalid_user", "failure")),
    start(b"Connection closed by ", "Closed", Shape::Peer, ENDED),
    start(b"Connection reset by ", "Closed", Shape::Peer, ENDED),
    start(b"Disconnected from ", "Disconnected", Shape::Peer, ENDED),
    start(b"Disconnecting ", "Disconnecting", Shape::Peer, ENDED),
    start(b"Received disconnect from ", "Disconnected", Shape::Peer, ENDED),
    start(b"Connection from ", "Connection", Shape::Peer, outcome("ssh_connection", "")),
    start(b"Postponed ", "Postponed", Shape::Method, outcome("ssh_login_step", "")),
    start(b"Partial ", "Partial", Shape::Method, outcome("ssh_login_step", "")),
    start(b"error: maximum authentication attempts exceeded for ", "Exceeded", Shape::NameFrom, FAILED),
    start(b"maximum authentication attempts exceeded for ", "Exceeded", Shape::NameFrom, FAILED),
    start(b"error: PAM: Authentication failure for ", "Failed", Shape::NameFrom, FAILED),
    start(
        b"error: PAM: User not known to the underlying authentication module for ",
        "Failed",
        Shape::NameFrom,
        FAILED,
    ),
    start(b"Did not receive identification string from ", "Probe", Shape::Peer, PROBED),
    start(b"banner exchange: Connection from ", "Probe", Shape::Peer, PROBED),
    start(b"ssh_dispatch_run_fatal: Connection from ", "Probe", Shape::Peer, PROBED),
    start(b"Unable to negotiate with ", "Probe", Shape::Peer, PROBED),
    start(b"fatal: Unable to negotiate with ", "Probe", Shape::Peer, PROBED),
    start(b"Timeout before authentication for connection from ", "Timeout", Shape::Peer, PROBED),
    start(b"fatal: Timeout before authentication for connection from ", "Timeout", Shape::Peer, PROBED),
    start(b"Timeout before authentication for ", "Timeout", Shape::Peer, PROBED),
    start(b"fatal: Timeout before authentication for ", "Timeout", Shape::Peer, PROBED),
    start(b"ROOT LOGIN REFUSED FROM ", "Refused", Shape::Peer, FAILED),
    start(b"scanned from ", "Probe", Shape::Peer, PROBED),
    start(b"probed from ", "Probe", Shape::Peer, PROBED),
    start(b"drop connection #", "Dropped", Shape::Bracketed, outcome("ssh_connection_dropped", "failure")),
    start(b"srclimit_penalise: ipv4: ", "Penalty", Shape::Penalty, outcome("ssh_penalty", "failure")),
    start(b"srclimit_penalise: ipv6: ", "Penalty", Shape::Penalty, outcome("ssh_penalty", "failure")),
    start(b"error: kex_exchange_identification: ", "Probe", Shape::Plain, PROBED),
    start(b"kex_exchange_identification: ", "Probe", Shape::Plain, PROBED),
];

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let first = message.first();
    if let Some(start) = STARTS.iter().find(|start| start.text.first() == first && message.starts_with(start.text)) {
        let rest = &message[start.text.len()..];
        let read = match start.shape {
            Shape::Method => put_method(rows, rest, start.word),
            Shape::NameFrom => put_name_from(rows, rest.strip_prefix(b"for ").unwrap_or(rest)),
            Shape::Peer => put_connection(rows, rest),
            Shape::Bracketed => put_bracketed(rows, rest),
            Shape::Penalty => put_penalty(rows, rest),
            Shape::Plain => true,
        };
        if read {
            start.outcome.put(rows);
            rows.literal(field::SYSTEM_AUTH_SSH_EVENT, start.word);
        }
        return read;
    }
    put_refusal(rows, message) || put_dropbear(rows, message)
}

/// `N from [ADDRESS]:PORT on …`
fn put_bracketed(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let Some(address) = super::between(rest, b" from [", b"]") else { return false };
    put_peer(rows, address);
    true
}

/// `new ADDRESS/BITS …`
fn put_penalty(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let Some(slash) = memchr(b'/', rest) else { return false };
    let start = memchr::memrchr(b' ', &rest[..slash]).map_or(0, |at| at + 1);
    put_peer(rows, &rest[start..slash]);
    true
}

fn without_status(name: &[u8]) -> &[u8] {
    let strip = |prefix: &[u8]| name.strip_prefix(prefix);
    strip(b"invalid user ").or_else(|| strip(b"illegal user ")).unwrap_or(name)
}

/// `METHOD for [invalid user ]NAME from ADDRESS port N ssh2[: KIND FINGERPRINT]`
fn put_method(rows: &mut BatchBuilder, rest: &[u8], word: &'static str) -> bool {
    let Some(blank) = memchr(b' ', rest) else { return false };
    let Some(account) = rest[blank..].strip_prefix(b" for ") else { return false };
    let (account, signature) = before_signature(account);
    // A name that logged in exists and has no blanks; a name that was tried may be anything.
    let from = if word == "Accepted" { FROM.find(account) } else { last_from(account) };
    let Some(from) = from else { return false };
    rows.text(field::SYSTEM_AUTH_SSH_METHOD, &rest[..blank]);
    put_name(rows, without_status(&account[..from]));
    let tail = &account[from + FROM.len()..];
    put_address_and_port(rows, tail);
    let signature = signature.or_else(|| SIGNATURE.find(tail).map(|at| &tail[at + SIGNATURE.len()..]));
    if let Some(signature) = signature {
        rows.text(field::SYSTEM_AUTH_SSH_SIGNATURE, signature);
    }
    true
}

/// Takes a certificate off: its key id is text of the client and may look like an address. Without one the message is
/// left whole, because a user name may hold the same words.
fn before_signature(account: &[u8]) -> (&[u8], Option<&[u8]>) {
    // What a certificate adds stands behind the protocol.
    if account.ends_with(b" ssh2") {
        return (account, None);
    }
    let certificate = CERTIFICATE.is_in(account) && SERIAL.is_in(account);
    match SIGNATURE.find(account).filter(|_| certificate) {
        Some(at) => (&account[..at], Some(&account[at + SIGNATURE.len()..])),
        None => (account, None),
    }
}

/// Offset of the last ` from ` that an address or a single word with a port follows.
fn last_from(text: &[u8]) -> Option<usize> {
    FROM.rfind_iter(text).find(|at| {
        let tail = &text[at + FROM.len()..];
        let word = memchr(b' ', tail).map_or(tail, |blank| &tail[..blank]);
        !word.is_empty() && (word.len() == tail.len() || tail[word.len()..].starts_with(b" port ") || is_ip(word))
    })
}

fn put_name_from(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let from = if rest.starts_with(b"from ") { None } else { last_from(rest) };
    match from {
        Some(from) => {
            put_name(rows, without_status(&rest[..from]));
            put_address_and_port(rows, &rest[from + FROM.len()..]);
        }
        // The empty name: `Invalid user  from 1.2.3.4` or `Invalid user from 1.2.3.4`.
        None if rest.starts_with(b"from ") => put_address_and_port(rows, &rest[5..]),
        None => put_name(rows, without_status(rest.strip_suffix(b" [preauth]").unwrap_or(rest))),
    }
    true
}

#[inline]
fn put_name(rows: &mut BatchBuilder, name: &[u8]) {
    rows.text(field::USER_NAME, name);
}

/// `ADDRESS[ port N]…`; a colon behind the address or the port is not part of it.
#[inline]
fn put_address_and_port(rows: &mut BatchBuilder, tail: &[u8]) {
    let end = memchr(b' ', tail).unwrap_or(tail.len());
    let (address, rest) = tail.split_at(end);
    put_peer(rows, address.strip_suffix(b":").filter(|bare| is_ip(bare)).unwrap_or(address));
    if let Some(port) = rest.strip_prefix(b" port ") {
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(port) = decimal(&port[..digits]) {
            rows.long(field::SOURCE_PORT, port);
        }
    }
}

/// `[authenticating |invalid ]user NAME ADDRESS port N` or `ADDRESS port N`, the last ` port ` being the true one.
fn put_connection(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let kinds: [&[u8]; 3] = [b"authenticating user ", b"invalid user ", b"user "];
    let Some(named) = kinds.iter().find_map(|kind| rest.strip_prefix(*kind)) else {
        put_address_and_port(rows, rest);
        return true;
    };
    // The reason may quote what the client asked for next.
    let reason = SERVICE_CHANGED.find(named);
    let named = reason.map_or(named, |at| &named[..at]);
    let Some(port) = PORT.rfind(named) else { return false };
    let Some(blank) = memchr::memrchr(b' ', &named[..port]) else {
        // The empty name leaves only the address.
        put_address_and_port(rows, named.trim_ascii_start());
        return true;
    };
    put_name(rows, &named[..blank]);
    put_address_and_port(rows, &named[blank + 1..]);
    true
}

/// Logins that the server's configuration refuses.
fn put_refusal(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if let Some(rest) = message.strip_prefix(b"User ")
        && let Some(at) = NOT_ALLOWED.rfind(rest)
    {
        let account = &rest[..at];
        let from = last_from(account).unwrap_or(account.len());
        put_name(rows, &account[..from]);
        if from < account.len() {
            put_peer(rows, &account[from + FROM.len()..]);
        }
        rows.text(field::EVENT_REASON, &rest[at + 1..]);
        FAILED.put(rows);
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Refused");
        return true;
    }
    if message.starts_with(b"refused connect from ") {
        if let Some(open) = memchr::memrchr(b'(', message) {
            put_peer(rows, message[open + 1..].strip_suffix(b")").unwrap_or(&message[open + 1..]));
        }
        PROBED.put(rows);
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Refused");
        return true;
    }
    if message.starts_with(b"Bad protocol version identification") || BREAK_IN.is_in(message) {
        if let Some(address) =
            message.strip_prefix(b"Address ").and_then(|rest| rest.split(|byte| *byte == b' ').next())
        {
            put_peer(rows, address);
        } else if let Some(at) = last_from(message) {
            put_address_and_port(rows, &message[at + FROM.len()..]);
        } else if let Some(address) = super::between(message, b"[", b"]") {
            put_peer(rows, address);
        }
        PROBED.put(rows);
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Probe");
        return true;
    }
    put_more_failures(rows, message)
}

/// `PAM N more authentication failures; … rhost=ADDRESS  user=NAME`
fn put_more_failures(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"PAM ").or(message.strip_prefix(b"error: PAM ")) else { return false };
    if !super::pam::put_more_failures(rows, rest) {
        return false;
    }
    FAILED.put(rows);
    rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Failed");
    true
}

/// dropbear: `Bad password attempt for 'NAME' from ADDRESS:PORT` and the like.
fn put_dropbear(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let known: [(&[u8], Outcome, &'static str); 4] = [
        (b"Bad password attempt for ", FAILED, "Failed"),
        (b"Login attempt for nonexistent user", outcome("ssh_invalid_user", "failure"), "Invalid"),
        (b"Password auth succeeded for ", outcome("ssh_login", "success"), "Accepted"),
        (b"Pubkey auth succeeded for ", outcome("ssh_login", "success"), "Accepted"),
    ];
    let Some((_, outcome, word)) = known.iter().find(|(text, ..)| message.starts_with(text)) else { return false };
    if let (Some(open), Some(close)) = (memchr(b'\'', message), QUOTE_ENDS.rfind(message))
        && open < close
    {
        put_name(rows, &message[open + 1..close]);
    }
    if let Some(from) = FROM.rfind(message) {
        let peer = &message[from + FROM.len()..];
        let colon = memchr::memrchr(b':', peer).unwrap_or(peer.len());
        put_peer(rows, &peer[..colon]);
        if let Some(port) = peer.get(colon + 1..).and_then(decimal) {
            rows.long(field::SOURCE_PORT, port);
        }
    }
    outcome.put(rows);
    rows.literal(field::SYSTEM_AUTH_SSH_EVENT, word);
    true
}
