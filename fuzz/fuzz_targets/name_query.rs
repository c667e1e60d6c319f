//! Drives `kadscope_fuzz::name_query::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::name_query::check(bytes));
