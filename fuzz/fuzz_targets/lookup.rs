//! Drives `kadscope_fuzz::lookup::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::lookup::check(bytes));
