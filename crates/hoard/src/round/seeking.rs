//! Looks for a holder that is nowhere to be found: by a lookup for its id, which is not made again for a while, however many keys the
//! holder has.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dht::{Found, Node};
use kad::{
    Multiaddr, PeerId,
    fabric::Member,
    lookup::{LookupKind, Rules},
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use super::walking::within;
use crate::InFlight;

/// The most holders of which it is kept in mind where they were found. Of more, each is looked for every time.
const MAX_SOUGHT: usize = 1 << 16;

/// How holders are looked for that did not answer and that nobody names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeekTerms {
    /// How long what was found of one is taken as it is. Default 30 min.
    pub again_after: Duration,
    /// How many are looked for at a time. Default 16; 0: nobody is looked for.
    pub at_once: usize,
    /// When looking for one is given up. Default 20 s.
    pub deadline: Duration,
}

impl Default for SeekTerms {
    fn default() -> Self {
        let (again_after, deadline) = (Duration::from_secs(1800), Duration::from_secs(20));
        Self { again_after, at_once: 16, deadline }
    }
}

/// Where a peer is, as others say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SaidToBe {
    /// Where it can be dialled.
    pub(crate) addresses: Vec<Multiaddr>,
    /// Whether somebody says that it can be reached through a relay.
    pub(crate) is_relayed: bool,
    /// Whether anybody names it.
    pub(crate) is_named: bool,
}

/// Who was looked for, and what was found.
#[derive(Debug)]
pub(crate) struct Seeking {
    terms: SeekTerms,
    rules: Rules,
    in_flight: Arc<InFlight>,
    room: Semaphore,
    sought: Mutex<HashMap<PeerId, (Instant, SaidToBe)>>,
}

impl SaidToBe {
    /// What a lookup heard of a peer.
    pub(crate) fn by(found: &Found, peer: &PeerId) -> Self {
        let id = peer.to_bytes();
        let addresses = found.addresses.of(&id).to_vec();
        let is_relayed = found.addresses.is_relayed(&id);
        let is_named = !addresses.is_empty() || is_relayed;
        Self { addresses, is_relayed, is_named }
    }

    /// What several lookups heard.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for address in other.addresses {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
        self.is_relayed |= other.is_relayed;
        self.is_named |= other.is_named;
        self
    }
}

impl Seeking {
    pub(crate) fn new(terms: SeekTerms, rules: Rules, in_flight: Arc<InFlight>) -> Self {
        let room = Semaphore::new(terms.at_once.min(Semaphore::MAX_PERMITS));
        Self { terms, rules, in_flight, room, sought: Mutex::default() }
    }

    /// Where a peer is, as others said not long ago, or say now. `None` if it was given up before anybody could say.
    pub(crate) async fn seek<M: Member>(
        &self,
        node: &Node<M>,
        peer: PeerId,
        unasked: Arc<BTreeSet<Vec<u8>>>,
        cancel: &CancellationToken,
    ) -> Option<SaidToBe> {
        if self.terms.at_once == 0 {
            return Some(SaidToBe::default());
        }
        let _room = cancel.run_until_cancelled(self.room.acquire()).await?;
        if let Some(said) = self.known(&peer) {
            return Some(said);
        }
        let _under_way = self.in_flight.request();
        let over = cancel.child_token();
        let found = node.find_without(unasked, self.rules, (LookupKind::Peer, peer.to_bytes()), &over);
        let found = within(self.terms.deadline, found, &over).await;
        if cancel.is_cancelled() {
            return None;
        }
        let said = SaidToBe::by(&found, &peer);
        self.note(peer, said.clone());
        Some(said)
    }

    fn known(&self, peer: &PeerId) -> Option<SaidToBe> {
        let sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, said) = sought.get(peer)?;
        (at.elapsed() < self.terms.again_after).then(|| said.clone())
    }

    fn note(&self, peer: PeerId, said: SaidToBe) {
        let mut sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        if sought.len() >= MAX_SOUGHT && !sought.contains_key(&peer) {
            sought.retain(|_, (at, _)| at.elapsed() < self.terms.again_after);
        }
        if sought.len() < MAX_SOUGHT {
            sought.insert(peer, (Instant::now(), said));
        }
    }
}
