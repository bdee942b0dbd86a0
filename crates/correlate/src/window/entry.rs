//! What a window knows of one event: 32 bytes each, because there are many, and the value that the event brings.

use std::sync::Arc;

use event::{EventId, Timestamp};
use serde::{Deserialize, Serialize};

/// An event in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: EventId,
    pub(crate) time: Timestamp,
    /// How often the event counts.
    pub(crate) weight: u32,
    /// Which of the rules that the correlation counts it comes from: position in `BoundCorrelation::bases`.
    pub(crate) base: u16,
    /// The open finding counts the event.
    pub(crate) in_finding: bool,
}

/// The value that an event brings to a correlation that counts values or computes with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum EventValue {
    Number(f64),
    Text(Arc<str>),
}
