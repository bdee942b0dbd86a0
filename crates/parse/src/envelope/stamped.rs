//! `2026-11-12T11:15:58.792703123Z TEXT` as `docker logs --timestamps` writes it: nanoseconds, UTC. Other logs have such times,
//! too, so the text behind it must be of a known format.

use event::{BatchBuilder, DatasetId, Timestamp};

use super::put_time;
use crate::context::{Context, Refusal};

/// `2026-11-12T11:15:58.792703123Z `
const STAMP_BYTES: usize = 31;

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.len() > STAMP_BYTES && text[4] == b'-' && text[10] == b'T' && text[19] == b'.' && text[29..31] == *b"Z "
}

/// The time and what follows it.
pub(super) fn split<'a>(text: &'a [u8], context: &Context) -> Option<(Timestamp, &'a [u8])> {
    if !looks_like(text) {
        return None;
    }
    let (time, rest) = context.times.iso(text)?;
    Some((time, rest.strip_prefix(b" ")?))
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let (time, inner) = split(text, context).ok_or(Refusal::Other("no time with nanoseconds in front"))?;
    put_time(Some(time), rows);
    context.read_carried(inner, rows).ok_or_else(|| {
        rows.clear_row();
        Refusal::Other("nothing that is known behind the time")
    })
}
