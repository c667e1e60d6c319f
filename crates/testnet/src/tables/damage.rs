//! What is wrong with routing tables: entries that are missing, everywhere or in places; peers that nobody keeps; and
//! tables that are copies of each other. A shape without damage draws as many random numbers as if there were none.

use std::ops::Range;

use rand::{Rng, RngExt, seq::SliceRandom};

use super::sample;
use crate::{
    random::{Stream, stream},
    scenario,
};

/// The damage to all tables of a world.
#[derive(Debug)]
pub(super) struct Damage<'a> {
    seed: u64,
    shape: &'a scenario::TableShape,
    /// How many peers are drawn for a bucket: the shape's k, or more where peers come and go.
    candidates: usize,
    /// For each prefix of `shape.poor.bits` bits whether the tables there are poor; empty if none are.
    poor: Vec<bool>,
    /// For each peer whether it is shy; empty if nobody is.
    shy: Vec<bool>,
}

impl<'a> Damage<'a> {
    /// The damage that a shape asks for in a world of so many peers, with so many candidates for each bucket.
    pub(super) fn of(seed: u64, shape: &'a scenario::TableShape, peers: usize, candidates: usize) -> Self {
        let places = 1 << shape.poor.bits.min(16);
        let poor = drawn(shape.poor.share.get(), places, &mut stream(seed, Stream::Poor, 0));
        let shy = drawn(shape.shy.share.get(), peers, &mut stream(seed, Stream::Shy, 0));
        Self { seed, shape, candidates, poor, shy }
    }

    /// The share of entries that are missing from the table of a peer whose key begins with these 64 bits.
    pub(super) fn holes(&self, prefix: u64) -> f64 {
        let place =
            usize::try_from(prefix >> (64 - u32::from(self.shape.poor.bits.clamp(1, 16)))).unwrap_or(0);
        let is_poor = self.poor.get(place).copied().unwrap_or(false);
        if is_poor { self.shape.poor.holes.get() } else { self.shape.holes.get() }
    }

    /// Whether buckets have more candidates than places.
    pub(super) fn has_reserves(&self) -> bool {
        self.candidates > usize::from(self.shape.k)
    }

    /// Appends a bucket: peers out of those in `far`, which begin with the same `depth` bits as the owner and no more.
    /// Where there are reserves, the first of them have no advantage.
    pub(super) fn fill(&self, rng: &mut impl Rng, depth: u32, far: &Range<usize>, out: &mut Vec<u32>) {
        let copied = self.shape.copied.get();
        if copied > 0.0 && rng.random_bool(copied) {
            let start = u32::try_from(far.start).unwrap_or(u32::MAX);
            let mut common =
                stream(self.seed ^ (u64::from(depth) + 1).rotate_right(8), Stream::Copied, start);
            self.draw(&mut common, far, out);
        } else {
            self.draw(rng, far, out);
        }
    }

    fn draw(&self, rng: &mut impl Rng, far: &Range<usize>, out: &mut Vec<u32>) {
        let start = out.len();
        sample(rng, far, self.candidates, out);
        if self.has_reserves() {
            out[start..].shuffle(rng);
        }
    }

    /// Drops what is missing among the entries from `start` on. Returns how many places of the bucket are left: those
    /// of its first k that are not missing.
    pub(super) fn thin_out(
        &self,
        rng: &mut impl Rng,
        holes: f64,
        start: usize,
        entries: &mut Vec<u32>,
    ) -> usize {
        let end = start + usize::from(self.shape.k);
        let mut places = 0;
        let shy_holes = self.shape.shy.holes.get();
        let mut kept = start;
        for index in start..entries.len() {
            let entry = entries[index];
            let is_shy = self.shy.get(entry as usize).copied().unwrap_or(false);
            let is_missing =
                (holes > 0.0 && rng.random_bool(holes)) || (is_shy && rng.random_bool(shy_holes));
            if !is_missing {
                entries[kept] = entry;
                kept += 1;
                places += usize::from(index < end);
            }
        }
        entries.truncate(kept);
        places
    }
}

/// A share of `count` things, drawn; empty if the share is.
fn drawn(share: f64, count: usize, rng: &mut impl Rng) -> Vec<bool> {
    if share <= 0.0 {
        return Vec::new();
    }
    let mut drawn: Vec<bool> = (0..count).map(|index| (index as f64) + 0.5 < share * count as f64).collect();
    drawn.shuffle(rng);
    drawn
}
