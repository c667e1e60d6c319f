//! Drives `kadscope_fuzz::scenario::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::scenario::check(bytes));
