//! A study from its beginning to its end: publishers publish, observers look, and what they saw is told in order.
//!
//! When a key is looked at is decided by the [schedule](crate::schedule); what goes on at once is in `driver`. Keeping what is told is left
//! to whoever listens: as long as nobody takes it, nothing new is begun, and rounds whose time passes meanwhile are missed.

mod driver;
mod observing;
mod summary;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crawl::{Clock, FullTableConfig, FullTableKeeper};
use dht::{NodeConfig, RequestPace};
use kad::{PeerId, fabric::Fabric};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub use self::summary::{HoardEnd, HoardSummary};
use self::{driver::Driver, observing::Observing};
use crate::{
    AgentBook, HoardError, HoardFact, HoardNow, HoardPlan, Observer, Resumed, WatchedKey,
    publishing::{ArmEvent, ArmWork, PublisherGround, observer_keypair, publisher_keypair},
};

/// How many events of arms may wait to be dealt with.
const EVENTS: usize = 64;

/// A study that is to be made.
#[derive(Debug, Clone)]
pub struct Hoard<F> {
    /// Where its peers live.
    pub fabric: F,
    /// What it does.
    pub plan: HoardPlan,
    /// How its peers live: whom they begin with, what they speak and say of themselves, where publishers listen and how many connections
    /// each may hold. Who they are, and that they are clients, is not said here.
    pub node: NodeConfig,
    /// Its time.
    pub clock: Clock,
    /// How the network is crawled where a strategy needs to know everybody, or programs are left out by their names.
    pub everybody: FullTableConfig,
    /// Of keys of others, whose holders are known; those of all others are found.
    pub known: Vec<WatchedKey>,
}

/// What a study is told by, and what it is heard by.
#[derive(Debug)]
pub struct HoardOutlets {
    /// Takes what happens, in an order in which it can be kept: a key before its rounds, each round when it is over.
    pub facts: mpsc::Sender<HoardFact>,
    /// What it looks like now.
    pub now: watch::Sender<HoardNow>,
    /// Cancelled, it ends in order: what was published is told, rounds under way are stopped and told.
    pub cancel: CancellationToken,
}

impl<F: Fabric> Hoard<F> {
    /// A study by this plan whose peers live so.
    pub fn new(fabric: F, plan: HoardPlan, node: NodeConfig, clock: Clock) -> Self {
        Self { fabric, plan, node, clock, everybody: FullTableConfig::default(), known: Vec::new() }
    }

    /// Makes it, or goes on with it; returns when it is over, all its peers have left and all that happened was told.
    pub async fn run(
        self,
        resumed: Option<Resumed>,
        outlets: HoardOutlets,
    ) -> Result<HoardSummary, HoardError> {
        self.plan.check()?;
        let agents = Arc::new(AgentBook::default());
        let mut node = self.node.clone();
        node.pace = self.plan.max_requests_per_s.map(|per_s| Arc::new(RequestPace::per_s(per_s)));
        node.ignored.extend(self.own_peers());
        // Nor does the upkeep of tables ask whoever is left out at the query, be it to begin with.
        node.ignored.extend(self.plan.filters.unasked(&agents));
        node.bootstrap.retain(|contact| !node.ignored.contains(&contact.peer));
        let observing = Observing { node: &node, plan: &self.plan, clock: self.clock, agents: &agents };
        let (observers, in_flight) = observing.join(&self.fabric, &outlets.cancel).await?;
        if let Some(observer) = observers.first() {
            self.learn_programs(observer, &outlets.cancel).await;
        }
        let ground = Arc::new(PublisherGround {
            fabric: self.fabric.clone(),
            plan: Arc::new(self.plan.clone()),
            node,
            clock: self.clock,
            agents,
            everybody: self.everybody.clone(),
        });
        let (over, leave) = (outlets.cancel.child_token(), CancellationToken::new());
        let (events, happened) = mpsc::channel(EVENTS);
        let resumed = resumed.unwrap_or_default();
        let arms = self.begin(&ground, (&observers, &resumed), &events, (&over, &leave));
        // From now on arms alone have something to say.
        drop(events);
        let plan = Arc::clone(&ground.plan);
        let driver = Driver::new((plan, self.clock), (observers.clone(), in_flight), outlets, (over, leave));
        let ended = driver.run(resumed, happened).await;
        arms.join_all().await;
        let leaving: JoinSet<()> = observers.into_iter().map(Observer::leave).collect();
        leaving.join_all().await;
        ended
    }

    /// Where programs are left out by their names, has the network crawled for what they are called, as CID Hoarder does: else nobody's name
    /// were known before it was met.
    async fn learn_programs(&self, observer: &Observer<F::Member>, cancel: &CancellationToken) {
        if self.plan.filters.agents.is_empty() {
            return;
        }
        let NodeConfig { profile, bootstrap, .. } = &self.node;
        let (member, protocols) = (observer.node().member().clone(), Arc::clone(&profile.protocols));
        let keeper = FullTableKeeper::new(member, protocols, bootstrap, self.everybody.clone());
        for (peer, program) in keeper.programs(cancel).await {
            observer.config().agents.note(peer, &program);
        }
    }

    /// Has all arms work.
    fn begin(
        &self,
        ground: &Arc<PublisherGround<F>>,
        (observers, resumed): (&[Observer<F::Member>], &Resumed),
        events: &mpsc::Sender<ArmEvent>,
        (over, leave): (&CancellationToken, &CancellationToken),
    ) -> JoinSet<()> {
        let mut done: BTreeMap<u16, BTreeSet<u32>> = BTreeMap::new();
        for key in &resumed.keys {
            done.entry(key.watched.arm).or_default().insert(key.position);
        }
        let known: HashMap<_, _> =
            self.known.iter().map(|known| (known.key.to_vec(), known.clone())).collect();
        let known = Arc::new(known);
        let mut arms = JoinSet::new();
        for (arm, observer) in (0..).zip(observers.iter().cycle()).take(self.plan.arms.len()) {
            let work = ArmWork {
                ground: Arc::clone(ground),
                arm,
                done: done.remove(&arm).unwrap_or_default(),
                events: events.clone(),
                cancel: over.clone(),
                leave: leave.clone(),
            };
            if self.plan.keys.is_foreign() {
                arms.spawn(work.take_all_in(observer.clone(), Arc::clone(&known)));
            } else {
                arms.spawn(work.run());
            }
        }
        arms
    }

    /// Peers of ours that are there as long as the study is: nobody of them is asked.
    fn own_peers(&self) -> Vec<PeerId> {
        let arms = u16::try_from(self.plan.arms.len()).unwrap_or(u16::MAX);
        let publishers = (0..arms).filter_map(|arm| publisher_keypair(self.plan.seed, arm, None));
        let observers =
            (0..self.plan.observing.observers).filter_map(|number| observer_keypair(self.plan.seed, number));
        publishers.chain(observers).map(|keypair| keypair.public().to_peer_id()).collect()
    }
}
