//! All values in memory: of several under one key the better one stays.

use std::{
    array,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    message::Record,
    records::{MAX_VALUE_AGE, kept_record},
    values::{CheckedValue, Version},
};

/// Parts with a lock each.
const SHARDS: usize = 16;

/// What a value takes beside its key and record, in bytes, estimated from above.
const OVERHEAD_BYTES: usize = 160;

/// How often a part is gone through for what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// A value as it is kept.
#[derive(Debug, Clone)]
pub(super) struct HeldValue {
    /// The encoded record (`record.pb.Record`).
    pub(super) record: Arc<[u8]>,
    pub(super) version: Option<Version>,
    pub(super) received: Duration,
}

impl HeldValue {
    /// A value that came at `now`, with a note of that time.
    pub(super) fn new(key: &[u8], value: &CheckedValue<'_>, now: Duration) -> Self {
        Self { record: kept_record(key, value.value, now).into(), version: value.version, received: now }
    }

    /// Whether it is given out at `now`.
    pub(super) fn is_live(&self, now: Duration) -> bool {
        let is_valid = self.version.is_none_or(|version| version.valid_until >= now);
        is_valid && now.saturating_sub(self.received) <= MAX_VALUE_AGE
    }

    /// Whether it stays although another one was offered.
    fn outlives(&self, offered: &CheckedValue<'_>, now: Duration) -> bool {
        let Ok(Record { value, .. }) = Record::decode(&self.record) else { return false };
        self.is_live(now) && !offered.beats(&CheckedValue { value: &value, version: self.version })
    }
}

/// A part of the values.
#[derive(Debug, Default)]
struct ValueShard {
    values: HashMap<Box<[u8]>, HeldValue, RandomState>,
    bytes: usize,
    swept: Duration,
}

/// Values by their keys.
#[derive(Debug)]
pub(super) struct ValueShelves {
    hasher: RandomState,
    shards: [Mutex<ValueShard>; SHARDS],
    /// The bound of a part.
    shard_bytes: usize,
}

impl ValueShelves {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let shards = array::from_fn(|_| Mutex::default());
        Self { hasher: RandomState::default(), shards, shard_bytes: bytes / SHARDS }
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, ValueShard> {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        self.shards.get(shard).unwrap_or(&self.shards[0]).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a value; `false` if it has expired, or the one that is there is better.
    pub(super) fn put(&self, key: &[u8], value: &CheckedValue<'_>, now: Duration) -> bool {
        let mut shard = self.shard(key);
        if value.is_expired(now) || shard.values.get(key).is_some_and(|held| held.outlives(value, now)) {
            return false;
        }
        shard.keep(key, HeldValue::new(key, value, now));
        shard.sweep(now);
        while shard.bytes > self.shard_bytes && shard.make_room(key) {}
        true
    }

    /// The record under a key; `None` if there is none, or it has expired.
    pub(super) fn get(&self, key: &[u8], now: Duration) -> Option<Arc<[u8]>> {
        let shard = self.shard(key);
        shard.values.get(key).filter(|held| held.is_live(now)).map(|held| Arc::clone(&held.record))
    }

    /// How many values are kept, and how many bytes they take.
    pub(super) fn totals(&self) -> (usize, usize) {
        self.shards.iter().fold((0, 0), |(values, bytes), shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            (values + shard.values.len(), bytes + shard.bytes)
        })
    }
}

impl ValueShard {
    fn keep(&mut self, key: &[u8], value: HeldValue) {
        self.bytes += size(key, &value);
        if let Some(before) = self.values.insert(key.into(), value) {
            self.bytes -= size(key, &before);
        }
    }

    fn sweep(&mut self, now: Duration) {
        if now.saturating_sub(self.swept) < SWEEP_INTERVAL {
            return;
        }
        self.swept = now;
        let gone = self.values.extract_if(|_, held| !held.is_live(now));
        self.bytes -= gone.map(|(key, held)| size(&key, &held)).sum::<usize>();
    }

    /// Drops the oldest of a few values, not the one under `spared`.
    fn make_room(&mut self, spared: &[u8]) -> bool {
        const SAMPLE: usize = 16;
        let others = self.values.iter().filter(|(key, _)| ***key != *spared).take(SAMPLE);
        let Some(oldest) = others.min_by_key(|(_, held)| held.received).map(|(key, _)| key.clone()) else {
            return false;
        };
        if let Some(held) = self.values.remove(&oldest) {
            self.bytes -= size(&oldest, &held);
        }
        true
    }
}

fn size(key: &[u8], value: &HeldValue) -> usize {
    OVERHEAD_BYTES + key.len() + value.record.len()
}
