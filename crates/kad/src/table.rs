//! Which of the peers that a server knows are closest to a key, when they are kept in k-buckets.
//!
//! Bucket `i` of a peer holds peers whose keys share exactly `i` leading bits with its own (Maymounkov and Mazières,
//! "Kademlia", 2002, section 2.4, with one fixed bucket a prefix length).

use crate::{key::Key, message::K};

/// The peers of one server, in buckets by common prefix length. A full bucket keeps what it has, as
/// go-libp2p-kbucket does: peers that have been there long are the likeliest to stay.
#[derive(Debug, Clone)]
pub struct RoutingTable<T> {
    own: Key,
    bucket_size: usize,
    buckets: Vec<Vec<(Key, T)>>,
}

/// Why a peer was not taken into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// It is there already.
    Known,
    /// Its bucket is full.
    Full,
    /// It is the table's owner.
    Own,
}

impl<T> RoutingTable<T> {
    /// An empty table of the peer at `own` with buckets of [`K`].
    pub const fn new(own: Key) -> Self {
        Self { own, bucket_size: K, buckets: Vec::new() }
    }

    /// Takes a peer in.
    pub fn insert(&mut self, key: Key, peer: T) -> Result<(), Rejected> {
        let index = self.own.common_prefix_len(&key) as usize;
        if index == 256 {
            return Err(Rejected::Own);
        }
        if self.buckets.len() <= index {
            self.buckets.resize_with(index + 1, Vec::new);
        }
        let bucket = &mut self.buckets[index];
        if bucket.iter().any(|(known, _)| *known == key) {
            return Err(Rejected::Known);
        }
        if bucket.len() >= self.bucket_size {
            return Err(Rejected::Full);
        }
        bucket.push((key, peer));
        Ok(())
    }

    /// Takes a peer out; `None` if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<T> {
        let bucket = self.buckets.get_mut(self.own.common_prefix_len(key) as usize)?;
        let index = bucket.iter().position(|(known, _)| known == key)?;
        Some(bucket.swap_remove(index).1)
    }

    /// How many peers it holds.
    pub fn len(&self) -> usize {
        self.buckets.iter().map(Vec::len).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `count` peers closest to `target`, the closest first.
    pub fn closest(&self, target: &Key, count: usize) -> Vec<&T> {
        let shared = self.own.common_prefix_len(target) as usize;
        let mut found = Vec::with_capacity(count);
        for range in closest_buckets(shared, self.buckets.len()) {
            let mut group: Vec<_> = self.buckets[range].iter().flatten().collect();
            group.sort_unstable_by_key(|(key, _)| key.distance(target));
            found.extend(group.into_iter().map(|(_, peer)| peer));
            if found.len() >= count {
                found.truncate(count);
                break;
            }
        }
        found
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn closest_are_those_that_sorting_all_by_distance_finds(own: [u8; 2], peers: Vec<[u8; 2]>, target: [u8; 2]) {
            // Short keys make shared prefixes of every length.
            let key = |[a, b]: [u8; 2]| { let mut k = [0; 32]; k[0] = a; k[1] = b; Key::from_bytes(k) };
            let mut table = RoutingTable::new(key(own));
            let mut kept: Vec<Key> = Vec::new();
            for peer in peers {
                if table.insert(key(peer), key(peer)).is_ok() { kept.push(key(peer)); }
            }
            kept.sort_by_key(|k| k.distance(&key(target)));
            kept.truncate(K);
            let found: Vec<Key> = table.closest(&key(target), K).into_iter().copied().collect();
            prop_assert_eq!(found, kept);
        }
    }

    #[test]
    fn a_full_bucket_keeps_what_it_has() {
        let own = Key::from_bytes([0; 32]);
        let mut table = RoutingTable::new(own);
        let far = |n: u8| Key::from_bytes([0x80 | n; 32]);
        for n in 0..20 {
            assert_eq!(table.insert(far(n), n), Ok(()));
        }
        assert_eq!(table.insert(far(20), 20), Err(Rejected::Full));
        assert_eq!(table.insert(far(3), 3), Err(Rejected::Known));
        assert_eq!(table.insert(own, 0), Err(Rejected::Own));
        assert_eq!(table.remove(&far(3)), Some(3));
        assert_eq!(table.insert(far(20), 20), Ok(()));
        assert_eq!((table.len(), table.is_empty()), (20, false));
    }
}
