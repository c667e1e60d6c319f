//! How many peers a network has, as the closest peers of lookups show it: the estimate of go-libp2p-kad-dht (`netsize`), by which
//! its optimistic provide goes, and beside it one of our own with an interval.
//!
//! Ids are spread evenly, so the i-th closest of N peers lies at i / (N + 1) of the longest distance on average. Each lookup
//! that was brought to its end gives one observation of each of the k distances. Times are given as the time since any moment,
//! the same one for all of an estimator.

mod likely;
mod line;
mod many;

use std::{collections::VecDeque, time::Duration};

use thiserror::Error;

pub use self::{
    likely::{CONFIDENCE, LikelySize},
    many::ManyLookups,
};
use crate::{key::Key, message::K};

/// For how long a lookup counts (`MaxMeasurementAge`).
pub const MAX_AGE: Duration = Duration::from_secs(2 * 60 * 60);

/// How many lookups an estimate needs (`MinMeasurementsThreshold`).
pub const MIN_LOOKUPS: usize = 5;

/// How many lookups count, the last ones (`MaxMeasurementsThreshold`).
pub const MAX_LOOKUPS: usize = 150;

/// Estimates the size of a network from the lookups of one peer.
#[derive(Debug, Clone)]
pub struct SizeEstimator {
    own: Key,
    /// The oldest first.
    lookups: VecDeque<Observed>,
    /// Go's estimate, until the next lookup: it lasts even when lookups grow too old meanwhile.
    cached: Option<i32>,
}

/// What a lookup showed.
#[derive(Debug, Clone, Copy)]
pub struct ClosestSeen<'a> {
    /// What was looked up.
    pub key: Key,
    /// The k closest that were heard of, whether they could be reached or not, the closest first.
    pub closest: &'a [Key],
    /// Those among the closest peers that answered, the closest first.
    pub answered: &'a [Key],
}

/// One lookup.
#[derive(Debug, Clone)]
struct Observed {
    distances: [f64; K],
    weight: f64,
    at: Duration,
    /// The farthest of those who answered, and how many these are.
    answered: (f64, usize),
}

/// What lookups say of the size of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeEstimate {
    /// By Go's rule. It counts whoever is named, dead or not.
    pub go: i32,
    /// The likeliest number of peers that are named.
    pub named: LikelySize,
    /// The likeliest number of peers that answer; `None` where nobody did.
    pub answering: Option<LikelySize>,
    /// On how many lookups it stands.
    pub lookups: usize,
}

/// There are not lookups enough of the last [`MAX_AGE`] (`ErrNotEnoughData`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{have} lookups are too few for an estimate of the network's size: it takes {MIN_LOOKUPS}")]
pub struct TooFewLookups {
    /// How many there are.
    pub have: usize,
}

/// A lookup did not find exactly k peers, so it says nothing (`ErrWrongNumOfPeers`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{found} closest peers instead of {K} say nothing of the network's size")]
pub struct WrongCount {
    /// How many it found.
    pub found: usize,
}

impl SizeEstimator {
    /// One that knows nothing yet, of the peer at `own`.
    pub const fn new(own: Key) -> Self {
        Self { own, lookups: VecDeque::new(), cached: None }
    }

    /// Takes in a lookup that was brought to its end. `table_len` says how many peers the routing table has that share exactly
    /// so many bits with its owner.
    pub fn track(
        &mut self,
        seen: ClosestSeen<'_>,
        table_len: impl Fn(u32) -> usize,
        now: Duration,
    ) -> Result<(), WrongCount> {
        let normed = |peer: &Key| peer.distance(&seen.key).normed();
        let closest: &[Key; K] =
            seen.closest.try_into().map_err(|_| WrongCount { found: seen.closest.len() })?;
        let answered = (seen.answered.last().map_or(0.0, normed), seen.answered.len());
        let weight = self.weight(&seen, table_len);
        let distances = std::array::from_fn(|rank| normed(&closest[rank]));
        self.lookups.push_back(Observed { distances, weight, at: now, answered });
        self.forget(now);
        while self.lookups.len() > MAX_LOOKUPS {
            self.lookups.pop_front();
        }
        self.cached = None;
        Ok(())
    }

    /// What the lookups say.
    pub fn estimate(&mut self, now: Duration) -> Result<SizeEstimate, TooFewLookups> {
        if self.cached.is_none() {
            self.forget(now);
        }
        let lookups = self.lookups.len();
        if lookups < MIN_LOOKUPS {
            return Err(TooFewLookups { have: lookups });
        }
        let go = *self.cached.get_or_insert_with(|| line::size(&self.lookups));
        let named = self.lookups.iter().map(|lookup| (lookup.distances[K - 1], K));
        let answering = self.lookups.iter().map(|lookup| lookup.answered);
        let named = LikelySize::of(named).ok_or(TooFewLookups { have: lookups })?;
        Ok(SizeEstimate { go, named, answering: LikelySize::of(answering), lookups })
    }

    /// A lookup counts half for each peer that its bucket lacks: a table that is not full hides closer peers.
    fn weight(&self, seen: &ClosestSeen<'_>, table_len: impl Fn(u32) -> usize) -> f64 {
        let shared = self.own.common_prefix_len(&seen.key);
        let in_table = table_len(shared);
        let is_in_bucket = |peer: &&Key| self.own.common_prefix_len(peer) == shared;
        let level = if in_table < K {
            // Those who were found would stand there.
            in_table.max(seen.closest.iter().filter(is_in_bucket).count())
        } else {
            in_table
        };
        let exponent = |level: usize| i32::try_from(level).unwrap_or(i32::MAX);
        2.0_f64.powi(exponent(level).saturating_sub(exponent(K)))
    }

    fn forget(&mut self, now: Duration) {
        while self.lookups.front().is_some_and(|lookup| now.saturating_sub(lookup.at) >= MAX_AGE) {
            self.lookups.pop_front();
        }
    }
}
