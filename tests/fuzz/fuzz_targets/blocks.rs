//! Arbitrary bytes through the block reader and the parser: positions add up to the input.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::cut_blocks(bytes));
