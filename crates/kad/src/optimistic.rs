//! Optimistic provide without IO and without a clock: to whom a record is given while a lookup still goes on, when the lookup has
//! come close enough, and when whoever publishes may go on (go-libp2p-kad-dht, `lookup_optim.go`).
//!
//! A [`Lookup`](crate::lookup::Lookup) that was made [`giving`](crate::lookup::Lookup::giving) says so by its steps. How many peers
//! the network has, from which the thresholds follow, is estimated by [`size`](crate::size).

mod offers;
#[cfg(test)]
mod tests;

pub(crate) use self::offers::Offers;
use crate::{Persistence, gamma};

/// How sure it is that a peer is among the k closest which is given the record at once
/// (`optProvIndividualThresholdCertainty`).
const CERTAINTY: f64 = 0.9;

/// How likely the k closest lie farther than where a lookup ends early, so that it does not
/// (`optProvSetThresholdStrictness`). Go's law of their mean is not quite the right one: of 20 peers it is half as likely.
const STRICTNESS: f64 = 0.1;

/// Which share of the gifts must be done before a publication may return, of k (`optProvReturnRatio`).
const RETURN_QUARTERS: usize = 3;

/// By what optimistic provide decides. Distances are shares of the longest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimisticRules {
    /// How many are to be given the record.
    pub k: usize,
    /// Whoever is not farther is given the record as soon as it is heard of.
    pub individual: f64,
    /// Once the k closest lie nearer on average, the lookup has come close enough.
    pub set: f64,
    /// How many gifts must be done before the publication may return, if there are so many.
    pub return_after: usize,
    /// How far it goes.
    ///
    /// As Go does: a lookup that is close enough, or has given to k, ends; done is a gift that failed, too. Thorough: the lookup goes
    /// on to its end, and only gifts that were taken count; whoever is close when it is close enough is given the record at once.
    pub persistence: Persistence,
}

impl OptimisticRules {
    /// Those for a network of so many peers. Of 0 peers no distance is too far.
    pub fn new(peers: i32, k: usize, persistence: Persistence) -> Self {
        let (shape, peers) = (k as f64, f64::from(peers));
        Self {
            k,
            individual: gamma::quantile(shape, 1.0 - CERTAINTY) / peers,
            set: gamma::quantile(shape / 2.0 + 1.0, 1.0 - STRICTNESS) / peers,
            return_after: (k * RETURN_QUARTERS).div_ceil(4),
            persistence,
        }
    }
}
