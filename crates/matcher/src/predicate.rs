//! What predicates are made of: numbers of columns, and tests that look at the row itself. Data alone: how they are
//! compiled, searched for and checked stands in other files.

use event::Field;
use rules::check::FieldRef;

/// Name of the column that stands for keywords: the whole line.
pub(super) const KEYWORDS: &str = "";

/// Number of a column that some rule of the group reads.
pub(super) type ColumnId = u32;

/// A test that is answered by looking at the row itself.
#[derive(Debug)]
pub(super) struct Direct {
    /// Columns that it looks at.
    pub(super) columns: Box<[ColumnId]>,
    pub(super) kind: DirectKind,
}

#[derive(Clone, Debug)]
pub(super) enum DirectKind {
    /// No column has a value.
    Absent,
    /// Whether a column is there, an explicit null included, is as wanted.
    Exists(bool),
    /// Some column has a value.
    HasValue,
    /// Some column has the value of one of these others where it should.
    Refers(Box<[ColumnId]>, FieldRef),
}

/// The column that contains this one's text, as the field catalog says: `url.original` contains `url.path`.
pub(super) fn container_of(column: &str) -> Option<&'static str> {
    Field::named(column).and_then(|(_, row)| row.within)
}
