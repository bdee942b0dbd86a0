//! Arbitrary bytes behind the beginnings of envelopes and records of several lines: one event for each line, offsets inside.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_enveloped(bytes));
