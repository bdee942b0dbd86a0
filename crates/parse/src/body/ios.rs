//! Messages of Cisco's routers and switches (IOS, IOS XE, IOS XR, NX-OS). Access lists are read by hand, the others by the table.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::device::{self, Verdict};
use super::ios_table::{CODES, PARTS};
use super::sshd;
use crate::address::{decimal, is_ip, put_ip};
use crate::needle::{self, find, rfind};

/// `code` is `SEC_LOGIN-4-LOGIN_FAILED`, `mnemonic` its last part.
pub(super) fn put(rows: &mut BatchBuilder, code: &[u8], mnemonic: &[u8], message: &[u8]) {
    if mnemonic.starts_with(b"IPACCESSLOG") || mnemonic.starts_with(b"ACCESSLOG") {
        put_access_list(rows, message);
        return;
    }
    match mnemonic {
        b"ACLLOG_FLOW_INTERVAL" | b"ACLLOG_NEW_FLOW" | b"ACLLOG_PKTLOG" => put_flow(rows, message),
        b"SYSTEM_MSG" => put_program(rows, message),
        _ => {
            let message = PARTS.iter().find_map(|part| after_part(message, part)).unwrap_or(message);
            if !CODES.put(rows, mnemonic, message) {
                CODES.put(rows, code, message);
            }
            device::settle_transport(rows);
        }
    }
}

/// IOS XE names the card and the process before the text: `R0/0: nginx: `, `Chassis 1 R0/0: sessmgrd: `.
fn after_part<'a>(message: &'a [u8], process: &str) -> Option<&'a [u8]> {
    let at = needle::find_word(message, process.as_bytes()).filter(|at| *at < 40)?;
    message[..at].contains(&b'/').then(|| &message[at + process.len()..])
}

/// `list 110 denied tcp 203.0.113.7(4000) (Gi0/1 0011.2233.4455) -> 198.51.100.4(22), 1 packet`, `list 1 denied 203.0.113.7 1 packet`,
/// `access-list NAME (10) deny tcp 203.0.113.7(4000) -> 198.51.100.4(22), 1 packet`
fn put_access_list(rows: &mut BatchBuilder, message: &[u8]) {
    let Some(at) = find!(message, b"list ") else { return };
    let mut words = message[at + 5..].split(|byte| *byte == b' ').filter(|word| !word.is_empty()).peekable();
    let Some(name) = words.next() else { return };
    words.next_if(|word| word.starts_with(b"("));
    let Some(verdict) = words.next().map(Verdict::of_word).filter(|verdict| *verdict != Verdict::Logged) else {
        return;
    };
    let protocol = words.next_if(|word| !is_ip(address_and_port(word).0));
    let Some((source, port)) = words.next().map(address_and_port).filter(|(address, _)| is_ip(address)) else { return };
    rows.text(field::RULE_NAME, memchr(b'/', name).map_or(name, |slash| &name[..slash]));
    protocol.into_iter().for_each(|protocol| device::put_transport(rows, protocol));
    put_ip(rows, field::SOURCE_IP, source);
    // ICMP has its type and code in brackets.
    let has_ports = matches!(protocol, Some(b"tcp" | b"udp" | b"sctp" | b"6" | b"17"));
    port.filter(|_| has_ports).into_iter().for_each(|port| rows.long(field::SOURCE_PORT, port));
    let mut before = &b""[..];
    while let Some(word) = words.next() {
        if word == b"->"
            && let Some(word) = words.next()
        {
            let (address, port) = address_and_port(word.strip_suffix(b",").unwrap_or(word));
            put_ip(rows, field::DESTINATION_IP, address);
            port.filter(|_| has_ports).into_iter().for_each(|port| rows.long(field::DESTINATION_PORT, port));
        }
        if let Some(interface) = word.strip_prefix(b"(")
            && interface.first().is_some_and(u8::is_ascii_alphabetic)
        {
            rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, interface.strip_suffix(b")").unwrap_or(interface));
        }
        if word.starts_with(b"packet") {
            decimal(before).into_iter().for_each(|count| rows.long(field::LOG_SYSLOG_REPEATED, count));
        }
        before = word;
    }
    verdict.put(rows);
}

/// `203.0.113.7(4000)`
fn address_and_port(word: &[u8]) -> (&[u8], Option<i64>) {
    let Some(open) = memchr(b'(', word) else { return (word, None) };
    let close = memchr(b')', word).unwrap_or(word.len());
    (&word[..open], word.get(open + 1..close).and_then(decimal))
}

/// `Src IP: 203.0.113.7, Dst IP: 198.51.100.4, Src Port: 4000, …, Protocol: "TCP"(6), Hit-count = 2`
fn put_flow(rows: &mut BatchBuilder, message: &[u8]) {
    for part in message.split(|byte| *byte == b',') {
        let Some((key, value)) = part.iter().position(|byte| matches!(byte, b':' | b'=')).map(|at| part.split_at(at))
        else {
            continue;
        };
        let value = value[1..].trim_ascii();
        let number = decimal(value);
        match (key.trim_ascii(), number) {
            (b"Src IP" | b"Source IP", _) => put_ip(rows, field::SOURCE_IP, value),
            (b"Dst IP" | b"Destination IP", _) => put_ip(rows, field::DESTINATION_IP, value),
            (b"Src Port" | b"Source Port", Some(port)) => rows.long(field::SOURCE_PORT, port),
            (b"Dst Port" | b"Destination Port", Some(port)) => rows.long(field::DESTINATION_PORT, port),
            (b"Src Intf" | b"Source Interface", _) => rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, value),
            (b"Hit-count" | b"Hit-Count", Some(count)) => rows.long(field::LOG_SYSLOG_REPEATED, count),
            (b"ACL Name", _) => rows.text(field::RULE_NAME, value),
            (b"ACE Action", _) => Verdict::of_word(value).put(rows),
            (b"Protocol", _) => {
                let bare = value.strip_prefix(b"\"").unwrap_or(value);
                device::put_transport(rows, &bare[..memchr(b'"', bare).unwrap_or(bare.len())]);
            }
            _ => {}
        }
    }
    if !rows.has(field::EVENT_ACTION) {
        Verdict::Logged.put(rows);
    }
}

/// What a program of NX-OS says, with its name behind: `Failed password for ann from 203.0.113.7 port 4000 ssh2 - dcos_sshd[99]`.
fn put_program(rows: &mut BatchBuilder, message: &[u8]) {
    let (said, program) = match rfind!(message, b" - ") {
        Some(at) => (&message[..at], &message[at + 3..]),
        None => (message, &b""[..]),
    };
    if find!(program, b"sshd").is_some() && sshd::put(rows, said) {
        return;
    }
    CODES.put(rows, b"SYSTEM_MSG", said);
}
