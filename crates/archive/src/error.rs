//! What can go wrong with an archive. Bad events are data; these are faults of the disk, of a file, or of a question.

use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use thiserror::Error;

/// Why the archive could not be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder holds what another store knows.
    #[error("{} is the archive of another store: use that store, or another folder", .0.display())]
    OfAnother(PathBuf),
    /// The store knows events, and they are not here.
    #[error("the events that this store knows are not in {}: name their folder, or use another store", .0.display())]
    Elsewhere(PathBuf),
    /// A file is not what it was written as.
    #[error("cannot read or write Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// Columns that do not fit together.
    #[error("columns of the archive differ: {0}")]
    Arrow(#[from] ArrowError),
}

impl ArchiveError {
    pub(crate) fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        ArchiveError::Io { what, path: path.to_owned(), source }
    }
}
