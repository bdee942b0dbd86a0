//! A hit: one rule matched one event. It owns what outlives the batch, nothing more.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::block::{EventId, Source};
use crate::finding::Entities;
use crate::time::Timestamp;

/// One event, told apart from all others, with its raw line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    pub id: EventId,
    pub source: Arc<Source>,
    pub offset: u64,
    /// From 1.
    pub line_no: u64,
    /// `None` where the line names no time.
    pub time: Option<Timestamp>,
    pub original: Box<str>,
    pub entities: Entities,
}

/// One rule matched one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// Index of the rule in its set.
    pub rule: u32,
    pub event: Arc<EventRef>,
    /// Values that correlations group by or count, in the order that the rule set asks for them; `None` = absent.
    pub values: Arc<[Option<Box<str>>]>,
    /// How often the line says that it happened (`message repeated N times`), at least 1.
    pub repeated: u64,
}
