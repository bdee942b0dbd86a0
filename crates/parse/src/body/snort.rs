//! Signatures that Snort or Suricata saw, as they write them to a file or by syslog:
//! `[**] [1:2000001:3] name [**] [Classification: kind] [Priority: 2] {TCP} 203.0.113.7:4000 -> 198.51.100.4:22`

use event::BatchBuilder;
use event::catalog::field;
use memchr::memchr;

use super::cut::between;
use super::device;
use crate::address::{decimal, is_ip, put_ip};
use crate::needle::{self, find, rfind};

pub(crate) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let mut rest = message.trim_ascii();
    let mut is_dropped = false;
    for mark in [&b"[Drop]"[..], b"[wDrop]", b"[**]"] {
        if let Some(after) = rest.strip_prefix(mark) {
            is_dropped |= mark == b"[Drop]";
            rest = after.trim_ascii_start();
        }
    }
    let Some((id, rest)) = signature(rest) else { return false };
    let Some(open) = rfind!(rest, b"{") else { return false };
    let Some(close) = memchr(b'}', &rest[open..]).map(|at| open + at) else { return false };
    let Some((from, to)) = ends(rest[close + 1..].trim_ascii()) else { return false };
    let words = &rest[..open];
    let end = [&b" [**]"[..], b" [Classification:", b" [Priority:"]
        .iter()
        .filter_map(|mark| needle::find_word(words, mark))
        .min()
        .unwrap_or(words.len());
    rows.text(field::RULE_ID, id);
    rows.text(field::RULE_NAME, words[..end].trim_ascii());
    if let Some(kind) = between(words, b"[Classification: ", b"]") {
        rows.text(field::RULE_CATEGORY, kind);
    }
    device::put_transport(rows, &rest[open + 1..close]);
    for ((address, port), ip, number) in
        [(from, field::SOURCE_IP, field::SOURCE_PORT), (to, field::DESTINATION_IP, field::DESTINATION_PORT)]
    {
        put_ip(rows, ip, address);
        port.into_iter().for_each(|port| rows.long(number, port));
    }
    rows.literal(field::EVENT_CATEGORY, "intrusion_detection");
    rows.literal(field::EVENT_ACTION, if is_dropped { "blocked" } else { "alert" });
    true
}

/// Number of the signature in `[1:2000001:3] `, and what follows.
fn signature(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    let close = memchr(b']', inside)?;
    let mut parts = inside[..close].split(|byte| *byte == b':');
    let (generator, id, revision) = (parts.next()?, parts.next()?, parts.next()?);
    [generator, id, revision].iter().all(|part| decimal(part).is_some()).then_some((id, &inside[close + 1..]))
}

type Endpoint<'a> = (&'a [u8], Option<i64>);

/// `203.0.113.7:4000 -> 198.51.100.4:22`, or addresses alone.
fn ends(text: &[u8]) -> Option<(Endpoint<'_>, Endpoint<'_>)> {
    let arrow = find!(text, b" -> ")?;
    Some((end(&text[..arrow])?, end(&text[arrow + 4..])?))
}

fn end(text: &[u8]) -> Option<Endpoint<'_>> {
    if is_ip(text) && text.iter().filter(|byte| **byte == b':').count() != 8 {
        return Some((text, None));
    }
    let colon = memchr::memrchr(b':', text)?;
    is_ip(&text[..colon]).then_some((&text[..colon], decimal(&text[colon + 1..])))
}
