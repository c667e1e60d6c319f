//! Studies in networks whose truth is known, in virtual time: what they say of holders beside what these do.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

mod built;
mod content;
mod coverage;
mod figures;
mod ground;
mod holders;
mod judging;
mod lives;
mod savings;
mod studies;
mod together;
mod watching;
