//! The log file of Proxmox's firewall: `100 6 tap100i0-IN 04/Mar/2026:10:00:00 +0100 policy DROP: IN=fwbr100i0 OUT=… SRC=…`
//! (number of the guest, level, chain, time).

use event::catalog::field;
use event::{BatchBuilder, DatasetId};
use memchr::memchr;

use crate::address::decimal;
use crate::body;
use crate::context::{Context, Refusal};

/// Bytes of the time with its offset.
const STAMP_BYTES: usize = 26;

/// Two numbers at the start.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    head(text).is_some()
}

fn head(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = after_number(after_number(text)?)?;
    let blank = memchr(b' ', rest)?;
    let (chain, rest) = (&rest[..blank], &rest[blank + 1..]);
    (!chain.is_empty() && rest.len() > STAMP_BYTES && rest[2] == b'/').then_some((chain, rest))
}

fn after_number(text: &[u8]) -> Option<&[u8]> {
    let blank = memchr(b' ', text)?;
    decimal(&text[..blank])?;
    Some(&text[blank + 1..])
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    const OTHER: Refusal = Refusal::Other("not of Proxmox's firewall");
    let (chain, rest) = head(text).ok_or(OTHER)?;
    let time = context.times.clf(&rest[..STAMP_BYTES]).ok_or(OTHER)?;
    let message = rest[STAMP_BYTES..].trim_ascii_start();
    let dataset = body::packet(rows, message).ok_or(OTHER)?;
    rows.date(field::TIMESTAMP, time);
    rows.text(field::RULE_NAME, chain);
    rows.text(field::MESSAGE, message);
    Ok(dataset)
}
