//! Ids of peers, each kept once and numbered in the order in which it came.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Ids one behind the other, and an index: some 50 bytes a peer.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    bytes: Vec<u8>,
    /// Where each id ends.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    hashing: FixedState,
}

impl Ids {
    /// None yet. Strangers choose the ids: the seed should be none that they can know beforehand.
    pub(super) fn new(seed: u64) -> Self {
        let hashing = FixedState::with_seed(seed);
        Self { bytes: Vec::new(), ends: Vec::new(), numbers: HashTable::new(), hashing }
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The id of that number; `None` if there are not so many.
    pub(super) fn get(&self, number: u32) -> Option<&[u8]> {
        slice(&self.bytes, &self.ends, number)
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<u32> {
        let is_it = |&number: &u32| self.get(number) == Some(id);
        self.numbers.find(self.hashing.hash_one(id), is_it).copied()
    }

    /// Takes an id in that is not there, and gives its number; `None` if all numbers are given.
    pub(super) fn add(&mut self, id: &[u8]) -> Option<u32> {
        let number = u32::try_from(self.ends.len()).ok()?;
        self.bytes.extend_from_slice(id);
        self.ends.push(self.bytes.len());
        let Self { bytes, ends, numbers, hashing } = self;
        let rehash = |&known: &u32| hashing.hash_one(slice(bytes, ends, known).unwrap_or_default());
        numbers.insert_unique(hashing.hash_one(id), number, rehash);
        Some(number)
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], number: u32) -> Option<&'a [u8]> {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    bytes.get(start..*ends.get(number)?)
}

/// Whether these bytes can be the id of a peer: a SHA-256 multihash, or an identity multihash of at most 42 bytes that
/// holds an encoded public key (<https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#peer-ids>). That
/// the key is a point of its curve is not looked at.
pub(super) fn is_peer_id(id: &[u8]) -> bool {
    match id {
        [0x12, 0x20, digest @ ..] => digest.len() == 32,
        // The multihash's code and size; then the key's type (field 1) and its bytes (field 2).
        [0, size, key @ ..] if key.len() <= 42 => {
            usize::from(*size) == key.len()
                && matches!(key, [0x08, 0..=3, 0x12, size, point @ ..]
                    if usize::from(*size) == point.len() && !point.is_empty())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::{Keypair, PeerId};

    use super::*;

    #[test]
    fn ids_are_found_by_number_and_by_themselves() {
        let mut ids = Ids::new(7);
        let all: Vec<Vec<u8>> = (0..500).map(|n: u32| n.to_string().into_bytes()).collect();
        for (number, id) in (0..).zip(&all) {
            assert_eq!(ids.find(id), None);
            assert_eq!(ids.add(id), Some(number));
        }
        for (number, id) in (0..).zip(&all) {
            assert_eq!((ids.find(id), ids.get(number)), (Some(number), Some(&id[..])));
        }
        assert_eq!((ids.len(), ids.get(500), ids.find(b"none")), (500, None, None));
    }

    #[test]
    fn ids_of_keys_are_ids_and_impossible_ones_are_none() {
        let ed25519 = PeerId::from(Keypair::generate_ed25519().public());
        let ecdsa = PeerId::from(Keypair::generate_ecdsa().public());
        let secp256k1 = PeerId::from(Keypair::generate_secp256k1().public());
        for id in [ed25519, ecdsa, secp256k1] {
            assert!(is_peer_id(&id.to_bytes()), "{id}");
        }
        let sha256 = |size: u8| [&[0x12, size][..], &vec![7; usize::from(size)]].concat();
        let identity = |size: u8| [&[0, size][..], &vec![8; usize::from(size)]].concat();
        for size in [0, 5, 31, 33, 64] {
            assert!(!is_peer_id(&sha256(size)), "SHA-256 of {size} bytes");
        }
        for size in [0, 5, 36, 64] {
            assert!(!is_peer_id(&identity(size)), "identity of {size} bytes");
        }
        assert!(!is_peer_id(b"") && !is_peer_id(&[0]) && !is_peer_id(b"/ipns/x"));
        assert!(is_peer_id(&sha256(32)));
    }
}
