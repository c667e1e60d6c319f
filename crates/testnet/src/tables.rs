//! Routing tables of a whole network, and who in one of them is closest to a key.
//!
//! A converged table has k peers in each bucket, or all there are, drawn from the real population of that prefix.
//! Peers are numbered in the order of their keys, so the population of a bucket is a range of numbers.

mod damage;
mod listed;

use std::{cmp::Ordering, ops::Range};

use kad::table::closest_buckets;
use rand::{Rng, RngExt};

use self::damage::Damage;
use crate::{
    parallel::parts,
    random::{Stream, stream},
    scenario,
};

/// Deeper buckets are not told apart: that two of a world's peers share 64 bits does not happen.
const MAX_DEPTH: u32 = 64;

/// All tables. Entries lie one after the other: a peer's table is a slice, and so is each of its buckets.
#[derive(Debug)]
pub(crate) struct Tables {
    /// One part for each core that built it.
    parts: Vec<Part>,
    part_size: usize,
}

/// The tables of consecutive peers.
#[derive(Debug, Default)]
struct Part {
    entries: Vec<u32>,
    /// Where each peer's first bucket stands in `bucket_ends`; one more at the end.
    firsts: Vec<u32>,
    /// Where each bucket ends, counted from the start of its table.
    bucket_ends: Vec<u16>,
    /// Where each peer's table starts in `entries`; one more at the end.
    starts: Vec<u32>,
    /// How many of each bucket's entries it shows at a time; empty where it shows all of them.
    places: Vec<u8>,
}

impl Tables {
    /// Builds the tables of those peers for which `answers` says so; the others' are empty, since nobody sees them.
    /// Each bucket has up to so many `candidates`: the shape's k, or more where peers come and go.
    pub(crate) fn build(
        seed: u64,
        shape: &scenario::TableShape,
        prefixes: &[u64],
        answers: &[bool],
        candidates: usize,
    ) -> Self {
        let count = u32::try_from(prefixes.len()).unwrap_or(u32::MAX);
        let damage = Damage::of(seed, shape, prefixes.len(), candidates);
        let built = parts(count, |range| {
            let mut part = Part { firsts: vec![0], starts: vec![0], ..Part::default() };
            let size = range.len();
            for peer in range {
                if answers[peer as usize] {
                    part.push_table(&mut stream(seed, Stream::Table, peer), &damage, prefixes, peer);
                }
                part.firsts.push(u32::try_from(part.bucket_ends.len()).unwrap_or(u32::MAX));
                part.starts.push(u32::try_from(part.entries.len()).unwrap_or(u32::MAX));
            }
            part.entries.shrink_to_fit();
            (part, size)
        });
        let part_size = built.first().map_or(1, |(_, size)| *size);
        Self { parts: built.into_iter().map(|(part, _)| part).collect(), part_size }
    }

    /// All entries of a peer's table, bucket after bucket.
    pub(crate) fn all(&self, peer: u32) -> &[u32] {
        let (part, index) = self.place(peer);
        &part.entries[part.starts[index] as usize..part.starts[index + 1] as usize]
    }

    fn place(&self, peer: u32) -> (&Part, usize) {
        let peer = peer as usize;
        (&self.parts[peer / self.part_size], peer % self.part_size)
    }

    /// The ends of a peer's buckets within [`all`](Self::all).
    fn bucket_ends(&self, peer: u32) -> &[u16] {
        let (part, index) = self.place(peer);
        &part.bucket_ends[part.firsts[index] as usize..part.firsts[index + 1] as usize]
    }

    /// The `count` entries of a peer's table that are closest to the key with this prefix, the closest first.
    /// Distances are compared by their first 64 bits, which differ for any two peers of a world.
    pub(crate) fn closest(&self, prefixes: &[u64], peer: u32, target: u64, count: usize) -> Vec<u32> {
        let table = self.all(peer);
        let ends = self.bucket_ends(peer);
        let shared = (prefixes[peer as usize] ^ target).leading_zeros() as usize;
        nearest(closest_buckets(shared, ends.len()), count, |range, group| {
            let entries = &table[bounds(ends, range)];
            group.extend(entries.iter().map(|&entry| (prefixes[entry as usize] ^ target, entry)));
        })
    }
}

/// The `count` entries with the least distances: `collect` gives those of each range of buckets with their distances,
/// and no entry of a later range is closer than one of an earlier.
fn nearest<T: Ord + Copy>(
    ranges: impl Iterator<Item = Range<usize>>,
    count: usize,
    mut collect: impl FnMut(Range<usize>, &mut Vec<(u64, T)>),
) -> Vec<T> {
    let mut found = Vec::with_capacity(count);
    let mut group = Vec::with_capacity(64);
    for range in ranges {
        let missing = count.saturating_sub(found.len());
        if missing == 0 {
            break;
        }
        group.clear();
        collect(range, &mut group);
        if group.len() > missing {
            group.select_nth_unstable(missing - 1);
            group.truncate(missing);
        }
        group.sort_unstable();
        found.extend(group.iter().map(|&(_, entry)| entry));
    }
    found
}

/// From buckets to entries.
fn bounds(ends: &[u16], buckets: Range<usize>) -> Range<usize> {
    let end_of = |bucket: usize| bucket.checked_sub(1).map_or(0, |last| usize::from(ends[last]));
    end_of(buckets.start)..end_of(buckets.end)
}

impl Part {
    fn push_table(&mut self, rng: &mut impl Rng, damage: &Damage<'_>, prefixes: &[u64], peer: u32) {
        let own = prefixes[peer as usize];
        let holes = damage.holes(own);
        let start = self.entries.len();
        let mut alike = 0..prefixes.len();
        for depth in 0..MAX_DEPTH {
            if alike.len() <= 1 {
                break;
            }
            let bit = 1_u64 << (MAX_DEPTH - 1 - depth);
            let middle = alike.start + prefixes[alike.clone()].partition_point(|prefix| prefix & bit == 0);
            let (near, far) = match (own & bit).cmp(&0) {
                Ordering::Equal => (alike.start..middle, middle..alike.end),
                _ => (middle..alike.end, alike.start..middle),
            };
            let bucket_start = self.entries.len();
            damage.fill(rng, depth, &far, &mut self.entries);
            let places = damage.thin_out(rng, holes, bucket_start, &mut self.entries);
            if damage.has_reserves() {
                self.places.push(u8::try_from(places).unwrap_or(u8::MAX));
            }
            self.bucket_ends.push(u16::try_from(self.entries.len() - start).unwrap_or(u16::MAX));
            alike = near;
        }
    }
}

/// Appends `count` distinct numbers of a range, or all of them (Floyd's algorithm: as many draws as numbers).
fn sample(rng: &mut impl Rng, range: &Range<usize>, count: usize, out: &mut Vec<u32>) {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    if range.len() <= count {
        out.extend(range.clone().map(number));
        return;
    }
    let first = out.len();
    for last in range.len() - count..range.len() {
        let drawn = number(range.start + rng.random_range(0..=last));
        let fresh = if out[first..].contains(&drawn) { number(range.start + last) } else { drawn };
        out.push(fresh);
    }
}

#[cfg(test)]
mod tests;
