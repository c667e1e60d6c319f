//! Drives `kadscope_fuzz::belly_row::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::belly_row::check(bytes));
