//! Drives `kadscope_fuzz::advertisement::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::advertisement::check(bytes));
