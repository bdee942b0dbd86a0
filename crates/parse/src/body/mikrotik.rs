//! RouterOS of MikroTik: topics, such as `system,error,critical`, and a message. Packets of the firewall are read by hand.
//! <https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log>

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};
use memchr::memchr;

use super::device::{self, Verdict};
use super::family::{Family, config, login, note, traffic};
use crate::address::{decimal, is_ip, put_ip};
use crate::needle::find;

/// Topics that lines begin with.
const TOPICS: &[&str] = &[
    "account",
    "async",
    "backup",
    "bfd",
    "bgp",
    "bridge",
    "caps",
    "certificate",
    "container",
    "critical",
    "ddns",
    "debug",
    "dhcp",
    "dns",
    "dot1x",
    "e-mail",
    "error",
    "event",
    "firewall",
    "gps",
    "gsm",
    "health",
    "hotspot",
    "info",
    "interface",
    "ipsec",
    "isdn",
    "kvm",
    "l2tp",
    "ldp",
    "lora",
    "lte",
    "manager",
    "mpls",
    "mqtt",
    "natpmp",
    "netwatch",
    "ntp",
    "ospf",
    "ovpn",
    "packet",
    "pim",
    "poe-out",
    "ppp",
    "pppoe",
    "pptp",
    "ptp",
    "queue",
    "radius",
    "raw",
    "rip",
    "route",
    "rpki",
    "rsvp",
    "script",
    "sertcp",
    "simulator",
    "smb",
    "snmp",
    "ssh",
    "sstp",
    "state",
    "stp",
    "system",
    "telephony",
    "tftp",
    "timer",
    "tr069",
    "upnp",
    "ups",
    "vrrp",
    "warning",
    "watchdog",
    "web-proxy",
    "wireguard",
    "wireless",
    "zerotier",
];

pub(super) static LINES: Family = Family::new(
    &[
        login("login failure for user {user.name} from {source.ip} via {network.protocol:word}", "login", "failure"),
        login(
            "login failure for user {user.name} from {source.mac:word} via {network.protocol:word}",
            "login",
            "failure",
        ),
        login("login failure for user {user.name:word} via {network.protocol:word}", "login", "failure"),
        login("user {user.name} logged in from {source.ip} via {network.protocol:word}", "login", "success"),
        login("user {user.name:word} logged in via {network.protocol:word}", "login", "success"),
        login("user {user.name} logged out from {source.ip} via {network.protocol:word}", "logout", ""),
        login("user {user.name:word} logged out via {network.protocol:word}", "logout", ""),
        login("user {user.name} authentication failed", "login", "failure"),
        login("<{source.ip}>: user {user.name} authentication failed", "vpn_login", "failure"),
        login("{source.ip} parsing packet failed, possible cause: wrong password", "vpn_login", "failure"),
        config("user {user.target.name} added by {user.name:word}", "account-added", "success"),
        config("user {user.target.name} removed by {user.name:word}", "account-removed", "success"),
        config("user {user.target.name} changed by {user.name:word}", "account-changed", "success"),
        config("filter rule added by {user.name:word}", "configuration-changed", "success"),
        config("filter rule removed by {user.name:word}", "configuration-changed", "success"),
        config("filter rule changed by {user.name:word}", "configuration-changed", "success"),
        config("nat rule added by {user.name:word}", "configuration-changed", "success"),
        config("nat rule changed by {user.name:word}", "configuration-changed", "success"),
        traffic("TCP connection established from {source.ip}", "connection-started", ""),
        traffic("first L2TP UDP packet received from {source.ip}", "connection-started", ""),
        traffic(
            "{source.ip} failed to pre-process ph1 packet (side: {:number}, status {:number}).",
            "connection-started",
            "failure",
        ),
        note("{:name} assigned {source.ip} to {source.mac:word}{? {*}?}"),
        note("{:name} assigned {source.ip} for {source.mac:word}{? {*}?}"),
        note("{:name} deassigned {source.ip} from {source.mac:word}{? {*}?}"),
        note("{:name} deassigned {source.ip} for {source.mac:word}{? {*}?}"),
    ],
    &[],
);

/// Whether the text is a list of topics, `!` before those that are excluded.
fn is_topics(word: &[u8]) -> bool {
    let is_known =
        |topic: &[u8]| TOPICS.iter().any(|known| known.as_bytes() == topic.strip_prefix(b"!").unwrap_or(topic));
    word.contains(&b',') && word.split(|byte| *byte == b',').all(is_known)
}

/// A message with its topics in the name of the program, or at its start. `None` where there are no topics.
pub(super) fn put(rows: &mut BatchBuilder, program: &[u8], message: &[u8]) -> Option<DatasetId> {
    let (topics, message) = match program.is_empty() {
        true => message.split_at(memchr(b' ', message)?),
        false => (program, message),
    };
    let topics = topics.strip_suffix(b":").unwrap_or(topics);
    if !is_topics(topics) {
        return None;
    }
    device::put_observer(rows, "MikroTik", "RouterOS", "router");
    rows.text(field::EVENT_CODE, topics);
    let message = message.trim_ascii_start();
    if !put_packet(rows, message) {
        LINES.put(rows, message);
    }
    Some(dataset::MIKROTIK)
}

/// `firewall,info `: several topics, all of them known.
pub(super) fn begins(message: &[u8]) -> bool {
    let topics = message.split(|byte| *byte == b' ').next().unwrap_or_default();
    topics.contains(&b',') && is_topics(topics)
}

/// `prefix forward: in:ether1 out:bridge, connection-state:new src-mac 00:00:5e:00:53:01, proto TCP (SYN), 203.0.113.7:4000->198.51.100.4:22, len 60`
fn put_packet(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = find!(message, b" in:") else { return false };
    let Some(proto) = find!(&message[at..], b" proto ").map(|proto| at + proto + 7) else { return false };
    let prefix = message[..at].strip_suffix(b":").unwrap_or(&message[..at]);
    let (prefix, chain) = match memchr::memrchr(b' ', prefix) {
        Some(blank) => (&prefix[..blank], &prefix[blank + 1..]),
        None => (&b""[..], prefix),
    };
    if !prefix.is_empty() {
        rows.text(field::RULE_NAME, prefix.trim_ascii());
    }
    match chain {
        b"input" => rows.literal(field::NETWORK_DIRECTION, "inbound"),
        b"output" => rows.literal(field::NETWORK_DIRECTION, "outbound"),
        _ => {}
    }
    put_places(rows, &message[at..proto]);
    let mut parts = message[proto..].split(|byte| *byte == b',');
    let protocol = parts.next().unwrap_or_default();
    device::put_transport(rows, &protocol[..memchr(b' ', protocol).unwrap_or(protocol.len())]);
    for part in parts {
        let part = part.trim_ascii();
        if let Some(length) = part.strip_prefix(b"len ").and_then(decimal) {
            rows.long(field::SOURCE_BYTES, length);
        } else if let Some(arrow) = find!(part, b"->").filter(|_| !rows.has(field::SOURCE_IP)) {
            let ((source, from), (destination, to)) = (end(&part[..arrow]), end(&part[arrow + 2..]));
            put_ip(rows, field::SOURCE_IP, source);
            put_ip(rows, field::DESTINATION_IP, destination);
            from.into_iter().for_each(|port| rows.long(field::SOURCE_PORT, port));
            to.into_iter().for_each(|port| rows.long(field::DESTINATION_PORT, port));
        }
    }
    verdict(prefix).put(rows);
    true
}

/// What the words of the rule's prefix say was done.
fn verdict(prefix: &[u8]) -> Verdict {
    let words = prefix.split(|byte| !byte.is_ascii_alphabetic()).map(Verdict::of_word);
    words.rev().find(|verdict| *verdict != Verdict::Logged).unwrap_or(Verdict::Logged)
}

/// ` in:ether1 out:(unknown 0), src-mac 00:00:5e:00:53:01,`
fn put_places(rows: &mut BatchBuilder, text: &[u8]) {
    for word in text.split(|byte| matches!(byte, b' ' | b',')) {
        match (word.strip_prefix(b"in:"), word.strip_prefix(b"out:")) {
            (Some(name), _) if !name.starts_with(b"(") => rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, name),
            (_, Some(name)) if !name.starts_with(b"(") => rows.text(field::OBSERVER_EGRESS_INTERFACE_NAME, name),
            _ => {}
        }
    }
    if let Some(mac) = find!(text, b"src-mac ").map(|at| &text[at + 8..]) {
        let end = mac.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(mac.len());
        rows.text(field::SOURCE_MAC, &mac[..end]);
    }
}

/// `203.0.113.7:4000`, `[2001:db8::7]:4000`, or an address alone.
fn end(text: &[u8]) -> (&[u8], Option<i64>) {
    let text = text.strip_prefix(b"(").unwrap_or(text);
    if is_ip(text) {
        return (text, None);
    }
    match memchr::memrchr(b':', text) {
        Some(colon) => (&text[..colon], decimal(&text[colon + 1..])),
        None => (text, None),
    }
}
