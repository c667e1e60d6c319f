//! How large a demonstration of `hoard` is, and where its report goes.

use std::path::PathBuf;

use clap::Args;

/// How much is published and watched, and what becomes of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct HoardDemoArgs {
    /// How many peers the network has
    #[arg(long, env = "KADSCOPE_HOARD_DEMO_PEERS", value_name = "N", default_value_t = 320,
          value_parser = clap::value_parser!(u32).range(100..=10_000))]
    pub(crate) peers: u32,

    /// How many keys are published
    #[arg(long, env = "KADSCOPE_HOARD_DEMO_CIDS", value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) cids: u32,

    /// Everything random comes from it: the same seed gives the same report
    #[arg(long, env = "KADSCOPE_HOARD_DEMO_SEED", value_name = "N", default_value_t = 17)]
    pub(crate) seed: u64,

    /// Write the report into this directory: it is made, or is one in which nothing but a report is
    #[arg(long, env = "KADSCOPE_HOARD_DEMO_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Keep its rows in this SQLite file, too, for `hoard report` and `hoard savings`
    #[arg(long, env = "KADSCOPE_HOARD_DEMO_KEEP", value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,

    /// Print the numbers as JSON
    #[arg(long, env = "KADSCOPE_JSON")]
    pub(crate) json: bool,
}
