//! Drives `kadscope_fuzz::protobuf::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::protobuf::check(bytes));
