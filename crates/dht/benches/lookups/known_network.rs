//! A simulated network, the closest peers that it has in truth, and lookups in it.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Key, PeerId,
    lookup::{LookupKind, PeerState, Rules},
    message::{AMINO_PROTOCOL, K},
};
use kadscope_dht::{ANSWER_PATIENCE, Finder, FinderTerms, Found, Pool, PoolConfig, Quest};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};
use tokio_util::sync::CancellationToken;

/// A network whose truth is known.
pub(crate) struct KnownNetwork {
    network: SimNetwork,
    seed: u64,
    own: PeerId,
    from: Vec<Contact>,
    /// The keys of those who answer, liars with them, ascending.
    answering: Vec<(Key, u32)>,
}

/// What came of one lookup.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// How many of the closest peers that answer it ended with, having heard from them.
    pub(crate) found: usize,
    /// How many there are: k, or all of a smaller network.
    pub(crate) of: usize,
    /// The most answers that led to one of the closest.
    pub(crate) hops: u8,
    /// How many requests it made.
    pub(crate) requests: usize,
    /// How many of them failed, those without a connection with them.
    pub(crate) failed: usize,
    pub(crate) took: Duration,
}

/// A runtime in which hours pass in seconds.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime")
}

impl KnownNetwork {
    /// The network of a scenario, with so many peers.
    pub(crate) fn generate(toml: &str, peers: u32) -> Self {
        let scenario = Scenario::parse(toml, "lookups").expect("a scenario").with_peers(peers);
        let seed = scenario.seed;
        let world = Arc::new(World::generate(&scenario));
        // The hash of a key, as any of RSA has.
        let own = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
        let answers = |state: State| state.is_honest_server() || matches!(state, State::Inventing(_));
        let answering = world.peers().filter(|&peer| answers(world.state(peer)));
        let answering = answering.map(|peer| (world.key(peer), peer)).collect();
        let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        let from = world.bootstrap().iter().map(contact).collect();
        let network = SimNetwork::new(Arc::clone(&world), SimConfig { local: own, ..SimConfig::default() });
        Self { network, seed, own, from, answering }
    }

    /// The key of the lookup of this number.
    pub(crate) fn key(&self, number: u64) -> Vec<u8> {
        [&b"lookup"[..], &self.seed.to_be_bytes(), &number.to_be_bytes()].concat()
    }

    /// Who is closest to a key in truth, of those who answer.
    pub(crate) fn closest(&self, key: &[u8]) -> Vec<PeerId> {
        let world = self.network.world();
        nearest(&self.answering, &Key::of(key)).into_iter().map(|peer| world.peer_id(peer)).collect()
    }

    /// A lookup that knows nobody but the bootstrap peers, and has no connection.
    pub(crate) async fn look_up(&self, key: &[u8], rules: Rules) -> Sample {
        let terms = FinderTerms {
            own: self.own,
            protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
            patience: ANSWER_PATIENCE,
        };
        let finder = Finder::new(Pool::new(self.network.clone(), PoolConfig::default()), terms);
        let (kind, from) = (LookupKind::Closest, self.from.clone());
        let quest = Quest { kind, key: key.to_vec(), from, rules };
        let found = finder.find(quest, |_| true, |_, _| {}, &CancellationToken::new()).await;
        Sample::of(&found, &self.closest(key))
    }
}

impl Sample {
    fn of(found: &Found, truth: &[PeerId]) -> Self {
        let answered = found.outcome.closest.iter().filter(|peer| peer.state == PeerState::Queried);
        let counts = found.trace.counts();
        Self {
            found: answered.filter(|peer| truth.contains(&peer.peer)).count(),
            of: truth.len(),
            hops: found.outcome.hops.unwrap_or(0),
            requests: counts.asked,
            failed: counts.classes.values().sum(),
            took: found.took,
        }
    }
}

/// The k whose keys are closest to the target, the closest first. The keys are given in ascending order.
pub(crate) fn nearest(sorted: &[(Key, u32)], target: &Key) -> Vec<u32> {
    let place = sorted.partition_point(|(key, _)| key.as_bytes() < target.as_bytes());
    let shares = |position: usize, bits| sorted[position].0.common_prefix_len(target) >= bits;
    let (mut from, mut to) = (place, place);
    // All keys that share so many bits with the target lie together around its place.
    for bits in (0..=256).rev() {
        while from > 0 && shares(from - 1, bits) {
            from -= 1;
        }
        while to < sorted.len() && shares(to, bits) {
            to += 1;
        }
        if to - from >= K {
            break;
        }
    }
    let mut near = sorted[from..to].to_vec();
    near.sort_by_key(|(key, _)| key.distance(target));
    near.into_iter().take(K).map(|(_, peer)| peer).collect()
}
