//! Arbitrary bytes as files that hold no text (UTF-16, records of logins, Windows event logs): whole lines, no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read_contents(bytes));
