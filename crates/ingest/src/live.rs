//! Sources that do not end, as one input of the pipeline: each runs on its own and hands blocks to a bounded queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use event::{Block, Position, Source};

use crate::input::{Barrier, Pull, Pulled};
use crate::spool::SpoolReader;

/// Blocks that wait for a worker.
const QUEUE_BLOCKS: usize = 4;
/// Longest that a worker waits before it reports that nothing came.
const PATIENCE: Duration = Duration::from_millis(20);

/// What sources hand over.
#[derive(Debug)]
pub enum Item {
    /// Lines of one source.
    Block(Block),
    /// Everything handed over before it must be committed before it is passed.
    Barrier(Barrier),
}

/// The pipeline's end of the queue. Ends when the flag is set: what was not pulled is read again by the next start.
#[derive(Debug)]
pub struct LiveInput {
    items: Receiver<Item>,
    stop: Arc<AtomicBool>,
}

/// The queue: a sender for each source, and the input of the pipeline.
pub fn queue(stop: Arc<AtomicBool>) -> (Sender<Item>, LiveInput) {
    let (sender, items) = bounded(QUEUE_BLOCKS);
    (sender, LiveInput { items, stop })
}

impl Pull for LiveInput {
    fn pull(&mut self) -> Option<Pulled> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        match self.items.recv_timeout(PATIENCE) {
            Ok(Item::Block(block)) => Some(Pulled::Block { block, followed_by: None }),
            Ok(Item::Barrier(barrier)) => Some(Pulled::Barrier(barrier)),
            Err(RecvTimeoutError::Timeout) => Some(Pulled::Idle),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

/// Feeds the spool's blocks from the position on, until the pipeline ends.
pub fn feed_spool(mut reader: SpoolReader, queue: &Sender<Item>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        if let Some(block) = reader.next_block(PATIENCE)
            && queue.send(Item::Block(block)).is_err()
        {
            return;
        }
    }
}

/// Why a source could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The store was away: the same question may be answered later.
    #[error("{0}")]
    Passing(String),
    /// The question itself was refused: asking again changes nothing.
    #[error("{0}")]
    Final(String),
}

/// Where sources go on, asked before they are read.
pub trait Resume: Send + Sync {
    /// Takes the source over: from now on only this process commits for it. Gives where to go on, if that is known.
    fn claim(&self, source: &Source) -> Result<Option<Position>, ClaimError>;
}
