//! What protocols of shippers work with.

use event::Timestamp;

use crate::spool::Spool;

/// What every protocol works with.
#[derive(Clone)]
pub struct ShipperOptions {
    /// Where events are kept.
    pub spool: Spool,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
}

impl std::fmt::Debug for ShipperOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ShipperOptions")
    }
}
