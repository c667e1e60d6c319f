//! How large a demonstration of `perf` is, and where its report goes.

use std::path::PathBuf;

use clap::Args;

/// How much is measured, and what becomes of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct PerfDemoArgs {
    /// How many peers the network has
    #[arg(long, env = "KADSCOPE_PERF_DEMO_PEERS", value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(50..=20_000))]
    pub(crate) peers: u32,

    /// How many days are measured, in virtual time: the last but one with cold connections, the last across fleets
    #[arg(long, env = "KADSCOPE_PERF_DEMO_DAYS", value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(3..=28))]
    pub(crate) days: u32,

    /// How many rounds each fleet has a day
    #[arg(long, env = "KADSCOPE_PERF_DEMO_ROUNDS", value_name = "N", default_value_t = 24,
          value_parser = clap::value_parser!(u32).range(1..=288))]
    pub(crate) rounds: u32,

    /// Everything random comes from it: the same seed gives the same report
    #[arg(long, env = "KADSCOPE_PERF_DEMO_SEED", value_name = "N", default_value_t = 17)]
    pub(crate) seed: u64,

    /// Write the report into this directory: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_PERF_DEMO_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}
