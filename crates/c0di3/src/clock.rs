//! The only place that asks the system what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use event::Timestamp;

/// Now, in UTC.
#[allow(clippy::disallowed_methods, reason = "this is the clock file")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long ago a file was written; `None` where that cannot be told, or lies ahead.
#[allow(clippy::disallowed_methods, reason = "this is the clock file")]
pub(crate) fn age(written: SystemTime) -> Option<Duration> {
    SystemTime::now().duration_since(written).ok()
}
