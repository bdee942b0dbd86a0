//! Commands that the snoopy library saw.

use crate::needle::find;
use event::BatchBuilder;

/// `[uid:0 … filename:/usr/bin/id]: id -u`
pub(super) fn put(rows: &mut BatchBuilder, message: &[u8]) -> bool {
    let Some(at) = find!(message, b"]: ").filter(|_| message.starts_with(b"[")) else { return false };
    rows.text(event::catalog::field::PROCESS_COMMAND_LINE, &message[at + 3..]);
    true
}
