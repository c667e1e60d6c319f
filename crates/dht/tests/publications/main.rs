//! Publications in simulated networks, in virtual time, beside who is closest in truth.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

mod frozen;
mod holders;
mod sizes;
mod slots;
mod wire;

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Key, Multiaddr, PeerId, Persistence,
    lookup::{LookupKind, Rules},
    message::{AMINO_PROTOCOL, K},
    network::Network,
};
use kadscope_dht::{
    ANSWER_PATIENCE, BACKGROUND_SLOTS, Finder, FinderTerms, Found, Holder, OptimisticTerms, Pool, PoolConfig,
    ProviderRecord, Publication, PublishTerms, Quest, SizeWatch,
};
use testnet::{Scenario, SimConfig, SimNetwork, World};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long Parsec lets a publication take.
const DEADLINE: Duration = Duration::from_secs(180);

/// Where peers are: the delays decide how long everything takes.
const REGIONS: &str = "
[[regions]]
name = 'near'
share = 0.5
rtt_ms = { near = 30, far = 150 }
[[regions]]
name = 'far'
share = 0.5
rtt_ms = { far = 60 }
";

/// A network, and a client of it that publishes.
struct Net<N = SimNetwork> {
    finder: Finder<N>,
    world: Arc<World>,
    own: Contact,
    size: Arc<SizeWatch>,
    slots: Arc<Semaphore>,
}

fn third_dead(peers: u32) -> String {
    include_str!("../../../../scenarios/third-dead.toml").replace("peers = 1000", &format!("peers = {peers}"))
}

/// How lookups go.
fn finder<N: Network>(network: N) -> Finder<N> {
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let terms = FinderTerms { own: network.local(), protocols, patience: ANSWER_PATIENCE };
    Finder::new(Pool::new(network, PoolConfig::default()), terms)
}

/// To the deadline that Parsec sets.
fn terms(persistence: Persistence) -> PublishTerms {
    PublishTerms { deadline: Instant::now() + DEADLINE, persistence }
}

impl Net {
    fn new(toml: &str) -> Self {
        // The hash of a key, as any of RSA has.
        let peer = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
        let addr: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().expect("an address");
        let toml = format!("{toml}{REGIONS}");
        let world = Arc::new(World::generate(&Scenario::parse(&toml, "test").expect("a scenario")));
        let network = SimNetwork::new(Arc::clone(&world), SimConfig { local: peer, ..SimConfig::default() });
        Self::of(finder(network), world, Contact { peer, addrs: vec![addr] })
    }
}

impl<N: Network> Net<N> {
    fn of(finder: Finder<N>, world: Arc<World>, own: Contact) -> Self {
        let size = Arc::new(SizeWatch::new(&own.peer));
        Self { finder, world, own, size, slots: Arc::new(Semaphore::new(BACKGROUND_SLOTS)) }
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn contact(&self, peer: u32) -> Contact {
        Contact { peer: self.world().peer_id(peer), addrs: self.world().addresses(peer) }
    }

    fn quest(&self, key: &[u8]) -> Quest {
        let from = self.world().bootstrap().iter().map(|&peer| self.contact(peer)).collect();
        Quest { kind: LookupKind::Closest, key: key.to_vec(), from, rules: Rules::go() }
    }

    /// The same from the closest peers that there are, as a table knows them.
    fn quest_from_table(&self, key: &[u8]) -> Quest {
        let (world, target) = (self.world(), Key::of(key));
        let mut all: Vec<u32> = world.peers().collect();
        all.sort_by_key(|&peer| world.key(peer).distance(&target));
        let from = all.into_iter().take(K).map(|peer| self.contact(peer)).collect();
        Quest { from, ..self.quest(key) }
    }

    fn record(&self, key: &[u8]) -> ProviderRecord {
        ProviderRecord { key: key.to_vec(), provider: self.own.clone() }
    }

    fn optimistic_terms(&self, persistence: Persistence) -> OptimisticTerms {
        let (size, slots) = (Arc::clone(&self.size), Arc::clone(&self.slots));
        OptimisticTerms { publish: terms(persistence), size, slots }
    }

    async fn publish(&self, key: &[u8], persistence: Persistence) -> Publication {
        let go_on = CancellationToken::new();
        self.finder.publish(&self.record(key), self.quest(key), terms(persistence), &go_on).await
    }

    async fn publish_optimistic(&self, key: &[u8], persistence: Persistence) -> Publication {
        let (terms, go_on) = (self.optimistic_terms(persistence), CancellationToken::new());
        self.finder.publish_optimistic(&self.record(key), self.quest(key), &terms, &go_on).await
    }

    async fn look_up(&self, key: &[u8]) -> Found {
        self.finder.find(self.quest(key), |_| true, |_, _| {}, &CancellationToken::new()).await
    }

    /// Lets so many lookups say how many peers there are, as those of a node with full buckets do.
    async fn learn_size(&self, lookups: u32) {
        for number in 0..lookups {
            let found = self.look_up(&[&b"size"[..], &number.to_be_bytes()].concat()).await;
            self.size.track(&found, |_| K);
        }
    }

    /// The closest peers to a key in truth that answer.
    fn truth(&self, key: &[u8]) -> Vec<u32> {
        let (world, key) = (self.world(), Key::of(key));
        let mut all: Vec<u32> = world.peers().filter(|&peer| world.state(peer).is_honest_server()).collect();
        all.sort_by_key(|&peer| world.key(peer).distance(&key));
        all.truncate(K);
        all
    }

    /// How many of those were sent the record by now, as the publisher knows.
    fn sent(&self, key: &[u8], publication: &Publication) -> usize {
        let truth: Vec<PeerId> = self.truth(key).into_iter().map(|peer| self.world().peer_id(peer)).collect();
        let sent = publication.gifts.iter().filter(|gift| gift.sent_after.is_some());
        sent.filter(|gift| truth.contains(&gift.to.peer)).count()
    }

    /// How many of those have the record now, as they say themselves.
    async fn holders(&self, key: &[u8]) -> usize {
        let asked: Vec<Holder> = self
            .truth(key)
            .into_iter()
            .map(|peer| Holder { contact: self.contact(peer), sent: Ok(()) })
            .collect();
        let record = self.record(key);
        let read = self.finder.read_back(&record, &asked, Instant::now(), &CancellationToken::new()).await;
        read.iter().filter(|holder| matches!(holder.has, Ok(Some(_)))).count()
    }
}
