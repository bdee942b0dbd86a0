//! Arbitrary bytes as `haproxy` lines: no panic, one event for each line, every value printable as JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_as("haproxy", bytes));
