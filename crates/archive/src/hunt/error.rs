//! Why a question to the archive has no answer.

use std::time::Duration;

use thiserror::Error;

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum HuntError {
    /// It is no question that may be asked.
    #[error("{0}")]
    Refused(String),
    /// It cannot be understood, or fails on the data.
    #[error("the question cannot be answered: {0}")]
    Failed(String),
    /// It took longer than it may.
    #[error("the question took longer than {0:?}: ask for a shorter time, or fewer columns")]
    TooLong(Duration),
}

impl From<datafusion::error::DataFusionError> for HuntError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        HuntError::Failed(error.strip_backtrace())
    }
}
