//! The first bits of the keys of peers, kept across visits: in a crawl of a well-connected network each peer is named in
//! hundreds of answers, and its SHA-256 is taken about once.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
};

use foldhash::fast::RandomState;
use kad::Key;

/// How many ids have room, as a power of two: 1 MiB, several times the peers of the public network.
const SLOT_BITS: u32 = 17;

/// How many bits of a key are kept.
const PREFIX_BITS: u32 = 16;

/// The first 16 bits of the keys of ids, as many as have room; all visits of a crawl share them without a lock. An id of
/// which nothing is kept, since another one has taken its place, costs a hash and nothing else.
#[derive(Debug)]
pub(crate) struct KeyPrefixes {
    /// At the place that the first bits of an id's hash say: the other bits, shifted up, and the prefix below. Two ids
    /// are taken for one if their hashes agree in all 64 bits: among a million ids in one of 30 million crawls.
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for KeyPrefixes {
    fn default() -> Self {
        // All bits set stand for no id: of the tag of an id, the lowest bit is never set.
        let slots = (0..1 << SLOT_BITS).map(|_| AtomicU64::new(u64::MAX)).collect();
        Self { slots, hasher: RandomState::default() }
    }
}

impl KeyPrefixes {
    /// The hash of an id, under which it is kept, or of an entry: the same in all visits.
    pub(super) fn hash(&self, id: &[u8]) -> u64 {
        self.hasher.hash_one(id)
    }

    /// The first 16 bits of the key of an id with this [`Self::hash`].
    pub(super) fn of(&self, id: &[u8], hash: u64) -> u16 {
        let place = usize::try_from(hash >> (u64::BITS - SLOT_BITS)).unwrap_or(0);
        let tag = hash << SLOT_BITS >> SLOT_BITS << 1;
        let slot = &self.slots[place];
        // Each slot says all of itself: no order among them is needed.
        let kept = slot.load(Ordering::Relaxed);
        if kept >> PREFIX_BITS == tag {
            let [low, high, ..] = kept.to_le_bytes();
            return u16::from_le_bytes([low, high]);
        }
        let prefix = Key::of(id).prefix16();
        slot.store(tag << PREFIX_BITS | u64::from(prefix), Ordering::Relaxed);
        prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_that_of_the_key_first_and_again_and_after_another_took_its_place() {
        let prefixes = KeyPrefixes::default();
        let ids: Vec<_> = (0_u32..1000).map(u32::to_be_bytes).collect();
        for id in ids.iter().chain(&ids) {
            assert_eq!(prefixes.of(id, prefixes.hash(id)), Key::of(id).prefix16());
        }
        // Of one place, and alike in the lowest bits that a tag has.
        for (id, hash) in [(b"a", 0), (b"b", 1), (b"c", 1 << 46), (b"a", 0)] {
            assert_eq!(prefixes.of(id, hash), Key::of(id).prefix16());
        }
        assert_eq!(prefixes.of(b"another", 0), Key::of(b"a").prefix16(), "kept, and not hashed again");
        assert_eq!(prefixes.of(b"last", u64::MAX), Key::of(b"last").prefix16(), "an empty place is no id's");
    }
}
