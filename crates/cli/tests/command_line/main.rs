//! The program as its users meet it: what it prints where, how it ends, and that what it says is true.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails, in its helpers too")]

extern crate perf as kadscope_perf;

mod crawls;
#[cfg(feature = "prometheus")]
mod dashboard;
mod demo;
mod ending;
mod enrich;
mod environment;
mod errors;
mod export;
mod flags;
mod full_disk;
#[path = "../programs/go_server.rs"]
mod go_server;
mod help;
mod hoard;
mod hoard_content;
mod hoard_demo;
mod hoard_ending;
mod hoard_left_out;
mod hoard_report;
mod hoard_savings;
mod hydra;
#[path = "../../../perf/tests/ipni/indexer.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "it has more whims than are wanted here, and ends at the first error"
)]
mod ipni;
mod lookup;
mod lost_rows;
mod manners;
mod monitor;
mod monitor_again;
mod networks;
mod outputs;
mod perf_demo;
mod perf_explain;
mod perf_fleet;
mod perf_indexer;
mod perf_report;
mod perf_rows;
mod perf_server;
mod program;
mod provide;
mod provider;
mod random_walk;
mod report;
mod retrieval;
mod runs;
mod scheduler;
mod signals;
mod sql;
mod testnet;
mod watch;
mod watching;
