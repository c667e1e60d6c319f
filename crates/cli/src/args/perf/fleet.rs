//! Which servers to list.

use clap::Args;

use crate::args::StorePlace;

/// Which servers, and where they are registered.
#[derive(Debug, Args)]
pub(crate) struct PerfFleetArgs {
    /// Those of these fleets, after commas [default: all]
    #[arg(long, env = "KADSCOPE_PERF_FLEET_FLEETS", value_name = "NAME", value_delimiter = ',')]
    pub(crate) fleets: Vec<String>,

    /// Those, too, that are gone for more than a day
    #[arg(long, env = "KADSCOPE_PERF_FLEET_ALL")]
    pub(crate) all: bool,

    /// In Parsec's tables of a PostgreSQL database
    #[arg(long, env = "KADSCOPE_PERF_FLEET_PARSEC_COMPAT")]
    pub(crate) parsec_compat: bool,

    #[command(flatten)]
    pub(crate) place: StorePlace,
}
