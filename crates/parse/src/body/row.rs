//! What a row of the table of programs says: names, kind of log, and how messages are read. Reads nothing.

use event::{BatchBuilder, DatasetId};

use super::family::Family;
use crate::context::Context;

type PutLine = fn(&mut BatchBuilder, &mut Context, &[u8]) -> Option<DatasetId>;
type Put = fn(&mut BatchBuilder, &[u8]) -> bool;

/// How the messages of a family are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reads {
    /// By a function of its own.
    By(Put),
    /// By a table of templates.
    Table(&'static Family),
    /// By a table of templates of a device, which writes protocols in its own way.
    Flows(&'static Family),
    /// As a line of another format, in a way of its own; `None` where it is none.
    Line(PutLine),
    /// As the kernel's: a packet, an audit record, or neither.
    Kernel,
    /// As an audit record.
    Audit,
    /// By the code that a Cisco device writes for a program.
    Cisco,
}

/// A program family: the names it writes under, what its lines are, and how they are read.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) programs: &'static [&'static str],
    pub(super) dataset: DatasetId,
    pub(super) reads: Reads,
    /// Whether it writes log files of its own, whose lines name no program.
    pub(super) has_own_file: bool,
    /// Whether those lines may say how grave they are.
    pub(super) has_levels: bool,
    pub(super) example: &'static str,
    pub(super) documentation: &'static str,
}

pub(super) const fn body(programs: &'static [&'static str], dataset: DatasetId, reads: Reads) -> Body {
    Body { programs, dataset, reads, has_own_file: false, has_levels: true, example: "", documentation: "" }
}

impl Body {
    /// A message of the program, and where it is described: an address without its scheme.
    pub(super) const fn example(self, example: &'static str, documentation: &'static str) -> Self {
        Body { example, documentation, ..self }
    }

    /// Its table also reads log files that the program writes itself.
    pub(super) const fn with_own_file(self) -> Self {
        Body { has_own_file: true, ..self }
    }

    /// As [`Self::with_own_file`], and no line there has a level: one that has is another program's.
    pub(super) const fn with_plain_file(self) -> Self {
        Body { has_own_file: true, has_levels: false, ..self }
    }
}
