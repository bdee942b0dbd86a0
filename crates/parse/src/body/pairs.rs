//! Keys and values in the forms of single devices: Meraki, Check Point, Citrix ADC, Cisco ISE, FTD's kin. A key that stands twice with
//! different values tells nothing of its client: one of them was written by it. Knows which keys mean what.

use event::catalog::{FieldType, field};
use event::{BatchBuilder, DatasetId, FieldId, Timestamp, dataset};
use memchr::{memchr, memmem};

use super::device::{self, Verdict};
use crate::address::{decimal, is_ip, put_ip};
use crate::needle::{self, find};

/// Pairs of one message that are looked at.
const PAIRS_MAX: usize = 96;

/// Keys of the four devices, and where their values go; an address may have its port behind a colon.
const KEYS: &[(&str, FieldId)] = &[
    ("src", field::SOURCE_IP),
    ("dst", field::DESTINATION_IP),
    ("sport", field::SOURCE_PORT),
    ("dport", field::DESTINATION_PORT),
    ("s_port", field::SOURCE_PORT),
    ("service", field::DESTINATION_PORT),
    ("mac", field::SOURCE_MAC),
    ("protocol", field::NETWORK_TRANSPORT),
    ("proto", field::NETWORK_TRANSPORT),
    ("translated_src_ip", field::SOURCE_NAT_IP),
    ("translated_dst_ip", field::DESTINATION_NAT_IP),
    ("xlatesrc", field::SOURCE_NAT_IP),
    ("xlatedst", field::DESTINATION_NAT_IP),
    ("xlatesport", field::SOURCE_NAT_PORT),
    ("xlatedport", field::DESTINATION_NAT_PORT),
    ("ifname", field::OBSERVER_INGRESS_INTERFACE_NAME),
    ("rule_name", field::RULE_NAME),
    ("rule", field::RULE_ID),
    ("signature", field::RULE_ID),
    ("resource", field::URL_ORIGINAL),
    ("user", field::USER_NAME),
    ("User", field::USER_NAME),
    ("UserName", field::USER_NAME),
    ("Client_ip", field::SOURCE_IP),
    ("ClientIP", field::SOURCE_IP),
    ("Remote_ip", field::SOURCE_IP),
    ("Source", field::SOURCE_IP),
    ("Destination", field::DESTINATION_IP),
    ("Vserver", field::DESTINATION_IP),
    ("ClientPort", field::SOURCE_PORT),
    ("Command", field::PROCESS_COMMAND_LINE),
    ("Failure_reason", field::EVENT_REASON),
    ("FailureReason", field::EVENT_REASON),
    ("Total_bytes_send", field::SOURCE_BYTES),
    ("Total_bytes_recv", field::DESTINATION_BYTES),
    ("Calling-Station-ID", field::SOURCE_IP),
    ("Remote-Address", field::SOURCE_IP),
    ("CmdSet", field::PROCESS_COMMAND_LINE),
];

type Pair<'a> = (&'a [u8], &'a [u8]);

/// The value of a key, where all of its values are one.
fn only<'a>(pairs: &[Pair<'a>], key: &[u8]) -> Option<&'a [u8]> {
    let mut found = pairs.iter().filter(|(known, _)| *known == key).map(|(_, value)| *value);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Whether all keys of the field that the message has agree: a client may write a key that the device left out.
fn agree(pairs: &[Pair<'_>], id: FieldId) -> bool {
    let is_of = |key: &[u8]| KEYS.iter().any(|(known, of)| *of == id && known.as_bytes() == key);
    let mut values = pairs.iter().filter(|(key, _)| is_of(key)).map(|(_, value)| without_port(value));
    let first = values.next();
    values.all(|other| Some(other) == first)
}

/// An address without the port behind it; other texts as they are.
fn without_port(value: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', value) {
        Some(colon) if is_ip(&value[..colon]) && !is_ip(value) => &value[..colon],
        _ => value,
    }
}

fn put_pairs(rows: &mut BatchBuilder, pairs: &[Pair<'_>]) {
    for (key, value) in pairs.iter().filter(|(_, value)| !matches!(*value, b"" | b"N/A" | b"NONE")) {
        let Some((_, id)) = KEYS.iter().find(|(known, _)| known.as_bytes() == *key) else { continue };
        let is_clients = matches!(*id, field::SOURCE_IP | field::USER_NAME);
        if pairs.iter().any(|(other, it)| other == key && it != value) || (is_clients && !agree(pairs, *id)) {
            continue;
        }
        if rows.has(*id) {
            continue;
        }
        match BatchBuilder::kind_of(*id) {
            FieldType::Ip => put_end(rows, *id, value),
            FieldType::Long => decimal(value).into_iter().for_each(|number| rows.long(*id, number)),
            _ if *id == field::NETWORK_TRANSPORT => {
                device::put_transport(rows, &value[..memchr(b'/', value).unwrap_or(value.len())]);
            }
            _ => rows.text(*id, value),
        }
    }
}

/// An address, and its port behind a colon.
fn put_end(rows: &mut BatchBuilder, id: FieldId, value: &[u8]) {
    if is_ip(value) {
        return put_ip(rows, id, value);
    }
    let Some(colon) = memchr::memrchr(b':', value) else { return };
    let port = match id {
        field::SOURCE_IP => field::SOURCE_PORT,
        field::DESTINATION_IP => field::DESTINATION_PORT,
        _ => return,
    };
    let bare = value[..colon].strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(&value[..colon]);
    if let Some(number) = decimal(&value[colon + 1..]).filter(|_| is_ip(bare)) {
        put_ip(rows, id, bare);
        rows.long(port, number);
    }
}

/// `1 1772618401.123456789 MX84 flows src=203.0.113.7 dst=198.51.100.4 protocol=tcp sport=4000 dport=22 pattern: 1 all`
pub(super) fn put_meraki(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    let rest = message.strip_prefix(b"1 ")?;
    let mut words = rest.splitn(4, |byte| *byte == b' ');
    let (stamp, name, kind, text) = (words.next()?, words.next()?, words.next()?, words.next().unwrap_or_default());
    let dot = memchr(b'.', stamp)?;
    let (seconds, fraction) = (decimal(&stamp[..dot])?, &stamp[dot + 1..]);
    let micros = decimal(fraction.get(..fraction.len().min(6))?)? * 10_i64.pow(6 - fraction.len().min(6) as u32);
    let time = seconds.checked_mul(1_000_000).and_then(|time| time.checked_add(micros))?;
    rows.date(field::TIMESTAMP, Timestamp(time));
    rows.text(field::HOST_HOSTNAME, name);
    rows.text(field::EVENT_CODE, kind);
    device::put_observer(rows, "Cisco", "Meraki", "firewall");
    // A client writes its agent, its request and what follows them.
    let end =
        [&b" agent="[..], b" request: ", b" message: "].iter().filter_map(|mark| needle::find_word(text, mark)).min();
    let own = &text[..end.unwrap_or(text.len())];
    let pattern = find!(own, b"pattern: ").map(|at| &own[at + 9..]);
    let split = |word: &'_ [u8]| memchr(b'=', word);
    let pairs: Vec<Pair<'_>> = own
        .split(|byte| *byte == b' ')
        .filter_map(|word| split(word).map(|equals| (&word[..equals], &word[equals + 1..])))
        .take(PAIRS_MAX)
        .collect();
    put_pairs(rows, &pairs);
    if let Some(request) = find!(text, b" request: ").map(|at| &text[at + 10..]) {
        let (method, url) = request.split_at(memchr(b' ', request).unwrap_or(request.len()));
        rows.text(field::HTTP_REQUEST_METHOD, method);
        rows.text(field::URL_ORIGINAL, url.trim_ascii());
    }
    match (kind, pattern) {
        (b"urls", _) => Verdict::Allowed.put(rows),
        (b"security_event" | b"ids-alerts" | b"airmarshal_events", _) => {
            rows.literal(field::EVENT_CATEGORY, "intrusion_detection");
            rows.literal(field::EVENT_ACTION, "alert");
        }
        (_, Some(pattern)) => match pattern.first() {
            Some(b'0') => Verdict::Allowed.put(rows),
            Some(b'1') => Verdict::Blocked.put(rows),
            _ => Verdict::of_word(pattern.split(|byte| *byte == b' ').next().unwrap_or_default()).put(rows),
        },
        _ => {}
    }
    Some(dataset::MERAKI)
}

/// `[action:"Drop"; ifdir:"inbound"; src:"203.0.113.7"; dst:"198.51.100.4"; proto:"6"; s_port:"4000"; service:"22"]` of Check Point.
pub(super) fn put_check_point(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let mut rest = message.strip_prefix(b"[").unwrap_or(message);
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    while let Some(quote) = find!(rest, b":\"").filter(|_| pairs.len() < PAIRS_MAX) {
        let key = rest[..quote].trim_ascii();
        let key = key.strip_prefix(b";").unwrap_or(key).trim_ascii();
        let value = &rest[quote + 2..];
        let Some(end) = closing_quote(value) else { break };
        pairs.push((key, &value[..end]));
        rest = &value[end + 1..];
    }
    if pairs.is_empty() {
        return false;
    }
    device::put_observer(rows, "Check Point", "Firewall", "firewall");
    put_pairs(rows, &pairs);
    if let Some(direction) = only(&pairs, b"ifdir") {
        device::put_direction(rows, direction);
    }
    match only(&pairs, b"action") {
        Some(b"Log In") => put_login(rows, "login", "success"),
        Some(b"Failed Log In") => put_login(rows, "login", "failure"),
        Some(b"Log Out") => put_login(rows, "logout", ""),
        Some(action) => Verdict::of_word(action).put(rows),
        None => {}
    }
    true
}

/// Where the quote that ends a value stands; a backslash takes the next byte with it.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let stop = at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[stop] == b'"' {
            return Some(stop);
        }
        at = stop + 2;
    }
}

fn put_login(rows: &mut BatchBuilder, action: &'static str, outcome: &'static str) {
    rows.literal(field::EVENT_CATEGORY, "authentication");
    rows.literal(field::EVENT_ACTION, action);
    if !outcome.is_empty() {
        rows.literal(field::EVENT_OUTCOME, outcome);
    }
}

/// `03/04/2026:10:00:01 GMT ns1 0-PPE-0 : default AAA LOGIN_FAILED 123 0 :  User ann - Client_ip 203.0.113.7 - …` of Citrix ADC.
pub(super) fn put_citrix(rows: &mut BatchBuilder, message: &[u8]) -> Option<DatasetId> {
    let stamp = message.get(..19)?;
    if stamp[2] != b'/' || stamp[10] != b':' {
        return None;
    }
    let colon = find!(message, b" : ")?;
    let (head, rest) = (&message[19..colon], &message[colon + 3..]);
    let colon = find!(rest, b" : ")?;
    let mut words = rest[..colon].split(|byte| *byte == b' ').filter(|word| !word.is_empty() && *word != b"default");
    let (feature, kind) = (words.next()?, words.next()?);
    let mut names = head.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    if let Some(host) = names.nth(1).filter(|name| !name.contains(&b'-')) {
        rows.text(field::HOST_HOSTNAME, host);
    }
    rows.text(field::EVENT_CODE, kind);
    device::put_observer(rows, "Citrix", "ADC", "proxy");
    let text = rest[colon + 3..].trim_ascii();
    let pairs: Vec<Pair<'_>> = memmem::find_iter(text, b" - ")
        .chain(std::iter::once(text.len()))
        .scan(0, |from, end| {
            let part = text.get(*from..end).unwrap_or_default();
            *from = end + 3;
            Some(part.trim_ascii())
        })
        .filter_map(|part| memchr(b' ', part).map(|blank| (&part[..blank], unquoted(part[blank + 1..].trim_ascii()))))
        .take(PAIRS_MAX)
        .collect();
    put_pairs(rows, &pairs);
    match (feature, kind) {
        (_, b"LOGIN") => put_login(rows, "login", "success"),
        (_, b"LOGIN_FAILED") => put_login(rows, "login", "failure"),
        (_, b"LOGOUT") => put_login(rows, "logout", ""),
        (_, b"CMD_EXECUTED") => {
            rows.literal(field::EVENT_CATEGORY, "configuration");
            rows.literal(field::EVENT_ACTION, "command");
        }
        (b"TCP", _) => {
            rows.literal(field::EVENT_CATEGORY, "network");
            rows.literal(field::NETWORK_TRANSPORT, "tcp");
            rows.literal(field::EVENT_ACTION, "connection-finished");
        }
        _ => {}
    }
    Some(dataset::CITRIX)
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text)
}

/// Where a comma stands that no backslash takes with it.
fn unescaped_comma(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let stop = at + memchr::memchr2(b',', b'\\', text.get(at..)?)?;
        if text[stop] == b',' {
            return Some(stop);
        }
        at = stop + 2;
    }
}

/// `0000000001 1 0 2026-03-04 10:00:01.123 +00:00 0000000001 5400 NOTICE Failed-Attempt: Authentication failed, UserName=ann, …` of ISE.
pub(super) fn put_ise(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    let Some(start) = find!(message, b", ") else { return false };
    let head = &message[..start];
    let mut rest = &message[start + 2..];
    while !rest.is_empty() && pairs.len() < PAIRS_MAX {
        let end = unescaped_comma(rest).unwrap_or(rest.len());
        let part = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if let Some(equals) = memchr(b'=', part) {
            pairs.push((&part[..equals], &part[equals + 1..]));
        }
    }
    device::put_observer(rows, "Cisco", "ISE", "aaa");
    put_pairs(rows, &pairs);
    if let Some(mac) = only(&pairs, b"Calling-Station-ID").filter(|value| !is_ip(value)) {
        rows.text(field::SOURCE_MAC, mac);
    }
    let code = head.split(|byte| *byte == b' ').find(|word| word.len() == 5 && decimal(word).is_some());
    code.into_iter().for_each(|code| rows.text(field::EVENT_CODE, code));
    let has = |words: &[u8]| needle::find_word(head, words).is_some();
    if has(b"Authentication failed") || has(b"Administrator authentication failed") {
        put_login(rows, "login", "failure");
    } else if has(b"Authentication succeeded") || has(b"authentication succeeded") {
        put_login(rows, "login", "success");
    }
    true
}

/// `msg_id="3000-0148" Deny 0-External Firebox 40 tcp 20 64 203.0.113.7 198.51.100.4 4000 22 offset 5 S 123 win 1024 (rule)` of WatchGuard:
/// verdict, interfaces, length, protocol, header, time to live, addresses, ports.
pub(super) fn put_watchguard(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = find!(message, b"msg_id=\"") else { return false };
    let rest = &message[at + 8..];
    let Some(quote) = memchr(b'"', rest) else { return false };
    rows.text(field::EVENT_CODE, &rest[..quote]);
    device::put_observer(rows, "WatchGuard", "Firebox", "firewall");
    let words: Vec<&[u8]> =
        rest[quote + 1..].split(|byte| *byte == b' ').filter(|word| !word.is_empty()).take(24).collect();
    let Some(ends) =
        words.windows(2).position(|pair| is_ip(pair[0]) && is_ip(pair[1])).filter(|at| (4..=8).contains(at))
    else {
        return true;
    };
    put_ip(rows, field::SOURCE_IP, words[ends]);
    put_ip(rows, field::DESTINATION_IP, words[ends + 1]);
    let protocol = words[3..ends].iter().find(|word| word[0].is_ascii_alphabetic());
    protocol.into_iter().for_each(|protocol| device::put_transport(rows, protocol));
    let port = |at: usize| words.get(at).and_then(|word| decimal(word));
    if let (Some(source), Some(destination)) = (port(ends + 2), port(ends + 3)) {
        rows.long(field::SOURCE_PORT, source);
        rows.long(field::DESTINATION_PORT, destination);
    }
    rows.text(field::OBSERVER_INGRESS_INTERFACE_NAME, words[1]);
    rows.text(field::OBSERVER_EGRESS_INTERFACE_NAME, words[2]);
    Verdict::of_word(words[0]).put(rows);
    true
}
