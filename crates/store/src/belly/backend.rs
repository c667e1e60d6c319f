//! What keeps the records behind the memory: the same few calls for every backend.
//!
//! A backend is told and asked in batches. Whatever it is told it may be told again, and has to come to the same; of two records
//! of one place it keeps the better one, whoever writes the other.

use std::{sync::Arc, time::Duration};

use kad::{
    protobuf::{Fields, Value},
    records::MAX_VALUE_AGE,
    values::Version,
};

use super::{
    NewProvider, RecordCounts, RecordPage,
    held::micros,
    page::RecordCursor,
    provider::{MAX_LIFETIME_S, NewRecord},
    sqlite::SqliteBelly,
};

#[cfg(feature = "dynamodb")]
use super::dynamo::DynamoBelly;
#[cfg(feature = "postgres")]
use super::postgres::PostgresBelly;

/// A record of a provider as it is written and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProviderRow {
    pub(super) key: Box<[u8]>,
    /// The entry in a message, with all addresses. It begins with the id.
    pub(super) entry: Box<[u8]>,
    pub(super) id_len: usize,
    /// In microseconds since the Unix epoch.
    pub(super) received_us: u64,
    pub(super) lifetime_s: u32,
    pub(super) is_fetched: bool,
}

/// A value as it is written and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueRow {
    pub(super) key: Box<[u8]>,
    pub(super) value: Box<[u8]>,
    pub(super) version: Option<Version>,
    pub(super) received_us: u64,
}

/// What is written at once.
#[derive(Debug, Default)]
pub(super) struct WriteBatch {
    pub(super) providers: Vec<ProviderRow>,
    pub(super) values: Vec<ValueRow>,
}

/// What is asked at once: keys of providers and of values, each once.
#[derive(Debug, Default)]
pub(super) struct ReadBatch {
    pub(super) providers: Vec<Arc<[u8]>>,
    pub(super) values: Vec<Arc<[u8]>>,
    /// What has expired by then is not asked for, in microseconds since the Unix epoch.
    pub(super) now_us: u64,
    /// How many providers of a key are wanted, the newest.
    pub(super) per_key: usize,
}

/// What was answered: the rows of each key behind each other. Keys that no row is of have none.
#[derive(Debug, Default)]
pub(super) struct ReadReply {
    pub(super) providers: Vec<ProviderRow>,
    pub(super) values: Vec<ValueRow>,
    /// How many of the keys of providers were answered: the rest would have been too much at once.
    pub(super) answered: usize,
    /// Rows that no belly has ever written, and that were left out.
    pub(super) damaged: usize,
}

/// The field of an address in a peer's entry (libp2p specification, `kad-dht/README.md`, "RPC messages").
const ADDRESS_FIELD: u64 = 2;

/// Rows of an answer that are too many at once, in bytes.
pub(super) const REPLY_BYTES: usize = 4 << 20;

/// Why a backend did not do what it was asked.
#[derive(Debug)]
pub(super) enum Fault {
    /// It cannot be reached, or cannot do anything now.
    Away(String),
    /// It refuses, or answers what it never should.
    Failed(crate::Error),
}

impl From<crate::Error> for Fault {
    fn from(error: crate::Error) -> Self {
        Self::Failed(error)
    }
}

/// What a backend is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nature {
    /// Whether other processes may write it.
    pub(super) is_shared: bool,
    /// Keys that one statement asks for.
    pub(super) keys_a_read: usize,
    /// Rows that one statement writes.
    pub(super) rows_a_write: usize,
    /// Reads that it is asked at the same time.
    pub(super) readers: usize,
}

/// What a backend notes of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BackendNotes {
    /// Requests that its statements took, where these are more than one each.
    pub(super) requests: Option<u64>,
    pub(super) collisions: u64,
    pub(super) throttled: u64,
    /// Records for which there was no place.
    pub(super) unplaced: u64,
}

/// What keeps the records.
#[derive(Debug)]
pub(super) enum Backend {
    Sqlite(SqliteBelly),
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresBelly>),
    #[cfg(feature = "dynamodb")]
    Dynamo(DynamoBelly),
}

macro_rules! on_each {
    ($self:ident, $backend:ident => $call:expr) => {
        match $self {
            Self::Sqlite($backend) => $call,
            #[cfg(feature = "postgres")]
            Self::Postgres($backend) => $call,
            #[cfg(feature = "dynamodb")]
            Self::Dynamo($backend) => $call,
        }
    };
}

impl Backend {
    /// What it is like.
    pub(super) fn nature(&self) -> Nature {
        match self {
            Self::Sqlite(_) => SqliteBelly::NATURE,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => PostgresBelly::NATURE,
            #[cfg(feature = "dynamodb")]
            Self::Dynamo(backend) => backend.nature(),
        }
    }

    /// What it notes of itself beside what it is asked.
    pub(super) fn notes(&self) -> BackendNotes {
        match self {
            #[cfg(feature = "dynamodb")]
            Self::Dynamo(backend) => backend.notes(),
            _ => BackendNotes::default(),
        }
    }

    /// Writes a batch, all of it or nothing.
    pub(super) async fn write(&self, batch: Arc<WriteBatch>) -> Result<(), Fault> {
        on_each!(self, backend => backend.write(batch).await)
    }

    /// Asks for the records of keys; `reader` is the number of who asks, of as many as its nature says.
    pub(super) async fn read(&self, reader: usize, batch: Arc<ReadBatch>) -> Result<ReadReply, Fault> {
        on_each!(self, backend => backend.read(reader, batch).await)
    }

    /// Whether it answers.
    pub(super) async fn ping(&self) -> Result<(), Fault> {
        on_each!(self, backend => backend.ping().await)
    }

    /// Whether this process is the one that collects for the next `length`, of all that share the backend.
    pub(super) async fn lease(&self, length: Duration) -> Result<bool, Fault> {
        on_each!(self, backend => backend.lease(length).await)
    }

    /// Deletes some of what has expired by now; `true` if there may be more.
    pub(super) async fn collect(&self, now_us: u64) -> Result<bool, Fault> {
        on_each!(self, backend => backend.collect(now_us).await)
    }

    /// Ends what it has open.
    pub(super) async fn close(&self) {
        on_each!(self, backend => backend.close().await);
    }

    /// Deletes what nobody is given of keys with more than so many providers: the oldest.
    pub(super) async fn trim(&self, keys: Arc<Vec<Arc<[u8]>>>, per_key: usize) -> Result<(), Fault> {
        on_each!(self, backend => backend.trim(keys, per_key).await)
    }

    /// How many records it keeps.
    pub(super) async fn counts(&self) -> Result<RecordCounts, Fault> {
        on_each!(self, backend => backend.counts().await)
    }

    /// A page of the records that live at `now_us`.
    pub(super) async fn page(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
        now_us: u64,
    ) -> Result<RecordPage, Fault> {
        on_each!(self, backend => backend.page(after, limit, now_us).await)
    }
}

/// A row about a provider, as a database has its parts, read and put together as the entry of an answer; `None` if no belly has
/// written it.
pub(crate) fn row_again(
    key: &[u8],
    id_and_addrs: (&[u8], &[u8]),
    received_and_lifetime: (i64, i32),
    is_fetched: bool,
) -> Option<Vec<u8>> {
    let row = ProviderRow::of_parts(key, id_and_addrs, received_and_lifetime, is_fetched)?;
    row.record().map(|record| record.provider.entry().to_vec())
}

impl ProviderRow {
    /// A row of the parts in which a database has it; `None` if they are none that were ever written.
    pub(super) fn of_parts(
        key: &[u8],
        (id, addrs): (&[u8], &[u8]),
        (received_us, lifetime_s): (i64, i32),
        is_fetched: bool,
    ) -> Option<Self> {
        let head = [0x0a, u8::try_from(id.len()).ok()?];
        let entry = [&head, id, addrs].concat();
        NewProvider::new(id, &entry)?;
        // Whoever is given the entry reads it as a part of a message.
        let mut fields = Fields::new(addrs);
        if !fields.all(|field| matches!(field, Ok((ADDRESS_FIELD, Value::Bytes(_))))) {
            return None;
        }
        let lifetime_s = u32::try_from(lifetime_s).ok().filter(|&lifetime| lifetime <= MAX_LIFETIME_S)?;
        let received_us = u64::try_from(received_us).ok()?;
        let (key, id_len) = (key.into(), id.len());
        Some(Self { key, entry: entry.into(), id_len, received_us, lifetime_s, is_fetched })
    }

    /// The bytes of the provider's id.
    pub(super) fn id(&self) -> &[u8] {
        self.entry.get(2..2 + self.id_len).unwrap_or_default()
    }

    /// What stands behind the id in the entry: its addresses.
    pub(super) fn addrs(&self) -> &[u8] {
        self.entry.get(2 + self.id_len..).unwrap_or_default()
    }

    /// When it expires, in microseconds since the Unix epoch.
    pub(super) const fn expires_us(&self) -> u64 {
        self.received_us.saturating_add(self.lifetime_s as u64 * 1_000_000)
    }

    /// The same as memory takes it; `None` if it is none.
    pub(super) fn record(&self) -> Option<NewRecord<'_>> {
        let provider = NewProvider::new(self.id(), &self.entry)?;
        let Self { received_us, lifetime_s, is_fetched, .. } = *self;
        Some(NewRecord { provider, received_us, lifetime_s, is_fetched })
    }
}

impl ValueRow {
    /// Until when it is given out, in microseconds since the Unix epoch.
    pub(super) fn expires_us(&self) -> u64 {
        let kept = self.received_us.saturating_add(micros(MAX_VALUE_AGE));
        self.version.map_or(kept, |version| micros(version.valid_until).min(kept))
    }
}

/// The hour of a time in microseconds since the Unix epoch: by it is found what has expired.
pub(super) fn hour(time_us: u64) -> i32 {
    i32::try_from(time_us / 3_600_000_000).unwrap_or(i32::MAX)
}

/// A time as a database has it.
pub(super) fn signed(time_us: u64) -> i64 {
    i64::try_from(time_us).unwrap_or(i64::MAX)
}
