//! Numbers for what is kept once over all runs: peers, addresses, agents, sets of protocols, failures.
//!
//! The numbers of a whole batch are found by one question a kind, all of them on the way at once. What is not there yet is added
//! in one transaction, where there is much of a kind by COPY; in a database to which all is new it is not looked for before. Kinds
//! follow each other and values their keys: of several writers that add the same, one waits for the other and never both. A number
//! that no row comes to use harms nobody.

use std::{borrow::Cow, collections::BTreeMap};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use tokio_postgres::{
    Client, Row, Transaction,
    error::SqlState,
    types::{ToSql, Type},
};

use super::{copy::CopyIn, text::SEPARATOR, values::Key};
use crate::{
    cache::Cache,
    limits::{CACHED_ADDRESSES, CACHED_PEERS, CACHED_TEXTS},
};

/// From so many new values of a kind on they are copied: a COPY takes more questions than an INSERT, and less a value.
const MANY: usize = 16;

/// What is added is there for good when the batch is that refers to it, which is committed later: nobody has to wait for it before.
/// A server that loses it loses the connection too, and with that all that is remembered here.
const WITH_THE_BATCH: &str = "SET LOCAL synchronous_commit = off";

/// A value as it is written.
#[derive(Debug)]
pub(crate) struct New {
    /// By which the database knows it.
    pub(crate) key: Key,
    /// What stands beside the key.
    pub(crate) texts: [Option<String>; 3],
    pub(crate) raw: Option<Vec<u8>>,
}

/// Something that a dictionary has a number for.
pub(crate) trait Once {
    /// Bytes that nothing else of its kind has.
    fn bytes(&self) -> Cow<'_, [u8]>;
    /// What is written of it.
    fn written(&self) -> New;
}

/// How a kind of values lies in its table.
#[derive(Debug)]
struct Place {
    table: &'static str,
    /// The column with the key, and the type of arrays of keys.
    key: (&'static str, Type),
    /// What stands beside number and key.
    columns: &'static [&'static str],
    /// What an INSERT has for them: SQL over the texts `a`, `b`, `c` and the bytes `raw`.
    values: String,
    /// Whether these are none, or the first text and the bytes: then they can be copied.
    is_plain: bool,
}

/// A kind of values that are kept once.
#[derive(Debug)]
pub(crate) struct Dictionary {
    place: Place,
    /// Met lately; in some batch before.
    known: Cache<Box<[u8]>, i32>,
    /// Of the batch in hand; `None` as long as it is missing.
    batch: HashMap<Box<[u8]>, Option<i32>, RandomState>,
    missing: BTreeMap<Key, (Box<[u8]>, New)>,
    /// How many batches in a row had nothing that was there, and after how many it is believed that the next has not, either.
    all_new: u32,
    doubt: u32,
}

impl Dictionary {
    fn new(place: Place, remembered: usize) -> Self {
        let known = Cache::new(remembered);
        Self { place, known, batch: HashMap::default(), missing: BTreeMap::new(), all_new: 0, doubt: 0 }
    }

    /// Notes that the batch has a value.
    pub(crate) fn want(&mut self, value: &impl Once) {
        let bytes = value.bytes();
        if self.batch.contains_key(&*bytes) {
            return;
        }
        let id = self.known.get(&*bytes);
        if id.is_none() {
            let new = value.written();
            self.missing.insert(new.key.clone(), (Box::from(&*bytes), new));
        }
        self.batch.insert(bytes.into(), id);
    }

    /// The number of a value of the batch; `None` if it was not wanted.
    pub(crate) fn id(&self, value: &impl Once) -> Option<i32> {
        self.batch.get(&*value.bytes()).copied().flatten()
    }

    /// Finds what is there, unless it is believed that nothing is.
    async fn look_for_old(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        let wanted = self.missing.len();
        if !self.place.is_plain || wanted < MANY {
            return self.look_up(sql).await;
        }
        if self.all_new <= self.doubt {
            self.look_up(sql).await?;
            self.all_new = if self.missing.len() == wanted { self.all_new.saturating_add(1) } else { 0 };
        }
        Ok(())
    }

    /// Some of what was believed to be new was there.
    fn doubt_it(&mut self) {
        self.all_new = 0;
        self.doubt = self.doubt.saturating_mul(2).saturating_add(1);
    }

    async fn look_up(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let Place { table, key: (key, keys), .. } = &self.place;
        // As two arrays: the driver has some work with each row.
        let find = format!("SELECT array_agg({key}), array_agg(id) FROM {table} WHERE {key} = ANY ($1)");
        let missing: Vec<_> = self.missing.keys().collect();
        let found = sql.query_typed_one(&find, &[(&missing, keys.clone())]).await?;
        self.note(&found)
    }

    /// Adds what is missing; returns the numbers of all of it, in its order, where it was copied.
    async fn add(
        &self,
        transaction: &Transaction<'_>,
        nobody_else: bool,
    ) -> Result<Option<Vec<i32>>, tokio_postgres::Error> {
        match self.missing.len() {
            0 => Ok(None),
            MANY.. if nobody_else && self.place.is_plain => self.copy(transaction).await.map(Some),
            _ => self.insert(transaction).await.map(|()| None),
        }
    }

    /// By COPY, with numbers that are taken before. Fails if somebody else adds one of them.
    async fn copy(&self, transaction: &Transaction<'_>) -> Result<Vec<i32>, tokio_postgres::Error> {
        let Place { table, key: (key, _), columns, .. } = &self.place;
        let take = format!(
            "SELECT array_agg(nextval('{table}_id_seq')::integer) FROM generate_series(1::bigint, $1)"
        );
        let count = i64::try_from(self.missing.len()).unwrap_or(i64::MAX);
        let taken = transaction.query_typed_one(&take, &[(&count, Type::INT8)]).await?;
        let ids: Vec<i32> = taken.try_get(0)?;
        let names: Vec<_> = ["id", key].iter().chain(*columns).copied().collect();
        let mut copy = CopyIn::begin(transaction, table, &names).await?;
        for ((key, (_, new)), id) in self.missing.iter().zip(&ids) {
            let row = copy.row().await?;
            row.int(*id);
            row.raw(&key.0);
            if !columns.is_empty() {
                row.text(new.texts[0].as_deref());
                row.bytes(new.raw.as_deref());
            }
        }
        copy.finish().await?;
        Ok(ids)
    }

    /// What somebody else has added meanwhile is left out.
    async fn insert(&self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        let Place { table, key: (key, keys), columns, values, .. } = &self.place;
        let columns: String = columns.iter().flat_map(|column| [", ", column]).collect();
        let insert = format!(
            "INSERT INTO {table} ({key}{columns}) SELECT key{values}
             FROM unnest($1, $2::text[], $3::text[], $4::text[], $5::bytea[]) AS new (key, a, b, c, raw)
             ON CONFLICT ({key}) DO NOTHING"
        );
        let missing: Vec<_> = self.missing.keys().collect();
        let texts =
            |i: usize| self.missing.values().map(|(_, new)| new.texts[i].as_deref()).collect::<Vec<_>>();
        let (a, b, c) = (texts(0), texts(1), texts(2));
        let raw: Vec<_> = self.missing.values().map(|(_, new)| new.raw.as_deref()).collect();
        let of_text = Type::TEXT_ARRAY;
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&missing, keys.clone()),
            (&a, of_text.clone()),
            (&b, of_text.clone()),
            (&c, of_text),
            (&raw, Type::BYTEA_ARRAY),
        ];
        transaction.query_typed(&insert, &parameters).await.map(drop)
    }

    /// Remembers what the database has: keys and their numbers, NULL where there are none.
    fn note(&mut self, found: &Row) -> Result<(), tokio_postgres::Error> {
        let (keys, ids): (Option<Vec<Key>>, Option<Vec<i32>>) = (found.try_get(0)?, found.try_get(1)?);
        for (key, id) in keys.unwrap_or_default().into_iter().zip(ids.unwrap_or_default()) {
            if let Some((bytes, _)) = self.missing.remove(&key) {
                self.remember(bytes, id);
            }
        }
        Ok(())
    }

    /// Remembers that all that was missing has these numbers.
    fn note_all(&mut self, ids: Vec<i32>) {
        for ((_, (bytes, _)), id) in std::mem::take(&mut self.missing).into_iter().zip(ids) {
            self.remember(bytes, id);
        }
    }

    fn remember(&mut self, bytes: Box<[u8]>, id: i32) {
        if let Some(wanted) = self.batch.get_mut(&bytes) {
            *wanted = Some(id);
        }
        self.known.put(bytes, id);
    }

    fn forget_batch(&mut self) {
        self.batch.clear();
        self.missing.clear();
    }
}

/// Every kind.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    pub(crate) peers: Dictionary,
    pub(crate) addresses: Dictionary,
    pub(crate) agents: Dictionary,
    pub(crate) protocol_sets: Dictionary,
    pub(crate) failures: Dictionary,
}

impl Dictionaries {
    pub(crate) fn new() -> Self {
        let by_hash = |table, columns, values: &str, is_plain| Place {
            table,
            key: ("hash", Type::UUID_ARRAY),
            columns,
            values: values.to_owned(),
            is_plain,
        };
        let peers = Place {
            table: "peer",
            key: ("peer_id", Type::TEXT_ARRAY),
            columns: &[],
            values: String::new(),
            is_plain: true,
        };
        // Each text of a set follows a separator, so that a set of one empty text is none of nothing.
        let set = format!(", (string_to_array(a, '{SEPARATOR}'))[2:]");
        let addresses = by_hash("address", &["multiaddr", "raw"], ", a, raw", true);
        let sets = by_hash("protocol_set", &["protocols"], &set, false);
        let failures =
            by_hash("failure", &["class", "phase", "detail"], ", a::failure_class, b::phase, c", false);
        Self {
            peers: Dictionary::new(peers, CACHED_PEERS),
            addresses: Dictionary::new(addresses, CACHED_ADDRESSES),
            agents: Dictionary::new(by_hash("agent", &["agent"], ", a", false), CACHED_TEXTS),
            protocol_sets: Dictionary::new(sets, CACHED_TEXTS),
            failures: Dictionary::new(failures, CACHED_TEXTS),
        }
    }

    fn each(&mut self) -> [&mut Dictionary; 5] {
        let Self { peers, addresses, agents, protocol_sets, failures } = self;
        [peers, addresses, agents, protocol_sets, failures]
    }

    /// Finds or adds all that was wanted since [`forget_batch`](Self::forget_batch).
    pub(crate) async fn resolve(&mut self, sql: &mut Client) -> Result<(), tokio_postgres::Error> {
        let [peers, addresses, agents, sets, failures] = self.each().map(|kind| kind.look_for_old(sql));
        tokio::try_join!(peers, addresses, agents, sets, failures)?;
        match self.add(sql, true).await {
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                self.each().into_iter().for_each(Dictionary::doubt_it);
                self.look_up(sql).await?;
                self.add(sql, false).await?;
            }
            added => added?,
        }
        // What was not copied, and what somebody else has added.
        self.look_up(sql).await
    }

    async fn look_up(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        let [peers, addresses, agents, sets, failures] = self.each().map(|kind| kind.look_up(sql));
        tokio::try_join!(peers, addresses, agents, sets, failures).map(drop)
    }

    /// Adds what is missing; `nobody_else` is believed to add any of it.
    async fn add(&mut self, sql: &mut Client, nobody_else: bool) -> Result<(), tokio_postgres::Error> {
        if self.each().iter().all(|kind| kind.missing.is_empty()) {
            return Ok(());
        }
        let transaction = sql.transaction().await?;
        transaction.batch_execute(WITH_THE_BATCH).await?;
        let mut added = Vec::new();
        for kind in self.each() {
            added.push(kind.add(&transaction, nobody_else).await?);
        }
        transaction.commit().await?;
        for (kind, ids) in self.each().into_iter().zip(added) {
            if let Some(ids) = ids {
                kind.note_all(ids);
            }
        }
        Ok(())
    }

    /// Begins another batch.
    pub(crate) fn forget_batch(&mut self) {
        for dictionary in self.each() {
            dictionary.forget_batch();
        }
    }
}
