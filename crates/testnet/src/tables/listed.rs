//! Tables of which each entry comes and goes: a bucket shows the first of its candidates that are named at the time.

use kad::table::closest_buckets;

use super::{Tables, bounds, nearest};
use crate::life::HostPlace;

impl Tables {
    /// A peer's table at a time, bucket after bucket. `listed` says where the peer's table has another peer then, if it
    /// names it.
    pub(crate) fn listed(
        &self,
        peer: u32,
        listed: impl Fn(u32) -> Option<HostPlace>,
    ) -> Vec<(u32, HostPlace)> {
        let mut found = Vec::new();
        for bucket in 0..self.bucket_ends(peer).len() {
            found.extend(self.bucket(peer, bucket, &listed));
        }
        found
    }

    /// As [`closest`](Self::closest), in a table of which only what is `listed` is there: the `count` entries that are
    /// closest to the key with this prefix.
    pub(crate) fn closest_listed(
        &self,
        prefixes: &[u64],
        peer: u32,
        (target, count): (u64, usize),
        listed: impl Fn(u32) -> Option<HostPlace>,
    ) -> Vec<(u32, HostPlace)> {
        let shared = (prefixes[peer as usize] ^ target).leading_zeros() as usize;
        let ranges = closest_buckets(shared, self.bucket_ends(peer).len());
        nearest(ranges, count, |range, group| {
            for bucket in range {
                let entries = self.bucket(peer, bucket, &listed);
                group.extend(entries.map(|entry| (prefixes[entry.0 as usize] ^ target, entry)));
            }
        })
    }

    /// The candidates of each of a peer's buckets, and how many of them it shows.
    pub(crate) fn buckets(&self, peer: u32) -> impl Iterator<Item = (&[u32], usize)> {
        (0..self.bucket_ends(peer).len()).map(move |bucket| self.candidates(peer, bucket))
    }

    /// How many peers a bucket shows at most: the `bucket`-th of a peer's table, in which others share so many leading
    /// bits with it. Those that are deeper than any of its buckets are empty.
    pub(crate) fn places(&self, peer: u32, bucket: u32) -> usize {
        let bucket = bucket as usize;
        if bucket < self.bucket_ends(peer).len() { self.candidates(peer, bucket).1 } else { 0 }
    }

    fn bucket(
        &self,
        peer: u32,
        bucket: usize,
        listed: impl Fn(u32) -> Option<HostPlace>,
    ) -> impl Iterator<Item = (u32, HostPlace)> {
        let (candidates, places) = self.candidates(peer, bucket);
        candidates.iter().filter_map(move |&other| Some((other, listed(other)?))).take(places)
    }

    fn candidates(&self, peer: u32, bucket: usize) -> (&[u32], usize) {
        let (part, index) = self.place(peer);
        let candidates = &self.all(peer)[bounds(self.bucket_ends(peer), bucket..bucket + 1)];
        let places = part.places.get(part.firsts[index] as usize + bucket);
        (candidates, places.map_or(candidates.len(), |places| usize::from(*places)))
    }
}
