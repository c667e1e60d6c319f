//! The routing table of a peer, as go-libp2p-kbucket keeps it: which peers it takes in, which it lets go, and which of
//! them are closest to a key.
//!
//! Bucket `i` of a peer holds peers whose keys share exactly `i` leading bits with its own (Maymounkov and Mazières,
//! "Kademlia", 2002, section 2.4). The last bucket holds all that share more, too, until it is full and unfolds. A full
//! bucket keeps what it has, unless a peer in it was taken in as replaceable: peers that have been there long are the
//! likeliest to stay.
//!
//! Beside it stand the test that lets a peer in ([`TableTrials`]), how a new table comes to rest ([`Settling`]) and what a
//! refresh looks up ([`Refresh`]). Times are given as the time since any moment, the same one for all of a table. What is
//! sent, and when, is left to whoever has a network. The tables of a testnet, which are drawn rather than filled, share
//! the order in which buckets come closer to a target ([`closest_buckets`]).

mod admission;
mod groups;
mod refresh;
mod settling;

use std::{mem, time::Duration};

pub use self::{
    admission::{ADMISSION_TIMEOUT, MAX_ADMISSION_TESTS, TableTrials},
    groups::{AddressGroup, GroupLimits},
    refresh::{REFRESH_INTERVAL, REFRESH_LOOKUP_TIMEOUT, Refresh, RefreshStep, answer_grace},
    settling::{FREEZE_AFTER, Settling},
};
use self::{groups::GroupCounts, refresh::RefreshTimes};
use crate::{key::Key, message::K};

/// How many peers of a kind a table takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRules {
    /// The most peers in one bucket; 0 counts as 1.
    pub bucket_size: usize,
    /// How many peers of a group of addresses; `None` for any number.
    pub groups: Option<GroupLimits>,
}

impl Default for TableRules {
    /// Buckets of [`K`], and no limits on groups.
    fn default() -> Self {
        Self { bucket_size: K, groups: None }
    }
}

/// The peers that a peer knows, in buckets by common prefix length.
#[derive(Debug, Clone)]
pub struct RoutingTable<T> {
    own: Key,
    rules: TableRules,
    /// At least one bucket; within each, those who came first are first.
    buckets: Vec<Vec<TablePeer<T>>>,
    groups: GroupCounts,
    refreshed: RefreshTimes,
}

/// A peer in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePeer<T> {
    /// Where it lies.
    pub key: Key,
    /// What the table's owner keeps of it.
    pub peer: T,
    /// When it was taken in.
    pub added: Duration,
    /// When it was last useful: when it was taken in, or answered a lookup as one of its quickest.
    pub useful: Duration,
    /// When it last answered. A peer that has not for [`answer_grace`] is tested, and removed unless it passes.
    pub answered: Duration,
    /// Whether a peer that comes may take its place.
    pub is_replaceable: bool,
    groups: Vec<AddressGroup>,
}

/// A peer that may be taken into a table.
#[derive(Debug, Clone)]
pub struct Newcomer<T> {
    /// Where it lies.
    pub key: Key,
    /// What is to be kept of it.
    pub peer: T,
    /// The groups of its addresses ([`AddressGroup::of`]), looked at only where groups have limits.
    pub groups: Vec<AddressGroup>,
    /// Whether a peer that comes later may take its place: while a table is new ([`Settling`]).
    pub is_replaceable: bool,
}

impl<T> Newcomer<T> {
    /// One of no group, which stays once it is there.
    pub const fn new(key: Key, peer: T) -> Self {
        Self { key, peer, groups: Vec::new(), is_replaceable: false }
    }
}

/// How a peer came to stand in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insertion<T> {
    /// There was room for it.
    Added,
    /// It took the place of this one.
    InPlaceOf(TablePeer<T>),
    /// It was there already, and has answered once more. What is kept of it is as it was.
    Known,
}

/// Why a peer was not taken into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// Its bucket is full of peers that stay.
    Full,
    /// Groups have limits, and one of its groups has reached them, or none of it is known.
    Group,
    /// It is the table's owner.
    Own,
}

impl<T> RoutingTable<T> {
    /// An empty table of the peer at `own`.
    pub fn new(own: Key, rules: TableRules) -> Self {
        let rules = TableRules { bucket_size: rules.bucket_size.max(1), ..rules };
        let (groups, refreshed) = (GroupCounts::default(), RefreshTimes::default());
        Self { own, rules, buckets: vec![Vec::new()], groups, refreshed }
    }

    /// Takes in a peer that has just answered.
    pub fn insert(&mut self, newcomer: Newcomer<T>, now: Duration) -> Result<Insertion<T>, Rejected> {
        let shared = self.own.common_prefix_len(&newcomer.key);
        if shared == 256 {
            return Err(Rejected::Own);
        }
        if self.note_answer(&newcomer.key, now) {
            return Ok(Insertion::Known);
        }
        if self.rules.groups.is_some_and(|limits| !self.groups.admits(limits, shared, &newcomer.groups)) {
            return Err(Rejected::Group);
        }
        if !self.has_space(shared) && self.bucket_of(shared) + 1 == self.buckets.len() {
            self.unfold();
        }
        let index = self.bucket_of(shared);
        if self.has_space(shared) {
            self.push(index, newcomer, now);
            return Ok(Insertion::Added);
        }
        // Of several that may be replaced, the one that has been there longest.
        let replaced = self.buckets[index].iter().find(|peer| peer.is_replaceable).map(|peer| peer.key);
        let replaced = replaced.ok_or(Rejected::Full)?;
        self.push(index, newcomer, now);
        Ok(self.remove(&replaced).map_or(Insertion::Added, Insertion::InPlaceOf))
    }

    /// Takes a peer out, which may fold buckets again; `None` if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<TablePeer<T>> {
        let (bucket, position) = self.position(key)?;
        let removed = self.buckets[bucket].remove(position);
        self.groups.remove(self.own.common_prefix_len(key), &removed.groups);
        // Empty buckets fold as far as they stand at the end, or next to it.
        while self.buckets.len() > 1 {
            let last = self.buckets.len() - 1;
            let Some(empty) = [last, last - 1].into_iter().find(|&index| self.buckets[index].is_empty())
            else {
                break;
            };
            self.buckets.remove(empty);
        }
        Some(removed)
    }

    /// Whether a peer would be taken in now, its groups apart. One that would not need not be tested.
    pub fn has_room_for(&self, key: &Key) -> bool {
        let shared = self.own.common_prefix_len(key);
        let index = self.bucket_of(shared);
        let bucket = &self.buckets[index];
        if shared == 256 || bucket.iter().any(|peer| peer.key == *key) {
            return false;
        }
        let unfolds = || {
            index + 1 == self.buckets.len()
                && bucket.iter().any(|peer| self.own.common_prefix_len(&peer.key) != shared)
        };
        self.has_space(shared) || bucket.iter().any(|peer| peer.is_replaceable) || unfolds()
    }

    /// The `count` peers closest to `target`, the closest first.
    pub fn closest(&self, target: &Key, count: usize) -> Vec<&TablePeer<T>> {
        let shared = self.bucket_of(self.own.common_prefix_len(target));
        let mut found = Vec::new();
        for range in closest_buckets(shared, self.buckets.len()) {
            if found.len() >= count {
                break;
            }
            let mut group: Vec<_> = self.buckets[range].iter().flatten().collect();
            group.sort_unstable_by_key(|peer| peer.key.distance(target));
            found.extend(group);
        }
        found.truncate(count);
        found
    }

    /// Notes that a peer has answered; `false` if it does not stand in the table.
    pub fn note_answer(&mut self, key: &Key, now: Duration) -> bool {
        self.entry_mut(key).map(|entry| entry.answered = now).is_some()
    }

    /// Notes that a peer was useful; `false` if it does not stand in the table.
    pub fn note_use(&mut self, key: &Key, now: Duration) -> bool {
        self.entry_mut(key).map(|entry| entry.useful = now).is_some()
    }

    /// Makes everybody who is there stay: nobody who comes takes a place of theirs.
    pub fn keep_all(&mut self) {
        self.buckets.iter_mut().flatten().for_each(|peer| peer.is_replaceable = false);
    }

    /// The peers that have not answered for longer than `grace` and are to be asked for their own id: who does not pass
    /// ([`passes`](Self::passes)) is removed.
    pub fn overdue(&self, now: Duration, grace: Duration) -> impl Iterator<Item = &TablePeer<T>> {
        self.iter().filter(move |peer| now.saturating_sub(peer.answered) > grace)
    }

    /// Whether such an answer to a FIND_NODE of its own id lets a peer in, or lets one that was silent for long stay:
    /// `named` is how many peers it named, `None` if it did not answer. While the table has less than a bucket of peers,
    /// any answer does.
    pub fn passes(&self, named: Option<usize>) -> bool {
        named.is_some_and(|count| count > 0 || self.len() < self.rules.bucket_size)
    }

    /// Notes that a lookup of this key was brought to its end, which refreshes the peers of its prefix.
    pub fn note_lookup(&mut self, target: &Key, now: Duration) {
        self.refreshed.note(self.own.common_prefix_len(target), now);
    }

    /// The table's owner.
    pub const fn own(&self) -> &Key {
        &self.own
    }

    /// What is kept of a peer; `None` if it is not there.
    pub fn get(&self, key: &Key) -> Option<&TablePeer<T>> {
        let (bucket, position) = self.position(key)?;
        self.buckets.get(bucket)?.get(position)
    }

    /// What the owner keeps of a peer, to be changed; `None` if it is not there.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.entry_mut(key).map(|entry| &mut entry.peer)
    }

    /// Every peer, those farthest from the owner first.
    pub fn iter(&self) -> impl Iterator<Item = &TablePeer<T>> {
        self.buckets.iter().flatten()
    }

    /// How many peers it holds.
    pub fn len(&self) -> usize {
        self.buckets.iter().map(Vec::len).sum()
    }

    /// How many peers it holds that share exactly so many bits with the owner.
    pub fn len_at(&self, shared: u32) -> usize {
        let bucket = &self.buckets[self.bucket_of(shared)];
        bucket.iter().filter(|peer| self.own.common_prefix_len(&peer.key) == shared).count()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many buckets it has unfolded to: at least one.
    pub const fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// The most bits that a peer of the table shares with the owner; 0 for an empty one.
    pub fn depth(&self) -> u32 {
        let deepest = self.buckets.iter().rev().find(|bucket| !bucket.is_empty());
        let shared = deepest.into_iter().flatten().map(|peer| self.own.common_prefix_len(&peer.key));
        shared.max().unwrap_or(0)
    }

    /// For each prefix length that is refreshed, from 0 on: when a lookup of it was last brought to its end.
    pub fn refreshed(&self) -> &[Option<Duration>] {
        self.refreshed.up_to(self.depth())
    }

    fn bucket_of(&self, shared: u32) -> usize {
        (shared as usize).min(self.buckets.len() - 1)
    }

    fn has_space(&self, shared: u32) -> bool {
        self.buckets[self.bucket_of(shared)].len() < self.rules.bucket_size
    }

    fn position(&self, key: &Key) -> Option<(usize, usize)> {
        let bucket = self.bucket_of(self.own.common_prefix_len(key));
        self.buckets[bucket].iter().position(|peer| peer.key == *key).map(|position| (bucket, position))
    }

    fn entry_mut(&mut self, key: &Key) -> Option<&mut TablePeer<T>> {
        let (bucket, position) = self.position(key)?;
        self.buckets.get_mut(bucket)?.get_mut(position)
    }

    fn push(&mut self, bucket: usize, newcomer: Newcomer<T>, now: Duration) {
        let Newcomer { key, peer, groups, is_replaceable } = newcomer;
        if self.rules.groups.is_some() {
            self.groups.add(self.own.common_prefix_len(&key), &groups);
        }
        let groups = if self.rules.groups.is_some() { groups } else { Vec::new() };
        let entry = TablePeer { key, peer, added: now, useful: now, answered: now, is_replaceable, groups };
        self.buckets[bucket].push(entry);
    }

    /// Splits the last bucket until the new last one has space.
    fn unfold(&mut self) {
        let mut is_full = true;
        while is_full && let Some(depth) = self.buckets.len().checked_sub(1) {
            let whole = mem::take(&mut self.buckets[depth]);
            let shares_more = |peer: &TablePeer<T>| self.own.common_prefix_len(&peer.key) as usize > depth;
            let (deeper, here): (Vec<_>, Vec<_>) = whole.into_iter().partition(shares_more);
            is_full = deeper.len() >= self.rules.bucket_size;
            self.buckets[depth] = here;
            self.buckets.push(deeper);
        }
    }
}

/// In which order buckets come closer to a target that shares `shared` leading bits with their owner: no peer of a
/// later range is closer than one of an earlier. Within a range, only the distances themselves decide.
///
/// The target's own bucket is first. Every deeper bucket differs from the target first in bit `shared`: they come
/// next, together. Then the shallower ones, from the deepest to the shallowest.
pub fn closest_buckets(shared: usize, buckets: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let own = shared.min(buckets)..(shared + 1).min(buckets);
    let deeper = own.end..buckets;
    let shallower = (0..own.start).rev().map(|index| index..index + 1);
    [own, deeper].into_iter().chain(shallower)
}

#[cfg(test)]
mod tests;
