//! Looks up the keys that the belly was asked for and did not have, over the heads' one dialler, within its share of a core.

use std::{sync::Arc, time::Duration};

use dht::{Found, Provider};
use kad::{
    Multiaddr,
    answer::{MAX_PROVIDER_ADDRESSES, entry, own_address},
    fabric::Member,
    lookup::{LookupKind, RpcFate},
    message::ConnectionType,
};
use store::NewProvider;
use tokio::{
    pin,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::Seeker;
use crate::prefetch::{Budget, Prefetch, PrefetchOutcome, WantedKey};

/// Looks keys up, until the heads leave.
#[derive(Debug)]
pub(super) struct Fetching<M> {
    seeker: Seeker<M>,
    prefetch: Arc<Prefetch>,
    wanted: mpsc::Receiver<WantedKey>,
    began: Instant,
    budget: Budget,
    lookups: JoinSet<Fetched>,
    /// How many dials of the heads' dialler are paid for.
    paid_dials: u64,
}

/// A lookup that is over.
#[derive(Debug)]
struct Fetched {
    /// What the budget was charged beforehand, in seconds.
    taken: f64,
    requests: usize,
}

impl<M: Member> Fetching<M> {
    pub(super) fn new(seeker: Seeker<M>, prefetch: Arc<Prefetch>, wanted: mpsc::Receiver<WantedKey>) -> Self {
        let budget = Budget::new(prefetch.config().cpu_share, Duration::ZERO);
        let lookups = JoinSet::new();
        Self { seeker, prefetch, wanted, began: Instant::now(), budget, lookups, paid_dials: 0 }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Some(wanted) = self.next().await else { return };
            let taken = self.turn().await;
            let (seeker, prefetch) = (self.seeker.clone(), Arc::clone(&self.prefetch));
            self.lookups.spawn(async move {
                let requests = seeker.fetch(&prefetch, &wanted).await;
                Fetched { taken, requests }
            });
        }
    }

    /// The next key, when there is somebody to look it up; `None` if none will come.
    async fn next(&mut self) -> Option<WantedKey> {
        loop {
            let is_free = self.lookups.len() < self.prefetch.config().workers.max(1);
            tokio::select! {
                Some(fetched) = self.lookups.join_next() => self.settle(fetched.ok().as_ref()),
                wanted = self.wanted.recv(), if is_free => return wanted,
            }
        }
    }

    /// Waits until there is CPU time for one more lookup, and takes it.
    async fn turn(&mut self) -> f64 {
        loop {
            let wait = match self.budget.take(self.began.elapsed()) {
                Ok(taken) => return taken,
                Err(wait) => Instant::now() + wait,
            };
            tokio::select! {
                Some(fetched) = self.lookups.join_next() => self.settle(fetched.ok().as_ref()),
                () = sleep_until(wait) => {}
            }
        }
    }

    /// Pays for a lookup, and for what was dialled meanwhile, whoever it was for; `None` if its task did not come to its end.
    fn settle(&mut self, fetched: Option<&Fetched>) {
        let Some(&Fetched { taken, requests }) = fetched else { return };
        let dials = self.seeker.finder.pool().network().dials();
        let fresh = dials - std::mem::replace(&mut self.paid_dials, dials);
        self.budget.settle(taken, self.prefetch.config().cost.of(requests, fresh));
    }
}

impl<M: Member> Seeker<M> {
    /// Looks a key up and keeps who provides it. How many requests it took.
    async fn fetch(&self, prefetch: &Prefetch, wanted: &WantedKey) -> usize {
        let begun = Instant::now();
        let cancel = CancellationToken::new();
        let search = self.find(LookupKind::Providers, wanted.key.to_vec(), &cancel);
        pin!(search);
        let found = tokio::select! {
            found = &mut search => found,
            () = sleep(prefetch.config().deadline) => {
                cancel.cancel();
                search.await
            }
        };
        let now = self.state.now();
        let outcome = outcome(&found);
        if outcome == PrefetchOutcome::Found {
            let entries: Vec<_> = found.providers.iter().map(|provider| entry_of(provider, &found)).collect();
            let providers: Vec<_> =
                entries.iter().filter_map(|(id, entry)| NewProvider::new(id, entry)).collect();
            self.state.belly.add_fetched(&wanted.key, &providers, prefetch.config().lifetime, now);
        }
        prefetch.end(&wanted.place, outcome, (begun.elapsed(), now));
        found.trace.rpcs.len()
    }
}

/// What a lookup came to. That nobody has a record is known only if somebody was there to say so.
fn outcome(found: &Found) -> PrefetchOutcome {
    let has_answers = || found.trace.rpcs.iter().any(|rpc| rpc.fate == RpcFate::Answered);
    match () {
        () if !found.providers.is_empty() => PrefetchOutcome::Found,
        () if found.outcome.is_complete && has_answers() => PrefetchOutcome::Nobody,
        () => PrefetchOutcome::Failed,
    }
}

/// A provider's id and its entry: with the addresses that came with records of it, else with those that the same lookup heard of.
fn entry_of(provider: &Provider, found: &Found) -> (Vec<u8>, Vec<u8>) {
    let mut given = provider.addrs();
    if given.is_empty() {
        given = found.contact(provider.peer).addrs;
    }
    let own = given.into_iter().filter_map(|addr| own_address(addr, &provider.peer));
    let addrs: Vec<Multiaddr> = own.take(MAX_PROVIDER_ADDRESSES).collect();
    let id = provider.peer.to_bytes();
    let entry = entry(&id, addrs.iter().map(AsRef::as_ref), ConnectionType::NotConnected);
    (id, entry)
}
