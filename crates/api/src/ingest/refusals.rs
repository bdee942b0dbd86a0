//! Why a body is not taken, in the words of a problem. Every passing cause is 503.

use ingest::body::BodyError;
use ingest::push::PayloadError;
use ingest::spool::Refused;

use crate::problem::Problem;

pub(super) fn too_large(limit: u64) -> Problem {
    Problem::too_large(format!("a body has at most {limit} bytes: send smaller batches"))
}

pub(super) fn refusal(refused: &Refused) -> Problem {
    metrics::counter!("ingest_refused_total", "source" => "http", "reason" => "spool").increment(1);
    Problem::busy(format!("{refused}: send it again after a pause"))
}

pub(super) fn problem(error: BodyError) -> Problem {
    let detail = error.to_string();
    match error {
        BodyError::UnknownEncoding(_) => Problem::unsupported_encoding(detail),
        BodyError::Damaged { .. } => Problem::damaged(detail),
        BodyError::TooLarge { .. } => Problem::too_large(detail),
        BodyError::Unread { .. } => Problem::busy(detail),
    }
}

/// `encoding`: of the body that the payload came in.
pub(super) fn of_payload(encoding: &str, error: PayloadError) -> Problem {
    let detail = error.to_string();
    match error {
        PayloadError::Empty => Problem::unusable("no_data", detail),
        PayloadError::Format(_) => Problem::unusable("bad_format", detail),
        PayloadError::TooMuch { .. } => Problem::too_large(detail),
        PayloadError::Io(error) => problem(BodyError::of(encoding, error)),
    }
}
