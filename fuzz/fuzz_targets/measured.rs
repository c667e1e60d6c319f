//! Drives `kadscope_fuzz::measured::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::measured::check(bytes));
