//! Arbitrary bytes as `rfc3164` lines: no panic, one event for each line, every value printable as JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_as("rfc3164", bytes));
