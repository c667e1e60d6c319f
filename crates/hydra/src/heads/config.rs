//! How a hydra lives.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use dht::{ANSWER_PATIENCE, PoolConfig};
use kad::{
    Contact, Keypair, Multiaddr,
    lookup::{ALPHA, Rules},
    message::K,
    table::{REFRESH_INTERVAL, TableRules, answer_grace},
};
use store::Belly;

use crate::{commons::MAX_PEERS, delegated::Delegated, load::LoadConfig, prefetch::PrefetchConfig};

/// How a hydra lives.
#[derive(Debug, Clone)]
pub struct HydraConfig {
    /// Its heads, at least one.
    pub heads: Vec<HeadConfig>,
    /// The agent string of all heads.
    pub agent: String,
    /// The names of the network's kad protocol, the preferred one first. Each head serves all of them.
    pub protocols: Arc<[String]>,
    /// The peers to begin with, and to come back to whenever no server is known.
    pub bootstrap: Vec<Contact>,
    /// Where records are kept. Whoever gave it closes it.
    pub belly: Belly,
    /// The size of buckets and the limits on groups of addresses. Default buckets of 20 without limits.
    pub rules: TableRules,
    /// The most servers that are known, for all heads together. Default [`MAX_PEERS`].
    pub max_peers: usize,
    /// How often what is known of the network is refreshed, and who is new to a head hears of it. Default [`REFRESH_INTERVAL`].
    pub refresh: Duration,
    /// How long a server may go without answering until it is asked. Default [`answer_grace`] of that interval.
    pub grace: Duration,
    /// By which rules peers are looked up. Default those of Go.
    pub lookups: Rules,
    /// How long an answer is awaited. Default [`ANSWER_PATIENCE`].
    pub patience: Duration,
    /// How many connections all heads together open for lookups and tests, and for how long they keep them. Beside these there are those of
    /// [`JoiningConfig::linger`].
    pub pool: PoolConfig,
    /// How the heads come into the tables of others.
    pub joining: JoiningConfig,
    /// How long each head waits for the next one to join. Default no time.
    pub stagger: Duration,
    /// How much is fetched beforehand of what the belly was asked for and does not have; `None` for nothing.
    pub prefetch: Option<PrefetchConfig>,
    /// A service that is asked for providers beside the belly, as its strategy says. Default none.
    pub delegated: Option<Delegated>,
    /// What is done under load.
    pub load: LoadConfig,
    /// What time it is when the hydra joins, since the Unix epoch: records are dated by it.
    pub now: Duration,
    /// Seed of its random choices: which keys are looked up.
    pub seed: u64,
}

/// A head.
#[derive(Debug, Clone)]
pub struct HeadConfig {
    /// Its number over the whole fleet.
    pub index: u64,
    /// Who it is.
    pub keypair: Keypair,
    /// Where it listens: addresses of IP, TCP or QUIC, with port 0 where the system is to choose one.
    pub listen: Vec<Multiaddr>,
    /// Where it says that it can be dialled; none: where it listens.
    pub announce: Vec<Multiaddr>,
}

/// How heads come into the tables of others: each dials those who are to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoiningConfig {
    /// How many are dialled and asked at a time by all heads together. Default 32 (hydra-booster, `-bootstrap-conc`).
    pub parallel: NonZeroUsize,
    /// How many are dialled in any second at most. Default 64.
    pub per_s: NonZeroUsize,
    /// How many of each bucket a head dials beside the [`K`] closest to it. Default 8.
    pub per_bucket: usize,
    /// How long a connection is held on which a head was heard of: servers ask back on it before they take anybody in. Default 2 s.
    /// So there are at most `parallel` such connections and those of so many seconds at `per_s`.
    pub linger: Duration,
}

impl Default for JoiningConfig {
    fn default() -> Self {
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self { parallel: number(32), per_s: number(64), per_bucket: 8, linger: Duration::from_secs(2) }
    }
}

impl HydraConfig {
    /// The defaults, for a hydra that knows nobody.
    pub fn new(heads: Vec<HeadConfig>, protocols: Arc<[String]>, belly: Belly, now: Duration) -> Self {
        Self {
            heads,
            agent: String::new(),
            protocols,
            bootstrap: Vec::new(),
            belly,
            rules: TableRules::default(),
            max_peers: MAX_PEERS,
            refresh: REFRESH_INTERVAL,
            grace: answer_grace(K, ALPHA, REFRESH_INTERVAL),
            lookups: Rules::go(),
            patience: ANSWER_PATIENCE,
            pool: PoolConfig::default(),
            joining: JoiningConfig::default(),
            stagger: Duration::ZERO,
            prefetch: None,
            delegated: None,
            load: LoadConfig::default(),
            now,
            seed: 0,
        }
    }
}
