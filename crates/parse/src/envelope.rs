//! Lines in envelopes: what runtimes, relays and terminals put in front of a line that a program wrote. Each file strips one
//! kind, once, and hands the inner line to the ordinary formats; envelopes of JSON stand with JSON.
//!
//! What the envelope says (container, stream, host) is put last, so that nothing that the inner line says stands in its place.
//! The time alone is that of the inner line, where it names one.

pub(crate) mod ansi;
pub(crate) mod counted;
pub(crate) mod cri;
pub(crate) mod export;
pub(crate) mod kiwi;
pub(crate) mod prefix;
pub(crate) mod relay;
pub(crate) mod stamped;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, Timestamp, dataset};

use crate::context::Context;

/// The envelope's time, and then what the inner line says. A line of no known format is the message of a container.
fn read_inner(inner: &[u8], time: Option<Timestamp>, context: &mut Context, rows: &mut BatchBuilder) -> DatasetId {
    put_time(time, rows);
    if let Some(dataset) = context.read_carried(inner, rows) {
        return dataset;
    }
    // A format that gave up may have put something before.
    rows.clear_row();
    put_time(time, rows);
    if !inner.is_empty() {
        rows.text(field::MESSAGE, inner);
    }
    dataset::CONTAINER
}

fn put_time(time: Option<Timestamp>, rows: &mut BatchBuilder) {
    if let Some(time) = time {
        rows.date(field::TIMESTAMP, time);
    }
}

#[cfg(test)]
mod tests;
