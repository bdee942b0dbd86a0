//! HeldMemory that the connections of one port take together for messages that are not whole yet. What an idle connection has is not
//! counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Bytes of all connections.
const ALL_BYTES_MAX: usize = 64 << 20;
/// Bytes of one connection that are not counted.
const FREE_BYTES: usize = 64 << 10;
/// Longest wait for room, and between two looks.
const WAIT_MAX: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Of all connections.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldMemory(Arc<AtomicUsize>);

/// Of one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct HeldBytes {
    memory: HeldMemory,
    bytes: usize,
}

impl HeldMemory {
    pub(super) fn nothing(&self) -> HeldBytes {
        HeldBytes { memory: self.clone(), bytes: 0 }
    }
}

impl HeldBytes {
    /// Has room for so many bytes from now on, be it more or less than before; false where there is none.
    pub(super) async fn grow(&mut self, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(FREE_BYTES);
        let all = &self.memory.0;
        if wanted <= self.bytes {
            all.fetch_sub(self.bytes - wanted, Ordering::Relaxed);
            self.bytes = wanted;
            return true;
        }
        let more = wanted - self.bytes;
        let until = Instant::now() + WAIT_MAX;
        loop {
            let taken = all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                taken.checked_add(more).filter(|taken| *taken <= ALL_BYTES_MAX)
            });
            if taken.is_ok() {
                self.bytes = wanted;
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOK).await;
        }
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
