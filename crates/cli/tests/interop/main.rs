//! Peers of other implementations: kadscope crawls them, and their crawler crawls kadscope's testnet. What is true is
//! read from the routing tables of the peers themselves.
//!
//! The programs are those of `peers/`; they are built first, and a test whose program cannot be built or run fails.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails, in its helpers too")]

extern crate hoard as kadscope_hoard;
extern crate perf as kadscope_perf;

mod acquainted;
mod autonat;
mod crawl;
mod crawler;
mod guest;
mod hoard;
mod hydra;
mod indexer;
#[path = "../../../perf/tests/ipni/indexer.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it has more whims than are wanted here, and ends at the first error"
)]
mod ipni;
mod kubo;
mod limits;
mod looks;
mod node;
mod perf;
mod program;
mod reachability;
mod servers;
mod space;
mod truth;
mod world;
