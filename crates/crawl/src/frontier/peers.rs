//! The table of known peers: by number, and by the bytes of an id.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use kad::{Multiaddr, PeerId};
use schema::PeerNumber;

use super::Stage;

/// Every known peer.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: Vec<Known>,
    index: HashTable<u32>,
    hasher: RandomState,
}

/// What is known of one peer.
#[derive(Debug)]
pub(super) struct Known {
    id: PeerId,
    /// Every address heard of, until the peer is reached.
    pub(super) addrs: Vec<Multiaddr>,
    /// Of the entry that was read last: most entries of a peer are alike, and need not be read again.
    entry_hash: u64,
    pub(super) stage: Stage,
    /// How many visits were begun.
    pub(super) turns: u8,
    /// How many visited peers have named it, at most 255.
    pub(super) referrers: u8,
    /// Whether an address that would be dialled was learned after the last visit began.
    pub(super) news: bool,
}

impl Peers {
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

    pub(super) fn id(&self, peer: PeerNumber) -> &PeerId {
        &self.get(peer).id
    }

    pub(super) fn stage(&self, peer: PeerNumber) -> Stage {
        self.get(peer).stage
    }

    /// The peer whose canonical id these bytes are.
    pub(super) fn find(&self, id: &[u8]) -> Option<PeerNumber> {
        self.index
            .find(self.hash(id), |&index| is_written(&self.known[index as usize].id, id))
            .map(|&index| PeerNumber(index))
    }

    /// Takes a peer in that is not there; `canonical` are the bytes of its id. `None` if numbers have run out.
    pub(super) fn insert(&mut self, id: PeerId, canonical: &[u8]) -> Option<PeerNumber> {
        let index = u32::try_from(self.known.len()).ok().filter(|&index| index < u32::MAX)?;
        let hash = self.hash(canonical);
        let Self { known, index: table, hasher } = self;
        known.push(Known {
            id,
            addrs: Vec::new(),
            entry_hash: 0,
            stage: Stage::Parked,
            turns: 0,
            referrers: 0,
            news: false,
        });
        table.insert_unique(hash, index, |&index| {
            hasher.hash_one(known[index as usize].id.to_bytes().as_slice())
        });
        Some(PeerNumber(index))
    }

    /// Whether an entry differs from the one of this peer that was read last, and remembers it.
    pub(super) fn is_news(&mut self, peer: PeerNumber, entry: &[u8]) -> bool {
        let hash = self.hasher.hash_one(entry);
        let known = self.get_mut(peer);
        if known.stage == Stage::Reached || known.entry_hash == hash {
            return false;
        }
        known.entry_hash = hash;
        true
    }

    fn hash(&self, id: &[u8]) -> u64 {
        self.hasher.hash_one(id)
    }
}

/// Whether `bytes` are the canonical writing of `id`, without writing it out: code and length of every multihash in
/// use are one byte each.
fn is_written(id: &PeerId, bytes: &[u8]) -> bool {
    let multihash = id.as_ref();
    match bytes {
        [code @ ..0x80, size @ ..0x80, digest @ ..] => {
            u64::from(*code) == multihash.code()
                && usize::from(*size) == multihash.digest().len()
                && digest == multihash.digest()
        }
        _ => id.to_bytes() == bytes,
    }
}
