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
    #[error("{0} is the archive of another store: use that store, or another folder")]
    OfAnother(String),
    /// The store knows events, and they are not here.
    #[error(
        "the events that this store knows are not in {0}: name their folder, or mount its disk, or use another store; where they are \
         lost, `c0di3 archive forget-missing` lets the store forget them"
    )]
    Elsewhere(String),
    /// A store of objects does not do what was asked, after it was asked again.
    #[error("cannot {what} {place}: {source}")]
    Away {
        /// What was to be done.
        what: &'static str,
        /// To which object.
        place: String,
        /// What came of the last try.
        source: Box<object_store::Error>,
    },
    /// A file that the catalogue names is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A place that cannot be.
    #[error("{0}")]
    Settings(String),
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

    pub(crate) fn away(what: &'static str, place: &str, source: object_store::Error) -> Self {
        ArchiveError::Away { what, place: place.to_owned(), source: Box::new(source) }
    }

    /// Whether it may be better after a while: the store of objects does not answer, or refuses for now.
    pub fn is_passing(&self) -> bool {
        matches!(self, ArchiveError::Away { .. })
    }
}
