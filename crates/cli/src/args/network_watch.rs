//! What can be asked of whoever looks on at a network.

use std::time::Duration;

use clap::Args;
use store::StoreUrl;

use super::store_url;
use crate::reach::ReachArgs;

/// Which network is looked at, how, and how it is shown.
#[derive(Debug, Args)]
pub(crate) struct NetworkWatchArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Look at no network, but follow the store that somebody measures into (`kadscope monitor`, or one crawl after the other): an SQLite
    /// file (sqlite:PATH, or a path ending in .sqlite, .sqlite3 or .db), or a database (`postgres://USER@HOST/DATABASE`, in programs
    /// built with the feature `postgres`). Of several networks in it --network-name says which [default: that of the newest run]
    #[arg(long, env = "KADSCOPE_WATCH_STORE", value_name = "URL", help_heading = "Watch", value_parser = store_url,
          conflicts_with = "bootstrap")]
    pub(crate) store: Option<StoreUrl>,

    /// How many conversations a crawl has at once, which finds who is there
    #[arg(long, env = "KADSCOPE_WATCH_SEARCH_WORKERS", value_name = "N", default_value_t = 64, help_heading = "Watch",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) search_workers: u32,

    /// How many peers are looked at at once, to see whether they are there still: of those that are up, and of others
    #[arg(long, env = "KADSCOPE_WATCH_LIVENESS_WORKERS", value_name = "N", default_value_t = 64, help_heading = "Watch",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) liveness_workers: u32,

    /// From the beginning of one crawl to that of the next
    #[arg(long, env = "KADSCOPE_WATCH_SEARCH_EVERY", value_name = "TIME", default_value = "5m", help_heading = "Watch",
          value_parser = crawl::parse_duration)]
    pub(crate) search_every: Duration,

    /// From one look at a peer that is new to the next; others are looked at up to four times as rarely
    #[arg(long, env = "KADSCOPE_WATCH_LOOK_EVERY", value_name = "TIME", default_value = "1m", help_heading = "Watch",
          value_parser = crawl::parse_duration)]
    pub(crate) look_every: Duration,

    /// Looks a second at most, crawls apart
    #[arg(long, env = "KADSCOPE_WATCH_LOOKS_PER_S", value_name = "N", default_value_t = 100, help_heading = "Watch",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) looks_per_s: u32,

    /// How often a line is printed where there is no terminal, or an object
    #[arg(long, env = "KADSCOPE_WATCH_EVERY", value_name = "TIME", default_value = "10s", help_heading = "Output",
          value_parser = crawl::parse_duration)]
    pub(crate) every: Duration,

    /// For how long, such as 1h [default: until somebody leaves]
    #[arg(long = "for", env = "KADSCOPE_WATCH_FOR", value_name = "TIME", help_heading = "Watch", value_parser = kad::parse::duration)]
    pub(crate) lasts: Option<Duration>,

    /// Print one JSON object each period
    #[arg(long, env = "KADSCOPE_JSON", help_heading = "Output")]
    pub(crate) json: bool,
}
