//! Finds the value of a number that [`Interner`](super::intern::Interner) gave.

use std::path::Path;

use kad::{
    Address,
    failure::{Failure, FailureClass, Phase},
};
use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    error::{self, damaged, unknown},
    physical::Refers,
};
use crate::{
    Error,
    cache::Cache,
    limits::{CACHED_ADDRESSES, CACHED_TEXTS},
};

/// What is kept once of one kind: the values met lately, and those that are wanted next.
#[derive(Debug)]
struct Numbered<T> {
    /// A statement that selects what is behind numbers, as a JSON array; each row begins with its number.
    select: &'static str,
    known: Cache<i64, T>,
    wanted: Vec<i64>,
    /// How many are looked up at once at most, and surely remembered until they are asked for.
    at_most: usize,
}

impl<T: Clone> Numbered<T> {
    fn new(select: &'static str, at_most: usize) -> Self {
        Self { select, known: Cache::new(at_most), wanted: Vec::new(), at_most }
    }

    fn want(&mut self, id: i64) {
        if self.wanted.len() < self.at_most && self.known.get(&id).is_none() {
            self.wanted.push(id);
        }
    }

    /// Looks up what is wanted; `read` makes a value of a row.
    fn look_up(
        &mut self,
        (db, path): (&Connection, &Path),
        read: impl Fn(&Row<'_>, i64) -> Result<T, Error>,
    ) -> Result<(), Error> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        self.wanted.sort_unstable();
        self.wanted.dedup();
        let fail = |error| error::reading(path, error);
        let mut select = db.prepare_cached(self.select).map_err(fail)?;
        let mut rows = select.query((serde_json::json!(self.wanted).to_string(),)).map_err(fail)?;
        self.wanted.clear();
        while let Some(row) = rows.next().map_err(fail)? {
            let id = row.get(0).map_err(fail)?;
            self.known.put(id, read(row, id)?);
        }
        Ok(())
    }

    /// The value behind a number.
    fn get(
        &mut self,
        (db, path): (&Connection, &Path),
        id: i64,
        read: impl Fn(&Row<'_>, i64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(value) = self.known.get(&id) {
            return Ok(value);
        }
        // Nobody wanted it before, or too much else was.
        self.wanted.push(id);
        self.look_up((db, path), read)?;
        self.known.get(&id).ok_or_else(|| damaged(path, format!("number {id} has no row: {}", self.select)))
    }
}

/// Reads values by number: many at once, as far as it is known which will be asked for, and remembers those met lately.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    db: &'a Connection,
    path: &'a Path,
    addresses: Numbered<Address>,
    agents: Numbered<String>,
    protocol_sets: Numbered<Vec<String>>,
    failures: Numbered<Failure>,
    names: Numbered<String>,
}

/// The statements that look numbers up.
pub(super) const ADDRESSES: &str = "SELECT address.id, multiaddr FROM json_each(?1) AS wanted CROSS JOIN address ON address.id = wanted.value";
pub(super) const AGENTS: &str =
    "SELECT agent.id, agent FROM json_each(?1) AS wanted CROSS JOIN agent ON agent.id = wanted.value";
pub(super) const PROTOCOL_SETS: &str = "SELECT protocol_set.id, protocols FROM json_each(?1) AS wanted CROSS JOIN protocol_set ON protocol_set.id = wanted.value";
pub(super) const FAILURES: &str = "SELECT failure.id, phase, class, detail FROM json_each(?1) AS wanted CROSS JOIN failure ON failure.id = wanted.value";
pub(super) const NAMES: &str =
    "SELECT name.id, name FROM json_each(?1) AS wanted CROSS JOIN name ON name.id = wanted.value";

impl<'a> Resolver<'a> {
    pub(super) fn new(db: &'a Connection, path: &'a Path) -> Self {
        Self {
            db,
            path,
            addresses: Numbered::new(ADDRESSES, CACHED_ADDRESSES),
            agents: Numbered::new(AGENTS, CACHED_TEXTS),
            protocol_sets: Numbered::new(PROTOCOL_SETS, CACHED_TEXTS),
            failures: Numbered::new(FAILURES, CACHED_TEXTS),
            names: Numbered::new(NAMES, CACHED_TEXTS),
        }
    }

    /// Notes that the value behind a number will be asked for. Of a list each member is one.
    pub(super) fn want(&mut self, refers: Refers, id: i64) {
        match refers {
            Refers::Address | Refers::Addresses | Refers::Fates => self.addresses.want(id),
            Refers::Agent => self.agents.want(id),
            Refers::Protocols => self.protocol_sets.want(id),
            Refers::Failure => self.failures.want(id),
        }
    }

    /// Looks up all that is wanted: a statement for each kind.
    pub(super) fn look_up(&mut self) -> Result<(), Error> {
        let (at, path) = ((self.db, self.path), self.path);
        self.addresses.look_up(at, |row, id| read_address(path, row, id))?;
        self.agents.look_up(at, |row, _| text(path, row))?;
        self.protocol_sets.look_up(at, |row, id| read_protocols(path, row, id))?;
        self.failures.look_up(at, |row, _| read_failure(path, row))
    }

    pub(super) fn address(&mut self, id: i64) -> Result<Address, Error> {
        let path = self.path;
        self.addresses.get((self.db, path), id, |row, id| read_address(path, row, id))
    }

    pub(super) fn agent(&mut self, id: i64) -> Result<String, Error> {
        let path = self.path;
        self.agents.get((self.db, path), id, |row, _| text(path, row))
    }

    pub(super) fn protocols(&mut self, id: i64) -> Result<Vec<String>, Error> {
        let path = self.path;
        self.protocol_sets.get((self.db, path), id, |row, id| read_protocols(path, row, id))
    }

    pub(super) fn failure(&mut self, id: i64) -> Result<Failure, Error> {
        let path = self.path;
        self.failures.get((self.db, path), id, |row, _| read_failure(path, row))
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
        let path = self.path;
        self.names.get((self.db, path), id, |row, _| text(path, row))
    }
}

fn text(path: &Path, row: &Row<'_>) -> Result<String, Error> {
    row.get(1).map_err(|error| error::reading(path, error))
}

/// The address in the second column of a row; an error names it by its number.
pub(super) fn read_address(path: &Path, row: &Row<'_>, id: i64) -> Result<Address, Error> {
    let address = match row.get_ref(1).map_err(|error| error::reading(path, error))? {
        ValueRef::Text(text) => {
            str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(Address::Multiaddr)
        }
        ValueRef::Blob(bytes) => Some(Address::from_bytes(bytes)),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    };
    address.ok_or_else(|| damaged(path, format!("address {id} is none")))
}

fn read_protocols(path: &Path, row: &Row<'_>, id: i64) -> Result<Vec<String>, Error> {
    serde_json::from_str(&text(path, row)?).map_err(|_| damaged(path, format!("protocol set {id} is none")))
}

fn read_failure(path: &Path, row: &Row<'_>) -> Result<Failure, Error> {
    let fail = |error| error::reading(path, error);
    let (phase, class): (String, String) = (text(path, row)?, row.get(2).map_err(fail)?);
    let phase = Phase::from_name(&phase).ok_or_else(|| unknown(path, "phase", &phase))?;
    let class = FailureClass::from_name(&class).ok_or_else(|| unknown(path, "failure class", &class))?;
    Ok(Failure { phase, class, detail: row.get(3).map_err(fail)? })
}
