//! The lookups of a sweep: how long prefixes are, and who lives under one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use kad::{
    Contact, Key, PeerId, Persistence,
    lookup::{LookupKind, Rpc, RpcFate, Rules},
    message::K,
    network::Network,
    sweep::{Exploration, Explored, KeyPrefix, mean_prefix_len, prefix_len_targets},
};

use super::{Sweep, concurrently::concurrently};
use crate::{
    deliveries::locked,
    finder::{Found, Quest},
};

/// Peers that lookups found, and where they are.
#[derive(Debug, Default)]
pub(super) struct KnownPeers {
    contacts: BTreeMap<Key, Contact>,
}

impl KnownPeers {
    /// Those of these places.
    pub(super) fn contacts(&self, places: &[Key]) -> impl Iterator<Item = Contact> {
        places.iter().filter_map(|place| self.contacts.get(place)).cloned()
    }

    /// All of them.
    pub(super) fn into_contacts(self) -> impl Iterator<Item = Contact> {
        self.contacts.into_values()
    }

    fn add(&mut self, peers: &[PeerId], found: &Found) {
        let contacts = peers.iter().map(|&peer| (Key::of_peer(&peer), found.contact(peer)));
        self.contacts.extend(contacts);
    }
}

impl<N: Network, S: Fn(&[u8]) -> Vec<Contact> + Sync> Sweep<'_, N, S> {
    /// How long prefixes are: as it was measured a short time ago, or by four lookups.
    pub(super) async fn prefix_len(&self) -> u32 {
        if let Some(known) = self.terms.prefix_len.get() {
            return known;
        }
        let found = Mutex::new(Vec::new());
        let look = async |target: [u8; 34]| {
            let closest = self.look_up(&target, &mut KnownPeers::default()).await;
            found.lock().unwrap_or_else(PoisonError::into_inner).push(closest);
        };
        concurrently(prefix_len_targets(&self.order).into_iter().map(look)).await;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let measured = mean_prefix_len(found.iter().map(Vec::as_slice));
        if found.iter().any(|peers| !peers.is_empty()) {
            self.terms.prefix_len.set(measured);
        }
        measured
    }

    /// Finds everybody under a prefix, or thoroughly everybody there who answers.
    pub(super) async fn explore(&self, prefix: KeyPrefix) -> (Explored, KnownPeers) {
        let exploration = Exploration::new(prefix, K, self.order);
        self.bring_to_its_end(if self.is_thorough() { exploration.strict() } else { exploration }).await
    }

    /// Finds the peers closest to a key: by Go's rules those with whom a lookup of it ends; thoroughly the closest that answer are among
    /// them.
    pub(super) async fn find_closest(&self, preimage: &[u8]) -> KnownPeers {
        if self.is_thorough() {
            return self.bring_to_its_end(Exploration::around(&Key::of(preimage), K)).await.1;
        }
        let mut known = KnownPeers::default();
        self.look_up(preimage, &mut known).await;
        known
    }

    async fn bring_to_its_end(&self, mut exploration: Exploration) -> (Explored, KnownPeers) {
        let mut known = KnownPeers::default();
        while let Some(target) = exploration.next().filter(|_| !self.cancel.is_cancelled()) {
            let closest = self.look_up(&target, &mut known).await;
            if self.is_thorough() {
                exploration.answered(known.contacts.values().map(|contact| contact.peer));
            }
            exploration.found(&closest);
        }
        (exploration.explored(), known)
    }

    fn is_thorough(&self) -> bool {
        self.terms.persistence == Persistence::Thorough
    }

    /// The peers closest to a key, as a lookup finds them. By Go's rules those are the ones with whom it ends, and they are known then.
    /// Thoroughly, those are all that were named, dead ones among them; known are those that answered, whether close or not.
    async fn look_up(&self, preimage: &[u8], known: &mut KnownPeers) -> Vec<PeerId> {
        let quest = Quest {
            kind: LookupKind::Closest,
            key: preimage.to_vec(),
            from: (self.start)(preimage),
            rules: if self.is_thorough() { Rules::specification() } else { Rules::go() },
        };
        let found = self.finder.find(quest, |_| false, |_, _| {}, self.cancel).await;
        locked(&self.log).count(&found);
        if !self.is_thorough() {
            let closest: Vec<PeerId> = found.outcome.closest.iter().map(|closest| closest.peer).collect();
            known.add(&closest, &found);
            self.keep(found);
            return closest;
        }
        let peers = |is_wanted: fn(&Rpc) -> bool| -> Vec<PeerId> {
            let wanted = found.trace.rpcs.iter().filter(|rpc| is_wanted(rpc));
            wanted.filter_map(|rpc| found.trace.peer(rpc.peer)).collect()
        };
        known.add(&peers(|rpc| rpc.fate == RpcFate::Answered), &found);
        // Whoever was nearer than the last of those that answered was asked.
        let (mut named, key) = (peers(|_| true), Key::of(preimage));
        named.sort_by_key(|peer| Key::of_peer(peer).distance(&key));
        named.truncate(K);
        self.keep(found);
        named
    }

    /// Keeps what a lookup came to, where that is wanted.
    fn keep(&self, found: Found) {
        if let Some(kept) = &self.found {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        }
    }
}
