//! What a sender brings and what becomes of it: the batch, the ticket of one that was taken, the reason of one that was not,
//! and what keeps the spool from opening.

use std::path::PathBuf;

use event::Timestamp;
use spans::TracePoint;

use crate::spool::seen::BatchName;

/// Payload bytes of one entry at most: larger batches are written as several.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;
/// Named batches among the lines that are appended at once.
pub const NAMES_MAX: usize = 1024;

/// Lines of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Who sent it, such as `syslog+tcp://192.0.2.1`.
    pub origin: &'a str,
    /// Whole lines, each with its line feed.
    pub lines: &'a [u8],
    /// When they were received.
    pub received: Timestamp,
    /// Which of the lines are batches to which their sender gave a name: [`NAMES_MAX`] at most.
    pub names: &'a [BatchName],
    /// A part of the last line was too long to be kept.
    pub is_cut: bool,
    /// The span that took it, where it is traced; `None`: the spool makes one.
    pub cause: Option<&'a TracePoint>,
}

impl<'a> Batch<'a> {
    /// Lines without names, all of them whole.
    pub fn new(origin: &'a str, lines: &'a [u8], received: Timestamp) -> Self {
        Batch { origin, lines, received, names: &[], is_cut: false, cause: None }
    }
}

/// End of an accepted batch: durable once the spool's durable end has reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u64);

/// Why a batch was not taken. All pass, but `Failed`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Bytes on disk have reached the spool's limit.
    #[error("the spool is full: what it holds has not been committed yet")]
    Full,
    /// The file system has less free room than is kept in reserve.
    #[error("the disk of the spool is almost full")]
    DiskLow,
    /// Too many bytes wait for the writer.
    #[error("more waits to be written than may wait")]
    Busy,
    /// A write or a sync failed for good; the reason, for people.
    #[error("the spool can no longer promise durability: {0}; restart the analyzer once the disk is sound")]
    Failed(String),
}

/// Why the spool cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder cannot be made, listed, locked or written.
    #[error("cannot use the spool folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A segment or the identity cannot be read or written.
    #[error("cannot use the spool file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process holds its lock.
    #[error("the spool folder {path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The identity is no 32 hexadecimal digits.
    #[error("the spool's identity in {path} cannot be read: {text:?}")]
    Identity {
        /// The file.
        path: PathBuf,
        /// What stands in it.
        text: String,
    },
}
