//! How a hydra stands at one moment, in plain numbers: what its terminal shows.

use kad::PeerId;

use crate::load::{AskedType, Rung};

/// How a hydra stands. Numbers of a moment are as they are now, all others grow from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct HydraNow {
    /// Its heads, in the order in which they joined.
    pub heads: Vec<HeadNow>,
    /// Heads that some server of the network has answered under their own identity.
    pub bootstrapped_heads: u64,
    /// Peers with a connection, each once.
    pub connected_peers: u64,
    /// About how many different peers had one so far.
    pub unique_peers: u64,
    /// How many peers the heads would have in routing tables of their own, all of these added up.
    pub table_size: u64,
    /// Requests that came, by [`AskedType::ALL`].
    pub requests: [u64; AskedType::ALL.len()],
    /// Requests that were shed.
    pub shed: u64,
    /// The rung of the ladder in force.
    pub rung: Rung,
    /// Provider records that are kept.
    pub provider_records: u64,
    /// Values that are kept.
    pub value_records: u64,
    /// What became of lookups in the background, by the names of their outcomes.
    pub prefetches: Vec<(&'static str, u64)>,
    /// Lookups in the background that wait or are under way, and how many of them may.
    pub prefetches_pending: (u64, u64),
}

/// How a head stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadNow {
    /// Its number over the whole fleet.
    pub index: u64,
    /// Who it is.
    pub peer: PeerId,
    /// Connections that it has.
    pub connections: u64,
    /// Requests that came to it.
    pub requests: u64,
}

impl HydraNow {
    /// Connections of all heads.
    pub fn connections(&self) -> u64 {
        self.heads.iter().map(|head| head.connections).sum()
    }
}
