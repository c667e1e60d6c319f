//! Who is known, who is to be visited next, and who is done: the memory of a crawl. No IO and no clock.
//!
//! A peer waits without a place in the queue until an address is known that would be dialled ("parked"). What turns it
//! gets from then on is in [`turns`], and which of its addresses a visit dials in [`addresses`]. Time is the age of the
//! crawl, and comes in as an argument.

mod addresses;
mod malformed;
mod peers;
mod queue;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
    sync::Arc,
    time::Duration,
};

use estimate::Capture;
use foldhash::fast::FixedState;
use kad::{
    Address, Key, Multiaddr, PeerId, failure::SkipReason, message, network::Transport, opt_out::OptOut,
    peer_id,
};
use schema::{PeerNumber, VisitKind};

use crate::{bare::bare, found::HeardPeers};
use addresses::{AddressSource, Hearsay};
use malformed::MalformedAddresses;
use peers::KnownPeers;
use queue::{Queue, Turn};
pub(crate) use turns::BRIEF;

/// Over which transport an address would be dialled, or why it would not be.
pub(crate) type Admitted = Result<Option<Transport>, SkipReason>;

/// How many visited peers must name a peer before it goes before those that only one has named. A peer that invents
/// others then cannot make the rest wait.
const TRUSTED_REFERRERS: u16 = 2;

/// The peers of one crawl.
#[derive(Debug)]
pub(crate) struct Frontier {
    /// The canonical id of who crawls: no peer.
    local: Vec<u8>,
    peers: KnownPeers,
    queue: Queue,
    order: FixedState,
    max_peers: usize,
    opt_out: Arc<OptOut>,
    /// How many peers are in the queue, and how many wait for their time.
    ready: usize,
    later: usize,
    /// How many visits are to come, or under way, before which the crawl is not over.
    awaited: usize,
    /// When the peers that turned us away first did so, and how often.
    turned_away: HashMap<PeerNumber, turns::AskedAgain>,
    over_budget: u64,
    malformed_ids: u64,
    addresses_left_out: u64,
    malformed: MalformedAddresses,
    opted_out: u64,
    opted_out_peers: HashSet<PeerId>,
}

/// How a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerStage {
    /// No address of it would be dialled.
    Parked,
    /// In the queue.
    Ready,
    /// Visited in vain, and to have another turn, but not yet.
    Later,
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
    /// Whether nothing came of the peer before: the dial need not take as long once more.
    pub(crate) is_brief: bool,
    /// Those first that are to be dialled, if not all are.
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
    /// An empty memory for at most `max_peers` peers; `seed` decides who is visited first. Neither those who opted out
    /// nor `local`, who crawls, ever get into it.
    pub(crate) fn new(local: &PeerId, seed: u64, max_peers: usize, opt_out: Arc<OptOut>) -> Self {
        Self {
            local: local.to_bytes(),
            peers: KnownPeers::default(),
            queue: Queue::default(),
            order: FixedState::with_seed(seed),
            max_peers,
            opt_out,
            ready: 0,
            later: 0,
            awaited: 0,
            turned_away: HashMap::new(),
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
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) -> Option<PeerNumber> {
        let heard = Hearsay { from: AddressSource::Given, at: Duration::ZERO };
        let (peer, is_new) = self.take_in((id, addrs), heard, admits)?;
        self.peers.get_mut(peer).is_given = true;
        is_new.then_some(peer)
    }

    /// Takes a peer in that a walk has found; gives its number, and whether it is new. `None` if there is no room, or if it is nobody
    /// to visit.
    pub(crate) fn walked_to(
        &mut self,
        found: (&PeerId, &[Multiaddr]),
        now: Duration,
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) -> Option<(PeerNumber, bool)> {
        self.take_in(found, Hearsay { from: AddressSource::Walk, at: now }, admits)
    }

    fn take_in(
        &mut self,
        (id, addrs): (&PeerId, &[Multiaddr]),
        heard: Hearsay,
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) -> Option<(PeerNumber, bool)> {
        let (peer, is_new) = self.intern(&id.to_bytes())?;
        for address in addrs {
            self.learn(peer, address.clone(), heard, admits);
        }
        Some((peer, is_new))
    }

    /// Takes in what `visited` answered.
    pub(crate) fn extend(
        &mut self,
        visited: PeerNumber,
        found: &HeardPeers,
        now: Duration,
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) -> Extended {
        let mut extended = Extended::default();
        let heard = Hearsay { from: AddressSource::Peer(visited), at: now };
        let entries = found.peers();
        extended.neighbors.reserve_exact(entries.len());
        for entry in entries {
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
            if self.peers.is_news(peer, entry.hash) {
                self.learn_entry(peer, entry.entry, heard, admits);
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
            self.claim_connected(peer, now);
        }
        extended
    }

    /// The peers that never got an address that would be dialled, with the addresses that they have.
    pub(crate) fn parked(&self) -> impl Iterator<Item = (PeerNumber, Vec<Multiaddr>)> {
        self.peers
            .numbers()
            .filter(|&peer| self.peers.stage(peer) == PeerStage::Parked)
            .map(|peer| (peer, self.peers.addrs(peer).iter().cloned().collect()))
    }

    /// How many visited peers say that they are connected to this one.
    pub(crate) fn connected_claims(&self, peer: PeerNumber) -> u8 {
        self.peers.get(peer).connected_claims
    }

    /// Every known peer as it was captured by the tables that were read. `given` are those that the user named,
    /// ascending; `stands` says what those count as that were not reached.
    pub(crate) fn captures(
        &self,
        given: &[PeerNumber],
        stands: impl Fn(PeerNumber) -> Option<bool>,
    ) -> Vec<Capture> {
        let capture = |peer| {
            let known = self.peers.get(peer);
            let reached = if known.stage == PeerStage::Reached { Some(true) } else { stands(peer) };
            let given = given.binary_search(&peer).is_ok();
            Capture { in_degree: known.referrers, reached, given }
        };
        self.peers.numbers().map(capture).collect()
    }

    /// Where the known peer of this number lies: the first eight bits of its key.
    pub(crate) fn place(&self, number: usize) -> u8 {
        u32::try_from(number)
            .map_or(0, |number| Key::of(self.peers.get(PeerNumber(number)).id()).as_bytes()[0])
    }

    /// Where a known peer lies.
    pub(crate) fn key(&self, peer: PeerNumber) -> Option<Key> {
        ((peer.0 as usize) < self.peers.len()).then(|| Key::of(self.peers.get(peer).id()))
    }

    /// How many peers are known.
    pub(crate) const fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether as many are known as may be: further ones are left out.
    pub(crate) const fn is_full(&self) -> bool {
        self.peers.len() >= self.max_peers
    }

    /// How many are in the queue.
    pub(crate) const fn waiting(&self) -> usize {
        self.ready
    }

    /// How many are to be visited again, but not yet.
    pub(crate) const fn waiting_for_later(&self) -> usize {
        self.later
    }

    /// Names of new peers that were left out, since `max_peers` are known.
    pub(crate) const fn over_budget(&self) -> u64 {
        self.over_budget
    }

    /// Addresses that were left out, since as many are kept of their peer as one may have.
    pub(crate) const fn addresses_left_out(&self) -> u64 {
        self.addresses_left_out
    }

    /// How often peers were named that asked not to be measured.
    pub(crate) const fn opted_out(&self) -> u64 {
        self.opted_out
    }

    /// How many peers these are: not more than the list has.
    pub(crate) fn opted_out_peers(&self) -> usize {
        self.opted_out_peers.len()
    }

    /// Entries of the list of who asked not to be measured.
    pub(crate) fn opt_out_entries(&self) -> usize {
        self.opt_out.entries()
    }

    /// How often ids were named that no key can have.
    pub(crate) const fn malformed_ids(&self) -> u64 {
        self.malformed_ids
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
        if canonical == self.local {
            return None;
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
        heard: Hearsay,
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) {
        for bytes in message::entry_addrs(entry) {
            if self.peers.has_address(peer, bytes) {
                continue;
            }
            match Address::from_bytes(bytes) {
                Address::Multiaddr(address) => self.learn(peer, address, heard, admits),
                Address::Malformed(bytes) => self.malformed.add(peer, bytes),
            }
        }
    }

    fn learn(
        &mut self,
        peer: PeerNumber,
        address: Multiaddr,
        heard: Hearsay,
        admits: &impl Fn(&Multiaddr) -> Admitted,
    ) {
        if self.peers.stage(peer) == PeerStage::Reached {
            return;
        }
        let address = bare(address, &self.peers.id(peer));
        let addrs = self.peers.addrs_mut(peer);
        if address.is_empty() || addrs.has(address.as_ref()) {
            return;
        }
        let admitted = admits(&address);
        self.addresses_left_out += u64::from(addrs.add(address.clone(), heard.from, admitted));
        if admitted.is_ok() {
            self.consider(peer, &address, heard.at);
        }
    }

    fn refer(&mut self, peer: PeerNumber) {
        let known = self.peers.get_mut(peer);
        known.referrers = known.referrers.saturating_add(1);
        if known.referrers == TRUSTED_REFERRERS && known.stage == PeerStage::Ready {
            let turn = self.turn(peer);
            self.queue.push(turn);
        }
    }

    fn turn(&self, peer: PeerNumber) -> Turn {
        let known = self.peers.get(peer);
        Turn { trusted: known.referrers >= TRUSTED_REFERRERS, order: self.order.hash_one(known.id()), peer }
    }
}
