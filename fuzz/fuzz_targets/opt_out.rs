//! Drives `kadscope_fuzz::opt_out::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::opt_out::check(bytes));
