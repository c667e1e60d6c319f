//! A simulated network for heads to live in.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kad::{Contact, Keypair, PeerId, message::AMINO_PROTOCOL};
use kadscope_hydra::{HeadConfig, Hydra, HydraConfig};
use store::{Belly, BellyConfig};
use testnet::{Scenario, SimFabric, SimLimits, SimNetwork, State, World};

/// Where heads listen: wherever there is a free port.
const LISTEN: [&str; 2] = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];

/// 2026-01-01.
pub(crate) const NOW: Duration = Duration::from_secs(1_767_225_600);

/// A network.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) fabric: SimFabric,
}

/// A head that listens where there is room.
pub(crate) fn head(index: u64) -> HeadConfig {
    let mut seed = [0xbe; 32];
    seed[..8].copy_from_slice(&index.to_be_bytes());
    HeadConfig {
        index,
        keypair: Keypair::ed25519_from_bytes(seed).expect("any 32 bytes are a key"),
        listen: LISTEN.map(|address| address.parse().expect("an address")).to_vec(),
        announce: Vec::new(),
    }
}

/// A belly in memory.
pub(crate) fn belly() -> Belly {
    Belly::in_memory(&BellyConfig::default())
}

impl Settlement {
    /// The network of a scenario.
    pub(crate) fn of(toml: &str) -> Self {
        let scenario = Scenario::parse(toml, "heads").expect("a scenario");
        Self { fabric: SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default()) }
    }

    pub(crate) fn world(&self) -> &World {
        self.fabric.world()
    }

    /// A hydra that begins with the network's bootstrap peers.
    pub(crate) fn config(&self, heads: impl Iterator<Item = u64>) -> HydraConfig {
        let protocols = [AMINO_PROTOCOL.to_owned()].into();
        let world = self.world();
        let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        HydraConfig {
            agent: "hydra/1".to_owned(),
            bootstrap: world.bootstrap().iter().map(contact).collect(),
            ..HydraConfig::new(heads.map(head).collect(), protocols, belly(), NOW)
        }
    }

    pub(crate) async fn join(&self, heads: u64) -> Hydra<SimNetwork> {
        Hydra::join(&self.fabric, self.config(0..heads)).await.expect("heads")
    }

    /// The servers of the network that are there now and answer.
    pub(crate) fn living(&self) -> BTreeSet<PeerId> {
        let (world, history) = (self.world(), self.fabric.history());
        let is_there = |peer: &u32| {
            history.as_ref().is_none_or(|history| history.was_up(*peer, history.until(), history.until()))
        };
        let answers = |state: State| state.is_honest_server() || matches!(state, State::Inventing(_));
        let servers = world.peers().filter(|&peer| answers(world.state(peer)));
        servers.filter(is_there).map(|peer| world.peer_id(peer)).collect()
    }
}
