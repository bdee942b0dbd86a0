//! Arbitrary bytes within bodies of shippers' protocols: the same whole lines however the bytes come, and a reason for what is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read_payloads(bytes));
