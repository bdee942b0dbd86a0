//! Arbitrary text as a file of shapes: no panic, a place and a reason for every refusal, and lines are read by what was loaded.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::read_shapes(text));
