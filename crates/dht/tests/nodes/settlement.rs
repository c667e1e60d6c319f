//! A simulated network for nodes to live in, and what their tables should hold in truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use kad::{Contact, Key, Keypair, PeerId, message::AMINO_PROTOCOL};
use kadscope_dht::{Node, NodeConfig, NodeProfile};
use testnet::{Scenario, SimFabric, SimLimits, SimNetwork, State, World};

use super::{K, listed};

/// Where nodes listen: wherever there is a free port.
const LISTEN: [&str; 2] = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// A network, and the nodes that live there.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) fabric: SimFabric,
}

/// How a table stands to the truth.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Peers of the table that do not live, or are none of the network.
    pub(crate) wrong: usize,
    /// For each common prefix length at which somebody lives: how many of them the table holds, and how many there are.
    pub(crate) buckets: BTreeMap<u32, (usize, usize)>,
}

impl Settlement {
    /// The network of a scenario.
    pub(crate) fn of(toml: &str) -> Self {
        let scenario = Scenario::parse(toml, "nodes").expect("a scenario");
        Self { fabric: SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default()) }
    }

    pub(crate) fn world(&self) -> &World {
        self.fabric.world()
    }

    /// How the node of this number lives: it begins with the network's bootstrap peers, and is else as by default.
    pub(crate) fn config(&self, number: u8) -> NodeConfig {
        let protocols = [AMINO_PROTOCOL.to_owned()].into();
        let profile = NodeProfile { agent: format!("node/{number}"), protocols, announce: Vec::new() };
        let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
        let world = self.world();
        let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        NodeConfig {
            listen: LISTEN.map(|address| address.parse().expect("an address")).to_vec(),
            bootstrap: world.bootstrap().iter().map(contact).collect(),
            seed: number.into(),
            ..NodeConfig::new(keypair, profile, NOW)
        }
    }

    pub(crate) async fn join(&self, number: u8) -> Node<SimNetwork> {
        Node::join(&self.fabric, self.config(number)).await.expect("a node")
    }

    /// The servers of the network that are there now and answer, liars with them.
    pub(crate) fn living(&self) -> BTreeSet<PeerId> {
        let (world, history) = (self.world(), self.fabric.history());
        let is_there = |peer: &u32| {
            history.as_ref().is_none_or(|history| history.was_up(*peer, history.until(), history.until()))
        };
        let answers = |state: State| state.is_honest_server() || matches!(state, State::Inventing(_));
        let servers = world.peers().filter(|&peer| answers(world.state(peer)));
        servers.filter(is_there).map(|peer| world.peer_id(peer)).collect()
    }

    /// The living servers of the network that are closest to what this is the preimage of, the closest first.
    pub(crate) fn closest(&self, preimage: &[u8]) -> Vec<PeerId> {
        let target = Key::of(preimage);
        let mut closest: Vec<_> = self.living().into_iter().collect();
        closest.sort_by_key(|peer| Key::of_peer(peer).distance(&target));
        closest.truncate(K);
        closest
    }

    /// Compares a node's table with who lives, these other nodes included.
    pub(crate) fn standing(&self, node: &Node<SimNetwork>, others: &[&Node<SimNetwork>]) -> Standing {
        let own = Key::of_peer(&node.contact().peer);
        let mut living = self.living();
        living.extend(others.iter().map(|other| other.contact().peer));
        let listed = listed(node);
        let mut buckets: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for peer in &living {
            let (held, all) = buckets.entry(Key::of_peer(peer).common_prefix_len(&own)).or_default();
            *held += usize::from(listed.contains(peer));
            *all += 1;
        }
        Standing { wrong: listed.difference(&living).count(), buckets }
    }
}

impl Standing {
    /// How many places of the table are empty although somebody lives who belongs there.
    pub(crate) fn missing(&self) -> usize {
        self.buckets.values().map(|(held, all)| all.min(&K).saturating_sub(*held)).sum()
    }

    /// How many peers the table should hold.
    pub(crate) fn places(&self) -> usize {
        self.buckets.values().map(|(_, all)| all.min(&K)).sum()
    }
}
