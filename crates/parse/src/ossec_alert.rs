//! Alerts in OSSEC's and Wazuh's own file: `** Alert …`, where and when, the rule, keys of the event, and then the line itself, in
//! which a client may have a word. `record.rs` puts the lines together.

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::address::{decimal, put_ip};
use crate::context::{Context, Refusal};
use crate::line;
use crate::needle::find;

/// How an alert begins.
pub(crate) const START: &[u8] = b"** Alert ";

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.starts_with(START)
}

pub(crate) fn read(text: &[u8], _: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("no whole alert of OSSEC");
    if !looks_like(text) {
        return Err(OTHER);
    }
    let mut lines = line::lines(text).map(|line| line.text);
    let stamp = lines.next().and_then(|line| line.strip_prefix(START)).ok_or(OTHER)?;
    let place = lines.next().ok_or(OTHER)?;
    let rule = lines.next().and_then(|line| line.strip_prefix(b"Rule: ")).ok_or(OTHER)?;
    let arrow = find!(rule, b" -> '").ok_or(OTHER)?;
    let number = rule.split(|byte| *byte == b' ').next().unwrap_or_default();
    let stamp = &stamp[..memchr::memchr(b':', stamp).unwrap_or(stamp.len())];
    if let Some(time) = decimal(stamp.split(|byte| *byte == b'.').next().unwrap_or_default()) {
        rows.date(field::TIMESTAMP, event::Timestamp(time.saturating_mul(1_000_000)));
    }
    rows.text(field::RULE_ID, number);
    rows.text(field::RULE_NAME, rule[arrow + 5..].strip_suffix(b"'").unwrap_or(&rule[arrow + 5..]));
    rows.literal(field::EVENT_CATEGORY, "intrusion_detection");
    rows.literal(field::EVENT_ACTION, "alert");
    if let Some(level) = find!(rule, b"(level ").and_then(|at| {
        let rest = &rule[at + 7..];
        decimal(&rest[..memchr::memchr(b')', rest)?])
    }) {
        rows.long(field::EVENT_SEVERITY, level);
    }
    let mut message = place;
    for line in lines {
        match pair(line) {
            Some((b"Src IP", value)) => put_ip(rows, field::SOURCE_IP, value),
            Some((b"Dst IP", value)) => put_ip(rows, field::DESTINATION_IP, value),
            Some((b"User", value)) => rows.text(field::USER_NAME, value),
            Some((b"Src Port" | b"Dst Port" | b"Src Location", _)) => {}
            _ => {
                message = line;
                break;
            }
        }
    }
    rows.text(field::MESSAGE, message);
    Ok(dataset::OSSEC)
}

fn pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = find!(line, b": ").filter(|at| *at < 13)?;
    Some((&line[..colon], &line[colon + 2..]))
}
