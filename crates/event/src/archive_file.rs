//! One file of the archive, as the catalogue in the store knows it. Where it lies and what it holds; not how it is written.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A closed file of events. It exists for readers from the commit on that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFile {
    /// Below the archive's root, with `/` between the parts: `dataset=http.access/date=2026-11-23/hour=10/….parquet`.
    pub path: String,
    /// `event.dataset` of all its events.
    pub dataset: String,
    /// Start of the hour of its partition.
    pub hour: Timestamp,
    /// Events in it.
    pub events: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Length of the raw lines in bytes.
    pub raw_bytes: u64,
    /// Earliest and latest event time.
    pub times: (Timestamp, Timestamp),
    /// First and last number in the order of commits, which every event of an archive has.
    pub sequences: (u64, u64),
    /// Names of its columns.
    pub columns: Vec<String>,
}
