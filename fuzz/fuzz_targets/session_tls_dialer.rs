//! Drives `kadscope_fuzz::session::raw::check_tls_dialer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kadscope_fuzz::session::raw::check_tls_dialer(bytes));
