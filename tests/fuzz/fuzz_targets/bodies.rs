//! Arbitrary bytes as the body of a request: both readers give the same lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read_bodies(bytes));
