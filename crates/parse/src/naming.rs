//! After the members of an event stand in their columns: its shape says what they mean, and a text that it carries is read on
//! by the ordinary formats. For JSON, key=value, CEF and LEEF alike.

mod convert;
mod guess;
mod inside;
pub(crate) mod names;
pub(crate) mod places;
mod plan;
mod run;
mod stamp;
pub(crate) mod unknown;

use event::catalog::field;
use event::{BatchBuilder, DatasetId, dataset};

use crate::context::Context;
use crate::syslog::{self, Program};

/// Settles the event whose members were put last. `None`: it has no known shape, and what can be guessed was.
pub(crate) fn finish(context: &mut Context, rows: &mut BatchBuilder) -> Option<DatasetId> {
    let Context { names, times, .. } = context;
    let Some(at) = names.choose(rows) else {
        names.guess(times, rows);
        names.count_unknown();
        return None;
    };
    names.run(at, times, rows);
    let Some((text, program)) = names.carried(at, rows) else { return Some(names.settle(at, rows)) };
    let text = text.trim_ascii_end();
    let read = if program.is_empty() {
        context.read_carried(text, rows)
    } else {
        let read = syslog::put_message(rows, &Program { name: &program, pid: None }, text, context);
        // A program of no known family may write lines of a known format.
        Some(if read == dataset::SYSLOG { context.read_carried(text, rows).unwrap_or(read) } else { read })
    };
    match read {
        // What the text is, too, has no known shape.
        Some(dataset::JSON) if !rows.is_dataset_named() => Some(context.names.settle(at, rows)),
        Some(dataset) => Some(dataset),
        None => {
            rows.text(field::MESSAGE, text);
            Some(context.names.settle(at, rows))
        }
    }
}
