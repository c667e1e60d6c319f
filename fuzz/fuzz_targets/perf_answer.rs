//! Drives `kadscope_fuzz::perf_answer::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::perf_answer::check(bytes));
