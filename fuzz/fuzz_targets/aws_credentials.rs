//! Drives `kadscope_fuzz::aws_credentials::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::aws_credentials::check(bytes));
