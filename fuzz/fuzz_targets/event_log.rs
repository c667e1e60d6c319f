//! Drives `kadscope_fuzz::event_log::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::event_log::check(bytes));
