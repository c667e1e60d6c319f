//! The walks of a crawl: keys are drawn and looked up, one after the other by each walker, until time is over.
//!
//! Lookups go over connections of their own, of which each peer has one at most and which are closed when they are not used; whoever
//! is found is visited like any other peer of a crawl, once. The table with which lookups begin is what they have found themselves.

use std::{sync::Arc, time::Duration};

use dht::{Finder, FinderTerms, Found, Pool, PoolConfig, Quest};
use kad::{
    Contact, Key, PeerId,
    lookup::{LookupKind, RpcFate, Rules, Termination},
    message::K,
    network::Network,
    opt_out::OptOut,
    table::{Newcomer, RoutingTable, TableRules},
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::{CrawlWalk, PeerNumber, Row};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::Run;
use crate::{
    config::CrawlConfig,
    walked::{RandomWalkTally, WalkSummary},
};

/// What a peer id begins with that is the SHA-256 of a key: code and length of its multihash.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// The bytes of a hash.
const HASH_BYTES: usize = 32;

/// From the beginning of one walk of a walker to that of its next, at least: peers that are near would be asked without a pause.
const PACE: Duration = Duration::from_millis(100);

/// How long a walker rests after a walk on which nobody answered: where nobody can be reached, dials may fail at once.
const REST: Duration = Duration::from_secs(1);

/// So many walks without an answer at the beginning are enough to know that nobody is to be reached.
const VAIN_WALKS: u64 = 5;

/// Walks, and what they know.
#[derive(Debug)]
pub(super) struct Walking<N> {
    finder: Finder<N>,
    given: Vec<Contact>,
    table: RoutingTable<Contact>,
    keys: ChaCha8Rng,
    begun: Instant,
    until: Instant,
    walkers: usize,
    under_way: JoinSet<Found>,
    tally: RandomWalkTally,
}

impl<N: Network> Walking<N> {
    /// Those of a crawl that is to walk; `None` if it is not.
    pub(super) fn of(
        (network, given): (&N, &[Contact]),
        (protocols, opt_out): (&[String], &OptOut),
        config: &CrawlConfig,
    ) -> Option<Self> {
        let terms = config.strategy.walk()?;
        let (own, begun) = (network.local(), Instant::now());
        let pool = Pool::new(network.clone(), PoolConfig::default());
        let finder = FinderTerms { own, protocols: Arc::from(protocols), patience: config.request_timeout };
        Some(Self {
            finder: Finder::new(pool, finder).ignoring(opt_out.peers()),
            given: given.iter().filter(|contact| !opt_out.has_peer(&contact.peer)).cloned().collect(),
            table: RoutingTable::new(Key::of_peer(&own), TableRules::default()),
            keys: ChaCha8Rng::seed_from_u64(config.seed.unwrap_or(0)),
            begun,
            until: begun + terms.lasts,
            walkers: terms.walkers.max(1) as usize,
            under_way: JoinSet::new(),
            tally: RandomWalkTally::default(),
        })
    }

    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    pub(super) fn summary(&self) -> WalkSummary {
        self.tally.summary()
    }

    /// Whether another walk may begin: there is time, and somebody has answered or may still.
    fn goes_on(&self) -> bool {
        let walked = self.tally.summary();
        Instant::now() < self.until && (walked.answered > 0 || walked.walks < VAIN_WALKS)
    }

    fn start(&mut self, cancel: &CancellationToken) {
        while self.under_way.len() < self.walkers && self.goes_on() {
            let quest = self.quest();
            let (finder, until, cancel) = (self.finder.clone(), self.until, cancel.child_token());
            self.under_way.spawn(async move { walk(&finder, quest, until, &cancel).await });
        }
    }

    fn quest(&mut self) -> Quest {
        let mut key = SHA2_256.to_vec();
        key.resize(SHA2_256.len() + HASH_BYTES, 0);
        self.keys.fill_bytes(&mut key[SHA2_256.len()..]);
        let known = self.table.closest(&Key::of(&key), K);
        let mut from: Vec<Contact> = known.into_iter().map(|known| known.peer.clone()).collect();
        if from.len() < K {
            from.extend(self.given.iter().cloned());
        }
        // A walk is to find the closest, all of them: the end that the specification gives.
        Quest { kind: LookupKind::Closest, key, from, rules: Rules::specification() }
    }

    /// Takes in who answered on the way, and lets those go who did not.
    fn learn(&mut self, found: &Found) {
        for rpc in &found.trace.rpcs {
            let Some(peer) = found.trace.peer(rpc.peer) else { continue };
            let key = Key::of_peer(&peer);
            match rpc.fate {
                RpcFate::Answered => {
                    let contact = Contact { peer, addrs: found.addresses.of(&peer.to_bytes()).to_vec() };
                    // Where a bucket is full its peers stay.
                    self.table.insert(Newcomer::new(key, contact), self.begun.elapsed()).ok();
                }
                RpcFate::Failed => drop(self.table.remove(&key)),
                RpcFate::Open | RpcFate::Unconfirmed | RpcFate::Cancelled => {}
            }
        }
    }
}

/// Looks one key up, until time is over.
async fn walk<N: Network>(
    finder: &Finder<N>,
    quest: Quest,
    until: Instant,
    cancel: &CancellationToken,
) -> Found {
    let find = finder.find(quest, |_| false, |_, _| {}, cancel);
    tokio::pin!(find);
    let found = if let Ok(found) = timeout_at(until, &mut find).await {
        found
    } else {
        cancel.cancel();
        find.await
    };
    let is_in_vain = !found.trace.rpcs.iter().any(|rpc| rpc.fate == RpcFate::Answered);
    let next = if is_in_vain { Instant::now() + REST } else { found.begun + PACE };
    tokio::select! {
        () = sleep_until(next.min(until)) => {}
        () = cancel.cancelled() => {}
    }
    found
}

/// The next walk that is over; `None` if none is under way.
pub(super) async fn next<N: Network>(walking: &mut Option<Walking<N>>) -> Option<Found> {
    let found = walking.as_mut()?.under_way.join_next().await?;
    found.inspect_err(|error| tracing::error!(%error, "a walk did not come to its end")).ok()
}

impl<N: Network> Run<N> {
    /// Starts as many walks as there are walkers without one.
    pub(super) fn start_walks(&mut self) {
        let is_stopping = self.is_stopping();
        if let Some(walking) = self.walking.as_mut().filter(|_| !is_stopping) {
            walking.start(&self.outlets.cancel);
        }
    }

    /// Takes in what a walk has found, and sends its row on.
    pub(super) async fn walked(&mut self, found: Found) {
        if let Some(walking) = &mut self.walking {
            walking.learn(&found);
        }
        // One that was cut short has not come to where it was going.
        let has_arrived = found.outcome.termination != Termination::Cancelled;
        let (mut nearest, mut closest) = (Vec::new(), Vec::new());
        if has_arrived {
            nearest = self.found(&found.outcome.nearest, &found).await;
            let answered: Vec<PeerId> = found.outcome.answered().copied().collect();
            closest = self.found(&answered, &found).await;
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let rpcs = &found.trace.rpcs;
        let walk = CrawlWalk {
            key: found.trace.preimage.to_vec(),
            began_at: self.manner.clock.at(found.begun),
            took: found.took,
            ending: found.outcome.termination,
            asked: count(rpcs.len()),
            answered: count(rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered).count()),
            dialled: count(rpcs.iter().filter(|rpc| rpc.dial.is_some()).count()),
            nearest,
            closest,
        };
        if let Some(walking) = &mut self.walking {
            walking.tally.add(&walk, |peer| self.frontier.key(peer));
        }
        self.send(walk.into()).await;
        self.outlets.progress.send_replace(self.progress());
    }

    /// Takes in who was found; gives their numbers, or none where there was no room for all: some would say nothing of how close peers
    /// lie.
    async fn found(&mut self, peers: &[PeerId], found: &Found) -> Vec<PeerNumber> {
        let (network, now) = (self.network.clone(), self.begun.elapsed());
        let mut numbers = Vec::with_capacity(peers.len());
        for peer in peers {
            let addrs = found.addresses.of(&peer.to_bytes());
            let known = self.frontier.walked_to((peer, addrs), now, &|address| network.admits(address));
            let Some((number, is_new)) = known else { continue };
            if is_new {
                self.send(Row::Peer(number, *peer)).await;
            }
            numbers.push(number);
        }
        if numbers.len() < peers.len() { Vec::new() } else { numbers }
    }
}
