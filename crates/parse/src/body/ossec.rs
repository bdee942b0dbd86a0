//! Alerts of OSSEC and Wazuh, as they send them by syslog:
//! `Alert Level: 5; Rule: 5716 - name; Location: web1->/var/log/auth.log; srcip: 203.0.113.7; user: ann; the line`

use event::BatchBuilder;
use event::catalog::field;

use super::cut::between;
use crate::address::{decimal, put_ip};
use crate::needle::find;

pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(rest) = message.strip_prefix(b"Alert Level: ") else { return false };
    let Some(rule) = between(rest, b"Rule: ", b"; Location: ") else { return false };
    let Some(place) = find!(rest, b"; Location: ") else { return false };
    if let Some(dash) = find!(rule, b" - ").filter(|dash| decimal(&rule[..*dash]).is_some()) {
        rows.text(field::RULE_ID, &rule[..dash]);
        rows.text(field::RULE_NAME, &rule[dash + 3..]);
    }
    rows.literal(field::EVENT_CATEGORY, "intrusion_detection");
    rows.literal(field::EVENT_ACTION, "alert");
    // Then come some of a few keys, each once, and then the line itself.
    let mut parts = rest[place + 2..].split(|byte| *byte == b';').map(<[u8]>::trim_ascii).skip(1);
    while let Some((key, value)) = parts.next().and_then(pair) {
        match key {
            b"srcip" if !rows.has(field::SOURCE_IP) => put_ip(rows, field::SOURCE_IP, value),
            b"user" if !rows.has(field::USER_NAME) => rows.text(field::USER_NAME, value),
            b"srcport" | b"dstip" | b"dstport" | b"classification" | b"url" | b"status" => {}
            _ => break,
        }
    }
    true
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = find!(text, b": ")?;
    let key = &text[..colon];
    (key.len() < 20 && key.iter().all(u8::is_ascii_lowercase)).then_some((key, &text[colon + 2..]))
}
