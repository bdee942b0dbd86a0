//! Arbitrary bytes as lines of `/var/log`: packages, boot, logins, Windows XML.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::parse_host(bytes));
