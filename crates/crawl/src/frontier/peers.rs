//! The table of known peers: by number, and by the bytes of an id.
//!
//! Every entry of every answer is looked up here, a few hundred a visit, and each look-up is a cache miss in a large
//! network. So what a look-up reads lies in one cache line, and what only visits need lies elsewhere.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use kad::{PeerId, peer_id::MAX_ID_BYTES};
use schema::{PeerNumber, VisitKind};

use super::{PeerStage, addresses::AddressBook};
use crate::{bare::bare_bytes, miss::Miss};

/// Every known peer.
#[derive(Debug, Default)]
pub(super) struct KnownPeers {
    known: Vec<Known>,
    addrs: Vec<AddressBook>,
    index: HashTable<u32>,
    hasher: RandomState,
}

/// What is known of one peer, its addresses apart: one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Known {
    id: [u8; MAX_ID_BYTES],
    id_len: u8,
    pub(super) stage: PeerStage,
    /// How many visits were begun.
    pub(super) turns: u8,
    /// Why its next visit is made.
    pub(super) next: VisitKind,
    /// Whether the crawl is not over before its next visit, or the one under way, has come to its end.
    pub(super) is_awaited: bool,
    /// Whether it has had its second chance.
    pub(super) had_second: bool,
    /// Whether the user named it.
    pub(super) is_given: bool,
    /// Why its last visit reached nobody; `None` if there was none, or if nothing was dialled.
    pub(super) miss: Option<Miss>,
    /// How many visited peers have named it, at most 65,535.
    pub(super) referrers: u16,
    /// How many visited peers say that they are connected to it, at most 255.
    pub(super) connected_claims: u8,
    /// Of the entry that was read last: most entries of a peer are alike, and need not be read again.
    entry_hash: u64,
}

impl Known {
    /// The canonical bytes of its id.
    pub(super) fn id(&self) -> &[u8] {
        &self.id[..usize::from(self.id_len)]
    }
}

impl KnownPeers {
    pub(super) const fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = PeerNumber> + use<> {
        (0..u32::try_from(self.known.len()).unwrap_or(u32::MAX)).map(PeerNumber)
    }

    pub(super) fn get(&self, peer: PeerNumber) -> &Known {
        &self.known[peer.0 as usize]
    }

    pub(super) fn get_mut(&mut self, peer: PeerNumber) -> &mut Known {
        &mut self.known[peer.0 as usize]
    }

    /// Every address heard of, until the peer is reached.
    pub(super) fn addrs(&self, peer: PeerNumber) -> &AddressBook {
        &self.addrs[peer.0 as usize]
    }

    pub(super) fn addrs_mut(&mut self, peer: PeerNumber) -> &mut AddressBook {
        &mut self.addrs[peer.0 as usize]
    }

    /// Whether these bytes are an address of the peer that is known, with its own name at the end or without.
    pub(super) fn has_address(&self, peer: PeerNumber, address: &[u8]) -> bool {
        self.addrs(peer).has(bare_bytes(address, self.get(peer).id()))
    }

    /// Frees the addresses of a peer that needs them no longer.
    pub(super) fn forget_addrs(&mut self, peer: PeerNumber) {
        *self.addrs_mut(peer) = AddressBook::default();
    }

    pub(super) fn stage(&self, peer: PeerNumber) -> PeerStage {
        self.get(peer).stage
    }

    /// The peer whose canonical id these bytes are.
    pub(super) fn find(&self, id: &[u8]) -> Option<PeerNumber> {
        self.index
            .find(self.hash(id), |&index| self.known[index as usize].id() == id)
            .map(|&index| PeerNumber(index))
    }

    /// Takes a peer in that is not there; `canonical` are the bytes of its id. `None` if numbers have run out.
    pub(super) fn insert(&mut self, canonical: &[u8]) -> Option<PeerNumber> {
        let index = u32::try_from(self.known.len()).ok().filter(|&index| index < u32::MAX)?;
        let mut id = [0; MAX_ID_BYTES];
        id.get_mut(..canonical.len())?.copy_from_slice(canonical);
        let hash = self.hash(canonical);
        let Self { known, addrs, index: table, hasher } = self;
        known.push(Known {
            id,
            id_len: u8::try_from(canonical.len()).ok()?,
            stage: PeerStage::Parked,
            turns: 0,
            next: VisitKind::First,
            is_awaited: false,
            had_second: false,
            is_given: false,
            miss: None,
            referrers: 0,
            connected_claims: 0,
            entry_hash: 0,
        });
        addrs.push(AddressBook::default());
        table.insert_unique(hash, index, |&index| hasher.hash_one(known[index as usize].id()));
        Some(PeerNumber(index))
    }

    /// The id of a peer.
    pub(super) fn id(&self, peer: PeerNumber) -> PeerId {
        // The bytes were written from a parsed id.
        PeerId::from_bytes(self.get(peer).id()).unwrap_or_else(|_| unreachable!("canonical bytes of an id"))
    }

    /// Whether an entry of this hash differs from the one of this peer that was read last, and remembers it.
    pub(super) fn is_news(&mut self, peer: PeerNumber, hash: u64) -> bool {
        if self.stage(peer) == PeerStage::Reached {
            return false;
        }
        let known = self.get_mut(peer);
        std::mem::replace(&mut known.entry_hash, hash) != hash
    }

    fn hash(&self, id: &[u8]) -> u64 {
        self.hasher.hash_one(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_up_reads_is_one_cache_line() {
        assert_eq!(size_of::<Known>(), 64);
    }

    #[test]
    fn the_longest_id_has_room() {
        let mut peers = KnownPeers::default();
        let longest = [&[0, 42][..], &[7; 42]].concat();
        let id = PeerId::from_bytes(&longest).expect("an identity multihash");
        let number = peers.insert(&id.to_bytes()).expect("room");
        assert_eq!((peers.find(&longest), peers.id(number)), (Some(number), id));
        let too_long = [&[0, 43][..], &[7; 43]].concat();
        assert!(PeerId::from_bytes(&too_long).is_err());
        assert_eq!(peers.insert(&too_long), None);
    }
}
