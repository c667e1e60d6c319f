//! What can be asked of every command that stays up: where it is watched from, by whom, and how long it may take to end.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

use super::parse_size;

/// Where a command is watched from, and what is written down when memory gets short.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Watching")]
pub(crate) struct WatchArgs {
    /// Answer /metrics, /health and /ready by HTTP at this address [default: nowhere]
    #[arg(long, env = "KADSCOPE_METRICS_ADDR", value_name = "IP:PORT", value_parser = socket)]
    pub(crate) metrics_addr: Option<SocketAddr>,

    /// Answer those only who have the token in this file (`Authorization: Bearer TOKEN`). `KADSCOPE_METRICS_TOKEN` may have the
    /// token itself
    #[arg(long, env = "KADSCOPE_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) metrics_token_file: Option<PathBuf>,

    /// Answer everybody who can reach the address, without a token; on loopback that is so anyway
    #[arg(long, env = "KADSCOPE_OPEN", conflicts_with = "metrics_token_file")]
    pub(crate) open: bool,

    /// Let those who may ask also have a CPU profile made, at /debug/profile?seconds=N
    #[arg(long, env = "KADSCOPE_PROFILE")]
    pub(crate) profile: bool,

    /// How much memory there is, such as 512MiB or 2GB [default: what the control group allows, if it has a limit]
    #[arg(long, env = "KADSCOPE_MEMORY_LIMIT", value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory_limit: Option<u64>,

    /// Write once to this file what holds memory when 80 % of that are in use; a file that is there is left alone
    #[arg(
        long,
        env = "KADSCOPE_MEMORY_REPORT",
        value_name = "FILE",
        default_value = "kadscope-memory-report.json"
    )]
    pub(crate) memory_report: PathBuf,

    /// How long it may take to end in good order after Ctrl-C, SIGTERM or SIGHUP: what has not ended by then is ended as by a kill
    #[arg(long, env = "KADSCOPE_STOP_TIMEOUT", value_name = "TIME", default_value = "45s",
          value_parser = crawl::parse_duration)]
    pub(crate) stop_timeout: Duration,
}

pub(super) fn socket(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:9600 or [::1]:9600")
}
