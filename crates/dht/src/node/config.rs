//! How a node lives.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Keypair, Multiaddr, PeerId,
    lookup::Rules,
    table::{REFRESH_INTERVAL, TableRules},
};

use super::seen::RequestWatch;
#[cfg(doc)]
use crate::finder::Finder;
use crate::{RequestPace, finder::ANSWER_PATIENCE, pool::PoolConfig};

/// How a node lives.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Who it is.
    pub keypair: Keypair,
    /// What it says of itself.
    pub profile: NodeProfile,
    /// Where it listens: addresses of IP, TCP or QUIC, with port 0 where the system is to choose one.
    pub listen: Vec<Multiaddr>,
    /// The peers to begin with, and to come back to if all others are lost.
    pub bootstrap: Vec<Contact>,
    /// How often its table is refreshed. Default [`REFRESH_INTERVAL`].
    pub refresh: Duration,
    /// Which peers its table takes. Default buckets of 20 without limits on groups of addresses.
    pub table: TableRules,
    /// Whether it serves the network's protocol. A client does not, so that nobody lists it or asks it. Default true.
    pub serves: bool,
    /// Whether it keeps what it provides itself, too, and so finds it at once. Default true.
    pub keeps_own: bool,
    /// Peers that its lookups do without ([`Finder::ignoring`]). Default nobody.
    pub ignored: Vec<PeerId>,
    /// Who is told what others ask of it. Default nobody.
    pub watch: Option<RequestWatch>,
    /// By which rules it looks things up. Default those of Go.
    pub rules: Rules,
    /// How long it waits for an answer. Default [`ANSWER_PATIENCE`].
    pub patience: Duration,
    /// How many connections it opens at once, and for how long it keeps them.
    pub pool: PoolConfig,
    /// How many requests a second it makes, together with whoever else has the same pace. Default as many as it likes.
    pub pace: Option<Arc<RequestPace>>,
    /// Whether it asks others, by version 2 of `AutoNAT`, which of its addresses can be reached. Default true.
    pub checks_addresses: bool,
    /// What time it is when the node joins, since the Unix epoch: records are dated by it.
    pub now: Duration,
    /// Seed of its random choices: which keys a refresh looks up, and the numbers by which it knows that it was dialled.
    pub seed: u64,
}

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct NodeProfile {
    /// Its agent string.
    pub agent: String,
    /// The names of the network's kad protocol, the preferred one first. It serves all of them.
    pub protocols: Arc<[String]>,
    /// Where it says that it can be dialled; none: where it listens.
    pub announce: Vec<Multiaddr>,
}

impl NodeConfig {
    /// The defaults, for a node that listens nowhere and knows nobody.
    pub fn new(keypair: Keypair, profile: NodeProfile, now: Duration) -> Self {
        Self {
            keypair,
            profile,
            listen: Vec::new(),
            bootstrap: Vec::new(),
            refresh: REFRESH_INTERVAL,
            table: TableRules::default(),
            serves: true,
            keeps_own: true,
            ignored: Vec::new(),
            watch: None,
            rules: Rules::go(),
            patience: ANSWER_PATIENCE,
            pool: PoolConfig::default(),
            pace: None,
            checks_addresses: true,
            now,
            seed: 0,
        }
    }
}
