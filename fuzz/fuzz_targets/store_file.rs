//! Drives `kadscope_fuzz::store_file::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::store_file::check(bytes));
