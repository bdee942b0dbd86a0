//! Error logs of nginx and its relatives: who asked for what, and why it went wrong.
//!
//! `2026/03/04 10:00:01 [level] pid#tid: [*connection ]message[, client: A, server: S, request: "R", upstream: "U", host: "H", referrer: "F"]`
//! Message, request, host and referrer hold text of the client, unescaped: a client that stands twice with two addresses is none.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use crate::address::{AMBIGUOUS, decimal, endpoint, put_endpoint};
use crate::context::{Context, Refusal};
use crate::needle::Needle;
use crate::needle::{self, find, rfind};
use crate::request::{Quoted, put_host, put_request, split_word};

const CLIENT: Needle<'static> = Needle::new(b", client: ");

/// A date with slashes and a time.
fn starts_with_time(text: &[u8]) -> bool {
    matches!(
        text,
        [
            b'1'..=b'2',
            _,
            _,
            _,
            b'/',
            b'0'..=b'1',
            _,
            b'/',
            b'0'..=b'3',
            _,
            b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            b' ',
            b'[',
            ..
        ]
    )
}

/// Files that a journal was written to have `host program[pid]: ` in front, and no time of their own.
fn split_program(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    const NONE: &[u8] = b"";
    if text.first().is_none_or(|first| first.is_ascii_digit() || *first == b'<') {
        return (NONE, NONE, text);
    }
    let head = &text[..text.len().min(100)];
    let Some(colon) = find!(head, b": ").filter(|at| starts_with_time(&text[at + 2..])) else {
        return (NONE, NONE, text);
    };
    let (host, program) = split_word(&text[..colon]);
    if program.is_empty() || memchr(b' ', program).is_some() {
        return (NONE, NONE, text);
    }
    (host, program, &text[colon + 2..])
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    starts_with_time(split_program(text).2)
}

/// What stands in front of the message.
struct NginxHeader<'a> {
    level: &'a [u8],
    pid: i64,
    thread: i64,
    message: &'a [u8],
}

/// ` [level] pid#tid: [*connection ]message`
fn header(text: &[u8]) -> Option<NginxHeader<'_>> {
    let inside = text.strip_prefix(b" [")?;
    let close = memchr(b']', inside.get(..10.min(inside.len()))?)?;
    let rest = inside[close + 1..].strip_prefix(b" ")?;
    let colon = find!(rest.get(..24.min(rest.len()))?, b": ")?;
    let hash = memchr(b'#', &rest[..colon])?;
    let message = without_connection(&rest[colon + 2..]);
    Some(NginxHeader {
        level: &inside[..close],
        pid: decimal(&rest[..hash])?,
        thread: decimal(&rest[hash + 1..colon])?,
        message,
    })
}

/// Programs in Go begin with such a time, too, but not with such numbers behind it.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    looks_like(text) && split_program(text).2.get(19..).and_then(header).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not an error line of nginx: no time, level and process at the start");
    let (host, program, text) = split_program(text);
    if !starts_with_time(text) {
        return Err(OTHER);
    }
    let (time, rest) = context.times.slashed(text).ok_or(OTHER)?;
    let header = header(rest).ok_or(OTHER)?;
    context.times.put(time, rows);
    put_program(host, program, rows);
    rows.text(field::LOG_LEVEL, header.level);
    rows.long(field::PROCESS_PID, header.pid);
    rows.long(field::PROCESS_THREAD_ID, header.thread);
    put_message(header.message, rows);
    Ok(dataset::HTTP_ERROR)
}

fn put_program(host: &[u8], program: &[u8], rows: &mut BatchBuilder) {
    if !host.is_empty() {
        rows.text(field::HOST_HOSTNAME, host);
        rows.text(field::PROCESS_NAME, &program[..memchr(b'[', program).unwrap_or(program.len())]);
    }
}

/// Takes off the number of the connection: `*5 `.
fn without_connection(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"*") else { return text };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest[digits..].strip_prefix(b" ").unwrap_or(text)
}

fn put_message(text: &[u8], rows: &mut BatchBuilder) {
    let Some(client) = client_at(text) else {
        if CLIENT.find(text).is_some() {
            rows.mark(AMBIGUOUS);
        }
        rows.text(field::MESSAGE, text);
        put_kind(text, rows);
        put_connected(text, rows);
        return;
    };
    let (message, rest) = (&text[..client], &text[client + CLIENT.len()..]);
    rows.text(field::MESSAGE, message);
    put_kind(message, rows);
    let end = memchr(b',', rest).unwrap_or(rest.len());
    put_endpoint(rows, &rest[..end]);
    put_details(&rest[end..], rows);
}

/// Beginnings of messages that hold no text of a client.
const WITHOUT_CLIENT_TEXT: &[&[u8]] = &[
    b"access forbidden by rule",
    b"limiting ",
    b"delaying ",
    b"client ",
    b"no user/password ",
    b"upstream timed out",
    b"upstream prematurely",
    b"connect() ",
    b"recv() ",
    b"send() ",
    b"writev() ",
    b"SSL_",
    b"peer closed ",
    b"an upstream response",
    b"a client request body",
    b"no live upstreams",
];

/// Where `, client: ` stands that nginx wrote. What is in front of it and behind it may hold copies.
fn client_at(text: &[u8]) -> Option<usize> {
    let named = |at: usize| {
        let value = &text[at + CLIENT.len()..];
        let value = &value[..memchr(b',', value).unwrap_or(value.len())];
        (endpoint(value).is_some() || value == b"unix:").then_some(value)
    };
    let mut found = CLIENT.find_iter(text).filter_map(|at| named(at).map(|value| (at, value)));
    let (first, value) = found.next()?;
    let is_sure =
        WITHOUT_CLIENT_TEXT.iter().any(|head| text.starts_with(head)) || found.all(|(_, other)| other == value);
    is_sure.then_some(first)
}

/// `client A connected to B`, `client A closed keepalive connection`
fn put_connected(text: &[u8], rows: &mut BatchBuilder) {
    let Some(rest) = text.strip_prefix(b"client ") else { return };
    let (client, rest) = split_word(rest);
    if endpoint(client).is_some() && (rest.starts_with(b"connected to ") || rest.starts_with(b"closed keepalive")) {
        put_endpoint(rows, client);
    }
}

/// What stands behind the client.
fn put_details(text: &[u8], rows: &mut BatchBuilder) {
    if let Some(request) = value(text, b", request: \"") {
        put_request(Quoted { text: request, escaped: false }, rows);
    }
    if let Some(host) = value(text, b", host: \"").filter(|host| !host.is_empty()) {
        put_host(host, rows);
    }
    if let Some(referrer) = value(text, b", referrer: \"").filter(|referrer| !referrer.is_empty()) {
        rows.text(field::HTTP_REQUEST_REFERRER, referrer);
    }
    if let Some(login) = value(text, b", login: \"").filter(|login| !login.is_empty()) {
        rows.text(field::USER_NAME, login);
    }
}

/// A quoted value: it ends where another value begins or the line ends.
fn value<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let start = needle::find_word(text, key)? + key.len();
    let rest = &text[start..];
    let ends = memchr::memchr_iter(b'"', rest).find(|at| {
        let after = &rest[at + 1..];
        after.is_empty()
            || [b", upstream: \"".as_slice(), b", host: \"", b", referrer: \"", b", subrequest: \"", b", "]
                .iter()
                .any(|next| after.starts_with(next))
    });
    Some(&rest[..ends.unwrap_or(rest.len())])
}

/// What happened, as far as the wording says it.
#[derive(Clone, Copy)]
struct NginxKind {
    head: &'static [u8],
    action: &'static str,
    reason: &'static str,
    is_failure: bool,
}

const fn kind(head: &'static [u8], action: &'static str, reason: &'static str, is_failure: bool) -> NginxKind {
    NginxKind { head, action, reason, is_failure }
}

const KINDS: &[NginxKind] = &[
    kind(b"access forbidden by rule", "access_denied", "forbidden by rule", true),
    kind(b"directory index of ", "access_denied", "directory index is forbidden", true),
    kind(b"limiting requests, dry run", "", "", false),
    kind(b"limiting connections by zone", "rate_limited", "too many connections", true),
    kind(b"limiting requests, excess:", "rate_limited", "too many requests", true),
    kind(b"delaying request", "rate_limited", "too many requests", false),
    kind(b"client intended to send too large", "request_rejected", "the body is too large", true),
    kind(b"client sent ", "request_rejected", "the request is not valid", true),
    kind(b"SSL_do_handshake() failed", "tls_handshake", "the TLS handshake failed", true),
    kind(b"client login failed", "login", "the login failed", true),
    kind(b"ModSecurity: Access denied", "access_denied", "ModSecurity", true),
    kind(b"ModSecurity: Warning", "rule_matched", "ModSecurity", false),
    kind(b"NAXSI_FMT: ", "rule_matched", "NAXSI", false),
];

fn put_kind(message: &[u8], rows: &mut BatchBuilder) {
    if put_login(message, rows) {
        return;
    }
    rows.literal(field::EVENT_CATEGORY, "web");
    if message.ends_with(b" (2: No such file or directory)") && matches!(message.first(), Some(b'o' | b'"')) {
        rows.literal(field::EVENT_ACTION, "file_missing");
        rows.literal(field::EVENT_REASON, "the file does not exist");
        return;
    }
    let Some(kind) = KINDS.iter().find(|kind| message.starts_with(kind.head)).filter(|kind| !kind.action.is_empty())
    else {
        return;
    };
    rows.literal(field::EVENT_ACTION, kind.action);
    rows.literal(field::EVENT_REASON, kind.reason);
    if kind.is_failure {
        rows.literal(field::EVENT_OUTCOME, "failure");
    }
}

/// `user "NAME": password mismatch`, `user "NAME" was not found in "FILE"`: a name may hold either wording, so that the last one
/// counts.
fn put_login(message: &[u8], rows: &mut BatchBuilder) -> bool {
    const MISSING: &[u8] = b"\" was not found in \"";
    let Some(rest) = message.strip_prefix(b"user \"") else { return false };
    let (name, reason) = if let Some(name) = rest.strip_suffix(b"\": password mismatch") {
        (name, "password mismatch")
    } else if let Some(at) = rfind!(rest, MISSING).filter(|_| rest.ends_with(b"\"")) {
        (&rest[..at], "unknown user")
    } else {
        return false;
    };
    rows.text(field::USER_NAME, name);
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, "failure");
    rows.literal(field::EVENT_REASON, reason);
    true
}
