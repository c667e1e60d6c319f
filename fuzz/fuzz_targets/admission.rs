//! Drives `kadscope_fuzz::admission::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::admission::check(bytes));
