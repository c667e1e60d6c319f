//! Drives `kadscope_fuzz::bitswap::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::bitswap::check(bytes));
