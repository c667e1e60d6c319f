//! Drives `kadscope_fuzz::routing_answer::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::routing_answer::check(bytes));
