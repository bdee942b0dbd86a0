//! Arbitrary bytes within the example of each format of the table: one event for each line, wherever the block is cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_each(bytes));
