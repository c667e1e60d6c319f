//! Servers called over sockets: what Go's scheduler sent and what Go's servers answered, and servers that answer in all other ways.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

mod addresses;
mod answers;
mod replay;
mod stub;
