//! What the peers of a network know of themselves, as their programs print it, and what our testnets say of theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

/// Who has whom in its routing table, by peer id.
pub(crate) type Tables = BTreeMap<String, BTreeSet<String>>;

/// All peers of a network.
#[derive(Debug, Deserialize)]
pub(crate) struct Truth {
    pub(crate) peers: Vec<Peer>,
}

/// One peer.
#[derive(Debug, Deserialize)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) addrs: Vec<String>,
    pub(crate) agent: String,
    /// Sorted.
    pub(crate) protocols: Vec<String>,
    pub(crate) key_type: Option<String>,
    routing_table: BTreeSet<String>,
    /// How often it had no room for a connection.
    #[serde(default)]
    pub(crate) refused_conns: u64,
    /// How often it had no room for a stream.
    #[serde(default)]
    pub(crate) refused_streams: u64,
    /// How many places connections of clients hold, where their number is limited.
    #[serde(default)]
    pub(crate) held_conns: u64,
}

impl Truth {
    /// The routing tables.
    pub(crate) fn tables(&self) -> Tables {
        self.peers.iter().map(|peer| (peer.id.clone(), peer.routing_table.clone())).collect()
    }

    /// The address of every peer that has this part, with the peer's id.
    pub(crate) fn addresses_with(&self, part: &str) -> Vec<String> {
        let own = |peer: &Peer| {
            let address = peer.addrs.iter().find(|address| address.contains(part))?;
            Some(format!("{address}/p2p/{}", peer.id))
        };
        self.peers.iter().filter_map(own).collect()
    }

    /// The types of the peers' keys.
    pub(crate) fn key_types(&self) -> BTreeSet<&str> {
        self.peers.iter().filter_map(|peer| peer.key_type.as_deref()).collect()
    }

    /// Places that connections of clients hold at all peers together.
    pub(crate) fn held_conns(&self) -> u64 {
        self.peers.iter().map(|peer| peer.held_conns).sum()
    }

    /// Connections for which peers had no room, so far.
    pub(crate) fn refused_conns(&self) -> u64 {
        self.peers.iter().map(|peer| peer.refused_conns).sum()
    }

    /// Streams for which peers had no room, so far.
    pub(crate) fn refused_streams(&self) -> u64 {
        self.peers.iter().map(|peer| peer.refused_streams).sum()
    }
}

/// The truth file of a testnet of ours.
#[derive(Debug, Deserialize)]
pub(crate) struct Generated {
    pub(crate) peers: Vec<GeneratedPeer>,
}

/// One virtual peer.
#[derive(Debug, Deserialize)]
pub(crate) struct GeneratedPeer {
    pub(crate) id: String,
    /// Whether a crawl can connect to it.
    pub(crate) reachable: bool,
    pub(crate) agent: String,
    neighbors: BTreeSet<String>,
}

impl Generated {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Self {
        serde_json::from_slice(&fs::read(path).expect("a file")).expect("a truth")
    }

    /// The ids of those that can be reached.
    pub(crate) fn reachable(&self) -> BTreeSet<String> {
        self.peers.iter().filter(|peer| peer.reachable).map(|peer| peer.id.clone()).collect()
    }

    /// The routing tables of those that can be reached.
    pub(crate) fn tables(&self) -> Tables {
        let reachable = self.peers.iter().filter(|peer| peer.reachable);
        reachable.map(|peer| (peer.id.clone(), peer.neighbors.clone())).collect()
    }
}
