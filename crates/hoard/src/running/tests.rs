//! Studies from their beginning to their end in virtual time.

use std::{collections::BTreeMap, time::Duration};

use dht::NodeProfile;
use kad::{Contact, Keypair, message::AMINO_PROTOCOL};
use schema::{PublisherEnd, RoundEnd, Timestamp};
use testnet::{Scenario, SimFabric, SimLimits, World};
use tokio::{task::JoinHandle, time::Instant};

use super::*;
use crate::{Arm, KeyPublished, KeyRound, KeySource, ResumedKey, RoundTimes};

mod arms;
mod kept;
mod manners;
mod resuming;
mod whole;

const START: Timestamp = Timestamp(1_795_000_000_000_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

const HEALTHY: &str = r#"
peers = 120
seed = 3
[[regions]]
name = "here"
share = 1.0
rtt_ms = { here = 20 }
"#;

/// The rounds of each key of each arm, with how they ended.
type RoundsByKey = BTreeMap<(u16, Vec<u8>), Vec<(u32, RoundEnd)>>;

/// A world, and the time of the studies in it.
struct Stage {
    fabric: SimFabric,
    clock: Clock,
}

/// What a study told.
#[derive(Default)]
struct Told {
    facts: Vec<HoardFact>,
}

/// A study that goes on.
struct UnderWay {
    run: JoinHandle<Result<HoardSummary, HoardError>>,
    facts: mpsc::Receiver<HoardFact>,
    now: watch::Receiver<HoardNow>,
    cancel: CancellationToken,
}

impl Stage {
    fn of(toml: &str) -> Self {
        let scenario = Scenario::parse(toml, "hoard").expect("a scenario");
        let fabric = SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default());
        Self { fabric, clock: Clock::started_at(START) }
    }

    fn node(&self) -> NodeConfig {
        let profile = NodeProfile {
            agent: "hoard".to_owned(),
            protocols: [AMINO_PROTOCOL.to_owned()].into(),
            announce: Vec::new(),
        };
        let world = self.fabric.world();
        let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        let keypair = Keypair::ed25519_from_bytes([9; 32]).expect("any 32 bytes are a key");
        let mut config = NodeConfig::new(keypair, profile, Duration::from_secs(1_795_000_000));
        config.bootstrap = match world.bootstrap() {
            [] => world.peers().take(20).map(|peer| contact(&peer)).collect(),
            some => some.iter().map(contact).collect(),
        };
        config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
        config
    }

    fn hoard(&self, plan: &HoardPlan) -> Hoard<SimFabric> {
        Hoard::new(self.fabric.clone(), plan.clone(), self.node(), self.clock)
    }

    fn begin(&self, plan: &HoardPlan, resumed: Option<Resumed>, room: usize) -> UnderWay {
        let ((facts, told), (now, shown)) = (mpsc::channel(room), watch::channel(HoardNow::default()));
        let (cancel, hoard) = (CancellationToken::new(), self.hoard(plan));
        let outlets = HoardOutlets { facts, now, cancel: cancel.clone() };
        let run = tokio::spawn(async move { hoard.run(resumed, outlets).await });
        UnderWay { run, facts: told, now: shown, cancel }
    }

    /// Makes a study to its end.
    async fn whole(&self, plan: &HoardPlan) -> (Told, Result<HoardSummary, HoardError>) {
        let mut under_way = self.begin(plan, None, 64);
        let told = under_way.told().await;
        (told, under_way.run.await.expect("it ends"))
    }

    fn now(&self) -> Timestamp {
        self.clock.at(Instant::now())
    }
}

impl UnderWay {
    /// All that it tells until its end.
    async fn told(&mut self) -> Told {
        let mut told = Told::default();
        while let Some(fact) = self.facts.recv().await {
            told.facts.push(fact);
        }
        told
    }

    /// All that it tells in this time; then it is gone, as if its process had been killed.
    async fn killed_after(mut self, time: Duration) -> Told {
        let (mut told, until) = (Told::default(), Instant::now() + time);
        while let Ok(Some(fact)) = tokio::time::timeout_at(until, self.facts.recv()).await {
            told.facts.push(fact);
        }
        self.run.abort();
        drop(self.run.await);
        told
    }
}

impl Told {
    fn published(&self) -> impl Iterator<Item = &KeyPublished> {
        self.facts.iter().filter_map(|fact| match fact {
            HoardFact::Published(published) => Some(&**published),
            _ => None,
        })
    }

    fn rounds(&self) -> impl Iterator<Item = &KeyRound> {
        self.facts.iter().filter_map(|fact| match fact {
            HoardFact::Round(round) => Some(&**round),
            _ => None,
        })
    }

    fn left(&self) -> impl Iterator<Item = (PeerId, Timestamp)> {
        self.facts.iter().filter_map(|fact| match fact {
            HoardFact::PublisherLeft(left) => Some((left.peer, left.closed_at)),
            _ => None,
        })
    }

    /// The rounds of each key of each arm, in the order in which they were told, with how they ended.
    fn by_key(&self) -> RoundsByKey {
        let mut all = RoundsByKey::new();
        for published in self.published() {
            all.entry((published.watched.arm, published.watched.key.to_vec())).or_default();
        }
        for round in self.rounds() {
            let rounds = all.get_mut(&(round.arm, round.key.to_vec()));
            rounds.expect("a key is told before its rounds").push((round.round, round.end));
        }
        all
    }

    /// What somebody who goes on with it must know.
    fn resumed(&self) -> Resumed {
        let by_key = self.by_key();
        let keys = self.published().map(|published| {
            let rounds = &by_key[&(published.watched.arm, published.watched.key.to_vec())];
            ResumedKey {
                watched: published.watched.clone(),
                position: published.position,
                done: rounds.iter().map(|(round, _)| *round).max().unwrap_or(0),
                is_read_back: rounds.iter().any(|(round, _)| *round == 0),
            }
        });
        let seen = self.rounds().map(|round| round.ended_at);
        let published =
            self.published().map(|published| published.watched.published_at.after(published.took));
        Resumed {
            keys: keys.collect(),
            left: self.left().map(|(peer, _)| peer).collect(),
            last_seen: seen.chain(published).max().unwrap_or(START),
        }
    }

    fn and(mut self, later: Self) -> Self {
        self.facts.extend(later.facts);
        self
    }
}

/// So many keys by one arm, every so often for so long, one publication every two seconds by default terms.
fn plan(keys: u32, every: Duration, span: Duration) -> HoardPlan {
    let mut plan = HoardPlan::of(keys, RoundTimes::every(every, span));
    plan.pace.gap = 2 * SECOND;
    plan.observing.observers = 2;
    plan
}

/// Each round of each key once, the readings first, all rounds in their order.
fn assert_whole(told: &Told, keys: usize, rounds: u32) {
    let by_key = told.by_key();
    assert_eq!(by_key.len(), keys);
    for ((arm, key), seen) in by_key {
        let numbers: Vec<u32> = seen.iter().map(|(round, _)| *round).collect();
        assert_eq!(numbers, (0..=rounds).collect::<Vec<_>>(), "arm {arm}, key {key:02x?}");
    }
}
