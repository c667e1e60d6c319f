//! All lists of providers in memory: what a belly without a backend keeps, and what one with a backend remembers of it.

use std::{
    array,
    hash::BuildHasher as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use foldhash::fast::RandomState;

use super::{
    backend::ProviderRow,
    held::{Pending, ProvidersHeld, micros},
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
    /// What waits to be written, in all parts together.
    pending_records: AtomicUsize,
    pending_bytes: AtomicUsize,
}

/// Where rows came from that are being written.
#[derive(Debug, Default)]
pub(super) struct Sent(Vec<(usize, Vec<usize>)>);

impl Shelves {
    /// Room for so many bytes, and so many providers a key.
    pub(super) fn new(bytes: usize, per_key: usize) -> Self {
        let limits = ShardLimits { bytes: bytes / SHARDS, per_key };
        let shards = array::from_fn(|_| Mutex::default());
        Self {
            hasher: RandomState::default(),
            shards,
            limits,
            none: Arc::default(),
            pending_records: AtomicUsize::new(0),
            pending_bytes: AtomicUsize::new(0),
        }
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
        self.counted(shard, |shard| {
            shard.sweep(SWEEP_STEP, new.received_us);
            shard.add(key, (new, tag), is_unsaved, self.limits)
        })
    }

    /// Changes a part, and counts what waits in all of them.
    fn counted<T>(&self, shard: usize, change: impl FnOnce(&mut Shard) -> T) -> T {
        let mut shard = self.shard(shard);
        let before = shard.pending();
        let changed = change(&mut shard);
        let after = shard.pending();
        if before != after {
            self.pending_records.fetch_add(after.records.wrapping_sub(before.records), Relaxed);
            self.pending_bytes.fetch_add(after.bytes.wrapping_sub(before.bytes), Relaxed);
        }
        changed
    }

    /// What waits to be written.
    pub(super) fn pending(&self) -> Pending {
        Pending { records: self.pending_records.load(Relaxed), bytes: self.pending_bytes.load(Relaxed) }
    }

    /// Takes out rows that are to be written, at most `limit`, beginning with the part `first`.
    pub(super) fn send(&self, first: usize, limit: usize) -> (Vec<ProviderRow>, Sent) {
        let (mut rows, mut sent) = (Vec::new(), Sent::default());
        for shard in (0..SHARDS).map(|step| (first + step) % SHARDS) {
            if rows.len() >= limit {
                break;
            }
            let mut places = Vec::new();
            let room = limit - rows.len();
            self.shard(shard).send(room, &mut rows, &mut places);
            if !places.is_empty() {
                sent.0.push((shard, places));
            }
        }
        (rows, sent)
    }

    /// What was sent is written, or has to be sent again.
    pub(super) fn sent(&self, sent: Sent, is_written: bool) {
        for (shard, places) in sent.0 {
            self.counted(shard, |shard| places.iter().for_each(|&place| shard.sent(place, is_written)));
        }
    }

    /// Puts what the backend said of a key at `asked_us` to what is known of it: that is all there is.
    pub(super) fn merge(&self, key: &[u8], rows: &[ProviderRow], asked_us: u64) -> Arc<ProvidersHeld> {
        let records = rows.iter().filter_map(ProviderRow::record);
        let tagged = records.map(|record| (record, self.tag(record.provider.id())));
        let (key, shard) = self.hashed(key);
        let merged = self.counted(shard, |shard| {
            shard.sweep(SWEEP_STEP, asked_us);
            shard.merge(key, tagged, asked_us, self.limits)
        });
        merged.unwrap_or_else(|| self.nobody())
    }

    fn tag(&self, id: &[u8]) -> u32 {
        let [a, b, c, d, ..] = self.hasher.hash_one(id).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// What is known of a key, and when the backend was asked for all of it; `None` if nothing is.
    pub(super) fn get(&self, key: &[u8]) -> Option<(Arc<ProvidersHeld>, Option<u64>)> {
        let (key, shard) = self.hashed(key);
        self.shard(shard).get(key).map(|slot| (Arc::clone(&slot.held), slot.whole_us))
    }

    /// A list without anybody.
    pub(super) fn nobody(&self) -> Arc<ProvidersHeld> {
        Arc::clone(&self.none)
    }

    /// Drops what has expired of the next few lists of each part.
    pub(super) fn sweep(&self, steps: usize, now: Duration) {
        for shard in 0..SHARDS {
            self.counted(shard, |shard| shard.sweep(steps, micros(now)));
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
