//! A peer of ours that lives in a network: it answers by the rules of a server, asks back who asks it, keeps a table of
//! peers that live and records that it is given, looks things up and provides.
//!
//! What it knows is in `state`, and what it answers in `answering`; both decide by the rules of `kad`. Two tasks tend it:
//! `admitting` tests whom it meets, `upkeep` fills the table and keeps it true; a third, `reachability`, has others dial it.
//! What a node is for is left to whoever joins
//! it: it keeps no rows.

mod acquaintances;
mod admitting;
mod answering;
mod config;
mod learning;
mod publishing;
mod reachability;
mod seen;
mod state;
#[cfg(test)]
mod tests;
mod upkeep;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr, PeerId,
    fabric::{Fabric, Inward, Member, Says, Terms},
    lookup::{LookupKind, Rules},
    network::Network,
    values::CheckedValue,
};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{admitting::Admitting, reachability::Reaching, state::NodeState, upkeep::Upkeep};
pub use self::{
    config::{NodeConfig, NodeProfile},
    seen::{RequestSeen, RequestWatch},
};
use crate::{
    autonat::{AddressChecks, OwnAddress},
    finder::{Finder, FinderTerms, Found, Quest},
    pool::Pool,
    provide::{Holder, ProviderRecord},
};

/// How many peers that said who they are may wait to be looked at. Who finds no room is met again.
const MAX_INTRODUCED: usize = 256;

/// A node. It leaves by [`leave`](Self::leave); dropped, it leaves without saying goodbye.
#[derive(Debug)]
pub struct Node<M: Member> {
    seeker: Seeker<M>,
    own: Contact,
    serves: bool,
    profile: NodeProfile,
    refreshes: watch::Receiver<u64>,
    /// Held while the table is refreshed.
    undisturbed: Arc<Mutex<()>>,
    leaving: CancellationToken,
    tasks: TaskTracker,
}

/// What the tasks of a node share with it: what it knows, and how it asks.
#[derive(Debug, Clone)]
struct Seeker<M> {
    state: Arc<NodeState>,
    finder: Finder<M>,
    checks: Arc<AddressChecks<M>>,
    bootstrap: Arc<[Contact]>,
    rules: Rules,
}

impl<M: Member> Node<M> {
    /// Joins a fabric. When this returns, the node listens and answers; it has just begun to fill its table.
    pub async fn join<F: Fabric<Member = M>>(fabric: &F, config: NodeConfig) -> Result<Self, F::Error> {
        let NodeConfig { keypair, profile, listen, bootstrap, .. } = config.clone();
        let own = keypair.public().to_peer_id();
        let (introduced, met) = mpsc::channel(MAX_INTRODUCED);
        let state = Arc::new(NodeState::new(own, &config, introduced));
        let says = profile.says(&listen, config.serves);
        let terms = Terms { keypair, says, listen, inward: Inward::HandedOut };
        let member = fabric.join(terms, Arc::clone(&state)).await?;
        let says = profile.says(&member.listens(), config.serves);
        let own = Contact { peer: own, addrs: says.addresses.clone() };
        state.announce(own.clone());
        member.say(says);
        let protocols = Arc::clone(&profile.protocols);
        let terms = FinderTerms { own: own.peer, protocols, patience: config.patience };
        let checks = AddressChecks::new(member.clone(), Arc::clone(&state.numbers), config.seed).into();
        let finder = Finder::new(Pool::new(member, config.pool).paced(config.pace.clone()), terms)
            .ignoring(&config.ignored);
        let seeker = Seeker { state, finder, checks, bootstrap: bootstrap.into(), rules: config.rules };
        let (leaving, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (done, refreshes) = watch::channel(0);
        let undisturbed = Arc::new(Mutex::new(()));
        let accepting = accept(seeker.finder.pool().clone());
        let admitting = Admitting::new(seeker.clone(), met).run();
        let mut upkeep = Upkeep::new(seeker.clone(), config.refresh, config.seed, done);
        upkeep.undisturbed = Arc::clone(&undisturbed);
        tasks.spawn(leaving.clone().run_until_cancelled_owned(accepting));
        tasks.spawn(leaving.clone().run_until_cancelled_owned(admitting));
        tasks.spawn(leaving.clone().run_until_cancelled_owned(upkeep.run()));
        if config.checks_addresses {
            let reaching = Reaching::new(seeker.clone()).run();
            tasks.spawn(leaving.clone().run_until_cancelled_owned(reaching));
        }
        tasks.close();
        let serves = config.serves;
        Ok(Self { seeker, own, serves, profile, refreshes, undisturbed, leaving, tasks })
    }

    /// Who it is, and where it says that it is.
    pub const fn contact(&self) -> &Contact {
        &self.own
    }

    /// Says from now on that it is at these addresses; none: where it listens.
    pub fn announce(&mut self, addresses: Vec<Multiaddr>) {
        self.profile.announce = addresses;
        let says = self.profile.says(&self.member().listens(), self.serves);
        self.own.addrs.clone_from(&says.addresses);
        self.seeker.state.announce(self.own.clone());
        self.member().say(says);
        self.seeker.checks.moved();
    }

    /// Which of its addresses can be reached, as far as others have shown it, and what changes of that. Empty until there was
    /// a first look at them, and where [`NodeConfig::checks_addresses`] is false.
    pub fn reachability(&self) -> watch::Receiver<Vec<OwnAddress>> {
        self.seeker.checks.watch()
    }

    /// The peer that it is on its fabric.
    pub const fn member(&self) -> &M {
        self.seeker.finder.pool().network()
    }

    /// How many connections it holds for asking on, whoever opened them.
    pub fn connections(&self) -> usize {
        self.seeker.finder.pool().connections()
    }

    /// Its routing table, those farthest from it first.
    pub fn table(&self) -> Vec<Contact> {
        self.seeker.state.listed()
    }

    /// Waits until its table has been refreshed so many times since it joined.
    pub async fn refreshed(&self, times: u64) {
        let mut refreshes = self.refreshes.clone();
        // The task that refreshes ends with the node alone, which is still there.
        refreshes.wait_for(|done| *done >= times).await.ok();
    }

    /// How many peers stand in its routing table.
    pub fn table_size(&self) -> usize {
        self.seeker.state.table_size()
    }

    /// Whether it serves the network's protocol.
    pub const fn serves(&self) -> bool {
        self.serves
    }

    /// What time it is by its clock, since the Unix epoch.
    pub fn now(&self) -> Duration {
        self.seeker.state.now()
    }

    /// Waits until its table is not being refreshed, and keeps it so until what is returned is dropped.
    pub async fn undisturbed(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.undisturbed).lock_owned().await
    }

    /// Who provides a key by the records that it keeps itself, its own among them; the newest first.
    pub fn kept_providers(&self, key: &[u8]) -> Vec<PeerId> {
        self.seeker.state.kept_providers(key)
    }

    /// Forgets a peer: hangs up on it, and takes it out of the table.
    pub async fn forget(&self, peer: &PeerId) {
        self.seeker.state.forget(peer);
        self.seeker.finder.pool().hang_up(peer).await;
    }

    /// Looks something up, starting from its own table. `key` is what [`Quest::key`] is.
    pub async fn find(&self, kind: LookupKind, key: Vec<u8>, cancel: &CancellationToken) -> Found {
        self.seeker.find(kind, key, cancel).await
    }

    /// Looks something up by other rules than its own: something of a kind, by its key.
    pub async fn find_by(
        &self,
        rules: Rules,
        (kind, key): (LookupKind, Vec<u8>),
        cancel: &CancellationToken,
    ) -> Found {
        let seeker = Seeker { rules, ..self.seeker.clone() };
        seeker.find(kind, key, cancel).await
    }

    /// The same, which does without these peers instead of those that it was told of when it joined, by the bytes of their ids
    /// ([`Finder::ignoring_ids`]).
    pub async fn find_without(
        &self,
        ids: Arc<BTreeSet<Vec<u8>>>,
        rules: Rules,
        (kind, key): (LookupKind, Vec<u8>),
        cancel: &CancellationToken,
    ) -> Found {
        let finder = self.seeker.finder.clone().ignoring_ids(ids);
        let seeker = Seeker { finder, rules, ..self.seeker.clone() };
        seeker.find(kind, key, cancel).await
    }

    /// The peers that its lookups of a key begin with.
    pub fn begins_with(&self, key: &[u8]) -> Vec<Contact> {
        self.seeker.quest(LookupKind::Closest, key.to_vec()).from
    }

    /// Keeps that it provides a key itself, where it [keeps](NodeConfig::keeps_own) such records.
    pub fn keep_own(&self, key: &[u8]) {
        self.seeker.state.keep_own(key);
    }

    /// Provides a key the classic way: keeps the record itself, and gives it to the peers closest to the key. `key` is a
    /// multihash.
    pub async fn provide(&self, key: Vec<u8>, cancel: &CancellationToken) -> Vec<Holder> {
        self.seeker.state.keep_own(&key);
        let found = self.find(LookupKind::Closest, key.clone(), cancel).await;
        let record = ProviderRecord { key, provider: self.own.clone() };
        self.seeker.finder.give(&record, &found, cancel).await
    }

    /// Leaves: when this returns, nobody of it listens or asks any more. Bounded in time.
    pub async fn leave(self) {
        self.retire().await;
    }

    /// The same where others still look at it: what is asked of it from now on fails.
    pub async fn retire(&self) {
        self.leaving.cancel();
        self.tasks.wait().await;
        self.member().clone().leave().await;
    }
}

impl<M: Member> Drop for Node<M> {
    fn drop(&mut self) {
        self.leaving.cancel();
    }
}

impl<M: Network> Seeker<M> {
    /// Looks something up from the table, or from where the node begins while that is empty, and takes in what the lookup
    /// shows of peers.
    async fn find(&self, kind: LookupKind, key: Vec<u8>, cancel: &CancellationToken) -> Found {
        let now = self.state.now();
        let quest = self.quest(kind, key.clone());
        let holds = |value: &[u8]| CheckedValue::of(&key, value).is_ok_and(|value| !value.is_expired(now));
        let found = self.finder.find(quest, holds, |_, _| {}, cancel).await;
        self.state.learn(&found);
        found
    }

    /// What it looks up, from where it begins: as many peers of its table as it looks for.
    fn quest(&self, kind: LookupKind, key: Vec<u8>) -> Quest {
        let mut from = self.state.closest(&key, self.rules.k);
        if from.is_empty() {
            from = self.bootstrap.to_vec();
        }
        Quest { kind, key, from, rules: self.rules }
    }

    /// Those of a peer's addresses that may be dialled, without the peer's id at their end.
    fn admitted(&self, peer: PeerId, addrs: &[Multiaddr]) -> Contact {
        let own = addrs.iter().filter_map(|addr| kad::answer::own_address(addr.clone(), &peer));
        let admitted = own.filter(|addr| self.finder.pool().network().admits(addr).is_ok());
        Contact { peer, addrs: admitted.take(kad::answer::MAX_PROVIDER_ADDRESSES).collect() }
    }
}

/// Takes in what peers open, as long as the node is there.
async fn accept<M: Member>(pool: Pool<M>) {
    while let Some(accepted) = pool.network().accept().await {
        pool.accept(accepted);
    }
}

impl NodeProfile {
    /// What a node says of itself that listens there.
    fn says(&self, listens: &[Multiaddr], serves: bool) -> Says {
        let addresses = if self.announce.is_empty() { listens } else { &self.announce };
        Says {
            agent: self.agent.clone(),
            kad_protocols: if serves { self.protocols.to_vec() } else { Vec::new() },
            addresses: addresses.to_vec(),
        }
    }
}
