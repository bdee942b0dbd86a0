//! The store in a database: its connections. What it does is implemented trait by trait, each in the file of its
//! subject.

use crate::postgres::partitions::Partitions;
use crate::sql::Pool;

/// A store in SQLite or PostgreSQL; see [`crate::open`].
#[derive(Debug)]
pub struct SqlStore {
    pub(crate) pool: Pool,
    /// Partitions of PostgreSQL; unused with SQLite.
    pub(crate) partitions: Partitions,
}
