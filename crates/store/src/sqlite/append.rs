//! Turns the rows of one run into SQL.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter, types::Value};
use schema::{
    PeerNumber, Row, RunEnd, RunStart, TABLES, Table, Timestamp,
    cell::Cell,
    table::{Holds, List},
};

use super::{
    alive::Alive,
    codec::{self, micros},
    encounter::{About, Encounters, address_list, integer},
    error,
    intern::{self, Interner},
    open::{self, is_busy},
    physical,
    place::Place,
};
use crate::{
    Error, Limits, Totals,
    cache::Cache,
    limits::{CACHED_PEERS, LOCK_ATTEMPTS},
};

/// Appends the rows of one run. After an error it must not be used again.
#[derive(Debug)]
pub(crate) struct Appender {
    connection: Connection,
    path: PathBuf,
    place: Place,
    busy_timeout: Duration,
    run: i64,
    began: Timestamp,
    memory: Memory,
    /// How often what nothing refers to had been deleted when `memory` was true.
    swept: i64,
    batch: BTreeMap<&'static str, Span>,
    inserts: Vec<(&'static str, String)>,
    totals: Totals,
    /// Held as long as this process makes the run.
    _alive: Alive,
}

/// The numbers of what was met lately.
#[derive(Debug)]
struct Memory {
    interner: Interner,
    encounters: Encounters,
    peers: Cache<u32, About>,
}

/// The rows of one table that a batch holds.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
    /// The earliest and the latest start of an encounter among them.
    started: Option<(i64, i64)>,
}

impl Memory {
    fn new() -> Self {
        Self { interner: Interner::new(), encounters: Encounters::new(), peers: Cache::new(CACHED_PEERS) }
    }
}

impl Appender {
    /// Begins a run in the file at `path`, of which so many visits were pruned elsewhere. `alive` says to others that it goes on.
    pub(super) fn begin(
        connection: Connection,
        path: PathBuf,
        (start, pruned, alive): (&RunStart, u64, Alive),
        limits: &Limits,
    ) -> Result<Self, Error> {
        let busy_timeout = limits.busy_timeout;
        let fail = |error| error::named(&path, BEGIN, busy_timeout, error);
        let place =
            Place::of(&path).map_err(|source| Error::Io { path: path.clone(), operation: BEGIN, source })?;
        connection.busy_timeout(busy_timeout / LOCK_ATTEMPTS).map_err(fail)?;
        lock(&connection, &path).map_err(fail)?;
        let run = insert_run(&connection, start, pruned)
            .and_then(|run| connection.execute_batch("COMMIT").map(|()| run))
            .map_err(|error| {
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
                    return Error::RunExists { store: path.display().to_string(), id: start.id };
                }
                fail(error)
            })?;
        Ok(Self {
            connection,
            path,
            place,
            busy_timeout,
            run,
            began: start.started_at,
            memory: Memory::new(),
            swept: -1,
            batch: BTreeMap::new(),
            inserts: TABLES.iter().map(|table| (table.name, physical::insert(table))).collect(),
            totals: Totals { rows: pruned, visits: pruned, ..Totals::default() },
            _alive: alive,
        })
    }

    /// Appends rows, created `now`, in one transaction; returns what the run has by now.
    pub(crate) fn append(&mut self, rows: &[Row], now: Timestamp) -> Result<Totals, Error> {
        self.transaction("append rows", |this| {
            let before = this.totals.edges;
            this.batch.clear();
            this.check_memory()?;
            for row in rows {
                this.row(row)?;
            }
            this.note_batch(now)?;
            let Totals { peers, rows, visits, edges, .. } = this.totals;
            this.connection
                .prepare_cached(
                    "UPDATE run SET peer_count = ?2, row_count = ?3 - pruned_count, visit_count = ?4 - pruned_count,
                         edge_count = edge_count + ?5 WHERE id = ?1",
                )?
                .execute(params![this.run, integer(peers), integer(rows), integer(visits), integer(edges - before)])?;
            Ok(this.totals)
        })
    }

    /// Writes the end of the run.
    pub(crate) fn end(&mut self, end: &RunEnd) -> Result<Totals, Error> {
        self.transaction("end the run", |this| {
            this.connection.execute(
                "UPDATE run SET finished_at_us = ?2, state = ?3, summary = ?4 WHERE id = ?1",
                params![this.run, end.finished_at.0, end.state.name(), end.summary.to_string()],
            )?;
            Ok(this.totals)
        })
    }

    fn transaction<T>(
        &mut self,
        operation: &'static str,
        run: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.check_place(operation)?;
        let (path, waited) = (self.path.clone(), self.busy_timeout);
        let fail = |error| error::named(&path, operation, waited, error);
        lock(&self.connection, &path).map_err(fail)?;
        let done = run(self).and_then(|done| self.connection.execute_batch("COMMIT").map(|()| done));
        let done = done.map_err(|error| {
            // SQLite may have rolled back by itself; then there is nothing to do, and it says so by an error.
            if let Err(error) = self.connection.execute_batch("ROLLBACK") {
                tracing::debug!(%error, "rolled back already");
            }
            fail(error)
        })?;
        // What was written to a file that has gone is lost, whatever SQLite says.
        self.check_place(operation)?;
        Ok(done)
    }

    fn check_place(&self, operation: &'static str) -> Result<(), Error> {
        self.place.check(operation).inspect_err(|_| open::leave_log(&self.connection))
    }

    /// Forgets the numbers of what somebody else may have deleted meanwhile.
    fn check_memory(&mut self) -> rusqlite::Result<()> {
        let swept =
            self.connection.prepare_cached("SELECT count FROM sweep")?.query_row((), |row| row.get(0))?;
        if swept != self.swept {
            self.memory = Memory::new();
            self.swept = swept;
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> rusqlite::Result<()> {
        if let Row::Peer(number, peer) = row {
            return self.peer(*number, *peer);
        }
        let Some(table) = row.table() else { return Ok(()) };
        let id = self.insert(table, row)?;
        self.totals.rows += 1;
        self.totals.visits += u64::from(matches!(row, Row::Visit(_)));
        let started = row.encounter().map(|encounter| encounter.started_at.0);
        let span = self.batch.entry(table.name).or_insert(Span { first: id, last: id, started: None });
        span.last = id;
        if let Some(at) = started {
            let (earliest, latest) = span.started.unwrap_or((at, at));
            span.started = Some((earliest.min(at), latest.max(at)));
        }
        Ok(())
    }

    fn peer(&mut self, number: PeerNumber, peer: kad::PeerId) -> rusqlite::Result<()> {
        let (id, is_new) = intern::peer(&self.connection, peer)?;
        self.connection
            .prepare_cached("INSERT INTO run_peer (run, number, peer) VALUES (?1, ?2, ?3)")?
            .execute(params![self.run, number.0, id])?;
        self.memory.peers.put(number.0, About { peer: id, is_new });
        self.totals.peers += 1;
        Ok(())
    }

    /// The peer that a row is about, by its number in the run.
    fn about(&mut self, number: PeerNumber) -> rusqlite::Result<About> {
        if let Some(about) = self.memory.peers.get(&number.0) {
            return Ok(about);
        }
        let sql = "SELECT peer FROM run_peer WHERE run = ?1 AND number = ?2";
        let found = self.connection.prepare_cached(sql)?.query_row((self.run, number.0), |row| row.get(0));
        // A row about a peer that was never introduced is refused by the reference.
        let about = About { peer: found.optional()?.unwrap_or(-1), is_new: false };
        self.memory.peers.put(number.0, about);
        Ok(about)
    }

    fn insert(&mut self, table: &'static Table, row: &Row) -> rusqlite::Result<i64> {
        let mut values: Vec<Value> = Vec::with_capacity(40);
        values.push(self.run.into());
        let cells = row.cells();
        let mut own = table.columns.iter().zip(&cells);
        let mut about = About { peer: -1, is_new: false };
        if table.has_subject()
            && let Some((_, Cell::Peer(number))) = own.next()
        {
            about = self.about(*number)?;
            values.extend([about.peer.into(), i64::from(number.0).into()]);
        }
        let Self { connection: db, memory, totals, .. } = self;
        if let Some(encounter) = row.encounter() {
            let whose = (about, self.began);
            values.extend(memory.encounters.values(db, &mut memory.interner, whose, encounter)?);
        }
        for (column, cell) in own {
            push(db, &mut memory.interner, &mut values, (cell, column.holds))?;
            if let (Row::Visit(_), Holds::List(List::Peers), [.., Value::Integer(count), _]) =
                (row, column.holds, values.as_slice())
            {
                totals.edges += count.cast_unsigned();
            }
        }
        let insert = self.inserts.iter().find(|(name, _)| *name == table.name).map(|(_, sql)| sql.as_str());
        db.prepare_cached(insert.unwrap_or_default())?.insert(params_from_iter(values))
    }

    /// Says of each table which of its rows this batch made.
    fn note_batch(&mut self, now: Timestamp) -> rusqlite::Result<()> {
        let Self { connection: db, memory, batch, run, .. } = self;
        for (table, span) in batch {
            let kind = memory.interner.name(db, table)?;
            let (earliest, latest) = span.started.unzip();
            db.prepare_cached(
                "INSERT INTO batch (kind, first, last, run, created_at_us, earliest_us, latest_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![kind, span.first, span.last, *run, now.0, earliest, latest])?;
        }
        Ok(())
    }
}

/// Appends what is kept of a value, in as many columns as [`physical`] says.
fn push(
    db: &Connection,
    interner: &mut Interner,
    values: &mut Vec<Value>,
    (cell, holds): (&Cell<'_>, Holds),
) -> rusqlite::Result<()> {
    let value: Value = match cell {
        Cell::Absent => Value::Null,
        Cell::Peer(number) => i64::from(number.0).into(),
        Cell::Time(time) => time.0.into(),
        Cell::Duration(duration) => micros(*duration).into(),
        Cell::Count(count) => integer(*count).into(),
        Cell::Flag(flag) => i64::from(*flag).into(),
        Cell::Name(name) => interner.name(db, name)?.into(),
        Cell::Text(text) => text.clone().into_owned().into(),
        Cell::Texts(texts) if texts.is_empty() => Value::Null,
        Cell::Texts(texts) => interner.protocols(db, texts)?.into(),
        Cell::Bytes(bytes) => bytes.clone().into_owned().into(),
        Cell::Address(address) => interner.address(db, address)?.into(),
        Cell::Failure(failure) => interner.failure(db, failure)?.into(),
        Cell::Addresses(addresses) => address_list(db, interner, addresses)?.into(),
        Cell::Prefixes(prefixes) => {
            codec::encode_prefixes(prefixes, |class| interner.name(db, class.name()))?.into()
        }
        Cell::Peers(peers) => {
            let (blob, count) = codec::encode_neighbors(peers);
            values.push(integer(count as u64).into());
            blob.into()
        }
    };
    if let (Holds::List(List::Peers), Value::Null) = (holds, &value) {
        values.push(Value::Null);
    }
    values.push(value);
    Ok(())
}

/// What is tried when a run begins.
const BEGIN: &str = "begin a run";

/// Takes the right to write, which one process has at a time; waits for it in parts.
fn lock(db: &Connection, path: &Path) -> rusqlite::Result<()> {
    for _ in 1..LOCK_ATTEMPTS {
        match db.execute_batch("BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) => {
                tracing::warn!(path = %path.display(), "another process holds the store: waiting");
            }
            done => return done,
        }
    }
    db.execute_batch("BEGIN IMMEDIATE")
}

fn insert_run(db: &Connection, start: &RunStart, pruned: u64) -> rusqlite::Result<i64> {
    db.prepare(
        "INSERT INTO run (run_id, tool, network, started_at_us, version, seed, vantage, parameters, pruned_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .insert(params![
        start.id.to_string(),
        start.tool.name(),
        start.network,
        start.started_at.0,
        start.version,
        start.seed.to_string(),
        start.vantage,
        start.parameters.to_string(),
        integer(pruned),
    ])
}
