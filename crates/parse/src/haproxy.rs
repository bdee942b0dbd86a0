//! HAProxy: lines of HTTP and TCP proxies, of failed connections, and of connections as they come in.
//!
//! `A:P [time] frontend backend/server T/T/T/T/T status bytes cookie cookie state C/C/C/C/C Q/Q [{headers}] [{headers}] "request"`
//! All in front of the captured cookies is the program's own; captured headers end at `}`, which HAProxy escapes within them.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::{memchr, memrchr};

use crate::address::{decimal, endpoint_with_port, put_peer};
use crate::context::{Context, Refusal};
use crate::request::{Quoted, put_request, split_word};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    split(text).is_some()
}

/// Client, time and the rest.
fn split(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (client, rest) = split_word(text.get(..80.min(text.len()))?);
    let inside = rest.strip_prefix(b"[")?;
    // The time has a fraction, which those of access logs have not.
    if !(endpoint_with_port(client).is_some() || client.starts_with(b"unix:")) || inside.get(20) != Some(&b'.') {
        return None;
    }
    let close = memchr(b']', inside).filter(|at| *at >= 22)?;
    let rest = text[client.len() + 2 + close..].strip_prefix(b"] ")?;
    Some((client, &inside[..close], rest))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    read_message(text, context, rows)
        .ok_or(Refusal::Other("not a line of HAProxy: no client, time and frontend at the start"))
}

/// The message of a syslog line.
pub(crate) fn read_message(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    if let Some(rest) = text.strip_prefix(b"Connect from ") {
        return put_connect(rest, rows);
    }
    let (client, stamp, rest) = split(text)?;
    let time = context.times.bracketed(stamp)?;
    let (frontend, rest) = split_word(rest);
    if rest.is_empty() {
        return None;
    }
    context.times.put(time, rows);
    if let Some((address, port)) = endpoint_with_port(client) {
        put_peer(rows, address);
        rows.long(field::SOURCE_PORT, port);
    }
    if let Some(name) = frontend.strip_suffix(b":") {
        put_frontend(memrchr(b'/', name).map_or(name, |at| &name[..at]), rows);
        rows.literal(field::EVENT_CATEGORY, "network");
        rows.literal(field::EVENT_ACTION, "connection");
        rows.literal(field::EVENT_OUTCOME, "failure");
        rows.text(field::EVENT_REASON, rest);
        return Some(dataset::HAPROXY);
    }
    put_frontend(frontend, rows);
    put_line(rest, rows);
    Some(dataset::HAPROXY)
}

/// `A:P to A:P (frontend/mode)`
fn put_connect(text: &[u8], rows: &mut BatchBuilder) -> Option<DatasetId> {
    let (client, rest) = split_word(text);
    let (address, port) = endpoint_with_port(client)?;
    put_peer(rows, address);
    rows.long(field::SOURCE_PORT, port);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "connection");
    let (server, rest) = split_word(rest.strip_prefix(b"to ").unwrap_or(rest));
    if let Some((address, port)) = endpoint_with_port(server) {
        rows.text(field::DESTINATION_IP, address);
        rows.long(field::DESTINATION_PORT, port);
    }
    if let Some(name) = rest.strip_prefix(b"(").and_then(|rest| memrchr(b'/', rest).map(|at| &rest[..at])) {
        put_frontend(name, rows);
    }
    Some(dataset::HAPROXY)
}

/// A `~` behind the name says that the connection was encrypted.
fn put_frontend(name: &[u8], rows: &mut BatchBuilder) {
    rows.text(field::HAPROXY_FRONTEND_NAME, name.strip_suffix(b"~").unwrap_or(name));
}

/// `backend/server timers …`
fn put_line(text: &[u8], rows: &mut BatchBuilder) {
    let (server, rest) = split_word(text);
    let slash = memchr(b'/', server).unwrap_or(server.len());
    rows.text(field::HAPROXY_BACKEND_NAME, &server[..slash]);
    if let Some(name) = server.get(slash + 1..) {
        rows.text(field::HAPROXY_SERVER_NAME, name);
    }
    let (timers, rest) = split_word(rest);
    let total = timers.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if let Some(milliseconds) = decimal(total.strip_prefix(b"+").unwrap_or(total)) {
        rows.long(field::EVENT_DURATION, milliseconds.saturating_mul(1_000_000));
    }
    let is_http = timers.iter().filter(|byte| **byte == b'/').count() >= 4;
    if is_http {
        put_http(rest, rows);
    } else {
        rows.literal(field::EVENT_CATEGORY, "network");
        rows.literal(field::EVENT_ACTION, "connection");
        let (bytes, rest) = split_word(rest);
        put_bytes(bytes, rows);
        put_state(split_word(rest).0, rows);
    }
}

/// A `+` says that the number was not final.
fn put_bytes(bytes: &[u8], rows: &mut BatchBuilder) {
    if let Some(bytes) = decimal(bytes.strip_prefix(b"+").unwrap_or(bytes)) {
        rows.long(field::HTTP_RESPONSE_BYTES, bytes);
    }
}

fn put_state(state: &[u8], rows: &mut BatchBuilder) {
    if !state.is_empty() && state.iter().any(|byte| *byte != b'-') {
        rows.text(field::HAPROXY_TERMINATION_STATE, state);
    }
}

/// `status bytes cookie cookie state connections queues [{headers}] [{headers}] "request"`
fn put_http(text: &[u8], rows: &mut BatchBuilder) {
    rows.literal(field::EVENT_CATEGORY, "web");
    let (status, rest) = split_word(text);
    let (bytes, rest) = split_word(rest);
    let (_request_cookie, rest) = split_word(rest);
    let (_response_cookie, rest) = split_word(rest);
    let (state, rest) = split_word(rest);
    let (_connections, rest) = split_word(rest);
    let (_queues, mut rest) = split_word(rest);
    if let Some(status) = decimal(status).filter(|status| *status > 0) {
        rows.long(field::HTTP_RESPONSE_STATUS_CODE, status);
    }
    put_bytes(bytes, rows);
    put_state(state, rows);
    let mut captures = 0;
    while let Some(inside) = rest.strip_prefix(b"{")
        && let Some(close) = memchr(b'}', inside)
        && captures < 2
    {
        // With one list it cannot be known whose headers they are; the request's are captured nearly always.
        if captures == 0 {
            rows.text(field::HAPROXY_HTTP_REQUEST_CAPTURED_HEADERS, &inside[..close]);
        }
        captures += 1;
        rest = inside[close + 1..].strip_prefix(b" ").unwrap_or(&inside[close + 1..]);
    }
    // Quotes of the request are escaped as `#22`; what stands behind it belongs to the TLS form of the line.
    if let Some(request) = rest.strip_prefix(b"\"") {
        let end = memchr(b'"', request).unwrap_or(request.len());
        let request = &request[..end];
        if request == b"<BADREQ>" {
            rows.literal(field::EVENT_REASON, "the request is not HTTP");
        } else {
            put_request(Quoted { text: request, escaped: false }, rows);
        }
    }
}
