//! A simulated network of which all is known: who is there, who is closest, and who holds what.

use std::{collections::BTreeSet, sync::Arc};

use kad::{
    Contact, Key, PeerId,
    message::{AMINO_PROTOCOL, K, Message, MessageType, MessageView},
    network::Network,
};
use kadscope_dht::{
    ANSWER_PATIENCE, Ask, Awaits, Finder, FinderTerms, FullTable, Pool, PoolConfig, ProviderRecord,
};
use testnet::{Scenario, SimConfig, SimNetwork, World};
use tokio_util::sync::CancellationToken;

/// 30 % of the peers are dead: refusing at once, or silent.
pub(crate) const DEAD: &str =
    "[[states]]\nshare = 0.15\nstate = 'refusing'\n[[states]]\nshare = 0.15\nstate = 'dropping'\n";

/// Peers in three regions.
pub(crate) const REGIONS: &str = "
[[regions]]
name = 'europe'
share = 0.4
rtt_ms = { europe = 30, america = 100, asia = 200 }
[[regions]]
name = 'america'
share = 0.3
rtt_ms = { america = 40, asia = 170 }
[[regions]]
name = 'asia'
share = 0.3
rtt_ms = { asia = 60 }
";

pub(crate) struct Known<N = SimNetwork> {
    pub(crate) finder: Finder<N>,
    pub(crate) world: Arc<World>,
    pub(crate) table: FullTable,
}

impl Known {
    /// A network, and a table of all of its peers, dead ones included: the crawl was long ago.
    pub(crate) fn of(toml: &str) -> Self {
        // The hash of a key, as any of RSA has.
        let own = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
        let world = Arc::new(World::generate(&Scenario::parse(toml, "test").expect("a scenario")));
        let network = SimNetwork::new(Arc::clone(&world), SimConfig { local: own, ..SimConfig::default() });
        Self::behind(network, world)
    }
}

impl<N: Network> Known<N> {
    /// The same, as seen over a network.
    pub(crate) fn behind(network: N, world: Arc<World>) -> Self {
        let own = network.local();
        let terms =
            FinderTerms { own, protocols: Arc::from([AMINO_PROTOCOL.to_owned()]), patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(network, PoolConfig::default()), terms);
        let contact = |peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        let table = FullTable::of(world.peers().map(contact));
        Self { finder, world, table }
    }

    pub(crate) fn provider(&self) -> Contact {
        Contact {
            peer: self.finder.terms().own,
            addrs: vec!["/ip4/127.0.0.1/tcp/4001".parse().expect("an address")],
        }
    }

    /// Whom everybody begins with.
    pub(crate) fn bootstrap(&self) -> Vec<Contact> {
        let contact =
            |&peer: &u32| Contact { peer: self.world.peer_id(peer), addrs: self.world.addresses(peer) };
        self.world.bootstrap().iter().map(contact).collect()
    }

    pub(crate) fn record(&self, key: &[u8]) -> ProviderRecord {
        ProviderRecord { key: key.to_vec(), provider: self.provider() }
    }

    /// The closest to a key in truth, of those who answer.
    pub(crate) fn closest(&self, key: &[u8]) -> BTreeSet<PeerId> {
        let target = Key::of(key);
        let living = self.world.peers().filter(|&peer| self.world.state(peer).is_honest_server());
        let mut all: Vec<_> =
            living.map(|peer| (self.world.key(peer).distance(&target), self.world.peer_id(peer))).collect();
        if all.len() > K {
            all.select_nth_unstable(K);
        }
        all.into_iter().take(K).map(|(_, peer)| peer).collect()
    }

    /// How many of the closest that answer hold the record, as each of them says.
    pub(crate) async fn holders(&self, key: &[u8]) -> usize {
        let mut holders = 0;
        for peer in self.closest(key) {
            let number = self.world.find(&peer).expect("one of the world");
            let to = Contact { peer, addrs: self.world.addresses(number) };
            let ask = Ask {
                protocols: Arc::clone(&self.finder.terms().protocols),
                message: Some(Message::new(MessageType::GetProviders, key.to_vec()).encode().into()),
                awaits: Awaits::Message,
                patience: ANSWER_PATIENCE,
            };
            let exchange = self.finder.pool().request(&to, ask, &CancellationToken::new(), || {}).await;
            let answer = exchange.answer().expect("an answer").to_vec();
            let view = MessageView::decode(&answer).expect("a message");
            let own = self.finder.terms().own.to_bytes();
            holders += usize::from(view.provider_peers().any(|provider| provider.id == own));
        }
        holders
    }
}
