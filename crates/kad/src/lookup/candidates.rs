//! Whom a lookup has heard of, in the order of their distance to its target, and how it stands with each.
//!
//! What is looked at most lies close together: the order holds 64 bits of each distance, and the states are a byte each.

use super::{PeerState, ids::Ids};
use crate::key::{Distance, Key};

/// A peer that a lookup has heard of, by its number in that lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Candidate(pub(super) u32);

impl Candidate {
    /// The number, by which a trace knows the peer, too.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Where a peer was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Who named it first; `None` if the lookup began with it.
    pub heard_by: Option<Candidate>,
    /// How many answers led to it: 0 if the lookup began with it.
    pub hop: u8,
}

#[derive(Debug, Clone)]
pub(super) struct Candidates {
    target: Key,
    ids: Ids,
    /// By number.
    distances: Vec<Distance>,
    origins: Vec<Origin>,
    states: Vec<PeerState>,
    /// The closest first.
    order: Vec<Place>,
    /// Nobody before this place is only heard of.
    first_heard: usize,
    heard: usize,
    waiting: usize,
}

/// A peer's place in the order.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The first 64 bits of the distance.
    prefix: u64,
    number: u32,
}

impl Candidates {
    pub(super) fn new(target: Key, seed: u64) -> Self {
        Self {
            target,
            ids: Ids::new(seed),
            distances: Vec::new(),
            origins: Vec::new(),
            states: Vec::new(),
            order: Vec::new(),
            first_heard: 0,
            heard: 0,
            waiting: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, candidate: Candidate) -> Option<&[u8]> {
        self.ids.get(candidate.0)
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<Candidate> {
        self.ids.find(id).map(Candidate)
    }

    pub(super) fn origin(&self, candidate: Candidate) -> Option<Origin> {
        self.origins.get(candidate.0 as usize).copied()
    }

    /// `None` for a candidate of another lookup.
    pub(super) fn state(&self, candidate: Candidate) -> Option<PeerState> {
        self.states.get(candidate.0 as usize).copied()
    }

    /// How far it is to the target; `None` for a candidate of another lookup.
    pub(super) fn distance(&self, candidate: Candidate) -> Option<&Distance> {
        self.distances.get(candidate.0 as usize)
    }

    /// How many are only heard of.
    pub(super) const fn heard(&self) -> usize {
        self.heard
    }

    /// How many are waited for.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes somebody in who is not known.
    pub(super) fn add(&mut self, id: &[u8], origin: Origin) {
        let key = Key::of(id);
        let Some(number) = self.ids.add(id) else { return };
        let distance = self.target.distance(&key);
        let prefix = self.target.prefix64() ^ key.prefix64();
        let place = self.order.partition_point(|other| {
            let rest = || self.distances[other.number as usize].cmp(&distance);
            other.prefix.cmp(&prefix).then_with(rest).is_lt()
        });
        self.order.insert(place, Place { prefix, number });
        self.distances.push(distance);
        self.origins.push(origin);
        self.states.push(PeerState::Heard);
        self.first_heard = self.first_heard.min(place);
        self.heard += 1;
    }

    /// Changes how the lookup stands with a peer. Nobody is only heard of again.
    pub(super) fn set(&mut self, candidate: Candidate, state: PeerState) {
        let Some(place) = self.states.get_mut(candidate.0 as usize) else { return };
        match std::mem::replace(place, state) {
            PeerState::Heard => self.heard -= 1,
            PeerState::Waiting => self.waiting -= 1,
            PeerState::Queried | PeerState::Unreachable => {}
        }
        self.waiting += usize::from(state == PeerState::Waiting);
    }

    /// The closest peer that is only heard of.
    pub(super) fn closest_heard(&mut self) -> Option<Candidate> {
        let unasked = |place: &Place| self.states[place.number as usize] == PeerState::Heard;
        let ahead = self.order[self.first_heard..].iter().position(unasked);
        self.first_heard = ahead.map_or(self.order.len(), |ahead| self.first_heard + ahead);
        self.order.get(self.first_heard).map(|place| Candidate(place.number))
    }

    /// Those that are not unreachable and their states, the closest first.
    pub(super) fn reachable(&self) -> impl Iterator<Item = (Candidate, PeerState)> {
        self.order
            .iter()
            .map(|place| (Candidate(place.number), self.states[place.number as usize]))
            .filter(|&(_, state)| state != PeerState::Unreachable)
    }

    /// The `count` closest, whatever their states, the closest first.
    pub(super) fn nearest(&self, count: usize) -> impl Iterator<Item = Candidate> {
        self.order.iter().take(count).map(|place| Candidate(place.number))
    }

    /// Whether the `count` closest that are not unreachable, or all if there are fewer, have answered.
    pub(super) fn closest_answered(&self, count: usize) -> bool {
        self.reachable().take(count).all(|(_, state)| state == PeerState::Queried)
    }
}
