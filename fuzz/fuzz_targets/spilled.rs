//! Drives `kadscope_fuzz::spilled::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::spilled::check(bytes));
