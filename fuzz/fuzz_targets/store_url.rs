//! Drives `kadscope_fuzz::store_url::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::store_url::check(bytes));
