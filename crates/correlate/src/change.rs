//! What the correlator tells: findings that are new or have changed.

use event::Finding;

/// A finding that is new or has changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The finding as it is now; its id stays while it grows.
    pub finding: Finding,
    /// More events may still join it.
    pub open: bool,
}
