//! What strangers can cause as often as they like is told once a minute for each port and kind, and counted each time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines about the same thing.
const APART: Duration = Duration::from_secs(60);

/// When each kind was told last; ports and kinds are words of ours, so that it stays small.
static TOLD: Mutex<Vec<(&'static str, &'static str, Instant)>> = Mutex::new(Vec::new());

/// Whether it is time to tell this of this port.
pub fn tell_rarely(port: &'static str, kind: &'static str) -> bool {
    let now = Instant::now();
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    match told.iter_mut().find(|(known, what, _)| (*known, *what) == (port, kind)) {
        Some((_, _, last)) if now.duration_since(*last) < APART => false,
        Some((_, _, last)) => {
            *last = now;
            true
        }
        None => {
            told.push((port, kind, now));
            true
        }
    }
}
