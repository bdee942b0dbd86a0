//! Logs of containers as Kubernetes' runtimes write them (CRI): `TIME STREAM TAGS TEXT`. Partial lines come joined.

use event::catalog::field;
use event::record::CriLine;
use event::{BatchBuilder, DatasetId};

use super::read_inner;
use crate::context::{Context, Refusal};

pub(crate) fn looks_like(text: &[u8]) -> bool {
    CriLine::read(text).is_some()
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    let line = CriLine::read(text).ok_or(Refusal::Other("no line of a container: no time, stream and tag in front"))?;
    let (time, rest) = context.times.iso(line.time).ok_or(Refusal::Other("no time in front"))?;
    if !rest.is_empty() {
        return Err(Refusal::Other("no time in front"));
    }
    let dataset = read_inner(line.text, Some(time), context, rows);
    rows.text(field::LOG_IOSTREAM, line.stream);
    Ok(dataset)
}
