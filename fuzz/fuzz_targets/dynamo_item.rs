//! Drives `kadscope_fuzz::dynamo_item::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::dynamo_item::check(bytes));
