//! A peer of ours that only asks: it looks at holders of keys, and looks keys up.
//!
//! Its lookups have connections of their own, and each holder is dialled apart, over a connection that nobody else uses: a lookup never
//! loses one to a look at a holder. What is made in a round is in `rounds`; when it is made, its caller's.

mod dialling;
mod foreign;
mod rounds;
#[cfg(test)]
pub(crate) mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crawl::Clock;
use dht::{Node, NodeConfig};
use kad::fabric::{Fabric, Member};
use schema::Timestamp;
use tokio::{sync::Semaphore, time::Instant};

use self::dialling::Dialling;
pub use self::{
    dialling::ProviderDialTerms,
    foreign::{FoundHolder, FoundHolders},
};
use crate::{
    AgentBook, Filters, InFlight, SeekTerms, SightTerms, WalkTerms, filters::ids, round::seeking::Seeking,
    sight::looking::Looking,
};

/// How an observer is set up.
#[derive(Debug, Clone)]
pub struct ObserverConfig {
    /// How its peer lives: whom it ignores are publishers and observers of ours. It does not serve, keeps no record of its own, and has
    /// nobody look for its addresses, whatever stands here.
    pub node: NodeConfig,
    /// How holders are dialled and asked.
    pub sights: SightTerms,
    /// How keys are looked up.
    pub walks: WalkTerms,
    /// How holders are looked for that are nowhere.
    pub seeks: SeekTerms,
    /// How those who provide a key are dialled. Default not at all.
    pub providers: Option<ProviderDialTerms>,
    /// When a round is over, done or not. Default 80 s, as CID Hoarder's.
    pub round: Duration,
    /// Who is left out.
    pub filters: Arc<Filters>,
    /// What programs are called, for all of a run.
    pub agents: Arc<AgentBook>,
    /// What is under way, for all of a run.
    pub in_flight: Arc<InFlight>,
    /// The run's clock.
    pub clock: Clock,
}

impl ObserverConfig {
    /// The defaults, for a run that has this clock.
    pub fn new(node: NodeConfig, clock: Clock) -> Self {
        Self {
            node,
            sights: SightTerms::default(),
            walks: WalkTerms::default(),
            seeks: SeekTerms::default(),
            providers: None,
            round: Duration::from_secs(80),
            filters: Arc::default(),
            agents: Arc::default(),
            in_flight: Arc::default(),
            clock,
        }
    }
}

/// A peer of ours that only asks. Cheap to clone; all clones are the same one.
#[derive(Debug)]
pub struct Observer<M: Member>(Arc<Inner<M>>);

#[derive(Debug)]
struct Inner<M: Member> {
    node: Node<M>,
    config: ObserverConfig,
    looking: Looking<M>,
    seeking: Seeking,
    dialling: Option<Dialling<M>>,
}

impl<M: Member> Clone for Observer<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Member> Observer<M> {
    /// Joins a fabric. When this returns, it has just begun to fill its table.
    pub async fn join<F: Fabric<Member = M>>(fabric: &F, config: ObserverConfig) -> Result<Self, F::Error> {
        let node =
            NodeConfig { serves: false, keeps_own: false, checks_addresses: false, ..config.node.clone() };
        let protocols = Arc::clone(&node.profile.protocols);
        let node = Node::join(fabric, node).await?;
        let looking = Looking {
            network: node.member().clone(),
            protocols,
            terms: Arc::new(config.sights.clone()),
            agents: Arc::clone(&config.agents),
            room: Arc::new(Semaphore::new(config.sights.at_once.clamp(1, Semaphore::MAX_PERMITS))),
            in_flight: Arc::clone(&config.in_flight),
            pace: config.node.pace.clone(),
        };
        let dialling = Dialling::join(fabric, &config).await?;
        let seeking = Seeking::new(config.seeks, config.node.rules, Arc::clone(&config.in_flight));
        Ok(Self(Arc::new(Inner { node, config, looking, seeking, dialling })))
    }

    /// The peer that it is.
    pub fn node(&self) -> &Node<M> {
        &self.0.node
    }

    /// How it was set up.
    pub fn config(&self) -> &ObserverConfig {
        &self.0.config
    }

    /// Leaves: nobody of it asks any more when this returns. Bounded in time.
    pub async fn leave(self) {
        self.0.node.retire().await;
    }

    /// The run's time now.
    fn now(&self) -> Timestamp {
        self.0.config.clock.at(Instant::now())
    }

    /// Who is never asked by a lookup: peers of ours, and whoever is left out at the query, as far as is known what their programs are.
    fn unasked(&self) -> Arc<BTreeSet<Vec<u8>>> {
        let ObserverConfig { node, filters, agents, .. } = self.config();
        let left_out = filters.unasked(agents);
        ids(node.ignored.iter().chain(&left_out))
    }
}
