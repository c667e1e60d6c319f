//! Rounds of keys as a study makes them: one observer, the holders of each key and its lookups.

use std::{sync::Arc, time::Duration};

use crawl::Clock;
use dht::{Node, NodeConfig, NodeProfile, PoolConfig, PublishTerms};
use kad::{
    Keypair, Persistence,
    message::{AMINO_PROTOCOL, K},
};
use kadscope_hoard::{KnownHolder, Observer, ObserverConfig, RoundOrder, RoundParts, WatchedKey};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use schema::{HoardLookup, RoundEnd, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    KEYS,
    ground::{Carried, Living, key},
};

/// How long a publication may take.
const DEADLINE: Duration = Duration::from_secs(80);

/// The most connections that are kept: more than there are peers.
const CONNECTIONS: usize = 4096;

/// An observer, and keys that were published.
pub(crate) struct Observing {
    observer: Observer<Host>,
    keys: Vec<WatchedKey>,
    clock: Clock,
}

impl Observing {
    /// Publishes so many keys, and joins.
    pub(crate) async fn join(living: &Living, carried: Carried) -> Self {
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let publisher = Node::join(&fabric, config(living, carried)).await.expect("a place");
        publisher.refreshed(1).await;
        let clock = Clock::started_at(Timestamp(0));
        let mut keys = Vec::new();
        for number in 0..KEYS {
            keys.push(published(&publisher, &key(number), clock).await);
        }
        publisher.leave().await;
        let mut config = ObserverConfig::new(config(living, carried), clock);
        // As CID Hoarder.
        config.walks.lookups = vec![HoardLookup::Closest, HoardLookup::First];
        let observer = Observer::join(&fabric, config).await.expect("a place");
        observer.node().refreshed(1).await;
        Self { observer, keys, clock }
    }

    /// One round of the key of this number.
    pub(crate) async fn round(&self, number: u32, parts: RoundParts) {
        let order = RoundOrder { round: 1, planned_at: self.clock.at(Instant::now()), parts };
        let key = &self.keys[number as usize];
        let round = self.observer.round(key, &order, &CancellationToken::new()).await;
        assert_eq!(round.end, RoundEnd::Whole);
        if parts != RoundParts::Lookups {
            assert_eq!((round.keeping(), round.with_addresses()), (K, K), "nobody forgets");
        }
        assert!(
            round.lookups.iter().all(|lookup| lookup.lookup != HoardLookup::First || lookup.first_combo == 2)
        );
    }

    pub(crate) async fn leave(self) {
        self.observer.leave().await;
    }
}

fn config(living: &Living, carried: Carried) -> NodeConfig {
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let profile = NodeProfile { agent: "kadscope-bench/1".to_owned(), protocols, announce: Vec::new() };
    NodeConfig {
        listen: vec![carried.listen()],
        bootstrap: living.bootstrap(),
        serves: false,
        checks_addresses: false,
        refresh: Duration::from_secs(24 * 3600),
        pool: PoolConfig { connections: CONNECTIONS, ..PoolConfig::default() },
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, Duration::ZERO)
    }
}

async fn published(publisher: &Node<Host>, key: &[u8], clock: Clock) -> WatchedKey {
    let published_at = clock.at(Instant::now());
    let terms = PublishTerms { deadline: Instant::now() + DEADLINE, persistence: Persistence::Go };
    let mut publication = publisher.publish(key, terms, &CancellationToken::new()).await;
    publication.settle().await;
    let known = |gift: &dht::Gift| KnownHolder {
        peer: gift.to.peer,
        addresses: gift.to.addrs.clone().into(),
        agent: None,
    };
    let holders = publication.gifts.iter().map(known).collect();
    WatchedKey { key: key.into(), arm: 0, provider: publisher.contact().peer, published_at, holders }
}
