//! Whom to ask whether all is well.

use std::path::PathBuf;

use clap::Args;

/// Which program to ask.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Where it answers: what it was started with as --metrics-addr. A path says what is asked for, such as /ready; without one
    /// it is /health
    #[arg(value_name = "http://IP:PORT[/PATH]")]
    pub(crate) url: String,

    /// The file with its token. `KADSCOPE_METRICS_TOKEN` may have the token itself
    #[arg(long, env = "KADSCOPE_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) metrics_token_file: Option<PathBuf>,
}
