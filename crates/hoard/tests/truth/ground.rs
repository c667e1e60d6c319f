//! A network with known truth, peers of ours that publish in it, and who is there and has what.

use std::{sync::Arc, time::Duration};

use dht::{Node, NodeConfig, NodeProfile, PoolConfig, Publication, PublishTerms, TalkLimits};
use kad::{Contact, Key, Keypair, PeerId, Persistence, message::AMINO_PROTOCOL};
use testnet::{RecordTold, Scenario, SimFabric, SimLimits, SimNetwork, Truth, World};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// 2026-01-01.
pub(crate) const NOW: Duration = Duration::from_secs(1_767_225_600);

/// Longer than any study: nobody needs more than its first refresh.
pub(crate) const NEVER: Duration = Duration::from_secs(1_000 * 3600);

/// How long a publication may take: RFM17.1's lookups had two minutes.
const DEADLINE: Duration = Duration::from_secs(120);

/// A network.
pub(crate) struct Ground {
    pub(crate) fabric: SimFabric,
    pub(crate) truth: Truth,
    began: Instant,
}

impl Ground {
    /// The network of a scenario.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let world = Arc::new(World::generate(scenario));
        let fabric = SimFabric::new(Arc::clone(&world), SimLimits::default());
        Self { fabric, truth: Truth::of(world), began: Instant::now() }
    }

    pub(crate) fn world(&self) -> &World {
        self.fabric.world()
    }

    /// Since the network began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// When the network began.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    /// Whom to begin with.
    pub(crate) fn bootstrap(&self) -> Vec<Contact> {
        let world = self.world();
        world
            .bootstrap()
            .iter()
            .map(|&peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) })
            .collect()
    }

    /// A publisher of ours, of this number, that holds its connections as long as it stays.
    pub(crate) async fn publisher(&self, number: u8) -> Node<SimNetwork> {
        let protocols = [AMINO_PROTOCOL.to_owned()].into();
        let profile = NodeProfile { agent: format!("publisher/{number}"), protocols, announce: Vec::new() };
        let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
        let config = NodeConfig {
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
            bootstrap: self.bootstrap(),
            checks_addresses: false,
            pool: PoolConfig {
                connections: 4096,
                limits: TalkLimits { idle: NEVER, ..TalkLimits::default() },
            },
            serves: false,
            refresh: NEVER,
            seed: number.into(),
            ..NodeConfig::new(keypair, profile, NOW)
        };
        let node = Node::join(&self.fabric, config).await.expect("a node");
        node.refreshed(1).await;
        node
    }

    /// The peers that answer truthfully, the closest to a key first.
    pub(crate) fn closest(&self, key: &[u8]) -> Vec<PeerId> {
        let (world, target) = (self.world(), Key::of(key));
        let mut all: Vec<u32> = world.peers().filter(|&peer| world.state(peer).is_honest_server()).collect();
        all.sort_by_key(|&peer| world.key(peer).distance(&target));
        all.into_iter().map(|peer| world.peer_id(peer)).collect()
    }
}

/// Publishes a key as Go does.
pub(crate) async fn publish(node: &Node<SimNetwork>, key: &[u8]) -> Publication {
    let terms = PublishTerms { deadline: Instant::now() + DEADLINE, persistence: Persistence::Go };
    let mut publication = node.publish(key, terms, &CancellationToken::new()).await;
    publication.settle().await;
    publication
}

/// What befalls a record that was given once, at a time, by a publisher that then hangs up.
pub(crate) const fn told(at: Duration) -> RecordTold {
    RecordTold { announced: at, asked: at, hung_up: Some(at) }
}

/// A key of this number.
pub(crate) fn key(number: u32) -> Vec<u8> {
    let mut key = vec![0x12, 0x20];
    key.extend(std::iter::repeat_n(number.to_be_bytes(), 8).flatten());
    key
}
