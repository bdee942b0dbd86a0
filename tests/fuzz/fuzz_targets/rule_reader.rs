//! Arbitrary text as a rule file: no panic, a reason for every refusal, and the matcher agrees with the naive evaluator.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::read_rules(text));
