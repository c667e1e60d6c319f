//! Drives `kadscope_fuzz::written_key::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::written_key::check(bytes));
