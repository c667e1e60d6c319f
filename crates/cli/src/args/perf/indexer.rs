//! Which indexer a server publishes to and looks up at, where that is its strategy.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use http::HttpUrl;
use kad::{Multiaddr, delegated::RoutingFilters};
use perf::indexer::IndexerConfig;

use crate::args::watch::socket;

/// The indexer, and how it is published to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Indexer")]
pub(crate) struct PerfIndexerArgs {
    /// Publish to this indexer and look up at it, with --routing indexer
    #[arg(long, env = "KADSCOPE_PERF_SERVER_INDEXER", value_name = "URL", value_parser = url,
          required_if_eq("routing", "indexer"))]
    pub(crate) indexer: Option<HttpUrl>,

    /// Where the indexer is told of advertisements, below its URL
    #[arg(
        long,
        env = "KADSCOPE_PERF_SERVER_INDEXER_ANNOUNCE",
        value_name = "PATH",
        default_value = "/ingest/announce",
        requires = "indexer"
    )]
    pub(crate) indexer_announce: String,

    /// Within which the indexer asks for an advertisement and its multihashes
    #[arg(long, env = "KADSCOPE_PERF_SERVER_INDEXER_INDEX_TIMEOUT", value_name = "TIME", default_value = "1m",
          value_parser = kad::parse::duration, requires = "indexer")]
    pub(crate) indexer_index_timeout: Duration,

    /// For how long it is asked then whether it names the server
    #[arg(long, env = "KADSCOPE_PERF_SERVER_INDEXER_AVAILABILITY_TIMEOUT", value_name = "TIME", default_value = "2m",
          value_parser = kad::parse::duration, requires = "indexer")]
    pub(crate) indexer_availability_timeout: Duration,

    /// Between two such questions
    #[arg(long, env = "KADSCOPE_PERF_SERVER_INDEXER_INTERVAL", value_name = "TIME", default_value = "1s",
          value_parser = kad::parse::duration, requires = "indexer")]
    pub(crate) indexer_interval: Duration,

    /// Which records lookups ask for, by what their providers speak, with commas between
    #[arg(long, env = "KADSCOPE_PERF_SERVER_INDEXER_FILTER_PROTOCOLS", value_name = "NAMES",
          default_value = "unknown,transport-bitswap", value_parser = protocols, requires = "indexer")]
    pub(crate) indexer_filter_protocols: RoutingFilters,

    /// Where advertisements are served
    #[arg(long, env = "KADSCOPE_PERF_SERVER_PUBLISHER", value_name = "IP:PORT", default_value = "127.0.0.1:2020",
          value_parser = socket, requires = "indexer")]
    pub(crate) publisher: SocketAddr,

    /// Where the indexer reaches them, /ip4/192.0.2.1/tcp/2020/http for instance [default: where they are served]
    #[arg(
        long,
        env = "KADSCOPE_PERF_SERVER_PUBLISHER_ANNOUNCE",
        value_name = "MULTIADDR",
        requires = "indexer"
    )]
    pub(crate) publisher_announce: Option<Multiaddr>,
}

impl PerfIndexerArgs {
    /// How the indexer is published to by a peer at these addresses; `None` if there is none.
    pub(crate) fn config(&self, addresses: Vec<Multiaddr>, seed: u64) -> Option<IndexerConfig> {
        Some(IndexerConfig {
            announced: self.publisher_announce.clone(),
            addresses,
            announce_path: self.indexer_announce.clone(),
            index_time: self.indexer_index_timeout,
            availability_time: self.indexer_availability_timeout,
            interval: self.indexer_interval,
            filters: self.indexer_filter_protocols.clone(),
            seed,
            ..IndexerConfig::new(self.indexer.clone()?, self.publisher)
        })
    }
}

fn url(text: &str) -> Result<HttpUrl, String> {
    text.parse().map_err(|error: http::HttpError| error.to_string())
}

fn protocols(text: &str) -> Result<RoutingFilters, String> {
    RoutingFilters::new(text, "").map_err(|error| error.to_string())
}
