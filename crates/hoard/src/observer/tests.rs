//! Rounds in virtual time, in worlds of which it is known who does what.

use std::time::Duration;

use dht::{Finder, FinderTerms, NodeProfile, Pool, PoolConfig, ProviderRecord};
use kad::{Contact, Key, Keypair, PeerId, lookup::Termination, message::AMINO_PROTOCOL};
use schema::{HoardLookup, HolderAnswer, RoundEnd, Whereabouts};
use testnet::{Scenario, SimFabric, SimLimits, SimNetwork, State, World};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{KeyRound, KnownHolder, RoundOrder, RoundParts, WatchedKey};

pub(crate) mod counted;
mod faulty;
mod honest;
mod places;
mod selected;

const START: Timestamp = Timestamp(1_795_000_000_000_000);
const NOW: Duration = Duration::from_secs(1_795_000_000);

/// A world, who publishes in it, and the run's clock.
struct Stage {
    fabric: SimFabric,
    publisher: Node<SimNetwork>,
    clock: Clock,
}

fn node_config(fabric: &SimFabric, number: u8) -> NodeConfig {
    let profile = NodeProfile {
        agent: format!("hoard/{number}"),
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        announce: Vec::new(),
    };
    let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
    let world = fabric.world();
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let mut config = NodeConfig::new(keypair, profile, NOW);
    config.bootstrap = world.bootstrap().iter().map(contact).collect();
    config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    config.checks_addresses = false;
    config.serves = false;
    config.seed = number.into();
    config
}

impl Stage {
    async fn of(toml: &str) -> Self {
        let scenario = Scenario::parse(toml, "hoard").expect("a scenario");
        let fabric = SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default());
        let publisher = Node::join(&fabric, node_config(&fabric, 1)).await.expect("a publisher");
        publisher.refreshed(1).await;
        Self { fabric, publisher, clock: Clock::started_at(START) }
    }

    /// The same world, in which connections of ours are counted from now on.
    fn counted(&self) -> counted::Counted<SimFabric> {
        counted::Counted::new(self.fabric.clone())
    }

    fn world(&self) -> &World {
        self.fabric.world()
    }

    fn config(&self) -> ObserverConfig {
        let mut config = ObserverConfig::new(node_config(&self.fabric, 2), self.clock);
        config.node.ignored = vec![self.publisher.contact().peer];
        config
    }

    async fn observer(&self, config: ObserverConfig) -> Observer<SimNetwork> {
        let observer = Observer::join(&self.fabric, config).await.expect("an observer");
        observer.node().refreshed(1).await;
        observer
    }

    /// Publishes a key, and watches who was to hold it.
    async fn publish(&self, text: &str) -> WatchedKey {
        let (key, published_at) = (multihash(text), self.clock.at(Instant::now()));
        let given = self.publisher.provide(key.clone(), &CancellationToken::new()).await;
        let known = |contact: &Contact| KnownHolder {
            peer: contact.peer,
            addresses: contact.addrs.clone().into(),
            agent: None,
        };
        let holders = given.iter().map(|holder| known(&holder.contact)).collect();
        self.watched(&key, published_at, holders)
    }

    /// Gives a record of a key to these peers of the world, whoever is closest, and watches them.
    async fn give(&self, text: &str, peers: &[u32]) -> WatchedKey {
        let (key, published_at) = (multihash(text), self.clock.at(Instant::now()));
        let protocols = [AMINO_PROTOCOL.to_owned()].into();
        let own = self.publisher.contact().peer;
        let terms = FinderTerms { own, protocols, patience: Duration::from_secs(10) };
        let pool = Pool::new(self.publisher.member().clone(), PoolConfig::default());
        let record = ProviderRecord { key: key.clone(), provider: self.publisher.contact().clone() };
        let contacts: Vec<Contact> = peers.iter().map(|&peer| self.contact(peer)).collect();
        Finder::new(pool, terms).give_to(&record, contacts.clone(), &CancellationToken::new()).await;
        let known = |contact: Contact| KnownHolder {
            peer: contact.peer,
            addresses: contact.addrs.into(),
            agent: None,
        };
        self.watched(&key, published_at, contacts.into_iter().map(known).collect())
    }

    fn contact(&self, peer: u32) -> Contact {
        Contact { peer: self.world().peer_id(peer), addrs: self.world().addresses(peer) }
    }

    fn watched(&self, key: &[u8], published_at: Timestamp, holders: Vec<KnownHolder>) -> WatchedKey {
        let provider = self.publisher.contact().peer;
        WatchedKey { key: key.into(), arm: 0, provider, published_at, holders: holders.into() }
    }

    /// A round that is due now.
    fn due(&self, round: u32) -> RoundOrder {
        RoundOrder { round, planned_at: self.clock.at(Instant::now()), parts: RoundParts::All }
    }

    fn those(&self, state: State) -> Vec<u32> {
        self.world().peers().filter(|&peer| self.world().state(peer) == state).collect()
    }

    /// The living peers of the world that are closest to a key, without whom is not wanted.
    fn closest(&self, key: &[u8], is_wanted: impl Fn(u32) -> bool) -> Vec<PeerId> {
        let mut all = self.those(State::Online);
        all.retain(|&peer| is_wanted(peer));
        all.sort_by_key(|&peer| self.world().key(peer).distance(&Key::of(key)));
        all.iter().take(20).map(|&peer| self.world().peer_id(peer)).collect()
    }
}

fn multihash(text: &str) -> Vec<u8> {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(text);
    [&[0x12, 0x20][..], &digest].concat()
}

fn answers(round: &KeyRound) -> Vec<HolderAnswer> {
    round.sights.iter().map(|sight| sight.said.answer).collect()
}

fn places(round: &KeyRound) -> Vec<Whereabouts> {
    round.sights.iter().map(|sight| sight.whereabouts).collect()
}
