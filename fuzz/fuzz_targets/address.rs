//! Drives `kadscope_fuzz::address::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::address::check(bytes));
