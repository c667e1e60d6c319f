//! Numbers for what is kept once over all runs: peers, addresses, agents, sets of protocols, failures.
//!
//! The numbers of a whole batch are found by one question a kind; what is not there yet is added by one more. Each question
//! commits by itself, and adds in the order of the hashes: of several writers that add the same, one waits for the other and
//! never both. A number that no row comes to use harms nobody.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Client;

use super::{text::SEPARATOR, values::Hash};
use crate::cache::Cache;

/// What is written of a new value: up to three texts, by the statement of its kind.
pub(crate) type Texts = [Option<String>; 3];

/// A kind of values that are kept once.
#[derive(Debug)]
pub(crate) struct Dictionary {
    find: String,
    insert: String,
    /// Met lately; in some batch before.
    known: Cache<Hash, i32>,
    /// Of the batch in hand.
    batch: HashMap<Hash, i32, RandomState>,
    /// Of the batch, and not known.
    missing: BTreeMap<Hash, Texts>,
}

impl Dictionary {
    /// Of a table; `columns` and the values for them, of the texts `a`, `b` and `c`.
    fn new(table: &str, columns: &str, values: &str, remembered: usize) -> Self {
        Self {
            find: format!("SELECT hash, id FROM {table} WHERE hash = ANY ($1)"),
            insert: format!(
                "INSERT INTO {table} (hash, {columns})
                 SELECT hash, {values} FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS new (hash, a, b, c)
                 ORDER BY hash ON CONFLICT (hash) DO NOTHING RETURNING hash, id"
            ),
            known: Cache::new(remembered),
            batch: HashMap::default(),
            missing: BTreeMap::new(),
        }
    }

    /// Notes that the batch has a value; `texts` is asked for once if it is not known.
    fn want(&mut self, hash: Hash, texts: impl FnOnce() -> Texts) {
        if self.batch.contains_key(&hash) || self.missing.contains_key(&hash) {
            return;
        }
        match self.known.get(&hash) {
            Some(id) => drop(self.batch.insert(hash, id)),
            None => drop(self.missing.insert(hash, texts())),
        }
    }

    /// The number of a value of the batch; `None` if it was not wanted.
    pub(crate) fn id(&self, hash: Hash) -> Option<i32> {
        self.batch.get(&hash).copied()
    }

    /// Finds or adds all that is missing.
    async fn resolve(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        self.look_up(sql).await?;
        if !self.missing.is_empty() {
            self.add(sql).await?;
            // Somebody else may have added some in between.
            self.look_up(sql).await?;
        }
        Ok(())
    }

    async fn look_up(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let hashes: Vec<_> = self.missing.keys().copied().collect();
        let found =
            sql.query_typed(&self.find, &[(&hashes, tokio_postgres::types::Type::UUID_ARRAY)]).await?;
        self.note(&found)
    }

    async fn add(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        use tokio_postgres::types::Type;
        let hashes: Vec<_> = self.missing.keys().copied().collect();
        let [a, b, c] =
            [0, 1, 2].map(|i| self.missing.values().map(|texts| texts[i].as_deref()).collect::<Vec<_>>());
        let texts = Type::TEXT_ARRAY;
        let added = sql
            .query_typed(
                &self.insert,
                &[(&hashes, Type::UUID_ARRAY), (&a, texts.clone()), (&b, texts.clone()), (&c, texts)],
            )
            .await?;
        self.note(&added)
    }

    fn note(&mut self, rows: &[tokio_postgres::Row]) -> Result<(), tokio_postgres::Error> {
        for row in rows {
            let (hash, id) = (row.try_get(0)?, row.try_get(1)?);
            self.missing.remove(&hash);
            self.known.put(hash, id);
            self.batch.insert(hash, id);
        }
        Ok(())
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
        use crate::limits::{CACHED_ADDRESSES, CACHED_PEERS, CACHED_TEXTS};
        // Each text of a set follows a separator, so that a set of one empty text is none of nothing.
        let set = format!("(string_to_array(a, '{SEPARATOR}'))[2:]");
        Self {
            peers: Dictionary::new("peer", "peer_id", "a", CACHED_PEERS),
            addresses: Dictionary::new("address", "multiaddr, raw", "a, decode(b, 'hex')", CACHED_ADDRESSES),
            agents: Dictionary::new("agent", "agent", "a", CACHED_TEXTS),
            protocol_sets: Dictionary::new("protocol_set", "protocols", &set, CACHED_TEXTS),
            failures: Dictionary::new(
                "failure",
                "class, phase, detail",
                "a::failure_class, b::phase, c",
                CACHED_TEXTS,
            ),
        }
    }

    fn each(&mut self) -> [&mut Dictionary; 5] {
        let Self { peers, addresses, agents, protocol_sets, failures } = self;
        [peers, addresses, agents, protocol_sets, failures]
    }

    /// Finds or adds all that was wanted since [`forget_batch`](Self::forget_batch).
    pub(crate) async fn resolve(&mut self, sql: &Client) -> Result<(), tokio_postgres::Error> {
        for dictionary in self.each() {
            dictionary.resolve(sql).await?;
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

/// The hash of something that consists of parts: each is hashed with its length.
pub(crate) fn hash(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    let mut hash = [0; 16];
    hash.iter_mut().zip(sha.finalize()).for_each(|(to, from)| *to = from);
    Hash(hash)
}

/// Something that a dictionary has a number for.
pub(crate) trait Once {
    /// By which it is known.
    fn hash(&self) -> Hash;
    /// What is written of it.
    fn texts(&self) -> Texts;

    /// Notes that the batch has it.
    fn want(&self, dictionary: &mut Dictionary) {
        dictionary.want(self.hash(), || self.texts());
    }
}
