//! The only place that asks the system what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use event::Timestamp;

/// Now, in UTC.
#[allow(clippy::disallowed_methods, reason = "this is the clock file")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
