//! Which indexer is published to, and how.

use std::{net::SocketAddr, time::Duration};

use delegated::{BreakerRules, RoutingServiceConfig};
use http::{HttpError, HttpUrl};
use kad::{Multiaddr, delegated::RoutingFilters, policy::Addresses};

use super::head::MAINNET_TOPIC;

/// Which indexer, and how it is published to. The defaults are Parsec's.
#[derive(Debug, Clone)]
pub struct IndexerConfig {
    /// The indexer: any that speaks IPNI, over http or https.
    pub indexer: HttpUrl,
    /// Where advertisements are served.
    pub publisher: SocketAddr,
    /// Where the indexer is told to fetch them, without the peer's id: `/ip4/192.0.2.1/tcp/2020/http`; `None` for where they are served.
    pub announced: Option<Multiaddr>,
    /// Where this server's content is fetched.
    pub addresses: Vec<Multiaddr>,
    /// Below the indexer, where it is announced to: `/ingest/announce`, or `/announce` of indexers that know that alone.
    pub announce_path: String,
    /// What the chain is about.
    pub topic: String,
    /// Within which the indexer asks for an advertisement and its multihashes, since the publication began; 1 minute.
    pub index_time: Duration,
    /// For how long it is asked after that whether it names this server; 2 minutes.
    pub availability_time: Duration,
    /// Between two such questions; 1 second.
    pub interval: Duration,
    /// How long something stays published; 1 hour.
    pub lifetime: Duration,
    /// How often what is older is taken back; 1 hour.
    pub collect_every: Duration,
    /// How long the indexer has at the end to fetch what takes all back; 10 seconds.
    pub farewell_time: Duration,
    /// Which records are asked for in lookups.
    pub filters: RoutingFilters,
    /// What the ids of contexts come from: another one each time the program begins.
    pub seed: u64,
}

impl IndexerConfig {
    /// Parsec's defaults for an indexer and a place to publish at.
    pub fn new(indexer: HttpUrl, publisher: SocketAddr) -> Self {
        Self {
            indexer,
            publisher,
            announced: None,
            addresses: Vec::new(),
            announce_path: "/ingest/announce".to_owned(),
            topic: MAINNET_TOPIC.to_owned(),
            index_time: Duration::from_secs(60),
            availability_time: Duration::from_secs(120),
            interval: Duration::from_secs(1),
            lifetime: Duration::from_secs(3600),
            collect_every: Duration::from_secs(3600),
            farewell_time: Duration::from_secs(10),
            filters: RoutingFilters::of_go(),
            seed: 0,
        }
    }
}

/// What can go wrong before anything is published.
#[derive(Debug, thiserror::Error)]
pub enum IndexerError {
    /// Advertisements cannot be served, or nobody can be asked.
    #[error("an indexer cannot be published to: {0}")]
    Http(#[from] HttpError),
    /// Where they are served is no address that an indexer could be told.
    #[error("an indexer cannot be told to fetch at {address}: say where it reaches this server")]
    Unspecified {
        /// Where they are served.
        address: SocketAddr,
    },
}

impl IndexerConfig {
    /// How lookups are made at it.
    pub(super) fn service(&self) -> RoutingServiceConfig {
        RoutingServiceConfig {
            filters: self.filters.clone(),
            breaker: BreakerRules::never(),
            // Whether a provider could be dialled is no matter of this: it is found if it is named.
            addresses: Addresses::Any,
            lines_alone: true,
            by_v0: true,
            ..RoutingServiceConfig::new(self.indexer.clone())
        }
    }
}
