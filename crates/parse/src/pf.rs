//! Packets that pf saw, as tcpdump prints them: `rule 4/0(match): block in on em0: 203.0.113.7.40112 > 198.51.100.4.22: Flags [S], …`
//! behind a time. A client writes nothing in front of the addresses.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::address::{decimal, is_ip, put_ip};
use crate::context::{Context, Refusal};
use crate::needle::find;
use crate::stamp::stamp;

/// Bytes in which the rule begins.
const HEAD_BYTES_MAX: usize = 64;

pub(crate) fn looks_like(text: &[u8]) -> bool {
    let head = &text[..text.len().min(HEAD_BYTES_MAX)];
    head.first().is_some_and(u8::is_ascii_digit) && find!(head, b" rule ").is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("no packet that pf saw");
    if !looks_like(text) {
        return Err(OTHER);
    }
    let at = stamp(text, &mut context.times).ok_or(OTHER)?;
    let message = at.rest.strip_prefix(b"rule ").ok_or(OTHER)?;
    let packet = Packet::read(message).ok_or(OTHER)?;
    if let Some(time) = at.time {
        rows.date(field::TIMESTAMP, time);
    }
    packet.put(rows);
    Ok(dataset::BSD_FIREWALL)
}

struct Packet<'a> {
    rule: &'a [u8],
    is_blocked: bool,
    is_inbound: bool,
    interface: &'a [u8],
    ends: [(&'a [u8], Option<i64>); 2],
}

impl<'a> Packet<'a> {
    /// `4/0(match): block in on em0: A.p > B.p: …`, `4/(match) [uid 0] pass out on em0: …`
    fn read(message: &'a [u8]) -> Option<Self> {
        let open = message.iter().take(24).position(|byte| *byte == b'(')?;
        let rule = message[..open].split(|byte| *byte == b'/').next()?;
        let close = find!(&message[..message.len().min(HEAD_BYTES_MAX)], b") ").or_else(|| find!(message, b"): "))?;
        let rest = message[close + 1..].strip_prefix(b":").unwrap_or(&message[close + 1..]).trim_ascii_start();
        let rest = match rest.strip_prefix(b"[") {
            Some(inside) => inside[memchr::memchr(b']', inside)? + 1..].trim_ascii_start(),
            None => rest,
        };
        let mut words = rest.splitn(5, |byte| *byte == b' ');
        let (verdict, direction, on, interface) = (words.next()?, words.next()?, words.next()?, words.next()?);
        if !matches!(verdict, b"block" | b"pass") || !matches!(direction, b"in" | b"out") || on != b"on" {
            return None;
        }
        let rest = words.next()?;
        let arrow = find!(rest, b" > ")?;
        let to = &rest[arrow + 3..];
        let to = &to[..find!(to, b": ").unwrap_or(to.len())];
        Some(Packet {
            rule,
            is_blocked: verdict == b"block",
            is_inbound: direction == b"in",
            interface: interface.strip_suffix(b":")?,
            ends: [end(&rest[..arrow])?, end(to)?],
        })
    }

    fn put(&self, rows: &mut BatchBuilder) {
        rows.literal(field::EVENT_CATEGORY, "network");
        rows.literal(field::EVENT_ACTION, if self.is_blocked { "blocked" } else { "allowed" });
        rows.literal(field::EVENT_OUTCOME, if self.is_blocked { "failure" } else { "success" });
        rows.literal(field::NETWORK_DIRECTION, if self.is_inbound { "inbound" } else { "outbound" });
        rows.text(field::RULE_ID, self.rule);
        let interface = if self.is_inbound {
            field::OBSERVER_INGRESS_INTERFACE_NAME
        } else {
            field::OBSERVER_EGRESS_INTERFACE_NAME
        };
        rows.text(interface, self.interface);
        let [(source, from), (destination, to)] = self.ends;
        put_ip(rows, field::SOURCE_IP, source);
        put_ip(rows, field::DESTINATION_IP, destination);
        for (id, port) in [(field::SOURCE_PORT, from), (field::DESTINATION_PORT, to)] {
            if let Some(port) = port {
                rows.long(id, port);
            }
        }
    }
}

/// `203.0.113.7.40112`: an address, and its port behind the last point.
fn end(text: &[u8]) -> Option<(&[u8], Option<i64>)> {
    if is_ip(text) {
        return Some((text, None));
    }
    let dot = memchr::memrchr(b'.', text)?;
    is_ip(&text[..dot]).then_some((&text[..dot], Some(decimal(&text[dot + 1..])?)))
}
