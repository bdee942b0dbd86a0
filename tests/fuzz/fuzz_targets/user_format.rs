//! Arbitrary text as definitions of formats, and lines read by those that compile: no panic, every problem has a reason.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::define_format(text));
