//! Lines of log files that programs write themselves: a time in any form, words of the program's own order (level, process,
//! thread, module), then a message that the table of programs knows. Takes no line whose message is not known as a whole.

use event::{BatchBuilder, DatasetId};

use crate::body::own;
use crate::context::{Context, Refusal};

/// Its name among formats.
pub(crate) const NAME: &str = "own_file";

pub(crate) fn looks_like(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| !matches!(byte, b' ' | b'{'))
}

/// No line is a program's own by its start alone.
pub(crate) fn begins_like(_text: &[u8]) -> bool {
    false
}

pub(crate) fn read(text: &[u8], context: &mut Context, rows: &mut BatchBuilder) -> Result<DatasetId, Refusal> {
    own::put(rows, context, text).ok_or(Refusal::Other("no message of a program's own log file"))
}
