//! Heads: peers of ours in one process that answer as servers of a network, from one set of peers that they know, one belly and
//! one dialler.
//!
//! A head is a member of a fabric, which holds its connections, and a service of a few hundred bytes: no head has a task, a table
//! or a pool of its own. What they know is in [`commons`](crate::commons), and what they answer in `answering`. Five tasks tend all
//! heads together: `filling` keeps what is known of the network true, `admitting` looks at whom they meet, `joining` brings each
//! head into the tables of others, `fetching` looks up what the belly was asked for and does not have, and `watching` sees how
//! all that is asked is borne.

mod admitting;
mod answering;
mod beside;
mod chorus;
mod config;
mod counters;
mod fetching;
mod filling;
mod head;
mod joining;
mod state;
mod swarm;
mod sweep;
mod uniques;
mod view;
mod watching;

use std::sync::Arc;

use dht::{Finder, FinderTerms, Found, Pool, Quest};
use kad::{
    Contact, PeerId,
    fabric::{Fabric, Introduced, Inward, Member, Says, Terms},
    lookup::{LookupKind, Rules},
    values::CheckedValue,
};
use thiserror::Error;
use tokio::{sync::mpsc, task::JoinSet, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    admitting::Admitting, answering::HeadService, chorus::Chorus, fetching::Fetching, filling::Filling,
    joining::Joining, state::HydraState, watching::Watching,
};
pub use self::{
    config::{HeadConfig, HydraConfig, JoiningConfig},
    counters::{AnsweredCounts, AskedCounts, HydraCounters},
    head::HydraHead,
    swarm::{SwarmConnection, SwarmPeer, SwarmSaying},
    view::HydraView,
};
use crate::{
    load::LoadControl,
    prefetch::{Prefetch, WantedKey},
};

/// How many peers that said who they are may wait to be looked at. Who finds no room is met again.
const MAX_INTRODUCED: usize = 1024;

/// Why a hydra cannot join.
#[derive(Debug, Error)]
pub enum HydraError<E> {
    /// It has no head.
    #[error("a hydra needs at least one head")]
    NoHeads,
    /// One of its heads cannot join. Those that had joined have left again.
    #[error("head {index} ({peer}) cannot join")]
    Head {
        /// The head's number.
        index: u64,
        /// Who it is.
        peer: PeerId,
        /// Why.
        source: E,
    },
}

/// Many heads. They leave by [`leave`](Self::leave); dropped, they leave without saying goodbye.
#[derive(Debug)]
pub struct Hydra<M: Member> {
    seeker: Seeker<M>,
    leaving: CancellationToken,
    tasks: TaskTracker,
}

/// What the tasks of a hydra share: what it knows, and how it asks.
#[derive(Debug, Clone)]
struct Seeker<M> {
    state: Arc<HydraState>,
    finder: Finder<Chorus<M>>,
    bootstrap: Arc<[Contact]>,
    rules: Rules,
}

impl<M: Member> Hydra<M> {
    /// Joins a fabric, one head after the other. When this returns, all of them listen and answer; they have just begun to come
    /// into the tables of others. If one of them cannot join, all leave, and the error names it.
    pub async fn join<F: Fabric<Member = M>>(
        fabric: &F,
        mut config: HydraConfig,
    ) -> Result<Self, HydraError<F::Error>> {
        let Some(first) = config.heads.first() else { return Err(HydraError::NoHeads) };
        let local = first.keypair.public().to_peer_id();
        let (introduced, met) = mpsc::channel(MAX_INTRODUCED);
        let (prefetch, wanted) = config.prefetch.map(Prefetch::new).unzip();
        let state = Arc::new(HydraState::new(&config, introduced, prefetch.map(Arc::new)));
        let protocols = Arc::clone(&config.protocols);
        let terms = FinderTerms { own: local, protocols, patience: config.patience };
        let finder = Finder::new(Pool::new(Chorus::new(local), config.pool), terms);
        let bootstrap = config.bootstrap.clone().into();
        let seeker = Seeker { state, finder, bootstrap, rules: config.lookups };
        let hydra = Self { seeker, leaving: CancellationToken::new(), tasks: TaskTracker::new() };
        let mut queues = Some((met, wanted));
        // What each was made of is not kept.
        for (position, head) in std::mem::take(&mut config.heads).into_iter().enumerate() {
            if position > 0 && !config.stagger.is_zero() {
                sleep(config.stagger).await;
            }
            if let Err(error) = hydra.enter(fabric, head).await {
                hydra.leave().await;
                return Err(error);
            }
            // Those who have joined live while the others wait for their turn.
            if let Some(queues) = queues.take() {
                hydra.tend(&config, queues);
            }
        }
        hydra.tasks.close();
        Ok(hydra)
    }

    /// A head joins.
    async fn enter<F: Fabric<Member = M>>(
        &self,
        fabric: &F,
        config: HeadConfig,
    ) -> Result<(), HydraError<F::Error>> {
        let state = &self.seeker.state;
        let HeadConfig { index, keypair, listen, announce } = config;
        let peer = keypair.public().to_peer_id();
        let head = Arc::new(HydraHead::new(index, peer));
        let says = |listens: &[_]| -> Says {
            let addresses = if announce.is_empty() { listens } else { &announce };
            state.says(addresses.to_vec())
        };
        let said = says(&listen);
        let terms = Terms { keypair, says: said.clone(), listen, inward: Inward::Served };
        let service = HeadService { head: Arc::clone(&head), state: Arc::clone(state) };
        let joined = fabric.join(terms, Arc::new(service)).await;
        let member = joined.map_err(|source| HydraError::Head { index, peer, source })?;
        let now_says = says(&member.listens());
        head.settle(member.listens(), now_says.addresses.clone());
        if now_says != said {
            member.say(now_says);
        }
        self.seeker.finder.pool().network().enter(member);
        state.enter(head);
        Ok(())
    }

    /// Begins what tends all heads.
    fn tend(
        &self,
        config: &HydraConfig,
        (met, wanted): (mpsc::Receiver<Introduced>, Option<mpsc::Receiver<WantedKey>>),
    ) {
        let seeker = || self.seeker.clone();
        let admitting = Admitting::new(seeker(), met).run();
        let filling = Filling::new(seeker(), (config.refresh, config.grace), config.seed).run();
        let joining = Joining::new(seeker(), config.joining, config.refresh).run();
        let counting = Arc::clone(&self.seeker.state).count_records();
        self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(counting));
        self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(admitting));
        self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(filling));
        let limit = config.load.memory_bytes.or_else(http::memory_limit);
        let watching = Watching::new(seeker(), limit).run();
        self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(joining));
        self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(watching));
        if let Some((prefetch, wanted)) = self.seeker.state.prefetch.clone().zip(wanted) {
            let fetching = Fetching::new(seeker(), prefetch, wanted).run();
            self.tasks.spawn(self.leaving.clone().run_until_cancelled_owned(fetching));
        }
    }

    /// The heads that have joined, in the order in which they did.
    pub fn heads(&self) -> Vec<Arc<HydraHead>> {
        self.seeker.state.heads()
    }

    /// The servers of the network that all heads know: whoever keeps them can begin with them the next time.
    pub fn known_peers(&self) -> Vec<Contact> {
        self.seeker.state.commons().contacts().collect()
    }

    /// How many peers a head would have in a routing table of its own.
    pub fn table_size(&self, head: &HydraHead) -> usize {
        self.seeker.state.commons().table_size(head.key())
    }

    /// What all heads count.
    pub fn counters(&self) -> &HydraCounters {
        &self.seeker.state.counters
    }

    /// What is done under load, and what became of requests by it.
    pub fn load(&self) -> &LoadControl {
        &self.seeker.state.load
    }

    /// What is fetched beforehand, and what came of it; `None` if nothing is.
    pub fn prefetch(&self) -> Option<&Prefetch> {
        self.seeker.state.prefetch.as_deref()
    }

    /// Waits until what is known of the network was refreshed so many times.
    pub async fn refreshed(&self, times: u64) {
        let mut progress = self.seeker.state.progress.subscribe();
        // It ends with the hydra alone, which is still there.
        progress.wait_for(|progress| progress.refreshes >= times).await.ok();
    }

    /// Waits until each head has dialled all whom it should be known to after so many refreshes.
    pub async fn announced(&self, times: u64) {
        let mut progress = self.seeker.state.progress.subscribe();
        progress.wait_for(|progress| progress.announced >= times).await.ok();
    }

    /// Looks something up, starting from the peers that all heads know. `key` is what [`Quest::key`] is.
    pub async fn find(&self, kind: LookupKind, key: Vec<u8>, cancel: &CancellationToken) -> Found {
        self.seeker.find(kind, key, cancel).await
    }

    /// Leaves: when this returns, no head listens or asks any more. Bounded in time, however many there are. The belly is closed by
    /// whoever opened it.
    pub async fn leave(self) {
        self.leaving.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let mut leaving = JoinSet::new();
        for member in self.seeker.finder.pool().network().leave() {
            leaving.spawn(member.leave());
        }
        leaving.join_all().await;
    }
}

impl<M: Member> Drop for Hydra<M> {
    fn drop(&mut self) {
        self.leaving.cancel();
        drop(self.seeker.finder.pool().network().leave());
    }
}

impl<M: Member> Seeker<M> {
    /// Looks something up from the peers that are known, or from where the hydra begins while that is nobody, and takes in what the
    /// lookup shows of peers.
    async fn find(&self, kind: LookupKind, key: Vec<u8>, cancel: &CancellationToken) -> Found {
        self.find_by(kind, key, self.rules, cancel).await
    }

    /// The same by other rules.
    async fn find_by(
        &self,
        kind: LookupKind,
        key: Vec<u8>,
        rules: Rules,
        cancel: &CancellationToken,
    ) -> Found {
        let mut from = self.state.closest(&key);
        if from.is_empty() {
            from = self.bootstrap.to_vec();
        }
        let now = self.state.now();
        let holds = |value: &[u8]| CheckedValue::of(&key, value).is_ok_and(|value| !value.is_expired(now));
        let quest = Quest { kind, key: key.clone(), from, rules };
        let found = self.finder.find(quest, holds, |_, _| {}, cancel).await;
        self.state.learn(&found);
        found
    }
}
