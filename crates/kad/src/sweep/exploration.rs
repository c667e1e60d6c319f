//! Which lookups show all peers under a prefix (`closestPeersToPrefix`).

use std::collections::BTreeMap;

use libp2p_identity::PeerId;

use super::{KeyPrefix, PrefixSet};
use crate::{
    key::Key,
    preimage::{TARGET_BYTES, target_of},
};

/// The most lookups of one exploration (`maxExplorationPrefixSearches`).
pub const MAX_EXPLORATION_LOOKUPS: usize = 64;

/// After how many lookups in a row that found nobody new it ends (`maxConsecutiveNoFreshPeers`).
pub const MAX_DRY_LOOKUPS: usize = 2;

/// An exploration: told what each lookup found, it says what to look up next.
///
/// The peers that a lookup of a key finds are all there are, as far as they reach: all that share more bits with it than the farthest
/// of them. So each covers a part of the key space, and the next one looks up the nearest part that none has covered.
#[derive(Debug, Clone)]
pub struct Exploration {
    order: Key,
    /// How many peers there must be under the prefix: it grows until there are.
    size: usize,
    prefix: KeyPrefix,
    /// What the next lookup looks into; `None` when it is over.
    next: Option<KeyPrefix>,
    cover: PrefixSet,
    /// Who was found, and whether it counts.
    peers: BTreeMap<Key, (PeerId, bool)>,
    /// Whether only those count that are known to be there.
    is_strict: bool,
    lookups: usize,
    dry: usize,
}

/// What an exploration found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explored {
    /// The part of the key space of which all peers were found. It holds the prefix that was explored.
    pub prefix: KeyPrefix,
    /// The peers, by their keys. Some may lie beside the prefix.
    pub peers: BTreeMap<Key, PeerId>,
    /// How many lookups it took.
    pub lookups: usize,
}

impl Exploration {
    /// Explores a prefix, in the order of the distances to `order` and until it has `size` peers at least.
    pub fn new(prefix: KeyPrefix, size: usize, order: Key) -> Self {
        Self {
            order,
            size,
            prefix,
            next: Some(prefix),
            cover: PrefixSet::default(),
            peers: BTreeMap::new(),
            is_strict: false,
            lookups: 0,
            dry: 0,
        }
    }

    /// Explores what is around a key until it has `size` peers there that are known to be there: the closest to the key are among them.
    pub fn around(key: &Key, size: usize) -> Self {
        Self::new(KeyPrefix::of(key, 256), size, *key).strict()
    }

    /// Whoever is found counts only once it is [known](Self::answered) to be there. Where lookups find dead peers, too, these cover their
    /// part of the key space as living ones do, and others have to be found beyond it.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// What to look up: bytes whose key begins with 16 bits of the part that is looked into; `None` when it is over.
    pub fn next(&self) -> Option<[u8; TARGET_BYTES]> {
        self.next.map(|part| target_of(part.nearest_key(&self.order).prefix16()))
    }

    /// A lookup of what [`next`](Self::next) says found these peers, in any order.
    pub fn found(&mut self, closest: &[PeerId]) {
        let Some(part) = self.next.take().filter(|_| !closest.is_empty()) else { return };
        self.lookups += 1;
        let keyed: Vec<(Key, PeerId)> = closest.iter().map(|peer| (Key::of_peer(peer), *peer)).collect();
        let (covered, known) = self.take(&part.nearest_key(&self.order), keyed);
        self.dry = if self.peers.len() > known { 0 } else { self.dry + 1 };
        if self.dry >= MAX_DRY_LOOKUPS {
            return;
        }
        self.cover.add(covered);
        let mut gap = self.cover.first_gap(&self.prefix, &self.order);
        while gap.is_none()
            && let Some(parent) = self.parent()
        {
            self.prefix = parent;
            gap = self.cover.first_gap(&self.prefix, &self.order);
        }
        self.next = gap.filter(|_| self.lookups < MAX_EXPLORATION_LOOKUPS);
    }

    /// These peers are there: they have answered, whether or not a lookup ended with them.
    pub fn answered(&mut self, peers: impl IntoIterator<Item = PeerId>) {
        self.peers.extend(peers.into_iter().map(|peer| (Key::of_peer(&peer), (peer, true))));
    }

    /// What was found. An exploration that is not over is ended.
    pub fn explored(mut self) -> Explored {
        while let Some(parent) = self.parent() {
            self.prefix = parent;
        }
        let counted = self.peers.into_iter().filter(|(_, (_, counts))| *counts);
        let peers = counted.map(|(key, (peer, _))| (key, peer)).collect();
        Explored { prefix: self.prefix, peers, lookups: self.lookups }
    }

    /// Takes in the peers that the lookup covers. Gives what it covers, and how many peers were known before.
    fn take(&mut self, target: &Key, mut closest: Vec<(Key, PeerId)>) -> (KeyPrefix, usize) {
        let known = self.peers.len();
        if let [(key, peer)] = closest[..] {
            self.add(key, peer);
            return (KeyPrefix::of(&key, 256), known);
        }
        let (mut covered, mut count) = reach(target, &mut closest);
        // All share as many bits with the target, which has nobody beside it: they are in the other half.
        while count == 0 {
            self.cover.add(covered);
            let beside = covered.flipped();
            (covered, count) = reach(&beside.nearest_key(target), &mut closest);
        }
        for (key, peer) in closest.drain(..count) {
            self.add(key, peer);
        }
        (covered, known)
    }

    fn add(&mut self, key: Key, peer: PeerId) {
        let counts = !self.is_strict;
        self.peers.entry(key).or_insert((peer, counts));
    }

    /// The prefix grows to this, if it has too few peers.
    fn parent(&self) -> Option<KeyPrefix> {
        let counted = self.peers.iter().filter(|(_, (_, counts))| *counts);
        let under = counted.filter(|(key, _)| self.prefix.covers(key)).count();
        self.prefix.parent().filter(|_| under < self.size)
    }
}

/// How far the closest peers of a target reach: the shortest prefix of it of which they are all, and how many of them lie in it
/// (`ShortestCoveredPrefix`). They are sorted by their distance to it.
fn reach(target: &Key, closest: &mut [(Key, PeerId)]) -> (KeyPrefix, usize) {
    closest.sort_unstable_by_key(|(key, _)| key.distance(target));
    let farthest = closest.last().map_or(256, |(key, _)| target.common_prefix_len(key));
    let within = closest.partition_point(|(key, _)| target.common_prefix_len(key) > farthest);
    (KeyPrefix::of(target, farthest + 1), within)
}

#[cfg(test)]
mod tests;
