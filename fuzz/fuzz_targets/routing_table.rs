//! Drives `kadscope_fuzz::routing_table::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::routing_table::check(bytes));
