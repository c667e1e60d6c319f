//! Keeps once what many rows say: finds or makes the number of a value.

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use multiaddr::Multiaddr;
use rusqlite::{Connection, OptionalExtension, params, types::Value};
use sha2::{Digest, Sha256};

use crate::{
    cache::Cache,
    limits::{CACHED_ADDRESSES, CACHED_TEXTS},
};

/// The key of a value in its table's index: 48 bits that nobody can choose.
fn hash(value: &Value) -> i64 {
    let digest = match value {
        Value::Text(text) => Sha256::digest(text),
        Value::Blob(blob) => Sha256::digest(blob),
        Value::Null | Value::Integer(_) | Value::Real(_) => return 0,
    };
    digest.iter().take(6).fold(0, |hash, &byte| (hash << 8) | i64::from(byte))
}

/// A table of values with an index on their hash.
#[derive(Debug, Clone, Copy)]
struct Values {
    find: &'static str,
    insert: &'static str,
}

impl Values {
    fn id(self, connection: &Connection, value: &Value) -> rusqlite::Result<i64> {
        self.find_or_make(connection, value).map(|(id, _)| id)
    }

    /// The number of a value, and whether it was made.
    fn find_or_make(self, connection: &Connection, value: &Value) -> rusqlite::Result<(i64, bool)> {
        let hash = hash(value);
        let found = connection
            .prepare_cached(self.find)?
            .query_row(params![hash, value], |row| row.get(0))
            .optional()?;
        if let Some(id) = found {
            return Ok((id, false));
        }
        Ok((connection.prepare_cached(self.insert)?.insert(params![hash, value])?, true))
    }
}

/// The numbers of values. What it remembers is true only as long as every transaction commits: after a failed one it
/// has to be dropped.
#[derive(Debug)]
pub(super) struct Interner {
    addresses: Cache<Address, i64>,
    agents: Cache<String, i64>,
    protocol_sets: Cache<Vec<String>, i64>,
    failures: Cache<(FailureClass, Phase, Option<Box<str>>), i64>,
    names: Cache<String, i64>,
}

impl Interner {
    pub(super) fn new() -> Self {
        Self {
            addresses: Cache::new(CACHED_ADDRESSES),
            agents: Cache::new(CACHED_TEXTS),
            protocol_sets: Cache::new(CACHED_TEXTS),
            failures: Cache::new(CACHED_TEXTS),
            names: Cache::new(CACHED_TEXTS),
        }
    }

    pub(super) fn address(&mut self, db: &Connection, address: &Address) -> rusqlite::Result<i64> {
        const ADDRESS: Values = Values {
            find: "SELECT id FROM address WHERE hash = ?1 AND multiaddr = ?2",
            insert: "INSERT INTO address (hash, multiaddr) VALUES (?1, ?2)",
        };
        self.addresses.get_or_try(address, || ADDRESS.id(db, &address_value(address)))
    }

    pub(super) fn agent(&mut self, db: &Connection, agent: &str) -> rusqlite::Result<i64> {
        const AGENT: Values = Values {
            find: "SELECT id FROM agent WHERE hash = ?1 AND agent = ?2",
            insert: "INSERT INTO agent (hash, agent) VALUES (?1, ?2)",
        };
        self.agents.get_or_try(agent, || AGENT.id(db, &Value::Text(agent.to_owned())))
    }

    pub(super) fn protocols(&mut self, db: &Connection, protocols: &[String]) -> rusqlite::Result<i64> {
        const PROTOCOLS: Values = Values {
            find: "SELECT id FROM protocol_set WHERE hash = ?1 AND protocols = ?2",
            insert: "INSERT INTO protocol_set (hash, protocols) VALUES (?1, ?2)",
        };
        self.protocol_sets.get_or_try(protocols, || {
            PROTOCOLS.id(db, &Value::Text(serde_json::json!(protocols).to_string()))
        })
    }

    pub(super) fn failure(&mut self, db: &Connection, failure: &Failure) -> rusqlite::Result<i64> {
        const FIND: &str = "SELECT id FROM failure WHERE class = ?1 AND phase = ?2 AND detail IS ?3";
        const INSERT: &str = "INSERT INTO failure (class, phase, detail) VALUES (?1, ?2, ?3)";
        let key = (failure.class, failure.phase, failure.detail.clone());
        self.failures.get_or_try(&key, || {
            let values = (failure.class.name(), failure.phase.name(), failure.detail.as_deref());
            find_or_insert(db, FIND, INSERT, values)
        })
    }

    pub(super) fn name(&mut self, db: &Connection, name: &str) -> rusqlite::Result<i64> {
        const FIND: &str = "SELECT id FROM name WHERE name = ?1";
        const INSERT: &str = "INSERT INTO name (name) VALUES (?1)";
        self.names.get_or_try(name, || find_or_insert(db, FIND, INSERT, (name,)))
    }
}

/// The number of a peer, and whether it was new, which no run asks for twice: nothing is remembered.
pub(super) fn peer(db: &Connection, peer: kad::PeerId) -> rusqlite::Result<(i64, bool)> {
    const PEER: Values = Values {
        find: "SELECT id FROM peer WHERE hash = ?1 AND peer_id = ?2",
        insert: "INSERT INTO peer (hash, peer_id) VALUES (?1, ?2)",
    };
    PEER.find_or_make(db, &Value::Text(peer.to_base58()))
}

/// The number of a peer; `None` if no run has heard of it.
pub(super) fn find_peer(db: &Connection, peer: &kad::PeerId) -> rusqlite::Result<Option<i64>> {
    let value = Value::Text(peer.to_base58());
    let sql = "SELECT id FROM peer WHERE hash = ?1 AND peer_id = ?2";
    db.prepare_cached(sql)?.query_row(params![hash(&value), value], |row| row.get(0)).optional()
}

fn find_or_insert<P>(db: &Connection, find: &str, insert: &str, values: P) -> rusqlite::Result<i64>
where
    P: rusqlite::Params + Copy,
{
    let found = db.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()?;
    found.map_or_else(|| db.prepare_cached(insert)?.insert(values), Ok)
}

/// An address as text, or as bytes where there is no text or it would be read back as something else.
fn address_value(address: &Address) -> Value {
    if let Some(address) = address.multiaddr() {
        let text = address.to_string();
        if text.parse::<Multiaddr>().is_ok_and(|parsed| parsed == *address) {
            return Value::Text(text);
        }
    }
    Value::Blob(address.as_bytes().to_vec())
}
