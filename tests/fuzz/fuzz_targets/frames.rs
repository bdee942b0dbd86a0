//! Arbitrary bytes as messages of a syslog stream: the same messages however they are split over reads.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::cut_frames(bytes));
