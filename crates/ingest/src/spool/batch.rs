//! What a sender brings and what becomes of it: the batch, the ticket of one that was taken, the reason of one that was not,
//! and what keeps the spool from opening.

use std::path::PathBuf;

use event::Timestamp;

/// Payload bytes of one entry at most: larger batches are written as several.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;
/// Lines of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Who sent it, such as `syslog+tcp://192.0.2.1`.
    pub origin: &'a str,
    /// Whole lines, each with its line feed.
    pub lines: &'a [u8],
    pub received: Timestamp,
}

/// End of an accepted batch: durable once the spool's durable end has reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// Why a batch was not taken. All pass, but `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the spool is full: what it holds has not been committed yet")]
    Full,
    #[error("the disk of the spool is almost full")]
    DiskLow,
    #[error("more waits to be written than may wait")]
    Busy,
    #[error("the spool can no longer promise durability: {0}; restart the analyzer once the disk is sound")]
    Failed(String),
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot use the spool folder {path}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("cannot use the spool file {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the spool folder {path} is in use by another process")]
    InUse { path: PathBuf },
    #[error("the spool's identity in {path} cannot be read: {text:?}")]
    Identity { path: PathBuf, text: String },
}
