//! Why a question to the archive has no answer.

use std::error::Error;
use std::time::Duration;

use datafusion::error::DataFusionError;
use thiserror::Error as ThisError;

/// Why a question has no answer.
#[derive(Debug, ThisError)]
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
    /// The files cannot be reached, or not for now.
    #[error("the events cannot be read where they lie: {0}")]
    Away(String),
}

impl From<DataFusionError> for HuntError {
    fn from(error: DataFusionError) -> Self {
        match of_store(&error) {
            Some(cause) => HuntError::Away(cause),
            None => HuntError::Failed(error.strip_backtrace()),
        }
    }
}

/// What the store of the files says, where it is what failed: behind whatever layers the error has come through.
fn of_store(error: &DataFusionError) -> Option<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(found) = found.downcast_ref::<datafusion_object_store::Error>() {
            return Some(found.to_string());
        }
        cause = found.source();
    }
    // Some layers keep the words alone.
    let words = error.strip_backtrace();
    words.contains("Generic S3 error:").then_some(words)
}
