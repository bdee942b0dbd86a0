//! Buffers that are kept between JSON lines.

use event::Timestamp;

/// Buffers that are kept between lines.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Path of the member at hand.
    pub(super) path: String,
    pub(super) best_time: Option<(u8, Timestamp)>,
}

impl Scratch {
    /// Before each line.
    pub(super) fn begin_line(&mut self) {
        self.path.clear();
        self.best_time = None;
    }
}
