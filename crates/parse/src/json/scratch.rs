//! Buffers that are kept between JSON lines.

use event::Timestamp;

use super::frame::Frames;

/// Buffers that are kept between lines.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Path of a member.
    pub(super) path: String,
    /// Where in the line the keys of the objects around the member at hand begin.
    pub(super) open: Vec<usize>,
    pub(super) best_time: Option<(u8, Timestamp)>,
    pub(super) frames: Frames,
}

impl Scratch {
    pub(crate) fn begin_block(&mut self) {
        self.frames.begin_block();
    }

    /// Before each line.
    pub(super) fn begin_line(&mut self) {
        self.path.clear();
        self.open.clear();
        self.best_time = None;
    }
}
