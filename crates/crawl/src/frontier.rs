//! Who is known, who is to be visited next, and who is done: the memory of a crawl. No IO and no clock.
//!
//! A peer waits without a place in the queue until an address is known that would be dialled ("parked"). Once visited
//! in vain it gets another turn when an address is learned that the last visit did not have, and a last one in the
//! second pass.

mod malformed;
mod peers;
#[cfg(test)]
mod tests;

use std::{
    collections::{BinaryHeap, HashSet},
    hash::BuildHasher,
    sync::Arc,
};

use foldhash::fast::FixedState;
use kad::{Address, Multiaddr, PeerId, failure::SkipReason, message, opt_out::OptOut, peer_id};
use schema::{PeerNumber, VisitKind};

use crate::{completeness::Capture, found::Found, talk::asking::first_wave};
use malformed::MalformedAddresses;
use peers::Peers;

/// The most addresses that are kept of one peer.
pub(crate) const MAX_PEER_ADDRESSES: usize = 128;

/// How often new addresses give a failed peer another turn. Who lies about addresses cannot keep us busy with one peer.
pub(crate) const MAX_TURNS: u8 = 4;

/// How many visited peers must name a peer before it goes before those that only one has named. A peer that invents
/// others then cannot make the rest wait.
const TRUSTED_REFERRERS: u16 = 2;

/// The peers of one crawl.
#[derive(Debug)]
pub(crate) struct Frontier {
    peers: Peers,
    queue: BinaryHeap<Turn>,
    order: FixedState,
    max_peers: usize,
    opt_out: Arc<OptOut>,
    turns_left: usize,
    second_pass: bool,
    over_budget: u64,
    malformed_ids: u64,
    addresses_left_out: u64,
    malformed: MalformedAddresses,
    opted_out: u64,
    opted_out_peers: HashSet<PeerId>,
}

/// A place in the queue: those that several peers have named first, then in the seed's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    trusted: bool,
    order: u64,
    peer: PeerNumber,
}

/// How a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No address of it would be dialled.
    Parked,
    /// In the queue.
    Ready,
    /// A visit is under way.
    Visiting,
    /// Visited in vain.
    Failed,
    /// Visited.
    Reached,
}

/// One visit to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub(crate) peer: PeerNumber,
    pub(crate) id: PeerId,
    pub(crate) kind: VisitKind,
    /// How many prefixes to ask for at once.
    pub(crate) wave: usize,
    pub(crate) addrs: Vec<Multiaddr>,
    /// What was given as an address of it and is none.
    pub(crate) malformed: Vec<Box<[u8]>>,
}

/// What an answer brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extended {
    /// The peers in it, ascending, each once.
    pub(crate) neighbors: Vec<PeerNumber>,
    /// Those of them that the answering peer says it is connected to, likewise.
    connected: Vec<PeerNumber>,
    /// Those never heard of before.
    pub(crate) new: Vec<(PeerNumber, PeerId)>,
}

impl Frontier {
    /// An empty memory for at most `max_peers` peers; `seed` decides who is visited first. Those who opted out never
    /// get into it.
    pub(crate) fn new(seed: u64, max_peers: usize, opt_out: Arc<OptOut>) -> Self {
        Self {
            peers: Peers::default(),
            queue: BinaryHeap::new(),
            order: FixedState::with_seed(seed),
            max_peers,
            opt_out,
            turns_left: 0,
            second_pass: false,
            over_budget: 0,
            malformed_ids: 0,
            addresses_left_out: 0,
            malformed: MalformedAddresses::default(),
            opted_out: 0,
            opted_out_peers: HashSet::new(),
        }
    }

    /// Takes a peer in that was named by the user. `None` if it was known already, or there is no room.
    pub(crate) fn add(
        &mut self,
        id: &PeerId,
        addrs: &[Multiaddr],
        admits: &impl Fn(&Multiaddr) -> Result<(), SkipReason>,
    ) -> Option<PeerNumber> {
        let (peer, is_new) = self.intern(&id.to_bytes())?;
        for address in addrs {
            self.learn(peer, address.clone(), admits);
        }
        is_new.then_some(peer)
    }

    /// Takes in what `visited` answered.
    pub(crate) fn extend(
        &mut self,
        visited: PeerNumber,
        found: &Found,
        admits: &impl Fn(&Multiaddr) -> Result<(), SkipReason>,
    ) -> Extended {
        let mut extended = Extended::default();
        for entry in found.peers() {
            let Some((peer, is_new)) = self.intern(entry.id) else { continue };
            if peer == visited {
                continue;
            }
            extended.neighbors.push(peer);
            if entry.is_connected {
                extended.connected.push(peer);
            }
            if is_new {
                extended.new.push((peer, self.peers.id(peer)));
            }
            if self.peers.is_news(peer, entry.entry) {
                self.learn_entry(peer, entry.entry, admits);
            }
        }
        extended.neighbors.sort_unstable();
        extended.neighbors.dedup();
        for &peer in &extended.neighbors {
            self.refer(peer);
        }
        extended.connected.sort_unstable();
        extended.connected.dedup();
        for &peer in &extended.connected {
            let known = self.peers.get_mut(peer);
            known.connected_claims = known.connected_claims.saturating_add(1);
        }
        extended
    }

    /// The next visit; `None` while nobody is in the queue.
    pub(crate) fn pop(&mut self) -> Option<Job> {
        loop {
            let turn = self.queue.pop()?;
            // A peer that rose in rank has an older place too.
            if self.peers.stage(turn.peer) == Stage::Ready {
                self.turns_left -= 1;
                return Some(self.start(turn.peer));
            }
        }
    }

    fn start(&mut self, peer: PeerNumber) -> Job {
        let known = self.peers.get_mut(peer);
        let kind = match known.turns {
            _ if self.second_pass => VisitKind::SecondPass,
            0 => VisitKind::First,
            _ => VisitKind::NewAddresses,
        };
        known.stage = Stage::Visiting;
        known.turns = known.turns.saturating_add(1);
        known.news = false;
        let addrs = self.peers.addrs(peer).to_vec();
        let wave = first_wave(self.peers.len());
        Job { peer, id: self.peers.id(peer), kind, wave, addrs, malformed: self.malformed.of(peer) }
    }

    /// A visit came to its end.
    pub(crate) fn finish(&mut self, peer: PeerNumber, reached: bool) {
        let known = self.peers.get_mut(peer);
        known.stage = if reached { Stage::Reached } else { Stage::Failed };
        if reached {
            self.peers.forget_addrs(peer);
            self.malformed.forget(peer);
        } else if known.news && known.turns < MAX_TURNS && !self.second_pass {
            self.enqueue(peer);
        }
    }

    /// Gives everyone who failed a last turn, with all addresses that are known by now, but for those to be `held_back`
    /// for [`retry`](Self::retry). Says whether there is anyone.
    pub(crate) fn second_pass(&mut self, held_back: &HashSet<PeerNumber>) -> bool {
        self.second_pass = true;
        self.retry(self.peers.numbers().filter(|peer| !held_back.contains(peer)))
    }

    /// Gives those of the peers who failed a last turn. Says whether there is anyone.
    pub(crate) fn retry(&mut self, peers: impl Iterator<Item = PeerNumber>) -> bool {
        for peer in peers {
            if self.peers.stage(peer) == Stage::Failed {
                self.enqueue(peer);
            }
        }
        self.turns_left > 0
    }

    /// The peers that never got an address that would be dialled, with the addresses that they have.
    pub(crate) fn parked(&self) -> impl Iterator<Item = (PeerNumber, &[Multiaddr])> {
        self.peers
            .numbers()
            .filter(|&peer| self.peers.stage(peer) == Stage::Parked)
            .map(|peer| (peer, self.peers.addrs(peer)))
    }

    /// How many visited peers say that they are connected to this one.
    pub(crate) fn connected_claims(&self, peer: PeerNumber) -> u8 {
        self.peers.get(peer).connected_claims
    }

    /// Every known peer as it was captured by the tables that were read. `given` are those that the user named,
    /// ascending.
    pub(crate) fn captures(&self, given: &[PeerNumber]) -> Vec<Capture<'_>> {
        let capture = |peer| {
            let known = self.peers.get(peer);
            let reached = match known.stage {
                Stage::Reached => Some(true),
                Stage::Failed | Stage::Parked => Some(false),
                Stage::Ready | Stage::Visiting => None,
            };
            let given = given.binary_search(&peer).is_ok();
            Capture { id: known.id(), in_degree: known.referrers, reached, given }
        };
        self.peers.numbers().map(capture).collect()
    }

    /// How many peers are known.
    pub(crate) const fn len(&self) -> usize {
        self.peers.len()
    }

    /// How many wait for their turn.
    pub(crate) const fn waiting(&self) -> usize {
        self.turns_left
    }

    /// Names of new peers that were left out, since `max_peers` are known.
    pub(crate) const fn over_budget(&self) -> u64 {
        self.over_budget
    }

    /// How often peers were named that asked not to be measured.
    pub(crate) const fn opted_out(&self) -> u64 {
        self.opted_out
    }

    /// How many peers these are: not more than the list has.
    pub(crate) fn opted_out_peers(&self) -> usize {
        self.opted_out_peers.len()
    }

    /// How often ids were named that no key can have.
    pub(crate) const fn malformed_ids(&self) -> u64 {
        self.malformed_ids
    }

    /// Mentions of addresses beyond those that are kept of one peer.
    pub(crate) const fn addresses_left_out(&self) -> u64 {
        self.addresses_left_out
    }

    /// What was given as an address of a peer and is none.
    pub(crate) fn malformed_addresses(&self, peer: PeerNumber) -> Vec<Box<[u8]>> {
        self.malformed.of(peer)
    }

    /// Mentions of such beyond those that are kept.
    pub(crate) const fn malformed_addresses_left_out(&self) -> u64 {
        self.malformed.left_out()
    }

    fn intern(&mut self, id: &[u8]) -> Option<(PeerNumber, bool)> {
        if let Some(peer) = self.peers.find(id) {
            return Some((peer, false));
        }
        let Some(parsed) = peer_id::from_bytes(id) else {
            self.malformed_ids += 1;
            return None;
        };
        // The same id can be written in longer ways.
        let canonical = parsed.to_bytes();
        if let Some(peer) = (canonical != id).then(|| self.peers.find(&canonical)).flatten() {
            return Some((peer, false));
        }
        if self.opt_out.has_peer(&parsed) {
            self.opted_out += 1;
            self.opted_out_peers.insert(parsed);
            return None;
        }
        if self.peers.len() >= self.max_peers {
            self.over_budget += 1;
            return None;
        }
        self.peers.insert(&canonical).map(|peer| (peer, true))
    }

    fn learn_entry(
        &mut self,
        peer: PeerNumber,
        entry: &[u8],
        admits: &impl Fn(&Multiaddr) -> Result<(), SkipReason>,
    ) {
        for bytes in message::entry_addrs(entry) {
            if self.peers.addrs(peer).iter().any(|known| known.as_ref() == bytes) {
                continue;
            }
            match Address::from_bytes(bytes) {
                Address::Multiaddr(address) => self.learn(peer, address, admits),
                Address::Malformed(bytes) => self.malformed.add(peer, bytes),
            }
        }
    }

    fn learn(
        &mut self,
        peer: PeerNumber,
        address: Multiaddr,
        admits: &impl Fn(&Multiaddr) -> Result<(), SkipReason>,
    ) {
        let known_addrs = self.peers.addrs(peer);
        if self.peers.stage(peer) == Stage::Reached || known_addrs.contains(&address) {
            return;
        }
        if known_addrs.len() >= MAX_PEER_ADDRESSES {
            self.addresses_left_out += 1;
            return;
        }
        let admitted = admits(&address).is_ok();
        self.peers.add_address(peer, address);
        let known = self.peers.get_mut(peer);
        known.news |= admitted;
        let has_turn = match known.stage {
            Stage::Parked => true,
            Stage::Failed => known.turns < MAX_TURNS && !self.second_pass,
            Stage::Ready | Stage::Visiting | Stage::Reached => false,
        };
        if admitted && has_turn {
            self.enqueue(peer);
        }
    }

    fn refer(&mut self, peer: PeerNumber) {
        let known = self.peers.get_mut(peer);
        known.referrers = known.referrers.saturating_add(1);
        if known.referrers == TRUSTED_REFERRERS && known.stage == Stage::Ready {
            let turn = self.turn(peer);
            self.queue.push(turn);
        }
    }

    fn enqueue(&mut self, peer: PeerNumber) {
        self.peers.get_mut(peer).stage = Stage::Ready;
        self.turns_left += 1;
        let turn = self.turn(peer);
        self.queue.push(turn);
    }

    fn turn(&self, peer: PeerNumber) -> Turn {
        let known = self.peers.get(peer);
        Turn { trusted: known.referrers >= TRUSTED_REFERRERS, order: self.order.hash_one(known.id()), peer }
    }
}
