//! Which keys are given away together, and in which order.

use std::collections::{BTreeMap, VecDeque};

use libp2p_identity::PeerId;

use super::KeyPrefix;
use crate::{
    key::Key,
    preimage::{TARGET_BYTES, target_of},
};

/// How many lookups show how long the prefixes of regions are at first (`approxPrefixLenGCPCount`).
pub const PREFIX_LEN_LOOKUPS: usize = 4;

/// Up to how many keys are looked up each for itself: an exploration would take more lookups (`individualProvideThreshold`).
pub const INDIVIDUAL_KEYS: usize = 2;

/// What to look up to know how long the prefixes of regions are. Go draws them; these lie in the four quarters of the key space, each
/// where `order` would lie in it.
pub fn prefix_len_targets(order: &Key) -> [[u8; TARGET_BYTES]; PREFIX_LEN_LOOKUPS] {
    let rest = order.prefix16() & 0x3fff;
    [0, 1, 2, 3].map(|quarter: u16| target_of(quarter << 14 | rest))
}

/// How long the prefixes of regions are, in bits, as lookups show it that found these peers each: the mean of how many bits the peers of
/// one lookup share, rounded down. A lookup that found less than two shows nothing; if none does, it is 0.
pub fn mean_prefix_len<'a>(lookups: impl IntoIterator<Item = &'a [PeerId]>) -> u32 {
    let (mut sum, mut count) = (0, 0);
    for peers in lookups {
        let Some((first, others)) = peers.split_first().filter(|(_, others)| !others.is_empty()) else {
            continue;
        };
        let first = Key::of_peer(first);
        let shared = others.iter().map(|peer| first.common_prefix_len(&Key::of_peer(peer))).min();
        sum += shared.unwrap_or(0);
        count += 1;
    }
    sum.checked_div(count).unwrap_or(0)
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SweepJob {
    /// To look up each of these keys, by their positions, and give it to the closest.
    Each(Vec<usize>),
    /// To explore a prefix, and to give the keys in it to the peers of its regions. What else lies in what was explored is then
    /// [taken](SweepPlan::take_within), too.
    Explore(KeyPrefix, Vec<usize>),
}

/// Keys that wait to be given away, by the prefixes of the regions in which they are thought to lie.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// The prefixes, those with the most keys first.
    queue: VecDeque<KeyPrefix>,
    /// Who waits: where each key lies, and its position.
    waiting: BTreeMap<Key, usize>,
}

impl SweepPlan {
    /// Keys, where regions have prefixes of about so many bits. A key that is there twice is given away once.
    pub fn new(keys: &[Key], prefix_len: u32) -> Self {
        let mut waiting = BTreeMap::new();
        let mut groups: BTreeMap<KeyPrefix, usize> = BTreeMap::new();
        for (position, key) in keys.iter().enumerate() {
            if !waiting.contains_key(key) {
                waiting.insert(*key, position);
                *groups.entry(KeyPrefix::of(key, prefix_len)).or_default() += 1;
            }
        }
        let mut queue: Vec<(KeyPrefix, usize)> = groups.into_iter().collect();
        queue.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        Self { queue: queue.into_iter().map(|(prefix, _)| prefix).collect(), waiting }
    }

    /// What is to be done next; `None` when nothing waits.
    pub fn next_job(&mut self) -> Option<SweepJob> {
        loop {
            let prefix = self.queue.pop_front()?;
            let keys = self.take_within(&prefix);
            match keys.len() {
                0 => {}
                1..=INDIVIDUAL_KEYS => return Some(SweepJob::Each(keys)),
                _ => return Some(SweepJob::Explore(prefix, keys)),
            }
        }
    }

    /// Takes out the keys that lie in a prefix, by their positions, in the order of the key space.
    pub fn take_within(&mut self, prefix: &KeyPrefix) -> Vec<usize> {
        let first = prefix.nearest_key(&Key::from_bytes([0; 32]));
        let last = prefix.nearest_key(&Key::from_bytes([0xff; 32]));
        let taken: Vec<(Key, usize)> =
            self.waiting.range(first..=last).map(|(key, &at)| (*key, at)).collect();
        for (key, _) in &taken {
            self.waiting.remove(key);
        }
        taken.into_iter().map(|(_, position)| position).collect()
    }

    /// How many keys wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32) -> Vec<Key> {
        (0..count).map(|n| Key::of(&n.to_be_bytes())).collect()
    }

    #[test]
    fn the_largest_groups_come_first_and_every_key_once() {
        let mut all = keys(200);
        all.extend_from_within(..100);
        let mut plan = SweepPlan::new(&all, 6);
        let (mut sizes, mut seen) = (Vec::new(), Vec::new());
        while let Some(job) = plan.next_job() {
            let keys = match job {
                SweepJob::Each(keys) => {
                    assert!(keys.len() <= 2);
                    keys
                }
                SweepJob::Explore(prefix, keys) => {
                    assert!(keys.len() > 2 && keys.iter().all(|&key| prefix.covers(&all[key])));
                    keys
                }
            };
            sizes.push(keys.len());
            seen.extend(keys);
        }
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes.len() > 50, "{sizes:?}");
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..200));
    }

    #[test]
    fn what_lies_in_what_was_explored_does_not_wait_any_longer() {
        let all = keys(100);
        let mut plan = SweepPlan::new(&all, 4);
        let Some(SweepJob::Explore(prefix, first)) = plan.next_job() else { panic!("a group") };
        let parent = prefix.parent().expect("four bits");
        let more = plan.take_within(&parent);
        assert!(more.iter().all(|&key| parent.covers(&all[key]) && !prefix.covers(&all[key])));
        assert_eq!(plan.waiting(), 100 - first.len() - more.len());
        let whole = SweepPlan::new(&all, 0).next_job();
        assert!(matches!(whole, Some(SweepJob::Explore(KeyPrefix::WHOLE, keys)) if keys.len() == 100));
        assert_eq!(SweepPlan::new(&[], 3).next_job(), None);
    }

    #[test]
    fn prefixes_are_as_long_as_peers_of_lookups_share_bits() {
        let id =
            |n: u32| PeerId::from_bytes(&[&[0x12, 0x20][..], Key::of(&n.to_be_bytes()).as_bytes()].concat());
        let mut peers: Vec<PeerId> = (0..1000).filter_map(|n| id(n).ok()).collect();
        let targets = prefix_len_targets(&Key::of(b"own"));
        let found: Vec<Vec<PeerId>> = targets
            .iter()
            .map(|target| {
                peers.sort_by_key(|peer| Key::of_peer(peer).distance(&Key::of(target)));
                peers[..20].to_vec()
            })
            .collect();
        let mean = mean_prefix_len(found.iter().map(Vec::as_slice));
        // 20 of 1000 peers are a part of 5.6 bits.
        assert!((3..=6).contains(&mean), "{mean}");
        assert_eq!(mean_prefix_len([&peers[..1], &[]]), 0);
        let mut quarters: Vec<u16> = targets.iter().map(|target| Key::of(target).prefix16() >> 14).collect();
        quarters.sort_unstable();
        assert_eq!(quarters, [0, 1, 2, 3]);
    }
}
