//! Name servers: who asked. Names that were asked for stay in the message.

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use crate::address::{decimal, is_ip, put_peer};

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    put_named(rows, message) || put_unbound(rows, message) || put_dnsmasq(rows, message)
}

/// `client [@0x…] ADDRESS#PORT …`
fn put_named(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"client ").filter(|at| *at < 40) else { return false };
    let mut words = message[at + 7..].split(|byte| *byte == b' ');
    let Some(mut word) = words.next() else { return false };
    if word.starts_with(b"@") {
        word = words.next().unwrap_or(b"");
    }
    let Some(mark) = memchr(b'#', word).filter(|mark| is_ip(&word[..*mark])) else { return false };
    put_peer(rows, &word[..mark]);
    let port = &word[mark + 1..];
    if let Some(port) = decimal(port.strip_suffix(b":").unwrap_or(port)) {
        rows.long(field::SOURCE_PORT, port);
    }
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "dns_query");
    true
}

/// `info: ADDRESS NAME. TYPE CLASS`, with the thread in brackets before it perhaps
fn put_unbound(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::find(message, b"info: ").filter(|at| *at < 16) else { return false };
    let rest = &message[at + 6..];
    let word = &rest[..memchr(b' ', rest).unwrap_or(rest.len())];
    is_ip(word) && put_query(rows, word)
}

/// `query[TYPE] NAME from ADDRESS`
fn put_dnsmasq(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = memmem::rfind(message, b" from ").filter(|_| message.starts_with(b"query[")) else { return false };
    let word = &message[at + 6..];
    is_ip(word) && put_query(rows, word)
}

fn put_query(rows: &mut BatchBuilder, peer: &[u8]) -> bool {
    put_peer(rows, peer);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "dns_query");
    true
}
