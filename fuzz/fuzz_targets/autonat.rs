//! Drives `kadscope_fuzz::autonat::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::autonat::check(bytes));
