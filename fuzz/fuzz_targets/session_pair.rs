//! Drives `kadscope_fuzz::session::pair::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::session::pair::check(bytes));
