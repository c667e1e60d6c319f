//! Who is given what where there are many keys and all peers are known (`bulkMessageSend`): keys in the order of the key space, chunk
//! by chunk, and for each chunk every peer with all that it is given.

use std::{collections::BTreeMap, time::Duration};

use super::SortedKeys;
use crate::{key::Key, message::K};

/// How many peers are given records at a time (`bulkSendParallelism`).
pub const BULK_WORKERS: usize = 20;

/// How long one peer may take to be connected to, and how long one record may take (`timeoutPerOp`).
pub const BULK_PATIENCE: Duration = Duration::from_secs(5);

/// How many peers must have taken a key's record before Go cares less for the others: 30 % of 20, and a fifth more, rounded down.
const ENOUGH: usize = K * 30 * 12 / 1000;

/// How long a record may take that enough have, and how long after the last success the others are left out.
const BRIEF: Duration = Duration::from_millis(500);

/// How many keys make a chunk: twice the peers that the keys are given to, shared out over all peers, and at least one. Without peers,
/// of whom Go has to have some, all keys are one chunk that nobody is given.
pub const fn chunk_size(keys: usize, peers: usize) -> usize {
    match (keys * K * 2).checked_div(peers) {
        None => keys,
        Some(0) => 1,
        Some(size) => size,
    }
}

/// One peer and the keys that it is given, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkJob {
    /// The peer, by its position in the table.
    pub peer: usize,
    /// The keys, by their positions in [`BulkPlan::order`].
    pub keys: Vec<usize>,
}

/// Many keys in the order in which they are given away. What it takes of memory for jobs is that of a chunk.
#[derive(Debug, Clone)]
pub struct BulkPlan {
    /// Where each key lies, and its position in the list that it came in; ascending, and each key once.
    order: Vec<(Key, usize)>,
    chunk: usize,
    next: usize,
}

impl BulkPlan {
    /// A plan for these keys (multihashes), and so many peers.
    pub fn new(keys: &[Vec<u8>], peers: usize) -> Self {
        let mut order: Vec<(Key, usize)> = keys.iter().map(|key| Key::of(key)).zip(0..).collect();
        order.sort_unstable();
        order.dedup_by_key(|(key, _)| *key);
        let chunk = chunk_size(order.len(), peers).max(1);
        Self { order, chunk, next: 0 }
    }

    /// Where each key lies, and its position in the list that it came in.
    pub fn order(&self) -> &[(Key, usize)] {
        &self.order
    }

    /// The jobs of the next chunk, in the order of the peers' positions (Go's is that of a map: none); `None` after the last.
    /// `closest` names who is closest to a key.
    pub fn next_chunk(&mut self, mut closest: impl FnMut(&Key) -> Vec<usize>) -> Option<Vec<BulkJob>> {
        let chunk = self.next..self.order.len().min(self.next + self.chunk);
        if chunk.is_empty() {
            return None;
        }
        self.next = chunk.end;
        let mut jobs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for position in chunk {
            for peer in closest(&self.order[position].0) {
                jobs.entry(peer).or_default().push(position);
            }
        }
        Some(jobs.into_iter().map(|(peer, keys)| BulkJob { peer, keys }).collect())
    }

    /// The same among all peers of a table.
    pub fn next_chunk_among(&mut self, table: &SortedKeys) -> Option<Vec<BulkJob>> {
        self.next_chunk(|key| table.nearest(key).take(K).collect())
    }
}

/// How far one key has got. Times count from the beginning of the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyProgress {
    successes: usize,
    last: Duration,
}

impl KeyProgress {
    /// How long the next peer may take that is given it; `None` if that one is left out, since enough have it.
    pub fn patience(&self, now: Duration) -> Option<Duration> {
        if self.successes < ENOUGH {
            return Some(BULK_PATIENCE);
        }
        (now.saturating_sub(self.last) <= BRIEF).then_some(BRIEF)
    }

    /// Somebody took it.
    pub const fn took(&mut self, now: Duration) {
        self.successes += 1;
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32) -> Vec<Vec<u8>> {
        (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
    }

    fn table(peers: u32) -> SortedKeys {
        SortedKeys::new((0..peers).map(|n| Key::of(format!("peer {n}").as_bytes())).collect())
    }

    #[test]
    fn chunks_are_as_go_cuts_them() {
        assert_eq!(chunk_size(1000, 10_000), 4);
        assert_eq!(chunk_size(10, 10_000), 1);
        assert_eq!(chunk_size(0, 10), 1);
        assert_eq!(chunk_size(7, 0), 7, "Go divides by zero");
        assert_eq!(ENOUGH, 7);
    }

    #[test]
    fn every_key_is_given_to_its_closest_once_in_the_order_of_keys() {
        let (table, mut keys) = (table(300), keys(100));
        keys.extend_from_within(..50);
        let mut plan = BulkPlan::new(&keys, table.keys().len());
        assert_eq!(plan.order().len(), 100, "what comes twice is given once");
        assert!(plan.order().is_sorted());
        let order = plan.order().to_vec();
        let (mut given, mut chunks) = (vec![Vec::new(); 100], Vec::new());
        while let Some(jobs) = plan.next_chunk_among(&table) {
            assert!(jobs.iter().all(|job| job.keys.is_sorted()));
            let mut chunk: Vec<usize> = jobs.iter().flat_map(|job| job.keys.clone()).collect();
            chunk.sort_unstable();
            chunk.dedup();
            chunks.push(chunk.len());
            for job in &jobs {
                for &key in &job.keys {
                    given[key].push(job.peer);
                }
            }
        }
        assert_eq!(chunks, [&[13; 7][..], &[9]].concat());
        for ((key, _), mut peers) in order.into_iter().zip(given) {
            let mut closest: Vec<usize> = table.nearest(&key).take(20).collect();
            peers.sort_unstable();
            closest.sort_unstable();
            assert_eq!(peers, closest);
        }
    }

    #[test]
    fn nobody_is_given_anything_where_there_is_nobody() {
        let mut plan = BulkPlan::new(&keys(9), 0);
        assert_eq!(plan.next_chunk_among(&SortedKeys::default()), Some(Vec::new()));
        assert_eq!(plan.next_chunk_among(&SortedKeys::default()), None);
        assert_eq!(BulkPlan::new(&[], 10).next_chunk_among(&table(10)), None);
    }

    #[test]
    fn after_seven_the_others_have_half_a_second() {
        let (mut progress, ms) = (KeyProgress::default(), Duration::from_millis);
        (0..6).for_each(|n| progress.took(ms(n)));
        assert_eq!(progress.patience(ms(60_000)), Some(BULK_PATIENCE));
        progress.took(ms(60_000));
        assert_eq!(progress.patience(ms(60_500)), Some(BRIEF));
        assert_eq!(progress.patience(ms(60_501)), None);
        progress.took(ms(60_499));
        assert_eq!(progress.patience(ms(60_999)), Some(BRIEF));
    }
}
