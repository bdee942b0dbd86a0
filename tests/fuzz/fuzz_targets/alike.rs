//! Arbitrary changes of the example of each shape, line behind line: each is read as if it stood alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_alike(bytes));
