//! A few bytes again and again within the example of each format: no line takes long.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read_long(bytes));
