//! The likeliest size by the distance of the last peer of each lookup, with an interval.
//!
//! Around a random place, N peers at random places are a Poisson process of the rate N: the distance of the r-th of them follows
//! the gamma law of the shape r, and those before it say nothing more. The likeliest rate by m lookups is the sum of
//! their r over the sum of their distances; with that sum less 1 it is unbiased, and N times the sum of distances follows the gamma law
//! of the shape sum of r, which gives the interval (Pollard, "On distance estimators of density in randomly distributed
//! forests", Biometrics 27, 1971).

use crate::gamma;

/// How often the interval holds the true number.
pub const CONFIDENCE: f64 = 0.95;

/// The likeliest number of peers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelySize {
    /// The number.
    pub peers: f64,
    /// Not fewer, at [`CONFIDENCE`].
    pub low: f64,
    /// Not more, at [`CONFIDENCE`].
    pub high: f64,
}

impl LikelySize {
    /// By the distance of the last peer of each lookup, and which of its closest that is, from 1 on. `None` where there are no
    /// distances.
    pub(super) fn of(lookups: impl Iterator<Item = (f64, usize)>) -> Option<Self> {
        let (mut distances, mut ranks) = (0.0, 0.0);
        for (distance, rank) in lookups {
            distances += distance;
            ranks += rank as f64;
        }
        Self::by(ranks, ranks, distances)
    }

    /// By the sums of ranks and distances; the interval is as wide as that of `seen` ranks. `None` where there are no distances.
    pub(super) fn by(ranks: f64, seen: f64, distances: f64) -> Option<Self> {
        if ranks < 2.0 || distances <= 0.0 {
            return None;
        }
        let at = |share| gamma::quantile(seen, share) / seen * ranks / distances;
        let outside = (1.0 - CONFIDENCE) / 2.0;
        Some(Self { peers: (ranks - 1.0) / distances, low: at(outside), high: at(1.0 - outside) })
    }
}
