//! Drives `kadscope_fuzz::exchange::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::exchange::check(bytes));
