//! The peers that a monitor knows: their ids, by number and the other way round, and where each is looked for. Packed, since there may
//! be a hundred thousand of them for weeks.
//!
//! What is known of their uptime is [`session`](crate::session)'s, when they are due [`due`](crate::due)'s.

mod addresses;
#[cfg(test)]
mod tests;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use kad::{Multiaddr, PeerId, peer_id::MAX_ID_BYTES};
use schema::{PeerNumber, Visit};

use addresses::PackedAddresses;

/// Where a visit says that its peer is to be looked for: first where it was found, then where it says it listens, then where it was dialled.
pub(crate) fn places(visit: &Visit) -> impl Iterator<Item = &Multiaddr> {
    let met = &visit.met;
    let connected = met.connection.as_ref().and_then(|connection| met.addresses.get(connection.address));
    let connected = connected.and_then(|place| place.address.multiaddr());
    let listed = met.listen_addrs.iter().filter_map(|address| address.multiaddr());
    connected.into_iter().chain(listed).chain(met.multiaddrs())
}

/// Peers, numbered in the order in which they were heard of.
#[derive(Debug, Default)]
pub(crate) struct PeerTable {
    ids: Vec<PackedId>,
    addresses: Vec<PackedAddresses>,
    index: HashTable<u32>,
    hasher: RandomState,
    max_peers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PackedId {
    bytes: [u8; MAX_ID_BYTES],
    length: u8,
}

impl PackedId {
    /// `None` for an id that is longer than any.
    fn of(id: &PeerId) -> Option<Self> {
        let given = id.to_bytes();
        let mut bytes = [0; MAX_ID_BYTES];
        bytes.get_mut(..given.len())?.copy_from_slice(&given);
        Some(Self { bytes, length: u8::try_from(given.len()).ok()? })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl PeerTable {
    /// Nobody yet, and never more than so many.
    pub(crate) fn new(max_peers: usize) -> Self {
        Self { max_peers, ..Self::default() }
    }

    /// How many are known.
    pub(crate) const fn len(&self) -> usize {
        self.ids.len()
    }

    /// The number of a peer; `None` if it is not known.
    pub(crate) fn find(&self, id: &PeerId) -> Option<PeerNumber> {
        let id = PackedId::of(id)?;
        let is_it = |&index: &u32| self.ids.get(index as usize) == Some(&id);
        self.index.find(self.hasher.hash_one(id.bytes()), is_it).map(|&index| PeerNumber(index))
    }

    /// The number of a peer, and whether it is new; `None` if it is not known and there is no room.
    pub(crate) fn take_in(&mut self, id: &PeerId) -> Option<(PeerNumber, bool)> {
        if let Some(known) = self.find(id) {
            return Some((known, false));
        }
        let packed = PackedId::of(id)?;
        let number = u32::try_from(self.ids.len()).ok().filter(|_| self.ids.len() < self.max_peers)?;
        let Self { ids, addresses, index, hasher, .. } = self;
        ids.push(packed);
        addresses.push(PackedAddresses::default());
        let hash = |number: &u32| hasher.hash_one(ids.get(*number as usize).map_or(&[][..], PackedId::bytes));
        index.insert_unique(hasher.hash_one(packed.bytes()), number, hash);
        Some((PeerNumber(number), true))
    }

    /// The id of a peer; `None` if there is no such number.
    pub(crate) fn id(&self, peer: PeerNumber) -> Option<PeerId> {
        PeerId::from_bytes(self.ids.get(peer.0 as usize)?.bytes()).ok()
    }

    /// Where a peer is looked for, the most promising first.
    pub(crate) fn addresses(&self, peer: PeerNumber) -> Vec<Multiaddr> {
        self.addresses.get(peer.0 as usize).map(PackedAddresses::unpacked).unwrap_or_default()
    }

    /// Where a peer is looked for from now on, the most promising first: as many as are kept of one.
    pub(crate) fn set_addresses<'a>(
        &mut self,
        peer: PeerNumber,
        addresses: impl IntoIterator<Item = &'a Multiaddr>,
    ) {
        if let Some(place) = self.addresses.get_mut(peer.0 as usize) {
            *place = PackedAddresses::of(addresses);
        }
    }
}
