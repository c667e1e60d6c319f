//! Drives `kadscope_fuzz::password_line::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::password_line::check(bytes));
