//! What a user can set of a crawl. The doc comments are the help.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::strategy::CrawlStrategy;

/// The longest that anything is waited for.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// How to crawl.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Crawl")]
pub struct CrawlConfig {
    /// Keep who knows whom: the routing table of every visited peer
    #[arg(long, env = "KADSCOPE_CRAWL_NEIGHBORS")]
    pub neighbors: bool,

    /// Ask every peer for all 16 prefixes, also where its answers prove that the deeper ones hold nothing new
    #[arg(long, env = "KADSCOPE_CRAWL_ALL_PREFIXES")]
    pub all_prefixes: bool,

    /// Ask further inside buckets that may hold more than one answer names, until answers bring nothing new (js-libp2p
    /// peers keep such tables)
    #[arg(long, env = "KADSCOPE_CRAWL_WHOLE_TABLES")]
    pub whole_tables: bool,

    /// Stop after this many visits; the run is then marked cancelled
    #[arg(long, env = "KADSCOPE_CRAWL_LIMIT", value_name = "N")]
    pub limit: Option<u64>,

    /// Conversations at once. Dials that wait for longer than dials usually take do not count
    #[arg(long, env = "KADSCOPE_CRAWL_PARALLELISM", value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub parallelism: u32,

    /// Dials at once, those included that wait for hosts that do not answer. The default is lowered to what the limit
    /// of open files allows
    #[arg(long, env = "KADSCOPE_CRAWL_MAX_DIALS", value_name = "N", default_value_t = 8192,
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub max_dials: u32,

    /// How long a peer may take to answer one request
    #[arg(long, env = "KADSCOPE_CRAWL_REQUEST_TIMEOUT", value_name = "TIME", default_value = "10s",
          value_parser = parse_duration)]
    #[serde(serialize_with = "as_seconds")]
    pub request_timeout: Duration,

    /// Keep at most this many peers in mind: what is heard of beyond that is counted, not visited
    #[arg(long, env = "KADSCOPE_CRAWL_MAX_PEERS", value_name = "N", default_value_t = 1_000_000,
          value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub max_peers: u32,

    /// Seed of the order of visits [default: drawn at random, and kept with the run]
    #[arg(long, env = "KADSCOPE_CRAWL_SEED", value_name = "N")]
    pub seed: Option<u64>,

    /// How peers are found
    #[arg(skip)]
    #[serde(flatten)]
    pub strategy: CrawlStrategy,
}

impl Default for CrawlConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            neighbors: false,
            all_prefixes: false,
            whole_tables: false,
            limit: None,
            parallelism: 500,
            max_dials: 8192,
            request_timeout: Duration::from_secs(10),
            max_peers: 1_000_000,
            seed: None,
            strategy: CrawlStrategy::Tables,
        }
    }
}

/// Reads a time with its unit, above zero and at most a day: `500ms`, `5s`, `2m`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = kad::parse::duration(text).map_err(|error| error.to_string())?;
    if duration > MAX_WAIT { Err("the time is at most 24h".to_owned()) } else { Ok(duration) }
}

/// Writes a time as a number of seconds.
pub fn as_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_command_line() {
        let command = CrawlConfig::augment_args(Command::new("crawl"));
        let parsed = CrawlConfig::from_arg_matches(&command.get_matches_from(["crawl"])).expect("defaults");
        assert_eq!(format!("{parsed:?}"), format!("{:?}", CrawlConfig::default()));
    }

    #[test]
    fn times_need_units_and_bounds() {
        assert_eq!(parse_duration("1500ms"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "5", "0s", "-1s", "2d", "soon"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
