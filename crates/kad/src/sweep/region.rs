//! How the peers that an exploration found are divided into regions (`RegionsFromPeers`).

use std::ops::Range;

use super::KeyPrefix;
use crate::key::Key;

/// How many percent of the peers of a region must be reached for it to count as done (`minimalRegionReachablePeersRatio`).
pub const MIN_REACHED_PERCENT: usize = 20;

/// A region: a part of the key space with enough peers for the closest of every key in it to be among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRegion {
    /// The part of the key space.
    pub prefix: KeyPrefix,
    /// Its peers, by their positions among all.
    pub peers: Range<usize>,
}

/// The smallest regions under a prefix that have `size` peers each, those nearest to `order` first. The peers' keys are ascending; those
/// beside the prefix are in none. Without peers under the prefix there is no region; with fewer than `size`, there is one.
pub fn regions(peers: &[Key], covered: KeyPrefix, size: usize, order: &Key) -> Vec<KeyRegion> {
    let from = peers.partition_point(|key| !covered.covers(key) && *key < covered.nearest_key(key));
    let to = from + peers[from..].partition_point(|key| covered.covers(key));
    let mut all = Vec::new();
    if from < to {
        divide(peers, KeyRegion { prefix: covered, peers: from..to }, (size, order), &mut all);
    }
    all
}

fn divide(keys: &[Key], whole: KeyRegion, (size, order): (usize, &Key), all: &mut Vec<KeyRegion>) {
    let KeyRegion { prefix, peers } = &whole;
    let place = prefix.len();
    let middle = peers.start + keys[peers.clone()].partition_point(|key| !key.bit(place));
    let halves = [
        KeyRegion { prefix: prefix.half(false), peers: peers.start..middle },
        KeyRegion { prefix: prefix.half(true), peers: middle..peers.end },
    ];
    if place >= 256 || halves.iter().any(|half| half.peers.len() < size.max(1)) {
        return all.push(whole);
    }
    let [low, high] = halves;
    let (near, far) = if order.bit(place) { (high, low) } else { (low, high) };
    divide(keys, near, (size, order), all);
    divide(keys, far, (size, order), all);
}

impl KeyRegion {
    /// Which of some regions a key belongs to, by its position: the one in which it lies, or else the first of those that share the most
    /// bits with it. `None` if there is none.
    pub fn of_key(all: &[Self], key: &Key) -> Option<usize> {
        let shared = |region: &Self| region.prefix.common_len(key);
        let within = all.iter().position(|region| region.prefix.covers(key));
        let most = all.iter().map(shared).max();
        within.or_else(|| all.iter().position(|region| Some(shared(region)) == most))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::prefix::tests::prefix, *};

    fn keys(count: u32) -> Vec<Key> {
        let mut keys: Vec<Key> = (0..count).map(|n| Key::of(&n.to_be_bytes())).collect();
        keys.sort_unstable();
        keys
    }

    proptest! {
        #[test]
        fn regions_hold_everybody_once_and_no_region_is_too_small(count in 0..400_u32, size in 1..30_usize) {
            let (keys, order) = (keys(count), Key::of(b"order"));
            for covered in [KeyPrefix::WHOLE, prefix("0"), prefix("10")] {
                let all = regions(&keys, covered, size, &order);
                let under = keys.iter().filter(|key| covered.covers(key)).count();
                prop_assert_eq!(all.iter().map(|region| region.peers.len()).sum::<usize>(), under);
                for region in &all {
                    prop_assert!(region.prefix.is_within(&covered));
                    prop_assert!(keys[region.peers.clone()].iter().all(|key| region.prefix.covers(key)));
                    prop_assert!(region.peers.len() >= size || all.len() == 1);
                }
                // Those nearest to the order come first.
                prop_assert!(all.is_sorted_by_key(|region| region.prefix.nearest_key(&order).distance(&order)));
            }
        }
    }

    #[test]
    fn every_key_has_its_region() {
        let keys = keys(300);
        let all = regions(&keys, prefix("0"), 20, &Key::of(b"order"));
        assert!((4..=8).contains(&all.len()), "{}", all.len());
        for n in 0..50_u8 {
            let key = Key::of(&[n]);
            let region = &all[KeyRegion::of_key(&all, &key).expect("a region")];
            assert!(key.bit(0) || region.prefix.covers(&key));
            assert!(all.iter().all(|other| other.prefix.common_len(&key) <= region.prefix.common_len(&key)));
        }
        assert_eq!(KeyRegion::of_key(&[], &Key::of(b"key")), None);
    }
}
