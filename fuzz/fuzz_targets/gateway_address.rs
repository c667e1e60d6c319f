//! Drives `kadscope_fuzz::gateway::check_address`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::gateway::check_address(bytes));
