//! What the pipeline reads from: the trait that every input has, files in order and live sources alike. Knows none of the
//! inputs.

use crossbeam_channel::{Receiver, Sender, bounded};
use event::{Block, Timestamp};

use crate::file::ReadError;

/// One step of an input.
#[derive(Debug)]
pub enum Pulled {
    /// Lines of one source.
    Block {
        /// The lines.
        block: Block,
        /// Nothing that follows begins before this; `None` where nothing follows.
        followed_by: Option<Timestamp>,
    },
    /// Nothing has come for a moment.
    Idle,
    /// Everything pulled before it must be committed before it is passed.
    Barrier(Barrier),
    /// A file could not be read to its end. The lines before were given.
    Failed {
        /// The file.
        name: String,
        /// Why.
        error: ReadError,
    },
}

/// Where the pipeline gets its blocks from. Workers take turns.
pub trait Pull: Send {
    /// The next thing to do; `None` when the input has ended. A live source gives [`Pulled::Idle`] instead of waiting long.
    fn pull(&mut self) -> Option<Pulled>;
}

/// Dropped or passed by the committer once all before it is committed.
#[derive(Debug)]
pub struct Barrier(Sender<()>);

impl Barrier {
    /// The barrier, and what tells that it was passed.
    pub fn new() -> (Self, Receiver<()>) {
        let (passed, waiting) = bounded(1);
        (Barrier(passed), waiting)
    }

    /// Tells whoever waits that everything before the barrier is committed.
    pub fn pass(self) {
        // Nobody may wait any more.
        let _given_up = self.0.try_send(());
    }
}
