//! Drives `kadscope_fuzz::value::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::value::check(bytes));
