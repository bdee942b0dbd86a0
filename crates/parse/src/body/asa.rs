//! Messages of Cisco's firewalls (ASA, FTD, PIX) by their number. Those that busy firewalls write most, connections and access
//! lists, are read by hand, the others by the table.

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::asa_table::CODES;
use super::device::{self, Verdict};
use crate::address::{decimal, is_ip, put_ip};
use crate::needle::{self, find, rfind};

pub(super) fn put(rows: &mut BatchBuilder, number: &[u8], message: &[u8]) {
    let known = match number {
        b"302013" | b"302015" | b"302017" | b"302303" | b"302305" => put_built(rows, message),
        b"302014" | b"302016" | b"302018" | b"302304" | b"302306" => put_teardown(rows, message),
        b"305011" | b"305012" => put_translation(rows, message),
        b"106023" => put_access_group(rows, message),
        b"106100" => put_access_list(rows, message),
        b"113005" | b"113015" | b"113016" | b"113017" => put_rejected(rows, message),
        [b'4', b'3', b'0', b'0', ..] => put_pairs(rows, message),
        _ => false,
    };
    if !known {
        CODES.put(rows, number, message);
        device::settle_transport(rows);
    }
}

/// One end of a connection: `outside:203.0.113.7/4000 (198.51.100.4/4000)(LOCAL\ann)`.
#[derive(Clone, Copy, Debug, Default)]
struct End<'a> {
    interface: &'a [u8],
    address: &'a [u8],
    port: Option<i64>,
    mapped: Option<(&'a [u8], Option<i64>)>,
}

/// `address/port`; the port may be a name.
fn address_and_port(text: &[u8]) -> (&[u8], Option<i64>) {
    match memchr(b'/', text) {
        Some(slash) => (&text[..slash], decimal(&text[slash + 1..])),
        None => (text, None),
    }
}

impl<'a> End<'a> {
    /// The end that begins the text, and what follows it and its brackets.
    fn read(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let end = text.iter().position(|byte| matches!(byte, b' ' | b'(')).unwrap_or(text.len());
        let (word, mut rest) = text.split_at(end);
        let colon = memchr(b':', word)?;
        let (address, port) = address_and_port(&word[colon + 1..]);
        let mut this = End { interface: &word[..colon], address, port, mapped: None };
        if !is_ip(address) {
            // A name of the firewall's own list stands for an address.
            this.address = b"";
        }
        loop {
            let inner = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"(");
            let Some((inner, close)) = inner.and_then(|inner| Some((inner, memchr(b')', inner)?))) else {
                return Some((this, rest));
            };
            let (address, port) = address_and_port(&inner[..close]);
            if this.mapped.is_none() && is_ip(address) {
                this.mapped = Some((address, port));
            }
            rest = &inner[close + 1..];
        }
    }

    fn put_source(&self, rows: &mut BatchBuilder) {
        rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, self.interface);
        if !self.address.is_empty() {
            put_ip(rows, field::SOURCE_IP, self.address);
        }
        if let Some(port) = self.port {
            rows.long(field::SOURCE_PORT, port);
        }
        if let Some((address, port)) = self.mapped.filter(|mapped| *mapped != (self.address, self.port)) {
            put_ip(rows, field::SOURCE_NAT_IP, address);
            port.into_iter().for_each(|port| rows.long(field::SOURCE_NAT_PORT, port));
        }
    }

    fn put_destination(&self, rows: &mut BatchBuilder) {
        rows.text(field::OBSERVER_EGRESS_INTERFACE_NAME, self.interface);
        if !self.address.is_empty() {
            put_ip(rows, field::DESTINATION_IP, self.address);
        }
        if let Some(port) = self.port {
            rows.long(field::DESTINATION_PORT, port);
        }
        if let Some((address, port)) = self.mapped.filter(|mapped| *mapped != (self.address, self.port)) {
            put_ip(rows, field::DESTINATION_NAT_IP, address);
            port.into_iter().for_each(|port| rows.long(field::DESTINATION_NAT_PORT, port));
        }
    }
}

/// `Built inbound TCP connection 7 for outside:A (a) to inside:B (b)`: of an outbound one the second end is the client.
fn put_built(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"Built ") else { return false };
    let Some((head, rest)) = split(rest, b" for ") else { return false };
    let Some((first, rest)) = End::read(rest) else { return false };
    let Some((second, _)) = rest.strip_prefix(b" to ").and_then(End::read) else { return false };
    let mut words = head.split(|byte| *byte == b' ');
    let first_word = words.next().unwrap_or_default();
    device::put_direction(rows, first_word);
    let is_outbound = first_word == b"outbound";
    let protocol =
        if matches!(first_word, b"inbound" | b"outbound") { words.next().unwrap_or_default() } else { first_word };
    device::put_transport(rows, protocol);
    let (source, destination) = if is_outbound { (second, first) } else { (first, second) };
    source.put_source(rows);
    destination.put_destination(rows);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "connection-started");
    rows.literal(field::EVENT_OUTCOME, "success");
    true
}

/// `Teardown UDP connection 7 for outside:A to inside:B duration 0:00:01 bytes 225`: which end is the client is told by the
/// ports alone, where one of them is a well-known one.
fn put_teardown(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"Teardown ") else { return false };
    let Some((head, rest)) = split(rest, b" for ") else { return false };
    let Some((first, rest)) = End::read(rest) else { return false };
    let Some((second, rest)) = rest.strip_prefix(b" to ").and_then(End::read) else { return false };
    device::put_transport(rows, head.split(|byte| *byte == b' ').next().unwrap_or_default());
    let is_served = |end: &End<'_>| end.port.is_some_and(|port| port < 1024);
    let is_turned = is_served(&first) && !is_served(&second);
    let (source, destination) = if is_turned { (second, first) } else { (first, second) };
    source.put_source(rows);
    destination.put_destination(rows);
    put_extent(rows, rest);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, "connection-finished");
    true
}

/// `Built dynamic TCP translation from inside:A/1 to outside:B/2`, `Teardown … duration 0:00:30`: the second end is the first one
/// as it is seen outside.
fn put_translation(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let (rest, action) = match message.strip_prefix(b"Built ") {
        Some(rest) => (rest, "translation-started"),
        None => (message.strip_prefix(b"Teardown ").unwrap_or_default(), "translation-finished"),
    };
    let Some((head, rest)) = split(rest, b" translation from ") else { return false };
    let Some((inside, rest)) = End::read(rest) else { return false };
    let Some((outside, rest)) = rest.strip_prefix(b" to ").and_then(End::read) else { return false };
    device::put_transport(rows, head.rsplit(|byte| *byte == b' ').next().unwrap_or_default());
    End { mapped: Some((outside.address, outside.port)), ..inside }.put_source(rows);
    rows.text(field::OBSERVER_EGRESS_INTERFACE_NAME, outside.interface);
    put_extent(rows, rest);
    rows.literal(field::EVENT_CATEGORY, "network");
    rows.literal(field::EVENT_ACTION, action);
    if action == "translation-started" {
        rows.literal(field::EVENT_OUTCOME, "success");
    }
    true
}

/// ` duration 0:00:01 bytes 225 TCP FINs`
fn put_extent(rows: &mut BatchBuilder, text: &[u8]) {
    let Some(rest) = text.strip_prefix(b" duration ") else { return };
    let (duration, rest) = split(rest, b" ").unwrap_or((rest, b""));
    let seconds = duration.split(|byte| *byte == b':').try_fold(0, |sum, part| Some(sum * 60 + decimal(part)?));
    if let Some(nanoseconds) = seconds.and_then(|seconds: i64| seconds.checked_mul(1_000_000_000)) {
        rows.long(field::EVENT_DURATION, nanoseconds);
    }
    let Some(rest) = rest.strip_prefix(b"bytes ") else { return };
    let (bytes, reason) = split(rest, b" ").unwrap_or((rest, b""));
    decimal(bytes).into_iter().for_each(|bytes| rows.long(field::NETWORK_BYTES, bytes));
    if !reason.is_empty() && !reason.starts_with(b"(") {
        rows.text(field::EVENT_REASON, reason);
    }
}

/// `Deny tcp src outside:A/1 dst inside:B/2 by access-group "name" [0x0, 0x0]`
fn put_access_group(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"Deny ") else { return false };
    let Some((protocol, rest)) = split(rest, b" src ") else { return false };
    let Some((source, rest)) = End::read(rest) else { return false };
    let Some((destination, rest)) = rest.strip_prefix(b" dst ").and_then(End::read) else { return false };
    let protocol = protocol.strip_prefix(b"protocol ").unwrap_or(protocol);
    device::put_transport(rows, protocol);
    source.put_source(rows);
    destination.put_destination(rows);
    if let Some((_, name)) = split(rest, b"access-group \"").or_else(|| split(rest, b"access_group \"")) {
        rows.text(field::RULE_NAME, &name[..memchr(b'"', name).unwrap_or(name.len())]);
    }
    Verdict::Blocked.put(rows);
    true
}

/// `access-list NAME denied tcp outside/A(1) -> inside/B(2) hit-cnt 1 first hit [0x0, 0x0]`
fn put_access_list(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"access-list ") else { return false };
    let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (Some(name), Some(verdict), Some(protocol), Some(source)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let destination = match words.next() {
        Some(b"->") => words.next(),
        other => other,
    };
    let Some(((from, source), (to, destination))) = side(source).zip(destination.and_then(side)) else { return false };
    rows.text(field::RULE_NAME, name);
    device::put_transport(rows, protocol);
    End { interface: from, ..source }.put_source(rows);
    End { interface: to, ..destination }.put_destination(rows);
    let count = words.skip_while(|word| *word != b"hit-cnt").nth(1).and_then(decimal);
    count.into_iter().for_each(|count| rows.long(field::LOG_SYSLOG_REPEATED, count));
    Verdict::of_word(verdict).put(rows);
    true
}

/// `outside/203.0.113.7(4000)`, and a user in brackets.
fn side(text: &[u8]) -> Option<(&[u8], End<'_>)> {
    let slash = memchr(b'/', text)?;
    let rest = &text[slash + 1..];
    let open = memchr(b'(', rest).unwrap_or(rest.len());
    let port = rest[open..].strip_prefix(b"(").and_then(|rest| decimal(&rest[..memchr(b')', rest)?]));
    let end = End { address: &rest[..open], port, ..End::default() };
    is_ip(end.address).then_some((&text[..slash], end))
}

/// `AAA user authentication Rejected : reason = R : server = S : user = U : user IP = A`: the client writes its name, the
/// firewall its address behind it, which old ones leave out.
fn put_rejected(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    if !message.starts_with(b"AAA user authentication Rejected") && !message.starts_with(b"AAA credentials rejected") {
        return false;
    }
    let Some((head, rest)) = split(message, b" : user = ") else { return false };
    let user = match rfind!(rest, b": user IP = ") {
        Some(at) => {
            put_ip(rows, field::SOURCE_IP, rest[at + 12..].trim_ascii());
            rest[..at].trim_ascii_end()
        }
        None => rest,
    };
    if !matches!(user, b"" | b"*****") {
        rows.text(field::USER_NAME, user);
    }
    if let Some((_, reason)) = split(head, b"reason = ") {
        rows.text(field::EVENT_REASON, split(reason, b" : ").map_or(reason, |(reason, _)| reason));
    }
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, "login");
    rows.literal(field::EVENT_OUTCOME, "failure");
    true
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = needle::find_word(text, at)?;
    Some((&text[..found], &text[found + at.len()..]))
}

/// Keys whose values a client writes.
const CLIENTS: &[&str] = &[
    "URL",
    "UserAgent",
    "ReferencedHost",
    "FileName",
    "DNSQuery",
    "Referer",
    "HTTPReferer",
    "HTTP_Hostname",
    "HTTP_URI",
    "FilePath",
    "ArchiveFileName",
    "OriginalClientSrcIP",
];

/// `SrcIP: 203.0.113.7, DstIP: 198.51.100.4, …` of events that FTD writes. A client writes what stands in them from the first of
/// its own texts on (URL, user agent, file names): keys of addresses count before those alone, and only once.
fn put_pairs(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let mut rest = message;
    let mut is_ours = true;
    while let Some(colon) = find!(rest, b": ") {
        let key = rest[..colon].trim_ascii();
        let value_on = &rest[colon + 2..];
        let end = find!(value_on, b", ").unwrap_or(value_on.len());
        let was_ours = is_ours;
        is_ours &= !CLIENTS.iter().any(|known| known.as_bytes() == key);
        put_pair(rows, key, value_on[..end].trim_ascii(), was_ours);
        rest = value_on.get(end + 2..).unwrap_or_default();
    }
    device::settle_transport(rows);
    rows.has(field::SOURCE_IP)
}

fn put_pair(rows: &mut BatchBuilder, key: &[u8], value: &[u8], is_ours: bool) {
    let id = match key {
        b"SrcIP" | b"InitiatorIP" => field::SOURCE_IP,
        b"DstIP" | b"ResponderIP" => field::DESTINATION_IP,
        b"SrcPort" => field::SOURCE_PORT,
        b"DstPort" => field::DESTINATION_PORT,
        b"Protocol" => field::NETWORK_TRANSPORT,
        b"IngressInterface" => field::OBSERVER_INGRESS_INTERFACE_NAME,
        b"EgressInterface" => field::OBSERVER_EGRESS_INTERFACE_NAME,
        b"AccessControlRuleName" | b"Message" => field::RULE_NAME,
        b"SID" => field::RULE_ID,
        b"Classification" => field::RULE_CATEGORY,
        b"AccessControlRuleReason" => field::EVENT_REASON,
        b"ApplicationProtocol" => field::NETWORK_PROTOCOL,
        b"User" => field::USER_NAME,
        b"URL" => field::URL_ORIGINAL,
        b"UserAgent" => field::USER_AGENT_ORIGINAL,
        b"InitiatorBytes" => field::SOURCE_BYTES,
        b"ResponderBytes" => field::DESTINATION_BYTES,
        b"AccessControlRuleAction" | b"InlineResult" => return Verdict::of_word(first_word(value)).put(rows),
        _ => return,
    };
    let is_clients = matches!(key, b"URL" | b"UserAgent");
    if matches!(value, b"" | b"Unknown" | b"No Authentication Required") || rows.has(id) || (!is_ours && !is_clients) {
        return;
    }
    match BatchBuilder::kind_of(id) {
        event::catalog::FieldType::Ip => put_ip(rows, id, value),
        event::catalog::FieldType::Long => decimal(value).into_iter().for_each(|number| rows.long(id, number)),
        _ => rows.text(id, value),
    }
}

/// `Block with reset`
fn first_word(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b' ').next().unwrap_or_default()
}
