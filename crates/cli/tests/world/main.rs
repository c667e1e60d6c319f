//! Worlds as their users meet them: what runs in one, what it is told, how it ends, and that nothing leaves.
//!
//! Needs the right to make namespaces; without it every test fails, with the program's own words about what to set.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails, in its helpers too")]

mod ends;
mod inside;
mod one_address;
mod program;
mod refused;
mod watched;
