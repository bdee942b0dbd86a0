//! Arbitrary bytes as values of entries of the journal: one event for each line, whatever the lengths say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_journal(bytes));
