//! Which messages a program writes to a file of its own, as numbers that the table of programs knows. Knows no program.

use std::sync::Arc;

/// Messages of one program.
#[derive(Clone, Debug)]
pub(crate) struct Messages(pub(crate) Arc<[u16]>);

/// Finds the messages of a program; `None` where it is not known.
pub(crate) type MessagesOf = fn(&str) -> Option<Messages>;
