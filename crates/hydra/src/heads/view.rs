//! A hydra as it is looked at while it lives: by its HTTP API, its metrics and its terminal. It outlives the hydra, and shows it
//! then as it was.

use std::{sync::Arc, time::Duration};

use dht::Provider;
use kad::{
    Contact, Key, PeerId,
    fabric::Member,
    lookup::{Enough, LookupKind},
};
use store::{Belly, RecordCounts};
use tokio_util::sync::CancellationToken;

use super::{Hydra, HydraCounters, HydraHead, Seeker, swarm::SwarmPeer};
use crate::{
    delegated::Delegated,
    load::{AskedType, LoadControl, ShedReason},
    now::{HeadNow, HydraNow},
    prefetch::{Prefetch, PrefetchOutcome, PrefetchRefusal},
};

/// A hydra that is looked at. Clones are of the same one.
#[derive(Debug)]
pub struct HydraView<M>(Seeker<M>);

impl<M: Clone> Clone for HydraView<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Member> Hydra<M> {
    /// What looks at it from now on.
    pub fn view(&self) -> HydraView<M> {
        HydraView(self.seeker.clone())
    }
}

impl<M: Member> HydraView<M> {
    /// The heads that have joined, in the order in which they did.
    pub fn heads(&self) -> Vec<Arc<HydraHead>> {
        self.0.state.heads()
    }

    /// What all heads count.
    pub fn counters(&self) -> &HydraCounters {
        &self.0.state.counters
    }

    /// What is done under load.
    pub fn load(&self) -> &LoadControl {
        &self.0.state.load
    }

    /// Where records are kept.
    pub fn belly(&self) -> &Belly {
        &self.0.state.belly
    }

    /// What time it is, since the Unix epoch.
    pub fn time(&self) -> Duration {
        self.0.state.now()
    }

    /// How many records are kept, as they were counted last: at most some seconds ago.
    pub fn records(&self) -> RecordCounts {
        *self.0.state.records.borrow()
    }

    /// How many servers of the network all heads know, themselves apart, and how many others that said who they are.
    pub fn known(&self) -> (usize, usize) {
        let commons = self.0.state.commons();
        (commons.len(), commons.visitors())
    }

    /// How many peers a head would have in a routing table of its own.
    pub fn table_size(&self, head: &HydraHead) -> usize {
        self.0.state.commons().table_size(head.key())
    }

    /// How many peers each head has a connection with, in the order of the heads.
    pub fn peers_by_head(&self) -> Vec<usize> {
        let heads: Vec<PeerId> = self.heads().iter().map(|head| head.peer()).collect();
        self.0.state.swarm.peers_of(&heads)
    }

    /// Some of the peers with connections, in the order of their ids, behind the last of those that were asked for before.
    pub fn swarm(&self, after: Option<&PeerId>, count: usize) -> Vec<(PeerId, SwarmPeer)> {
        self.0.state.swarm.page(after, count)
    }

    /// Some of the servers that all heads know, in the order of their keys, behind the last of those that were asked for before.
    pub fn servers(&self, after: Option<&Key>, count: usize) -> Vec<Contact> {
        self.0.state.commons().page(after, count)
    }

    /// Looks up who provides a key, until so many have been found. The peers closest to the key that any head knows are asked first,
    /// each by the head that is nearest to it.
    pub async fn find_providers(
        &self,
        key: Vec<u8>,
        enough: Enough,
        cancel: &CancellationToken,
    ) -> Vec<Provider> {
        let rules = self.0.rules.until(enough);
        self.0.find_by(LookupKind::Providers, key, rules, cancel).await.providers
    }

    /// What is looked up in the background; `None` if nothing is.
    pub fn prefetch(&self) -> Option<&Prefetch> {
        self.0.state.prefetch.as_deref()
    }

    /// The service of delegated routing that is asked beside the belly; `None` if none is.
    pub fn delegated(&self) -> Option<&Delegated> {
        self.0.state.delegated.as_ref()
    }

    /// How it stands.
    pub fn now(&self) -> HydraNow {
        let (state, heads) = (&self.0.state, self.heads());
        let table_size = heads.iter().map(|head| self.table_size(head) as u64).sum();
        let of_head = |head: &Arc<HydraHead>| HeadNow {
            index: head.index(),
            peer: head.peer(),
            connections: head.connections() as u64,
            requests: AskedType::ALL.iter().map(|kind| head.requests(*kind)).sum(),
        };
        let (counts, records) = (state.load.counts(), self.records());
        HydraNow {
            bootstrapped_heads: heads.iter().filter(|head| head.is_known()).count() as u64,
            connected_peers: state.counters.connected_peers() as u64,
            unique_peers: whole(state.counters.unique_peers()),
            table_size,
            requests: std::array::from_fn(|n| AskedType::ALL.get(n).map_or(0, |kind| counts.of(*kind).asked)),
            shed: ShedReason::ALL.iter().map(|reason| counts.all().shed(*reason)).sum(),
            rung: state.load.rung(),
            provider_records: records.providers,
            value_records: records.values,
            prefetches: self.prefetch().map_or_else(Vec::new, outcomes),
            prefetches_pending: self.prefetch().map_or((0, 0), pending),
            heads: heads.iter().map(of_head).collect(),
        }
    }
}

/// What became of questions that the belly could not answer: of those that were looked up, and why others were not.
fn outcomes(prefetch: &Prefetch) -> Vec<(&'static str, u64)> {
    let ended = PrefetchOutcome::ALL
        .iter()
        .map(|outcome| (outcome.name(), prefetch.took(*outcome).distribution(1.0).count()));
    ended
        .chain(PrefetchRefusal::ALL.iter().map(|reason| (reason.name(), prefetch.refused(*reason))))
        .collect()
}

/// How many are looked up or wait for it, and how many may.
fn pending(prefetch: &Prefetch) -> (u64, u64) {
    let config = prefetch.config();
    (prefetch.pending() as u64, (config.queue + config.workers) as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of peers, rounded")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
