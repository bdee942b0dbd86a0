//! Timing by hand: the best of several runs, and the machine's own line-splitting rate for comparison.

use std::time::Instant;

/// Seconds of the fastest of `runs` runs.
pub fn best_of(runs: usize, mut work: impl FnMut()) -> f64 {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

/// Lines per second of doing nothing but finding line ends with memchr.
pub fn split_rate(text: &[u8], runs: usize) -> f64 {
    let mut lines = 0_usize;
    let seconds = best_of(runs, || lines = std::hint::black_box(memchr::memchr_iter(b'\n', text).count()));
    // `count` is a specialised bulk count; walking the ends one by one is what a parser has to do.
    let walked = best_of(runs, || {
        let mut last = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            last = std::hint::black_box(end);
        }
        std::hint::black_box(last);
    });
    lines as f64 / walked.max(seconds)
}
