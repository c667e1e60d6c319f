//! Drives `kadscope_fuzz::access::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::access::check(bytes));
