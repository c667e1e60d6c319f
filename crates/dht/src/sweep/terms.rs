//! On which terms somebody sweeps, and what it remembers of the last time.

use std::sync::{Arc, Mutex, PoisonError};

use kad::{
    Persistence,
    sweep::{CONNECTIONS_PER_WORKER, PREFIX_LEN_VALIDITY, WORKERS},
};
use tokio::time::Instant;

/// On which terms somebody sweeps. [`Persistence`] makes those that are usual for it.
#[derive(Debug, Clone)]
pub struct SweepTerms {
    /// How far it goes.
    pub persistence: Persistence,
    /// How many regions are explored and given their keys at a time; at least 1.
    pub workers: usize,
    /// To how many peers each of the workers gives records at a time; at least 1.
    pub connections: usize,
    /// How long prefixes were last. Whoever sweeps again keeps it.
    pub prefix_len: PrefixLenMemory,
}

impl From<Persistence> for SweepTerms {
    /// Go's numbers: 4 workers with 20 connections each.
    fn from(persistence: Persistence) -> Self {
        Self {
            persistence,
            workers: WORKERS,
            connections: CONNECTIONS_PER_WORKER,
            prefix_len: PrefixLenMemory::default(),
        }
    }
}

/// How many bits the prefixes of regions had when it was measured last, and when that was. All clones remember together.
#[derive(Debug, Clone, Default)]
pub struct PrefixLenMemory(Arc<Mutex<Option<(u32, Instant)>>>);

impl PrefixLenMemory {
    /// The length, as long as it holds: 5 minutes; `None` if it has to be measured.
    pub fn get(&self) -> Option<u32> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(_, at)| at.elapsed() < PREFIX_LEN_VALIDITY).map(|(bits, _)| bits)
    }

    /// It was measured now.
    pub fn set(&self, bits: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((bits, Instant::now()));
    }
}
