//! Memory for bodies: what comes, and the work on it, in steps that are given out and back. Reads nothing.

use std::sync::Arc;
use std::time::Duration;

use event::Timestamp;
use ingest::spool::Spool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Bytes of a body that wait in memory: the rest of it, and all that finds no room there, waits in a file.
pub(super) const HELD_BYTES_MAX: usize = 1 << 20;
/// Large bodies that are worked on at once.
pub(super) const LARGE_AT_ONCE: usize = 2;
/// Memory that one body takes while it is worked on, in bytes: unpacked at once; with the window of zstd.
pub(super) const WORK_BYTES: usize = 4 << 20;
pub(super) const WORK_BYTES_ZSTD: usize = 12 << 20;
/// Least memory for all bodies: half is for those that come, half for the work on them.
pub const BODIES_BYTES_MIN: u64 = 2 * WORK_BYTES_ZSTD as u64;
/// Memory of a body that is worked on in pieces: a line in hand, and the events that it may become.
pub(super) const WORK_BYTES_PIECES: usize = 8 << 20;
/// What memory is given out in, in bytes.
pub(super) const STEP_BYTES: usize = 64 << 10;
/// Longest wait for memory to work on a body in.
const WORK_WAIT: Duration = Duration::from_secs(15);

/// What the handlers work with.
#[derive(Clone, Debug)]
pub struct IngestState {
    /// Where events are kept before they are acknowledged.
    pub spool: Spool,
    /// Longest body in bytes, decompressed.
    pub body_bytes_max: u64,
    /// Time of reception.
    pub clock: fn() -> Timestamp,
    /// Steps of memory for bodies that come, and for the work on them.
    pub(super) coming: Arc<Semaphore>,
    pub(super) work: Arc<Semaphore>,
    pub(super) large: Arc<Semaphore>,
    /// Steps of memory for work in all.
    work_steps: u32,
}

impl IngestState {
    /// `bodies_bytes_max`: memory of all bodies together.
    pub fn new(spool: Spool, body_bytes_max: u64, bodies_bytes_max: u64, clock: fn() -> Timestamp) -> Self {
        let half = steps((bodies_bytes_max.max(BODIES_BYTES_MIN) / 2).min(u64::from(u32::MAX)) as usize);
        let [coming, work] = [half as usize; 2].map(|half| Arc::new(Semaphore::new(half)));
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        IngestState { spool, body_bytes_max, clock, coming, work, large, work_steps: half }
    }

    /// Whether there is room for a body of which so much is announced.
    pub(super) fn has_room(&self, announced: Option<u64>) -> bool {
        let wanted = announced.unwrap_or(0).min(HELD_BYTES_MAX as u64) as usize;
        self.coming.available_permits() >= steps(wanted.max(1)) as usize
    }

    /// Memory to work in, as soon as others give it back; all that there is where more is wanted.
    pub(super) async fn room_for_work(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let room = Arc::clone(&self.work).acquire_many_owned(steps(bytes).min(self.work_steps));
        match tokio::time::timeout(WORK_WAIT, room).await {
            Ok(Ok(room)) => Ok(room),
            _ => {
                metrics::counter!("ingest_refused_total", "source" => "http", "reason" => "memory").increment(1);
                Err(Problem::busy("other bodies are still worked on: send it again after a pause"))
            }
        }
    }
}

pub(super) fn steps(bytes: usize) -> u32 {
    bytes.div_ceil(STEP_BYTES) as u32
}
