//! The belly of a hydra: the records that its heads keep for the network, in one place for all of them.
//!
//! A [`Belly`] is asked on the path of every request, so nothing of it waits: what memory knows it says at once, and what only the
//! backend knows is a future. What it was given it answers with from that moment on, whichever of its clones is asked; the
//! backend is told behind. Records live as long as `kad::records` says, and none is given out that has expired.
//!
//! Who may add what, and what goes into an answer, is left to `kad::answer`; which of two values is better, to `kad::values`.

mod backlog;
mod config;
mod error;
mod held;
mod names;
mod page;
mod provider;
mod reading;
mod shard;
mod shelves;
mod url;
mod values;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use kad::{answer::MAX_KEY_BYTES, records::PROVIDE_VALIDITY, values::CheckedValue};

pub use self::{
    backlog::{BellyBacklog, LATENCY_BOUNDS_US, Latencies, LatencyMeter, RecordCounts},
    config::BellyConfig,
    error::BellyError,
    held::{HeldProvider, ProvidersHeld},
    names::{Kept, ReadFailure, WriteShed},
    page::{ListedProvider, RecordCursor, RecordPage},
    provider::{MAX_PROVIDER_ID_BYTES, NewProvider},
    reading::{Reading, Unread},
    url::BellyUrl,
};
use self::{
    held::micros,
    provider::{MAX_LIFETIME_S, NewRecord},
    shelves::Shelves,
    values::ValueShelves,
};

/// The longest key of a value, in bytes: a namespace and a peer id, with room.
const MAX_VALUE_KEY_BYTES: usize = 256;

/// The records of a hydra. Clones are one.
#[derive(Debug, Clone)]
pub struct Belly {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    providers: Shelves,
    values: ValueShelves,
    shed_writes: [AtomicU64; WriteShed::ALL.len()],
}

impl Belly {
    /// Opens a belly; its tables are made if there are none.
    #[expect(clippy::unused_async, reason = "a backend is asked")]
    pub async fn open(url: &BellyUrl, config: BellyConfig) -> Result<Self, BellyError> {
        match url {
            BellyUrl::Memory => Ok(Self::in_memory(&config)),
            other => {
                Err(BellyError::Url { url: other.to_string(), reason: "it cannot be opened by this version" })
            }
        }
    }

    /// A belly without a backend, which is gone when it is dropped.
    pub fn in_memory(config: &BellyConfig) -> Self {
        let inner = Inner {
            providers: Shelves::new(config.provider_bytes, config.per_key),
            values: ValueShelves::new(config.value_bytes),
            shed_writes: Default::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Keeps what a provider announced at `now` (since the Unix epoch, as everywhere here). Never waits.
    pub fn add_provider(&self, key: &[u8], provider: NewProvider<'_>, now: Duration) -> Kept {
        if let Some(shed) = self.refuses(key, MAX_KEY_BYTES) {
            return shed;
        }
        let lifetime_s = u32::try_from(PROVIDE_VALIDITY.as_secs()).unwrap_or(MAX_LIFETIME_S);
        self.add(key, &NewRecord { provider, received_us: micros(now), lifetime_s, is_fetched: false })
    }

    /// Keeps what others say of who provides a key, for a lifetime that is cut to whole seconds. It replaces nothing that a
    /// provider announced itself, and a record that was fetched before does not live longer by it. Returns how many are new.
    pub fn add_fetched(
        &self,
        key: &[u8],
        providers: &[NewProvider<'_>],
        lifetime: Duration,
        now: Duration,
    ) -> usize {
        if self.refuses(key, MAX_KEY_BYTES).is_some() {
            return 0;
        }
        let lifetime_s = u32::try_from(lifetime.as_secs()).unwrap_or(MAX_LIFETIME_S).min(MAX_LIFETIME_S);
        let received_us = micros(now);
        let records = providers.iter().map(|&provider| NewRecord {
            provider,
            received_us,
            lifetime_s,
            is_fetched: true,
        });
        records.filter(|record| self.add(key, record) == Kept::Yes).count()
    }

    fn add(&self, key: &[u8], record: &NewRecord<'_>) -> Kept {
        if self.inner.providers.add(key, record, false) { Kept::Yes } else { Kept::Worse }
    }

    fn refuses(&self, key: &[u8], longest: usize) -> Option<Kept> {
        (key.is_empty() || key.len() > longest).then(|| {
            self.inner.shed_writes[WriteShed::Size as usize].fetch_add(1, Relaxed);
            Kept::Shed(WriteShed::Size)
        })
    }

    /// Who provides a key. `asker` stands for whoever asks: where many questions wait, each asker has its turn. Never waits; an
    /// answer that has to be waited for is a future.
    pub fn providers(&self, key: &[u8], _asker: u64, _now: Duration) -> Reading<Arc<ProvidersHeld>> {
        let known = self.inner.providers.get(key);
        Reading::Known(known.unwrap_or_else(|| self.inner.providers.nobody()))
    }

    /// What memory alone knows of a key, which may not be all, or older than the backend's; `None` if that is nothing.
    pub fn cached_providers(&self, key: &[u8], now: Duration) -> Option<Arc<ProvidersHeld>> {
        self.inner.providers.get(key).filter(|held| !held.is_empty(now))
    }

    /// Keeps a value that was checked to be one for its key, with a note of when it came. Never waits: if what the backend has
    /// turns out to be better, that stays.
    pub fn put_value(&self, key: &[u8], value: &CheckedValue<'_>, now: Duration) -> Kept {
        if let Some(shed) = self.refuses(key, MAX_VALUE_KEY_BYTES) {
            return shed;
        }
        if self.inner.values.put(key, value, now) { Kept::Yes } else { Kept::Worse }
    }

    /// The record (`record.pb.Record`) under a key, as it stands in an answer to `GET_VALUE`. Never waits, as
    /// [`providers`](Self::providers).
    pub fn value(&self, key: &[u8], _asker: u64, now: Duration) -> Reading<Option<Arc<[u8]>>> {
        Reading::Known(self.inner.values.get(key, now))
    }

    /// What memory alone knows of it.
    pub fn cached_value(&self, key: &[u8], now: Duration) -> Option<Arc<[u8]>> {
        self.inner.values.get(key, now)
    }

    /// How many records are kept.
    #[expect(clippy::unused_async, reason = "a backend is asked")]
    pub async fn counts(&self) -> RecordCounts {
        let count = |(records, _): (usize, usize)| records as u64;
        RecordCounts {
            providers: count(self.inner.providers.totals()),
            values: count(self.inner.values.totals()),
            is_exact: true,
        }
    }

    /// The records of providers behind a cursor in an order that stays, at most `limit` of them. Pages end, however much is
    /// written meanwhile.
    #[expect(clippy::unused_async, reason = "a backend is asked")]
    pub async fn provider_records(
        &self,
        after: Option<&RecordCursor>,
        limit: usize,
        now: Duration,
    ) -> Result<RecordPage, BellyError> {
        Ok(self.inner.providers.page(after, limit, now))
    }

    /// Drops from memory what has expired, a few lists at a time. Each record that comes does some of it, so a belly that is
    /// given nothing more is all that needs it.
    pub fn collect(&self, now: Duration) {
        const LISTS: usize = 256;
        self.inner.providers.sweep(LISTS, now);
    }

    /// What waits, and what was asked of the backend.
    pub fn backlog(&self) -> BellyBacklog {
        let memory_bytes = self.inner.providers.totals().1 + self.inner.values.totals().1;
        let shed_writes = std::array::from_fn(|name| {
            self.inner.shed_writes.get(name).map_or(0, |count| count.load(Relaxed))
        });
        BellyBacklog { memory_bytes, shed_writes, ..BellyBacklog::default() }
    }

    /// Ends it when everything is written.
    #[expect(clippy::unused_async, reason = "a backend is asked")]
    pub async fn close(self) -> Result<(), BellyError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
