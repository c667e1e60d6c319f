//! The peers in the answers of one visit, each distinct entry once.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use kad::{
    message::{ConnectionType, MessageView, PeerView},
    protobuf::DecodeError,
};

/// The most bytes of entries that are kept of one visit. Sixteen honest answers of 20 peers with ten addresses each
/// are 64 KiB; go-libp2p-kad-dht sends at most 8 KiB of one peer.
pub(crate) const MAX_FOUND_BYTES: usize = 1 << 20;

/// Room that is made when the first answer comes: for so many answers of its length, and for so many entries.
const ROOM_ANSWERS: usize = 8;
const ROOM_ENTRIES: usize = 192;

/// Entries of the answers of one peer, as they were sent. The same peer with the same addresses stands in many
/// buckets' answers and is kept once; with other addresses it is another entry.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// For each entry its id and, behind it, the whole entry.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    distinct: HashTable<u32>,
    hasher: RandomState,
    left_out: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    id_len: u32,
    len: u32,
    is_connected: bool,
    hash: u64,
}

/// One distinct entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoundPeer<'a> {
    /// The bytes of the id, unchecked.
    pub(crate) id: &'a [u8],
    /// The whole entry.
    pub(crate) entry: &'a [u8],
    /// Whether the answering peer says that it is connected to this one.
    pub(crate) is_connected: bool,
}

impl Found {
    /// Takes the closer peers of an answer in, and says how many there were.
    pub(crate) fn add(&mut self, answer: &[u8]) -> Result<u16, DecodeError> {
        let view = MessageView::decode(answer)?;
        if self.entries.is_empty() {
            // An honest peer's answers hold some hundreds of distinct entries; most come with the first few.
            self.bytes.reserve(ROOM_ANSWERS * answer.len().min(MAX_FOUND_BYTES / ROOM_ANSWERS));
            self.entries.reserve(ROOM_ENTRIES);
            self.distinct.reserve(ROOM_ENTRIES, |&index| self.entries[index as usize].hash);
        }
        let mut peers = 0;
        for peer in view.closer_peers() {
            peers += 1;
            self.add_peer(&peer);
        }
        Ok(peers)
    }

    /// Entries that had no room under [`MAX_FOUND_BYTES`].
    pub(crate) const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// Every distinct entry, in the order in which they came.
    pub(crate) fn peers(&self) -> impl Iterator<Item = FoundPeer<'_>> {
        self.entries.iter().map(|&Entry { start, id_len, len, is_connected, .. }| {
            let (id, entry) = self.bytes[start as usize..][..len as usize].split_at(id_len as usize);
            FoundPeer { id, entry, is_connected }
        })
    }

    fn add_peer(&mut self, peer: &PeerView<'_>) {
        let entry = peer.bytes();
        let hash = self.hasher.hash_one(entry);
        let same = |&index: &u32| self.whole(index) == entry;
        if self.distinct.find(hash, same).is_some() {
            return;
        }
        let len = peer.id.len() + entry.len();
        let places = (u32::try_from(self.bytes.len()), u32::try_from(self.entries.len()));
        let (Ok(start), Ok(index)) = places else { return };
        if self.bytes.len() + len > MAX_FOUND_BYTES {
            self.left_out += 1;
            return;
        }
        self.bytes.extend_from_slice(peer.id);
        self.bytes.extend_from_slice(entry);
        // Both fit: they are parts of what MAX_FOUND_BYTES bounds.
        let id_len = u32::try_from(peer.id.len()).unwrap_or(u32::MAX);
        let is_connected = peer.connection == ConnectionType::Connected;
        self.entries.push(Entry {
            start,
            id_len,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            is_connected,
            hash,
        });
        self.distinct.insert_unique(hash, index, |&index| self.entries[index as usize].hash);
    }

    fn whole(&self, index: u32) -> &[u8] {
        let Entry { start, id_len, len, .. } = self.entries[index as usize];
        &self.bytes[(start + id_len) as usize..(start + len) as usize]
    }
}

#[cfg(test)]
mod tests {
    use kad::message::{Message, MessageType, Peer};

    use super::*;

    fn answer(peers: Vec<Peer>) -> Vec<u8> {
        let mut message = Message::new(MessageType::FindNode, b"key".to_vec());
        message.closer_peers = peers;
        message.encode()
    }

    fn peer(id: &[u8], addr: &[u8]) -> Peer {
        Peer { id: id.to_vec(), addrs: vec![addr.to_vec()], ..Peer::default() }
    }

    #[test]
    fn an_entry_is_kept_once_and_other_addresses_make_another_entry() {
        let mut found = Found::default();
        assert_eq!(found.add(&answer(vec![peer(b"a", b"1"), peer(b"b", b"1")])), Ok(2));
        assert_eq!(found.add(&answer(vec![peer(b"a", b"1"), peer(b"a", b"2"), Peer::default()])), Ok(3));
        let ids: Vec<&[u8]> = found.peers().map(|p| p.id).collect();
        assert_eq!(ids, [b"a".as_slice(), b"b", b"a", b""]);
        assert!(found.add(&[0x42, 9]).is_err());
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let mut found = Found::default();
        for n in 0..40_u8 {
            let peers = (0..20).map(|m| peer(&[n, m], &[n; 2000])).collect();
            assert_eq!(found.add(&answer(peers)), Ok(20));
        }
        assert!(found.bytes.len() <= MAX_FOUND_BYTES);
        assert_eq!(found.left_out() as usize + found.peers().count(), 800);
        assert!(found.left_out() > 0);
    }
}
