//! A Windows event log that is damaged somewhere: lines or a reason, no panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read_event_log(bytes));
