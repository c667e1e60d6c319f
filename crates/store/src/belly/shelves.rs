//! All lists of providers in memory: what a belly without a backend keeps, and what one with a backend remembers of it.

use std::{
    array,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::fast::RandomState;

use super::{
    held::{ProvidersHeld, micros},
    provider::NewRecord,
    shard::{HashedKey, Shard, ShardLimits},
};

/// Parts with a lock each.
pub(super) const SHARDS: usize = 64;

/// Lists that are looked at for what has expired each time that a record comes: all, before there are twice as many.
const SWEEP_STEP: usize = 2;

/// Lists of providers.
#[derive(Debug)]
pub(super) struct Shelves {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    limits: ShardLimits,
    /// What stands for a key that nobody provides.
    none: Arc<ProvidersHeld>,
}

impl Shelves {
    /// Room for so many bytes, and so many providers a key.
    pub(super) fn new(bytes: usize, per_key: usize) -> Self {
        let limits = ShardLimits { bytes: bytes / SHARDS, per_key };
        let shards = array::from_fn(|_| Mutex::default());
        Self { hasher: RandomState::default(), shards, limits, none: Arc::default() }
    }

    /// A key with its hash, and where it belongs.
    pub(super) fn hashed<'a>(&self, key: &'a [u8]) -> (HashedKey<'a>, usize) {
        let hash = self.hasher.hash_one(key);
        // The table goes by the other bits.
        let shard = usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or_default();
        (HashedKey { key, hash }, shard)
    }

    pub(super) fn shard(&self, shard: usize) -> MutexGuard<'_, Shard> {
        let shard = self.shards.get(shard).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a record; `false` if what is there is newer, or comes from the provider itself.
    pub(super) fn add(&self, key: &[u8], new: &NewRecord<'_>, is_unsaved: bool) -> bool {
        let (key, shard) = self.hashed(key);
        let tag = self.tag(new.provider.id());
        let mut shard = self.shard(shard);
        shard.sweep(SWEEP_STEP, new.received_us);
        shard.add(key, (new, tag), is_unsaved, self.limits)
    }

    fn tag(&self, id: &[u8]) -> u32 {
        let [a, b, c, d, ..] = self.hasher.hash_one(id).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// What is known of a key; `None` if nothing is.
    pub(super) fn get(&self, key: &[u8]) -> Option<Arc<ProvidersHeld>> {
        let (key, shard) = self.hashed(key);
        self.shard(shard).get(key).map(|slot| Arc::clone(&slot.held))
    }

    /// A list without anybody.
    pub(super) fn nobody(&self) -> Arc<ProvidersHeld> {
        Arc::clone(&self.none)
    }

    /// Drops what has expired of the next few lists of each part.
    pub(super) fn sweep(&self, steps: usize, now: Duration) {
        for shard in 0..SHARDS {
            self.shard(shard).sweep(steps, micros(now));
        }
    }

    /// How many records are kept, and how many bytes they take.
    pub(super) fn totals(&self) -> (usize, usize) {
        (0..SHARDS).fold((0, 0), |(records, bytes), shard| {
            let shard = self.shard(shard);
            (records + shard.records(), bytes + shard.bytes())
        })
    }
}
