//! Which server to ask whether it is ready.

use std::{path::PathBuf, time::Duration};

use clap::Args;

/// Which server to ask, and how long.
#[derive(Debug, Args)]
pub(crate) struct PerfHealthArgs {
    /// Where its HTTP API is: what it was started with as --listen, or --server-host and --server-port of Parsec
    #[arg(value_name = "HOST:PORT")]
    pub(crate) server: String,

    /// How long to wait for its answer
    #[arg(long, env = "KADSCOPE_PERF_HEALTH_TIMEOUT", value_name = "TIME", default_value = "5s",
          value_parser = kad::parse::duration)]
    pub(crate) timeout: Duration,

    /// The file with its token. `KADSCOPE_PERF_TOKEN` may have the token itself
    #[arg(long, env = "KADSCOPE_PERF_HEALTH_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}
