//! Drives `kadscope_fuzz::certificate::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::certificate::check(bytes));
