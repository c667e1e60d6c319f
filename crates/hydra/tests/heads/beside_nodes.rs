//! What heads that share what they know take of a network, beside as many nodes that each have a table of their own.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dht::{Node, NodeConfig, NodeProfile};
use kad::{
    Multiaddr, PeerId,
    fabric::{Accepted, Fabric, Member, Says, Service, Terms},
    failure::SkipReason,
    network::{Dial, Network, Transport},
};
use kadscope_hydra::{Hydra, HydraConfig};
use testnet::{SimError, SimFabric, SimNetwork};
use tokio::time::sleep;

use super::{
    minutes,
    settlement::{NOW, Settlement},
};

/// How many heads, and how many nodes.
const COUNT: u64 = 10;

/// A fabric whose peers count whom they dial.
#[derive(Debug, Clone)]
struct CountingFabric {
    inner: SimFabric,
    dials: Arc<Dials>,
}

#[derive(Debug, Clone)]
struct CountingMember {
    inner: SimNetwork,
    dials: Arc<Dials>,
}

/// All dials, and how many there were of each peer.
#[derive(Debug, Default)]
struct Dials {
    all: AtomicU64,
    of_peer: Mutex<BTreeMap<PeerId, u64>>,
}

impl Fabric for CountingFabric {
    type Member = CountingMember;
    type Error = SimError;

    async fn join<S: Service>(&self, terms: Terms, service: Arc<S>) -> Result<CountingMember, SimError> {
        let inner = self.inner.join(terms, service).await?;
        Ok(CountingMember { inner, dials: Arc::clone(&self.dials) })
    }
}

impl Network for CountingMember {
    type Connection = <SimNetwork as Network>::Connection;

    fn local(&self) -> PeerId {
        self.inner.local()
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.inner.admits(address)
    }

    fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> impl Future<Output = Dial<Self::Connection>> + Send {
        self.dials.all.fetch_add(1, Ordering::Relaxed);
        *self.dials.of_peer.lock().unwrap_or_else(PoisonError::into_inner).entry(peer).or_default() += 1;
        self.inner.connect_within(peer, addrs, at_most)
    }
}

impl Member for CountingMember {
    fn listens(&self) -> Vec<Multiaddr> {
        self.inner.listens()
    }

    fn say(&self, says: Says) {
        self.inner.say(says);
    }

    fn protect(&self, peer: PeerId, spared: bool) {
        self.inner.protect(peer, spared);
    }

    fn accept(&self) -> impl Future<Output = Option<Accepted<Self::Connection>>> + Send {
        self.inner.accept()
    }

    fn leave(self) -> impl Future<Output = ()> + Send {
        self.inner.leave()
    }
}

/// How many dials there were in the first quarter of an hour, and in the half hour after it.
async fn watched(dials: &Dials) -> (u64, u64) {
    sleep(minutes(15)).await;
    let joining = dials.all.load(Ordering::Relaxed);
    sleep(minutes(30)).await;
    (joining, dials.all.load(Ordering::Relaxed) - joining)
}

#[tokio::test(start_paused = true)]
async fn one_dialler_for_all_heads_dials_a_fraction_of_what_as_many_nodes_do() {
    let settlement = Settlement::of("peers = 300");
    let fabric = || CountingFabric { inner: settlement.fabric.clone(), dials: Arc::default() };
    let of_hydra = fabric();
    let config: HydraConfig = settlement.config(0..COUNT);
    let hydra = Hydra::join(&of_hydra, config.clone()).await.expect("heads");
    let heads = watched(&of_hydra.dials).await;
    assert!(hydra.heads().iter().all(|head| head.is_known() && hydra.table_size(head) > 60));
    hydra.leave().await;
    let of_nodes = fabric();
    let mut nodes = Vec::new();
    for head in config.heads {
        let profile = NodeProfile {
            agent: "node/1".to_owned(),
            protocols: Arc::clone(&config.protocols),
            announce: Vec::new(),
        };
        let node = NodeConfig {
            listen: head.listen,
            bootstrap: config.bootstrap.clone(),
            seed: head.index,
            checks_addresses: false,
            ..NodeConfig::new(head.keypair, profile, NOW)
        };
        nodes.push(Node::join(&of_nodes, node).await.expect("a node"));
    }
    let separate = watched(&of_nodes.dials).await;
    assert!(nodes.iter().all(|node| node.table().len() > 60));
    // Each head has to be made known, which takes as many dials as its own lookups would; once they have settled there is one
    // dialler for all.
    let all = |(joining, settled): (u64, u64)| joining + settled;
    assert!(heads.1 * 4 < separate.1 && all(heads) < all(separate), "{heads:?} {separate:?}");
}
