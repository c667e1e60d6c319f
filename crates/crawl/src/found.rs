//! The peers in the answers of one visit: each distinct entry once, and who stands in which answer.

mod named;
mod prefixes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hashbrown::HashTable;
use kad::{
    Key,
    message::{ConnectionType, MessageView, PeerView},
    protobuf::DecodeError,
};

use crate::summary::LeftOut;
pub(crate) use named::{NamedPeer, contradict, open_buckets};
pub(crate) use prefixes::KeyPrefixes;

/// The most bytes of entries that are kept of one visit. Sixteen honest answers of 20 peers with ten addresses each
/// are 64 KiB; go-libp2p-kad-dht sends at most 8 KiB of one peer.
pub(crate) const MAX_FOUND_BYTES: usize = 1 << 20;

/// Room that is made when the first answer comes: for so many answers of its length, and for so many entries.
const ROOM_ANSWERS: usize = 8;
const ROOM_ENTRIES: usize = 192;

/// Entries of the answers of one peer, as they were sent. The same peer with the same addresses stands in many
/// buckets' answers and is kept once; with other addresses it is another entry.
#[derive(Debug)]
pub(crate) struct HeardPeers {
    /// The answering peer, and where it lies.
    own_id: Vec<u8>,
    own: Key,
    /// For each entry its id and, behind it, the whole entry.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    distinct: HashTable<u32>,
    /// Every peer once, whatever its entries, but for the answering one.
    named: Vec<NamedPeer>,
    by_id: HashTable<u32>,
    /// The peers in the answer that came last: places in `named`, ascending, each once.
    last: Vec<u32>,
    /// The hashes of the ids of those that stand at the end of `named`, while it is not known where they lie.
    unlocated: Vec<u64>,
    prefixes: Arc<KeyPrefixes>,
    left_out: LeftOut,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    id_len: u32,
    len: u32,
    is_connected: bool,
    hash: u64,
    /// The place in `named`; `None` for the answering peer itself.
    named: Option<u32>,
}

/// One distinct entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoundPeer<'a> {
    /// The bytes of the id, unchecked.
    pub(crate) id: &'a [u8],
    /// The whole entry.
    pub(crate) entry: &'a [u8],
    /// Of the entry, the same in all visits of a crawl.
    pub(crate) hash: u64,
    /// Whether the answering peer says that it is connected to this one.
    pub(crate) is_connected: bool,
}

impl HeardPeers {
    /// Nothing yet of what the peer with this id answers. `prefixes` are those of the whole crawl.
    pub(crate) fn new(own_id: &[u8], prefixes: Arc<KeyPrefixes>) -> Self {
        Self {
            own_id: own_id.to_vec(),
            own: Key::of(own_id),
            bytes: Vec::new(),
            entries: Vec::new(),
            distinct: HashTable::new(),
            named: Vec::new(),
            by_id: HashTable::new(),
            last: Vec::new(),
            unlocated: Vec::new(),
            prefixes,
            left_out: LeftOut::default(),
        }
    }

    /// Takes the closer peers of an answer in, and says how many there were. `prefix` is the one that was asked for;
    /// `None` if the request was for a part of a bucket.
    pub(crate) fn add(&mut self, prefix: Option<usize>, answer: &[u8]) -> Result<u16, DecodeError> {
        let view = MessageView::decode(answer)?;
        self.left_out.peers_in_answer += view.closer_peers_left_out() as u64;
        if self.entries.is_empty() {
            self.make_room(answer.len());
        }
        self.last.clear();
        let mut peers = 0;
        for entry in view.closer_entries() {
            peers += 1;
            if let Some(named) = self.add_peer(entry) {
                self.last.push(named);
            }
        }
        self.locate();
        self.last.sort_unstable();
        self.last.dedup();
        if let Some(prefix) = prefix {
            self.last.iter().for_each(|&place| self.named[place as usize].note(prefix));
        }
        Ok(peers)
    }

    /// An honest peer's answers hold some hundreds of distinct entries; most come with the first few.
    fn make_room(&mut self, answer_bytes: usize) {
        self.bytes.reserve(ROOM_ANSWERS * answer_bytes.min(MAX_FOUND_BYTES / ROOM_ANSWERS));
        self.entries.reserve(ROOM_ENTRIES);
        self.named.reserve(ROOM_ENTRIES);
        self.distinct.reserve(ROOM_ENTRIES, |&index| self.entries[index as usize].hash);
        // It is as empty as the entries are.
        self.by_id = HashTable::with_capacity(ROOM_ENTRIES);
    }

    /// What answers held beyond the bounds: peers, addresses, and entries that had no room under [`MAX_FOUND_BYTES`].
    pub(crate) const fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// Every peer in the answers once, but for the answering one.
    pub(crate) fn named(&self) -> &[NamedPeer] {
        &self.named
    }

    /// Those in the answer that came last.
    pub(crate) fn last(&self) -> impl ExactSizeIterator<Item = &NamedPeer> {
        self.last.iter().map(|&place| &self.named[place as usize])
    }

    /// Every distinct entry, in the order in which they came.
    pub(crate) fn peers(&self) -> impl ExactSizeIterator<Item = FoundPeer<'_>> {
        self.entries.iter().map(|&Entry { start, id_len, len, is_connected, hash, .. }| {
            let (id, entry) = self.bytes[start as usize..][..len as usize].split_at(id_len as usize);
            FoundPeer { id, entry, hash, is_connected }
        })
    }

    /// The place of the peer in `named`; `None` if it is the answering one, or has no room.
    fn add_peer(&mut self, entry: &[u8]) -> Option<u32> {
        let hash = self.prefixes.hash(entry);
        if let Some(&index) = self.distinct.find(hash, |&index| self.whole(index) == entry) {
            return self.entries[index as usize].named;
        }
        let peer = PeerView::decode(entry).ok()?;
        let len = peer.id.len() + entry.len();
        if self.bytes.len() + len > MAX_FOUND_BYTES {
            self.left_out.over_visit_size += 1;
            return None;
        }
        self.left_out.addresses_of_peer += peer.addrs_left_out() as u64;
        self.left_out.long_addresses += peer.long_addrs() as u64;
        // All fit: they are parts of what MAX_FOUND_BYTES bounds.
        let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let index = number(self.entries.len());
        let named = self.name(peer.id, index);
        let (start, id_len) = (number(self.bytes.len()), number(peer.id.len()));
        let is_connected = peer.connection == ConnectionType::Connected;
        self.bytes.extend_from_slice(peer.id);
        self.bytes.extend_from_slice(entry);
        self.entries.push(Entry { start, id_len, len: number(len), is_connected, hash, named });
        self.distinct.insert_unique(hash, index, |&index| self.entries[index as usize].hash);
        named
    }

    /// The place in `named` of an id that stands in the entry that will be at `index`.
    fn name(&mut self, id: &[u8], index: u32) -> Option<u32> {
        if id == self.own_id {
            return None;
        }
        let hash = self.prefixes.hash(id);
        let same = |&place: &u32| self.id(self.named[place as usize].entry) == id;
        if let Some(&place) = self.by_id.find(hash, same) {
            return Some(place);
        }
        let place = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
        self.named.push(NamedPeer::new(index));
        self.unlocated.push(hash);
        let Self { by_id, named, bytes, entries, prefixes, .. } = self;
        by_id.insert_unique(hash, place, |&place| {
            let Entry { start, id_len, .. } = entries[named[place as usize].entry as usize];
            prefixes.hash(&bytes[start as usize..(start + id_len) as usize])
        });
        Some(place)
    }

    /// Says where those lie who were named for the first time. All at once: what is kept of them is strewn over more memory
    /// than is at hand, and is fetched for one while it is for others.
    fn locate(&mut self) {
        let Self { own, bytes, entries, named, unlocated, prefixes, .. } = self;
        let first = named.len() - unlocated.len();
        for (peer, hash) in named[first..].iter_mut().zip(unlocated.drain(..)) {
            let Entry { start, id_len, .. } = entries[peer.entry as usize];
            let id = &bytes[start as usize..][..id_len as usize];
            peer.locate(own, id, prefixes.of(id, hash));
        }
    }

    fn id(&self, index: u32) -> &[u8] {
        let Entry { start, id_len, .. } = self.entries[index as usize];
        &self.bytes[start as usize..(start + id_len) as usize]
    }

    fn whole(&self, index: u32) -> &[u8] {
        let Entry { start, id_len, len, .. } = self.entries[index as usize];
        &self.bytes[(start + id_len) as usize..(start + len) as usize]
    }
}
