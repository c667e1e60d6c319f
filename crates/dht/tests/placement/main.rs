//! Whether records come to those who should hold them, by a table of the whole network and by sweeps, in virtual time and on sockets.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod full_table;
mod known;
mod sweep;
mod wire;
