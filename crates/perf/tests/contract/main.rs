//! The HTTP API of a server beside what Parsec's servers answered: every recorded exchange is sent as it was, and what comes is compared.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod described;
mod exchange;
mod hostile;
mod recorded;
mod service;
