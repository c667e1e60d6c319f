//! All values in memory: of several under one key the better one stays.

use std::{
    array,
    collections::VecDeque,
    hash::BuildHasher as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    message::Record,
    records::{MAX_VALUE_AGE, kept_record},
    values::{CheckedValue, Version},
};

use super::{
    backend::ValueRow,
    held::{Pending, micros},
};

/// Parts with a lock each.
const SHARDS: usize = 16;

/// What a value takes beside its key and record, in bytes, estimated from above.
const OVERHEAD_BYTES: usize = 192;

/// How often a part is gone through for what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// Whether the backend has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// As far as is known.
    Done,
    /// It is to be told.
    Due,
    /// It is being told.
    Sent,
}

/// A value as it is kept.
#[derive(Debug)]
struct HeldValue {
    /// The encoded record (`record.pb.Record`); `None` if there is none as far as the backend knows.
    record: Option<Arc<[u8]>>,
    version: Option<Version>,
    received: Duration,
    /// When the backend was asked, in microseconds since the Unix epoch.
    asked_us: Option<u64>,
    writing: Writing,
}

impl HeldValue {
    const NONE: Self = Self {
        record: None,
        version: None,
        received: Duration::ZERO,
        asked_us: None,
        writing: Writing::Done,
    };

    /// The record, if it is given out at `now`.
    fn live(&self, now: Duration) -> Option<&Arc<[u8]>> {
        let is_valid = self.version.is_none_or(|version| version.valid_until >= now);
        let is_live = is_valid && now.saturating_sub(self.received) <= MAX_VALUE_AGE;
        self.record.as_ref().filter(|_| is_live)
    }

    /// Whether it stays although another one was offered.
    fn outlives(&self, offered: &CheckedValue<'_>, now: Duration) -> bool {
        let Some(Ok(Record { value, .. })) = self.live(now).map(|record| Record::decode(record)) else {
            return false;
        };
        !offered.beats(&CheckedValue { value: &value, version: self.version })
    }

    fn row(&self, key: &[u8]) -> Option<ValueRow> {
        let record = Record::decode(self.record.as_ref()?).ok()?;
        let (version, received_us) = (self.version, micros(self.received));
        Some(ValueRow { key: key.into(), value: record.value.into(), version, received_us })
    }

    fn size(&self, key: &[u8]) -> usize {
        OVERHEAD_BYTES + key.len() + self.record.as_ref().map_or(0, |record| record.len())
    }

    fn pending(&self, key: &[u8]) -> Pending {
        match self.writing {
            Writing::Done => Pending::default(),
            Writing::Due | Writing::Sent => Pending { records: 1, bytes: self.size(key) },
        }
    }
}

/// A part of the values.
#[derive(Debug, Default)]
struct ValueShard {
    values: HashMap<Box<[u8]>, HeldValue, RandomState>,
    bytes: usize,
    swept: Duration,
    pending: Pending,
    dirty: VecDeque<Box<[u8]>>,
}

/// Values by their keys.
#[derive(Debug)]
pub(super) struct ValueShelves {
    hasher: RandomState,
    shards: [Mutex<ValueShard>; SHARDS],
    /// The bound of a part.
    shard_bytes: usize,
    pending_records: AtomicUsize,
    pending_bytes: AtomicUsize,
}

impl ValueShelves {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            shards: array::from_fn(|_| Mutex::default()),
            shard_bytes: bytes / SHARDS,
            pending_records: AtomicUsize::new(0),
            pending_bytes: AtomicUsize::new(0),
        }
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, ValueShard> {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        lock(self.shards.get(shard).unwrap_or(&self.shards[0]))
    }

    /// Changes a part, and counts what waits in all of them.
    fn counted<T>(
        &self,
        mut shard: MutexGuard<'_, ValueShard>,
        change: impl FnOnce(&mut ValueShard) -> T,
    ) -> T {
        let before = shard.pending;
        let changed = change(&mut shard);
        let after = shard.pending;
        self.pending_records.fetch_add(after.records.wrapping_sub(before.records), Relaxed);
        self.pending_bytes.fetch_add(after.bytes.wrapping_sub(before.bytes), Relaxed);
        changed
    }

    /// Keeps a value, of which the backend is to be told or not; `false` if it has expired, or the one that is there is better.
    pub(super) fn put(&self, key: &[u8], value: &CheckedValue<'_>, is_due: bool, now: Duration) -> bool {
        let shard = self.shard(key);
        if value.is_expired(now) || shard.values.get(key).is_some_and(|held| held.outlives(value, now)) {
            return false;
        }
        let before = shard.values.get(key);
        let asked_us = before.and_then(|held| held.asked_us);
        let is_queued = before.is_some_and(|held| held.writing == Writing::Due);
        let held = HeldValue {
            record: Some(kept_record(key, value.value, now).into()),
            version: value.version,
            received: now,
            asked_us,
            writing: if is_due { Writing::Due } else { Writing::Done },
        };
        self.counted(shard, |shard| {
            shard.keep(key, held);
            if is_due && !is_queued {
                shard.dirty.push_back(key.into());
            }
            shard.sweep(now);
            shard.keep_within(self.shard_bytes, key);
        });
        true
    }

    /// Puts what the backend said of a key at `asked_us` to what is known of it, and returns the better one.
    pub(super) fn merge(&self, key: &[u8], row: Option<&ValueRow>, asked_us: u64) -> Option<Arc<[u8]>> {
        let now = Duration::from_micros(asked_us);
        self.counted(self.shard(key), |shard| {
            let mut held = shard.remove(key).unwrap_or(HeldValue::NONE);
            held.asked_us = held.asked_us.max(Some(asked_us));
            let offered = row.filter(|row| {
                let value = CheckedValue { value: &row.value, version: row.version };
                !held.outlives(&value, now)
            });
            if let Some(row) = offered {
                let received = Duration::from_micros(row.received_us);
                held.record = Some(kept_record(key, &row.value, received).into());
                (held.version, held.received, held.writing) = (row.version, received, Writing::Done);
            }
            let live = held.live(now).cloned();
            shard.keep(key, held);
            shard.keep_within(self.shard_bytes, key);
            live
        })
    }

    /// The record under a key, and when the backend was asked for it.
    pub(super) fn get(&self, key: &[u8], now: Duration) -> (Option<Arc<[u8]>>, Option<u64>) {
        let shard = self.shard(key);
        shard.values.get(key).map_or((None, None), |held| (held.live(now).cloned(), held.asked_us))
    }

    /// What waits to be written.
    pub(super) fn pending(&self) -> Pending {
        Pending { records: self.pending_records.load(Relaxed), bytes: self.pending_bytes.load(Relaxed) }
    }

    /// Takes out values that are to be written, at most `limit`.
    pub(super) fn send(&self, limit: usize) -> Vec<ValueRow> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            while rows.len() < limit
                && let Some(key) = shard.dirty.pop_front()
            {
                let Some(held) = shard.values.get_mut(&key).filter(|held| held.writing == Writing::Due)
                else {
                    continue;
                };
                held.writing = Writing::Sent;
                rows.extend(held.row(&key));
            }
        }
        rows
    }

    /// What was sent is written, or has to be sent again.
    pub(super) fn sent(&self, rows: &[ValueRow], is_written: bool) {
        for row in rows {
            self.counted(self.shard(&row.key), |shard| shard.sent(&row.key, is_written));
        }
    }

    /// How many values are kept, and how many bytes they take.
    pub(super) fn totals(&self) -> (usize, usize) {
        self.shards.iter().map(lock).fold((0, 0), |(values, bytes), shard| {
            let here = shard.values.values().filter(|held| held.record.is_some()).count();
            (values + here, bytes + shard.bytes)
        })
    }
}

fn lock(shard: &Mutex<ValueShard>) -> MutexGuard<'_, ValueShard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ValueShard {
    fn keep(&mut self, key: &[u8], value: HeldValue) {
        self.remove(key);
        self.bytes += value.size(key);
        self.pending.add(value.pending(key));
        self.values.insert(key.into(), value);
    }

    fn remove(&mut self, key: &[u8]) -> Option<HeldValue> {
        let held = self.values.remove(key)?;
        self.bytes -= held.size(key);
        self.pending.take_away(held.pending(key));
        Some(held)
    }

    fn sent(&mut self, key: &[u8], is_written: bool) {
        let Some(mut held) = self.remove(key) else { return };
        if held.writing == Writing::Sent && is_written {
            held.writing = Writing::Done;
        } else if held.writing == Writing::Sent {
            held.writing = Writing::Due;
            self.dirty.push_back(key.into());
        }
        self.keep(key, held);
    }

    fn sweep(&mut self, now: Duration) {
        if now.saturating_sub(self.swept) < SWEEP_INTERVAL {
            return;
        }
        self.swept = now;
        for (key, held) in self.values.extract_if(|_, held| held.live(now).is_none()) {
            self.bytes -= held.size(&key);
            self.pending.take_away(held.pending(&key));
        }
    }

    /// Drops the oldest of a few values at a time until the bound holds; not the one under `spared`, nor any that the backend does not
    /// have.
    fn keep_within(&mut self, bytes: usize, spared: &[u8]) {
        const SAMPLE: usize = 16;
        while self.bytes > bytes {
            let others = self.values.iter().filter(|(key, _)| ***key != *spared);
            let done = others.filter(|(_, held)| held.writing == Writing::Done).take(SAMPLE);
            let oldest = done.min_by_key(|(_, held)| (held.record.is_some(), held.received));
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            self.remove(&oldest);
        }
    }
}
