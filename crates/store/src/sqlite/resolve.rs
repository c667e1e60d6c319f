//! Finds the value of a number that [`Interner`](super::intern::Interner) gave.

use std::path::Path;

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use rusqlite::{Connection, OptionalExtension, types::Value};

use super::error::{self, damaged, unknown};
use crate::{
    Error,
    cache::Cache,
    limits::{CACHED_ADDRESSES, CACHED_TEXTS},
};

/// Reads values by number, and remembers those met lately.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    db: &'a Connection,
    path: &'a Path,
    addresses: Cache<i64, Address>,
    agents: Cache<i64, String>,
    protocol_sets: Cache<i64, Vec<String>>,
    failures: Cache<i64, Failure>,
    names: Cache<i64, String>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(db: &'a Connection, path: &'a Path) -> Self {
        Self {
            db,
            path,
            addresses: Cache::new(CACHED_ADDRESSES),
            agents: Cache::new(CACHED_TEXTS),
            protocol_sets: Cache::new(CACHED_TEXTS),
            failures: Cache::new(CACHED_TEXTS),
            names: Cache::new(CACHED_TEXTS),
        }
    }

    pub(super) fn address(&mut self, id: i64) -> Result<Address, Error> {
        let (db, path) = (self.db, self.path);
        self.addresses.get_or_try(&id, || {
            let value = find(db, path, "SELECT multiaddr FROM address WHERE id = ?1", id, |row| row.get(0))?;
            let address = match value {
                Value::Text(text) => text.parse().ok().map(Address::Multiaddr),
                Value::Blob(bytes) => Some(Address::from_bytes(&bytes)),
                Value::Null | Value::Integer(_) | Value::Real(_) => None,
            };
            address.ok_or_else(|| damaged(path, format!("address {id} is none")))
        })
    }

    pub(super) fn agent(&mut self, id: i64) -> Result<String, Error> {
        let (db, path) = (self.db, self.path);
        self.agents
            .get_or_try(&id, || find(db, path, "SELECT agent FROM agent WHERE id = ?1", id, |row| row.get(0)))
    }

    pub(super) fn protocols(&mut self, id: i64) -> Result<Vec<String>, Error> {
        let (db, path) = (self.db, self.path);
        self.protocol_sets.get_or_try(&id, || {
            let sql = "SELECT protocols FROM protocol_set WHERE id = ?1";
            let text: String = find(db, path, sql, id, |row| row.get(0))?;
            serde_json::from_str(&text).map_err(|_| damaged(path, format!("protocol set {id} is none")))
        })
    }

    pub(super) fn failure(&mut self, id: i64) -> Result<Failure, Error> {
        let (db, path) = (self.db, self.path);
        self.failures.get_or_try(&id, || {
            let sql = "SELECT phase, class, detail FROM failure WHERE id = ?1";
            let get = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let (phase, class, detail): (String, String, Option<Box<str>>) = find(db, path, sql, id, get)?;
            let phase = Phase::from_name(&phase).ok_or_else(|| unknown(path, "phase", &phase))?;
            let class =
                FailureClass::from_name(&class).ok_or_else(|| unknown(path, "failure class", &class))?;
            Ok(Failure { phase, class, detail })
        })
    }

    /// The variant whose name has the number `id`, found by `variant`; `vocabulary` says what it is for an error.
    pub(super) fn variant<T>(
        &mut self,
        id: i64,
        vocabulary: &'static str,
        variant: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let name = self.name(id)?;
        variant(&name).ok_or_else(|| unknown(self.path, vocabulary, &name))
    }

    pub(super) fn name(&mut self, id: i64) -> Result<String, Error> {
        let (db, path) = (self.db, self.path);
        self.names
            .get_or_try(&id, || find(db, path, "SELECT name FROM name WHERE id = ?1", id, |row| row.get(0)))
    }
}

fn find<T>(
    db: &Connection,
    path: &Path,
    sql: &str,
    id: i64,
    get: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, Error> {
    let found = db.prepare_cached(sql).and_then(|mut select| select.query_row((id,), get).optional());
    found
        .map_err(|error| error::reading(path, error))?
        .ok_or_else(|| damaged(path, format!("number {id} has no row: {sql}")))
}
