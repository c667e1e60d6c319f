//! What the lookups of one peer say of the size of its network, shared by all that it does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kad::{
    Key, PeerId,
    lookup::LookupKind,
    size::{ClosestSeen, SizeEstimate, SizeEstimator, TooFewLookups},
};
use tokio::time::Instant;

use crate::finder::Found;

/// Estimates the size of a network from the lookups of one peer.
#[derive(Debug)]
pub struct SizeWatch {
    begun: Instant,
    estimator: Mutex<SizeEstimator>,
}

impl SizeWatch {
    /// One that knows nothing yet, of this peer.
    pub fn new(own: &PeerId) -> Self {
        let estimator = Mutex::new(SizeEstimator::new(Key::of_peer(own)));
        Self { begun: Instant::now(), estimator }
    }

    /// Takes in a lookup of closest peers that was brought to its end; any other says nothing. `table_len` says how many peers the
    /// routing table has that share exactly so many bits with its owner.
    pub fn track(&self, found: &Found, table_len: impl Fn(u32) -> usize) {
        if found.outcome.kind != LookupKind::Closest || !found.outcome.is_complete {
            return;
        }
        let closest: Vec<Key> = found.outcome.nearest.iter().map(Key::of_peer).collect();
        let answered: Vec<Key> = found.outcome.answered().map(Key::of_peer).collect();
        let key = Key::of(&found.trace.preimage);
        let seen = ClosestSeen { key, closest: &closest, answered: &answered };
        let now = self.begun.elapsed();
        // A network of fewer peers than a lookup looks for has no size to estimate.
        self.estimator().track(seen, table_len, now).ok();
    }

    /// What they say; an error as long as there are too few.
    pub fn estimate(&self) -> Result<SizeEstimate, TooFewLookups> {
        let now = self.begun.elapsed();
        self.estimator().estimate(now)
    }

    fn estimator(&self) -> MutexGuard<'_, SizeEstimator> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.estimator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
