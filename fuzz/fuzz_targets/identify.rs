//! Drives `kadscope_fuzz::identify::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::identify::check(bytes));
