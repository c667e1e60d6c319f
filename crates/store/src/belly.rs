//! The belly of a hydra: the records that its heads keep for the network, in one place for all of them.
//!
//! A [`Belly`] is asked on the path of every request, so nothing of it waits: what memory knows it says at once, and what only the
//! backend knows is a future. What it was given it answers with from that moment on, whichever of its clones is asked; the
//! backend is told behind. Records live as long as `kad::records` says, and none is given out that has expired.
//!
//! Who may add what, and what goes into an answer, is left to `kad::answer`; which of two values is better, to `kad::values`.

mod backend;
mod backlog;
mod config;
mod dynamo;
mod error;
mod front;
mod held;
mod inquiries;
mod names;
mod pace;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod provider;
mod rank;
mod reading;
mod shard;
mod shelves;
mod sqlite;
mod url;
mod values;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use kad::{answer::MAX_KEY_BYTES, records::PROVIDE_VALIDITY, values::CheckedValue};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

pub(crate) use self::{backend::row_again, rank::rank_again};
use self::{
    backend::{Backend, Fault},
    front::Front,
    held::micros,
    provider::{MAX_LIFETIME_S, NewRecord},
    shelves::Shelves,
    sqlite::SqliteBelly,
    values::ValueShelves,
};
pub use self::{
    backlog::{BellyBacklog, LATENCY_BOUNDS_US, Latencies, LatencyMeter, RecordCounts},
    config::BellyConfig,
    dynamo::{AwsVariables, DynamoUrl},
    error::BellyError,
    held::{HeldProvider, ProvidersHeld},
    names::{Kept, ReadFailure, WriteShed},
    page::{ListedProvider, RecordCursor, RecordPage},
    provider::{MAX_PROVIDER_ID_BYTES, NewProvider},
    reading::{Reading, Unread},
    url::BellyUrl,
};

/// What is read of AWS and its database, for whoever tries any bytes.
#[cfg(feature = "dynamodb")]
pub use self::dynamo::{AwsCredentials, AwsFailure, AwsProfiles, DynamoItem};

/// The longest key of a value, in bytes: a namespace and a peer id, with room.
const MAX_VALUE_KEY_BYTES: usize = 256;

/// How long closing waits for a backend that does not take what is left.
const CLOSING: Duration = Duration::from_secs(10);

/// How long a list waits for what is to be written.
const LISTING: Duration = Duration::from_secs(1);

/// How long a backend is waited for that is asked for counts or pages.
const ASKING: Duration = Duration::from_secs(10);

/// The records of a hydra. Clones are one. Dropped without [`close`](Self::close), it may lose what came within the last second.
#[derive(Debug, Clone)]
pub struct Belly {
    inner: Arc<Inner>,
    tasks: Arc<Tasks>,
}

/// What goes on behind a belly as long as there is one.
#[derive(Debug)]
struct Tasks(Mutex<Vec<JoinHandle<()>>>);

impl Tasks {
    /// Ends them.
    fn end(&self) -> Vec<JoinHandle<()>> {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Debug)]
struct Inner {
    providers: Shelves,
    values: ValueShelves,
    /// The way to the backend, if there is one.
    front: Option<Front>,
    name: String,
    shed_writes: [AtomicU64; WriteShed::ALL.len()],
}

impl Belly {
    /// Opens a belly; its tables are made if there are none, unless that is switched off. It belongs to the runtime that it is opened in.
    pub async fn open(url: &BellyUrl, config: BellyConfig) -> Result<Self, BellyError> {
        let backend = match url {
            BellyUrl::Memory => return Ok(Self::in_memory(&config)),
            BellyUrl::Sqlite(path) => Backend::Sqlite(open_file(path.clone(), config.makes_tables).await?),
            #[cfg(feature = "postgres")]
            BellyUrl::Postgres(url) => {
                Backend::Postgres(Box::new(postgres::PostgresBelly::open(url, config.makes_tables).await?))
            }
            #[cfg(feature = "dynamodb")]
            BellyUrl::Dynamo(url) => {
                Backend::Dynamo(Box::pin(dynamo::DynamoBelly::open(url, &config)).await?)
            }
            #[cfg(not(feature = "dynamodb"))]
            BellyUrl::Dynamo(url) => return Err(BellyError::NotBuilt { url: url.to_string() }),
            #[cfg(not(feature = "postgres"))]
            BellyUrl::Postgres(url) => return Err(BellyError::NotBuilt { url: url.to_string() }),
        };
        Ok(Self::with_front(Some(Front::new(backend, config)), url.to_string(), &config))
    }

    /// A belly without a backend, which is gone when it is dropped.
    pub fn in_memory(config: &BellyConfig) -> Self {
        Self::with_front(None, BellyUrl::Memory.to_string(), config)
    }

    fn with_front(front: Option<Front>, name: String, config: &BellyConfig) -> Self {
        let readers = front.as_ref().map_or(0, |front| front.backend.nature().readers);
        let inner = Arc::new(Inner {
            providers: Shelves::new(config.provider_bytes, config.per_key),
            values: ValueShelves::new(config.value_bytes),
            front,
            name,
            shed_writes: Default::default(),
        });
        let mut tasks = Vec::new();
        if inner.front.is_some() {
            let readers =
                (0..readers).map(|reader| tokio::spawn(front::reader::read(Arc::clone(&inner), reader)));
            tasks.extend(readers);
            tasks.push(tokio::spawn(front::writer::write(Arc::clone(&inner))));
            tasks.push(tokio::spawn(front::keeper::keep(Arc::clone(&inner))));
        }
        Self { inner, tasks: Arc::new(Tasks(Mutex::new(tasks))) }
    }

    /// Keeps what a provider announced at `now` (since the Unix epoch, as everywhere here). Never waits.
    pub fn add_provider(&self, key: &[u8], provider: NewProvider<'_>, now: Duration) -> Kept {
        if let Some(shed) = self.refuses(key, MAX_KEY_BYTES, now) {
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
        if self.refuses(key, MAX_KEY_BYTES, now).is_some() {
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
        let is_unsaved = self.inner.front.is_some();
        if self.inner.providers.add(key, record, is_unsaved) { Kept::Yes } else { Kept::Worse }
    }

    /// Why a record under a key is not kept, whatever it is.
    fn refuses(&self, key: &[u8], longest: usize, now: Duration) -> Option<Kept> {
        if key.is_empty() || key.len() > longest {
            return Some(self.shed(WriteShed::Size));
        }
        let front = self.inner.front.as_ref()?;
        front.note_time(now);
        if front.is_shut() {
            return Some(self.shed(WriteShed::Closed));
        }
        let waiting = self.inner.providers.pending().bytes + self.inner.values.pending().bytes;
        if waiting >= front.config.backlog_bytes {
            return Some(self.shed(WriteShed::Backlog));
        }
        if waiting >= front.config.backlog_bytes / 4 {
            front.press();
        }
        None
    }

    fn shed(&self, why: WriteShed) -> Kept {
        if let Some(shed) = self.inner.shed_writes.get(why as usize) {
            shed.fetch_add(1, Relaxed);
        }
        Kept::Shed(why)
    }

    /// Who provides a key. `asker` stands for whoever asks: where many questions wait, each asker has its turn. Never waits; an
    /// answer that has to be waited for is a future.
    pub fn providers(&self, key: &[u8], asker: u64, now: Duration) -> Reading<Arc<ProvidersHeld>> {
        let known = self.inner.providers.get(key);
        let Some(front) = &self.inner.front else {
            return Reading::Known(known.map_or_else(|| self.inner.providers.nobody(), |(held, _)| held));
        };
        front.note_time(now);
        match known {
            Some((held, asked_us)) if front.is_fresh(asked_us, now) => Reading::Known(held),
            _ => front.ask_providers(key, asker),
        }
    }

    /// What memory alone knows of a key, which may not be all, or older than the backend's; `None` if that is nothing.
    pub fn cached_providers(&self, key: &[u8], now: Duration) -> Option<Arc<ProvidersHeld>> {
        self.inner.providers.get(key).map(|(held, _)| held).filter(|held| !held.is_empty(now))
    }

    /// Keeps a value that was checked to be one for its key, with a note of when it came. Never waits: if what the backend has
    /// turns out to be better, that stays.
    pub fn put_value(&self, key: &[u8], value: &CheckedValue<'_>, now: Duration) -> Kept {
        if let Some(shed) = self.refuses(key, MAX_VALUE_KEY_BYTES, now) {
            return shed;
        }
        let is_due = self.inner.front.is_some();
        if self.inner.values.put(key, value, is_due, now) { Kept::Yes } else { Kept::Worse }
    }

    /// The record (`record.pb.Record`) under a key, as it stands in an answer to `GET_VALUE`. Never waits, as
    /// [`providers`](Self::providers).
    pub fn value(&self, key: &[u8], asker: u64, now: Duration) -> Reading<Option<Arc<[u8]>>> {
        let (record, asked_us) = self.inner.values.get(key, now);
        let Some(front) = &self.inner.front else { return Reading::Known(record) };
        front.note_time(now);
        if front.is_fresh(asked_us, now) { Reading::Known(record) } else { front.ask_value(key, asker) }
    }

    /// What memory alone knows of it.
    pub fn cached_value(&self, key: &[u8], now: Duration) -> Option<Arc<[u8]>> {
        self.inner.values.get(key, now).0
    }

    /// How many records are kept; those that wait to be written are not counted.
    pub async fn counts(&self) -> Result<RecordCounts, BellyError> {
        let Some(front) = &self.inner.front else {
            let count = |(records, _): (usize, usize)| records as u64;
            let (providers, values) =
                (count(self.inner.providers.totals()), count(self.inner.values.totals()));
            return Ok(RecordCounts { providers, values, is_exact: true });
        };
        front.turn().await;
        answer(front, front.backend.counts(), "count records").await
    }

    /// The records of providers behind a cursor in an order that stays, at most `limit` of them. Pages end, however much is
    /// written meanwhile. What waits to be written longer than a second is on none.
    pub async fn provider_records(
        &self,
        after: Option<&RecordCursor>,
        limit: usize,
        now: Duration,
    ) -> Result<RecordPage, BellyError> {
        let Some(front) = &self.inner.front else { return Ok(self.inner.providers.page(after, limit, now)) };
        if after.is_none() {
            // While more comes than is written, what came last is not listed.
            drop(timeout(LISTING, front.flushed()).await);
        }
        front.turn().await;
        answer(front, front.backend.page(after.cloned(), limit, micros(now)), "list records").await
    }

    /// Drops from memory what has expired, a few lists at a time. Each record that comes does some of it, so a belly that is
    /// given nothing more is all that needs it.
    pub fn collect(&self, now: Duration) {
        const LISTS: usize = 256;
        self.inner.providers.sweep(LISTS, now);
    }

    /// What waits, and what was asked of the backend.
    pub fn backlog(&self) -> BellyBacklog {
        let inner = &self.inner;
        let (providers, values) = (inner.providers.pending(), inner.values.pending());
        let mut backlog = BellyBacklog {
            memory_bytes: inner.providers.totals().1 + inner.values.totals().1,
            writes_waiting: providers.records + values.records,
            write_bytes: providers.bytes + values.bytes,
            shed_writes: std::array::from_fn(|name| {
                inner.shed_writes.get(name).map_or(0, |count| count.load(Relaxed))
            }),
            ..BellyBacklog::default()
        };
        if let Some(front) = &inner.front {
            front.report(&mut backlog);
        }
        backlog
    }

    /// Waits until the backend has all that was kept before; `false` if it does not take it within ten seconds.
    pub async fn flush(&self) -> bool {
        match &self.inner.front {
            Some(front) => timeout(CLOSING, front.flushed()).await.is_ok(),
            None => true,
        }
    }

    /// Ends it when everything is written: for all clones. [`BellyError::Unwritten`] if the backend does not take it within ten
    /// seconds.
    pub async fn close(self) -> Result<(), BellyError> {
        let Some(front) = &self.inner.front else { return Ok(()) };
        front.shut();
        let is_written = self.flush().await;
        for task in self.tasks.end() {
            // It was ended, or has panicked: both is the end of it.
            drop(task.await);
        }
        let is_closed = timeout(CLOSING, front.backend.close()).await.is_ok();
        let lost = self.inner.providers.pending().records + self.inner.values.pending().records;
        if is_written && is_closed {
            return Ok(());
        }
        Err(BellyError::Unwritten { store: self.inner.name.clone(), lost })
    }
}

/// Waits for what a backend was asked.
async fn answer<T>(
    front: &Front,
    asking: impl Future<Output = Result<T, Fault>>,
    doing: &'static str,
) -> Result<T, BellyError> {
    front.came(timeout(ASKING, asking).await.ok(), doing).map_err(BellyError::Away)
}

async fn open_file(path: PathBuf, makes_tables: bool) -> Result<SqliteBelly, BellyError> {
    let store = path.display().to_string();
    let opening = spawn_blocking(move || SqliteBelly::open(&path, makes_tables));
    opening.await.unwrap_or_else(|_| Err(crate::Error::WriterDied { store }.into()))
}

#[cfg(test)]
mod tests;
