//! Packets that iptables, nftables, ufw, firewalld, Shorewall and gateways built on them wrote to the kernel log: `[uptime] prefix IN=eth0 OUT= SRC=… DST=… PROTO=…`

use event::BatchBuilder;
use event::catalog::field;
use memchr::{memchr, memmem};

use super::device::{self, Verdict};
use crate::address::{decimal, put_ip};
use crate::needle::find;

/// TCP flags are words without `=`.
const FLAGS: &[&[u8]] = &[b"SYN", b"ACK", b"FIN", b"RST", b"PSH", b"URG", b"ECE", b"CWR"];

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let text = after_uptime(message);
    let starts_word = |at: &usize| *at == 0 || matches!(text[at - 1], b' ' | b']' | b':');
    let Some(start) = memmem::find_iter(text, b"IN=").find(starts_word) else { return false };
    if find!(text, b" OUT=").is_none() || find!(text, b" SRC=").is_none() {
        return false;
    }
    let prefix = text[..start].trim_ascii();
    if !prefix.is_empty() {
        rows.text(field::IPTABLES_PREFIX, prefix);
    }
    put_verdict(rows, prefix);
    // The packet inside an ICMP error stands in brackets and is not the packet that was seen.
    let outer = find!(&text[start..], b" [").map_or(&text[start..], |at| &text[start..start + at]);
    for word in outer.split(|byte| *byte == b' ') {
        put_word(rows, word);
    }
    put_flags(rows, outer);
    put_direction(rows);
    true
}

/// Into the machine, or out of it; what passes through it goes neither way.
fn put_direction(rows: &mut BatchBuilder) {
    match (rows.has(field::IPTABLES_IN), rows.has(field::IPTABLES_OUT)) {
        (true, false) => rows.literal(field::NETWORK_DIRECTION, "inbound"),
        (false, true) => rows.literal(field::NETWORK_DIRECTION, "outbound"),
        _ => {}
    }
}

/// Takes `[12345.678901] ` off.
pub(super) fn after_uptime(message: &[u8]) -> &[u8] {
    let Some(rest) = message.strip_prefix(b"[") else { return message };
    match memchr(b']', rest) {
        Some(close) if rest[..close].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.')) => {
            rest[close + 1..].trim_ascii_start()
        }
        _ => message,
    }
}

/// What the prefix says was done with the packet.
fn put_verdict(rows: &mut BatchBuilder, prefix: &[u8]) {
    let has = |word: &[u8]| prefix.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    // Gateways of Ubiquiti name the rule `[WAN_LOCAL-D-2147483647]`.
    let is_named = prefix.first() == Some(&b'[');
    let verdict = if has(b"BLOCK") || has(b"DROP") || has(b"REJECT") || has(b"DENY") || has(b"DENIED") {
        Verdict::Blocked
    } else if has(b"ALLOW") || has(b"ACCEPT") {
        Verdict::Allowed
    } else if is_named && (has(b"-D-") || has(b"-D]") || has(b"-R-") || has(b"-R]")) {
        Verdict::Blocked
    } else if is_named && (has(b"-A-") || has(b"-A]")) {
        Verdict::Allowed
    } else {
        Verdict::Logged
    };
    verdict.put(rows);
}

fn put_word(rows: &mut BatchBuilder, word: &[u8]) {
    let Some(equals) = memchr(b'=', word) else { return };
    let value = &word[equals + 1..];
    if value.is_empty() {
        return;
    }
    let number = decimal(value);
    match (&word[..equals], number) {
        (b"IN", _) => {
            rows.text(field::IPTABLES_IN, value);
            rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, value);
        }
        (b"OUT", _) => {
            rows.text(field::IPTABLES_OUT, value);
            rows.text(field::OBSERVER_EGRESS_INTERFACE_NAME, value);
        }
        (b"SRC", _) => put_ip(rows, field::SOURCE_IP, value),
        (b"DST", _) => put_ip(rows, field::DESTINATION_IP, value),
        (b"SPT", Some(port)) => rows.long(field::SOURCE_PORT, port),
        (b"DPT", Some(port)) => rows.long(field::DESTINATION_PORT, port),
        // The IP header's length; UDP writes a second one for itself.
        (b"LEN", Some(bytes)) if !rows.has(field::SOURCE_BYTES) => rows.long(field::SOURCE_BYTES, bytes),
        (b"TTL" | b"HOPLIMIT", Some(hops)) => rows.long(field::IPTABLES_TTL, hops),
        (b"PROTO", _) => device::put_transport(rows, value),
        (b"UID", Some(_)) => rows.text(field::USER_ID, value),
        (b"MAC", _) => put_hardware_addresses(rows, value),
        _ => {}
    }
}

/// Fourteen octets: destination, source, EtherType.
fn put_hardware_addresses(rows: &mut BatchBuilder, value: &[u8]) {
    if value.len() == 41 {
        rows.text(field::DESTINATION_MAC, &value[..17]);
        rows.text(field::SOURCE_MAC, &value[18..35]);
    }
}

fn put_flags(rows: &mut BatchBuilder, packet: &[u8]) {
    let mut words = packet.split(|byte| *byte == b' ').filter(|word| FLAGS.contains(word));
    let (Some(first), last) = (words.next(), words.next_back()) else { return };
    let start = first.as_ptr() as usize - packet.as_ptr() as usize;
    let end = last.map_or(start + first.len(), |last| last.as_ptr() as usize - packet.as_ptr() as usize + last.len());
    rows.text(field::IPTABLES_TCP_FLAGS, &packet[start..end]);
}
