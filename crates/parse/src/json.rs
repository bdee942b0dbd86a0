//! JSON lines (RFC 8259): one object per line. Keys become columns under their dotted path; numbers, booleans and
//! `null` keep what they were; arrays stay raw text. Names that the pipeline itself writes are moved to `json.…`. What the keys
//! mean is said by the shape that they make.

mod doubled;
pub(crate) mod escapes;
mod frame;
mod framed;
mod reader;
mod scalars;
mod scratch;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::context::{Context, Refusal};
use crate::naming;
use reader::Reader;

pub(crate) use scratch::Scratch;

/// Whether a line begins as an object does: what then cannot be read is broken JSON. Other text may have braces, too.
pub(crate) fn begins_like(text: &[u8]) -> bool {
    let inside = text.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|rest| matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')))
}

pub(crate) fn looks_like(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.first() == Some(&b'{') && text.last() == Some(&b'}')
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let trimmed = text.trim_ascii();
    if !begins_like(trimmed) {
        return Err(Refusal::Other("not a JSON object"));
    }
    context.json.begin_line();
    context.names.places.begin_line();
    let mut reader = Reader::new(trimmed, &mut context.json, &mut context.names.places);
    if !reader.framed_line(rows) {
        reader.line(rows).map_err(Refusal::Broken)?;
        if reader.at != trimmed.len() {
            return Err(Refusal::Broken("text after the JSON object"));
        }
        reader.keep_frame();
    }
    let doubled = std::mem::take(&mut reader.doubled);
    if !doubled.is_empty() {
        reader.places.timed_by = None;
        doubled::settle(&mut reader, &doubled, rows).map_err(Refusal::Broken)?;
    }
    if reader.mended {
        rows.counts().mended += 1;
        rows.mark("invalid_json_escape");
    }
    if let Some((_, time)) = context.json.best_time {
        rows.date(field::TIMESTAMP, time);
    }
    Ok(naming::finish(context, rows).unwrap_or(dataset::JSON))
}
