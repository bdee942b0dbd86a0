//! OpenSSH server: logins, failures, and connections that end before one.
//!
//! Clients write user names, names of methods, ids of certificates and reasons, and may write ` from 203.0.113.9 port 22` there:
//! an address counts only where the server itself writes it, which for most messages is their end.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memrchr};

use super::outcome::{Outcome, outcome};
use super::sshd_lines::LINES;
use crate::address::{AMBIGUOUS, decimal, is_ip, put_peer};
use crate::needle::Needle;

/// Bytes of a message that sshd hands to syslog (`log.c`): a longer one has lost its end.
const MESSAGE_BYTES_MAX: usize = 500;
/// Bytes that no message of sshd has, wherever it was written to: others are not looked at, whatever they are.
const LOOKED_AT_BYTES_MAX: usize = 4096;

const FROM: Needle<'static> = Needle::new(b" from ");
const PORT: Needle<'static> = Needle::new(b" port ");
const SIGNATURE: Needle<'static> = Needle::new(b" ssh2: ");
const FOR: Needle<'static> = Needle::new(b" for ");
const NOT_ALLOWED: Needle<'static> = Needle::new(b" not allowed because ");
const MAPS_TO: Needle<'static> = Needle::new(b" maps to ");
const BREAK_IN: Needle<'static> = Needle::new(b"POSSIBLE BREAK-IN");

/// How the rest of a message is built, after its fixed start.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// `METHOD for [invalid user ]NAME from ADDRESS port N …`
    Method,
    /// `[invalid user ]NAME from ADDRESS[ port N]…`
    NameFrom,
    /// `PAM's error for [illegal user ]NAME from ADDRESS[ via OWN_ADDRESS]`
    Pam,
    /// `NAME`; this message never names an address.
    Name,
    /// `[authenticating user |invalid user |user NAME ]ADDRESS port N…`
    Peer,
    /// As [`Shape::Peer`], with `: REASON` behind it.
    Disconnecting,
    /// `N from [ADDRESS]:PORT …`
    Bracketed,
    /// `new ADDRESS/BITS …`
    Penalty,
    /// Text without account or address.
    Plain,
}

struct Opening {
    text: &'static [u8],
    word: &'static str,
    shape: Shape,
    outcome: Outcome,
}

const fn start(text: &'static [u8], word: &'static str, shape: Shape, outcome: Outcome) -> Opening {
    Opening { text, word, shape, outcome }
}

const FAILED: Outcome = outcome("ssh_login", "failure");
const ENDED: Outcome = outcome("ssh_connection_ended", "");
const PROBED: Outcome = outcome("ssh_probe", "failure");

/// How messages start, frequent ones first; the first that fits counts.
static STARTS: &[Opening] = &[
    start(b"Failed ", "Failed", Shape::Method, FAILED),
    start(b"Accepted certificate ID ", "Certificate", Shape::Plain, outcome("ssh_login_step", "")),
    start(b"Accepted ", "Accepted", Shape::Method, outcome("ssh_login", "success")),
    start(b"Invalid user ", "Invalid", Shape::NameFrom, outcome("ssh_invalid_user", "failure")),
    start(b"Illegal user ", "Invalid", Shape::NameFrom, outcome("ssh_invalid_user", "failure")),
    start(b"input_userauth_request: invalid user ", "Invalid", Shape::Name, outcome("ssh_invalid_user", "failure")),
    start(b"Connection closed by ", "Closed", Shape::Peer, ENDED),
    start(b"Connection reset by ", "Closed", Shape::Peer, ENDED),
    start(b"Disconnected from ", "Disconnected", Shape::Peer, ENDED),
    start(b"Disconnecting ", "Disconnecting", Shape::Disconnecting, ENDED),
    start(b"Received disconnect from ", "Disconnected", Shape::Peer, ENDED),
    start(b"Connection from ", "Connection", Shape::Peer, outcome("ssh_connection", "")),
    start(b"Postponed ", "Postponed", Shape::Method, outcome("ssh_login_step", "")),
    start(b"Partial ", "Partial", Shape::Method, outcome("ssh_login_step", "")),
    start(b"maximum authentication attempts exceeded for ", "Exceeded", Shape::NameFrom, FAILED),
    start(b"Disconnecting: Too many authentication failures for ", "Exceeded", Shape::NameFrom, FAILED),
    start(b"PAM: ", "Failed", Shape::Pam, FAILED),
    start(b"Did not receive identification string from ", "Probe", Shape::Peer, PROBED),
    start(b"banner exchange: Connection from ", "Probe", Shape::Peer, PROBED),
    start(b"Read error from remote host ", "Probe", Shape::Peer, PROBED),
    start(b"Read error from ", "Probe", Shape::Peer, PROBED),
    start(b"ssh_dispatch_run_fatal: Connection from ", "Probe", Shape::Peer, PROBED),
    start(b"Unable to negotiate with ", "Probe", Shape::Peer, PROBED),
    start(b"Timeout before authentication for connection from ", "Timeout", Shape::Peer, PROBED),
    start(b"Timeout before authentication for ", "Timeout", Shape::Peer, PROBED),
    start(b"ROOT LOGIN REFUSED FROM ", "Refused", Shape::Peer, FAILED),
    start(b"scanned from ", "Probe", Shape::Peer, PROBED),
    start(b"probed from ", "Probe", Shape::Peer, PROBED),
    start(b"drop connection #", "Dropped", Shape::Bracketed, outcome("ssh_connection_dropped", "failure")),
    start(b"srclimit_penalise: ipv4: ", "Penalty", Shape::Penalty, outcome("ssh_penalty", "failure")),
    start(b"srclimit_penalise: ipv6: ", "Penalty", Shape::Penalty, outcome("ssh_penalty", "failure")),
    start(b"kex_exchange_identification: ", "Probe", Shape::Plain, PROBED),
];

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if message.len() > LOOKED_AT_BYTES_MAX {
        return false;
    }
    let is_whole = message.len() < MESSAGE_BYTES_MAX;
    let message = without_level(message);
    let first = message.first();
    if let Some(start) = STARTS.iter().find(|start| start.text.first() == first && message.starts_with(start.text)) {
        let rest = &message[start.text.len()..];
        let read = match start.shape {
            Shape::Method => put_method(rows, bare(rest), start.word == "Accepted", is_whole),
            Shape::NameFrom => put_name_from(rows, bare(rest), is_whole),
            Shape::Pam => put_pam(rows, bare(rest), is_whole),
            Shape::Name => {
                put_name(rows, without_status(bare(rest)));
                true
            }
            Shape::Peer => put_connection(rows, rest),
            Shape::Disconnecting => put_disconnecting(rows, bare(rest)),
            Shape::Bracketed => put_bracketed(rows, rest),
            Shape::Penalty => put_penalty(rows, rest),
            Shape::Plain => true,
        };
        if read {
            start.outcome.put(rows);
            rows.literal(field::SYSTEM_AUTH_SSH_EVENT, start.word);
            if start.text.starts_with(b"ROOT") {
                rows.literal(field::USER_NAME, "root");
            }
        }
        return read;
    }
    put_refusal(rows, message, is_whole) || LINES.put_known(rows, bare(message))
}

/// Without the level that sshd writes in front, in lower case.
#[inline]
fn without_level(message: &[u8]) -> &[u8] {
    match message.first() {
        Some(b'e') => message.strip_prefix(b"error: ").unwrap_or(message),
        Some(b'f') => message.strip_prefix(b"fatal: ").unwrap_or(message),
        Some(b'w') => message.strip_prefix(b"warning: ").unwrap_or(message),
        _ => message,
    }
}

/// Without what the process that has no rights yet adds.
fn bare(text: &[u8]) -> &[u8] {
    text.strip_suffix(b" [preauth]").unwrap_or(text)
}

/// `HEAD ADDRESS[ port N]`, read from its end.
#[derive(Clone, Copy)]
struct Ending<'a> {
    /// With the blank at its end.
    head: &'a [u8],
    address: &'a [u8],
    port: Option<i64>,
}

impl<'a> Ending<'a> {
    #[inline]
    fn read(text: &'a [u8]) -> Self {
        let last = memrchr(b' ', text).map_or(0, |blank| blank + 1);
        let before_port = text[..last].strip_suffix(b" port ");
        let port = before_port.and_then(|_| decimal(&text[last..]));
        let rest = before_port.filter(|_| port.is_some()).unwrap_or(text);
        let (head, address) = rest.split_at(memrchr(b' ', rest).map_or(0, |blank| blank + 1));
        Ending { head, address, port }
    }

    /// What stands in front of the ` from ` before the address.
    #[inline]
    fn before_from(&self) -> Option<&'a [u8]> {
        let before = self
            .head
            .strip_suffix(b" from ")
            .or_else(|| self.head.strip_suffix(b"from ").filter(|head| head.is_empty()));
        before.filter(|_| !self.address.is_empty())
    }

    #[inline]
    fn put(&self, rows: &mut BatchBuilder) {
        put_peer(rows, self.address);
        if let Some(port) = self.port {
            rows.long(field::SOURCE_PORT, port);
        }
    }
}

/// `N from [ADDRESS]:PORT on …`
fn put_bracketed(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let Some(peer) = super::cut::between(rest, b" from [", b" on [") else { return false };
    let Some(close) = memchr(b']', peer) else { return false };
    put_peer(rows, &peer[..close]);
    if let Some(port) = peer[close + 1..].strip_prefix(b":").and_then(decimal) {
        rows.long(field::SOURCE_PORT, port);
    }
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

/// `METHOD for [invalid user ]NAME from ADDRESS port N ssh2[: KEY FINGERPRINT[ ID ID (serial N) CA …][, client user …]]`.
/// METHOD, NAME and what stands behind the fingerprint are the client's. A key is told of accounts that exist only, and with
/// methods that sshd knows, so that the address is either the last thing or follows a name without blanks.
fn put_method(rows: &mut BatchBuilder, rest: &[u8], accepted: bool, is_whole: bool) -> bool {
    let ending = Ending::read(rest.strip_suffix(b" ssh2").unwrap_or(rest));
    let whole = ending.before_from().filter(|_| is_whole && (ending.port.is_some() || is_ip(ending.address)));
    if let Some(account) = whole {
        ending.put(rows);
        let Some(blank) = memchr(b' ', account) else { return true };
        rows.text(field::SYSTEM_AUTH_SSH_METHOD, &account[..blank]);
        // A method with the words of this message in it leaves open where the name begins.
        let name = account[blank..].strip_prefix(b" for ").filter(|name| !FOR.is_in(name));
        if let Some(name) = name {
            put_name(rows, without_status(name));
        }
        return true;
    }
    let Some(blank) = memchr(b' ', rest) else { return false };
    let Some(account) = rest[blank..].strip_prefix(b" for ") else { return false };
    rows.text(field::SYSTEM_AUTH_SSH_METHOD, &rest[..blank]);
    if !is_whole && !accepted {
        return true;
    }
    if let Some((name, tail)) = before_key(account) {
        put_name(rows, without_status(name));
        put_address_and_port(rows, tail);
        if let Some(at) = SIGNATURE.find(tail) {
            rows.text(field::SYSTEM_AUTH_SSH_SIGNATURE, &tail[at + SIGNATURE.len()..]);
        }
    }
    true
}

/// The name, and the text behind the ` from ` that follows it: the only one that a port and a key follow, or the first behind
/// a name that can exist.
fn before_key(account: &[u8]) -> Option<(&[u8], &[u8])> {
    let can_exist = |name: &[u8]| memchr(b' ', name).is_none();
    let mut found = FROM.find_iter(account).map(|at| (&account[..at], &account[at + FROM.len()..]));
    match found.by_ref().find(|(_, tail)| is_before_key(tail)) {
        Some(first) => (can_exist(first.0) || found.all(|(_, tail)| !is_before_key(tail))).then_some(first),
        // What stands behind the address is of another sshd.
        None => {
            let at = FROM.find(account).filter(|at| can_exist(&account[..*at]))?;
            let tail = &account[at + FROM.len()..];
            let word = memchr(b' ', tail).filter(|end| *end > 0 && tail[*end..].starts_with(b" port "));
            word.map(|_| (&account[..at], tail))
        }
    }
}

/// `ADDRESS port N ssh2: KEY FINGERPRINT`, then nothing, a certificate or a host's word about its user.
fn is_before_key(tail: &[u8]) -> bool {
    let Some(at) = SIGNATURE.find(tail) else { return false };
    let ending = Ending::read(&tail[..at]);
    let mut words = tail[at + SIGNATURE.len()..].splitn(3, |byte| *byte == b' ');
    let (Some(key), Some(fingerprint)) = (words.next(), words.next()) else { return false };
    let is_certificate = key.ends_with(b"-CERT");
    let of_host = fingerprint.strip_suffix(b",");
    let follows = match words.next() {
        None => of_host.is_none(),
        Some(rest) => of_host.is_some() || is_certificate && (fingerprint == b"ID" || rest.starts_with(b"ID ")),
    };
    // Without blanks it holds no other address, whatever it is made of.
    let is_fingerprint = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
    ending.head.is_empty()
        && ending.port.is_some()
        && follows
        && of_host.unwrap_or(fingerprint).iter().all(is_fingerprint)
}

/// `[invalid user ]NAME from ADDRESS[ port N][ ssh2]`, or on macOS ` via OWN_ADDRESS` at its end.
fn put_name_from(rows: &mut BatchBuilder, rest: &[u8], is_whole: bool) -> bool {
    let rest = rest.strip_suffix(b" ").unwrap_or(rest);
    let via = memrchr(b' ', rest).filter(|at| rest[..*at].ends_with(b" via") && is_ip(&rest[at + 1..]));
    let rest = via.map_or(rest, |at| &rest[..at - b" via".len()]);
    let ending = Ending::read(rest.strip_suffix(b" ssh2").unwrap_or(rest));
    match ending.before_from().filter(|_| is_whole) {
        Some(name) => {
            put_name(rows, without_status(name));
            ending.put(rows);
        }
        None if !FROM.is_in(rest) => put_name(rows, without_status(rest)),
        None => {}
    }
    true
}

/// `ERROR for [illegal user ]NAME from ADDRESS[ via OWN_ADDRESS]`. ERROR is a text of the system's library, which may hold one
/// ` for ` (`Have exhausted maximum number of retries for service`).
fn put_pam(rows: &mut BatchBuilder, rest: &[u8], is_whole: bool) -> bool {
    let Some(at) = FOR.find(rest).filter(|_| FROM.is_in(rest)) else { return false };
    let account = &rest[at + FOR.len()..];
    put_name_from(rows, account.strip_prefix(b"service for ").unwrap_or(account), is_whole)
}

#[inline]
fn put_name(rows: &mut BatchBuilder, name: &[u8]) {
    // What Sun's sshd writes in the place of a name that does not exist.
    if name == b"<invalid username>" {
        return;
    }
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

const KINDS: [&[u8]; 3] = [b"authenticating user ", b"invalid user ", b"user "];

/// `[authenticating |invalid ]user NAME ADDRESS port N`, or `ADDRESS port N…`
fn put_connection(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let Some(named) = KINDS.iter().find_map(|kind| rest.strip_prefix(*kind)) else {
        put_address_and_port(rows, rest);
        return true;
    };
    let ending = Ending::read(bare(named));
    if ending.port.is_none() {
        // ` port N: REASON`, where sshd tells one.
        return put_disconnecting(rows, bare(rest));
    }
    put_name(rows, ending.head.strip_suffix(b" ").unwrap_or(ending.head));
    ending.put(rows);
    true
}

/// `[authenticating |invalid ]user NAME ADDRESS port N: REASON`, or `ADDRESS port N: REASON`
fn put_disconnecting(rows: &mut BatchBuilder, rest: &[u8]) -> bool {
    let Some(named) = KINDS.iter().find_map(|kind| rest.strip_prefix(*kind)) else {
        put_address_and_port(rows, rest);
        return true;
    };
    let mut readings: Vec<(Ending<'_>, &[u8])> = PORT.find_iter(named).filter_map(|at| reading_at(named, at)).collect();
    // Only the reason that quotes the client can hold the words of an address.
    let last = readings.last().map(|(_, reason)| reason.len());
    readings.retain(|(ending, reason)| match reason.strip_prefix(SERVICE_CHANGED) {
        Some(before) => quotes(before, ending.head.strip_suffix(b" ").unwrap_or(ending.head)),
        None => Some(reason.len()) == last,
    });
    // Where the client's words leave several readings, none is believed, however long the reasons are.
    match readings.as_slice() {
        [(ending, _)] => {
            put_name(rows, ending.head.strip_suffix(b" ").unwrap_or(ending.head));
            ending.put(rows);
        }
        _ if PORT.is_in(named) => rows.mark(AMBIGUOUS),
        _ => {}
    }
    !readings.is_empty() || PORT.is_in(named)
}

const SERVICE_CHANGED: &[u8] = b"Change of username or service not allowed: (";
/// Bytes of a reason that sshd writes (`packet.c`).
const REASON_BYTES_MAX: usize = 100;

/// `NAME ADDRESS port N: REASON`, where ` port ` stands at `at`.
fn reading_at(named: &[u8], at: usize) -> Option<(Ending<'_>, &[u8])> {
    let after = &named[at + PORT.len()..];
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let reason = after[digits..].strip_prefix(b": ")?;
    let ending = Ending::read(&named[..at + PORT.len() + digits]);
    ending.port.map(|_| (ending, reason))
}

/// Whether the reason goes on with the name, as far as it was not cut off.
fn quotes(reason: &[u8], name: &[u8]) -> bool {
    match reason.strip_prefix(name) {
        Some(rest) => rest.is_empty() || rest.starts_with(b","),
        None => name.starts_with(reason) && SERVICE_CHANGED.len() + reason.len() >= REASON_BYTES_MAX,
    }
}

/// Logins that the server's configuration refuses, and what does not speak its protocol.
fn put_refusal(rows: &mut BatchBuilder, message: &[u8], is_whole: bool) -> bool {
    if let Some(rest) = message.strip_prefix(b"User ")
        && let Some(at) = NOT_ALLOWED.rfind(rest)
    {
        let ending = Ending::read(&rest[..at]);
        match ending.before_from() {
            Some(name) => {
                put_name(rows, name);
                put_peer(rows, ending.address);
            }
            None => put_name(rows, &rest[..at]),
        }
        rows.text(field::EVENT_REASON, &rest[at + 1..]);
        FAILED.put(rows);
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Refused");
        return true;
    }
    if let Some(rest) = message.strip_prefix(b"refused connect from ") {
        let bracketed =
            memrchr(b'(', rest).map(|open| rest[open + 1..].strip_suffix(b")").unwrap_or(&rest[open + 1..]));
        put_peer(rows, bracketed.unwrap_or(rest));
        PROBED.put(rows);
        rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Refused");
        return true;
    }
    put_probe(rows, message, is_whole) || put_more_failures(rows, message)
}

/// `Bad protocol version identification 'TEXT' from ADDRESS port N`, `Address ADDRESS maps to NAME, but …BREAK-IN ATTEMPT!`,
/// `reverse mapping checking getaddrinfo for NAME [ADDRESS] failed…`. The latter two only tell that a name and an address do not
/// fit together.
fn put_probe(rows: &mut BatchBuilder, message: &[u8], is_whole: bool) -> bool {
    let mismatch = if BREAK_IN.is_in(message) { outcome("ssh_probe", "") } else { outcome("ssh_reverse_mapping", "") };
    let told = if message.starts_with(b"Bad protocol version identification ") {
        let ending = Ending::read(message);
        if ending.before_from().is_some() && is_whole {
            ending.put(rows);
        }
        PROBED
    } else if let Some(rest) = message.strip_prefix(b"Address ").filter(|rest| MAPS_TO.is_in(rest)) {
        put_peer(rows, rest.split(|byte| *byte == b' ').next().unwrap_or_default());
        mismatch
    } else if message.starts_with(b"reverse mapping checking getaddrinfo for ") {
        if let Some(address) = super::cut::in_last_brackets(message) {
            put_peer(rows, address);
        }
        mismatch
    } else {
        return false;
    };
    told.put(rows);
    rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Probe");
    true
}

/// `PAM N more authentication failures; … rhost=ADDRESS  user=NAME`
fn put_more_failures(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"PAM ") else { return false };
    if !super::pam::put_more_failures(rows, rest) {
        return false;
    }
    FAILED.put(rows);
    rows.literal(field::SYSTEM_AUTH_SSH_EVENT, "Failed");
    true
}
