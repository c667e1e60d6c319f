//! Rows in an SQLite file. Nothing of the driver leaves this module tree.

mod addresses;
mod alive;
mod alone;
mod append;
mod codec;
mod delete;
mod desk;
mod encounter;
mod error;
mod history;
mod intern;
#[cfg(test)]
mod layout;
mod migrate;
mod open;
mod physical;
mod place;
#[cfg(test)]
mod plans;
mod ranges;
mod read;
mod read_encounter;
mod read_only;
mod resolve;
mod runs;
mod scan;
mod shown;
mod sweep;

use std::{
    io,
    path::{Path, PathBuf},
};

use kad::PeerId;
use rusqlite::Connection;
use schema::{PeerNumber, RowType as _, RunId, RunStart, RunState, Table, Timestamp, Visit};

pub(crate) use self::{
    addresses::AddressReader,
    alone::Alone,
    append::Appender,
    desk::SqliteDesk,
    error::named as named_error,
    migrate::{FileKind, ROWS},
    open::{Absent, connect as connect_file, open as open_file},
    read::{NeighborReader, RowReader},
    scan::ColumnReader,
};
use self::{
    alive::Alive,
    error::{damaged, unknown},
    place::Place,
    runs::StoredRun,
};
use crate::{Error, Limits, PeerHistory, Peers, Pruned, RunFilter, RunInfo, Scan, StorePeer, copy::Created};

/// An open file.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    place: Place,
    limits: Limits,
    connection: Connection,
}

impl Database {
    /// Opens a file, made if it does not exist.
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Self, Error> {
        Self::of(path, open::open(path, Absent::Create, &limits, &ROWS)?, limits)
    }

    /// Opens a file that exists. One that cannot be written is only read.
    pub(crate) fn open_existing(path: &Path, limits: Limits) -> Result<Self, Error> {
        match open::open(path, Absent::Refuse, &limits, &ROWS) {
            Err(error) if error::is_for_want_of_rights(&error) => {
                Self::of(path, read_only::open(path, &limits)?, limits)
            }
            opened => Self::of(path, opened?, limits),
        }
    }

    fn of(path: &Path, connection: Connection, limits: Limits) -> Result<Self, Error> {
        let place = Place::of(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            operation: "look at it",
            source,
        })?;
        Ok(Self { path: path.to_owned(), place, limits, connection })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a run of which so many visits were pruned elsewhere, over a connection of its own.
    pub(crate) fn begin_run(&self, start: &RunStart, pruned: u64) -> Result<Appender, Error> {
        for run in runs::without_end(&self.connection).map_err(|e| self.reading(e))? {
            if run != start.id {
                Alive::remove_left_over(&self.path, run);
            }
        }
        let connection = open::connect(&self.path, Absent::Refuse, &self.limits)?;
        let alive = Alive::new(&self.path, start.id).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => {
                Error::RunExists { store: self.path.display().to_string(), id: start.id }
            }
            _ => Error::Io { path: self.path.clone(), operation: "lock the run", source },
        })?;
        Appender::begin(connection, self.path.clone(), (start, pruned, alive), &self.limits)
    }

    /// Deletes a run that is not under way.
    pub(crate) fn delete_run(&mut self, id: RunId) -> Result<(), Error> {
        const OPERATION: &str = "delete a run";
        let stored = self.stored(id)?;
        if stored.state.is_none() && Alive::is_held(&self.path, id) {
            return Err(Error::Running { store: self.path.display().to_string(), operation: OPERATION, id });
        }
        let (path, waited) = (&self.path, self.limits.busy_timeout);
        let fail = |error| error::named(path, OPERATION, waited, error);
        let _alone = delete::begin(path, OPERATION)?;
        delete::run(&mut self.connection, path, stored.row, fail)?;
        Alive::remove_left_over(&self.path, id);
        Ok(())
    }

    /// Those that a filter admits.
    pub(crate) fn runs(&self, filter: &RunFilter) -> Result<Vec<RunInfo>, Error> {
        let stored = runs::all(&self.connection, filter).map_err(|e| self.reading(e))?;
        let infos = stored.into_iter().map(|run| self.info(run)).collect::<Result<Vec<_>, _>>()?;
        Ok(infos.into_iter().filter(|run| filter.admits(run)).collect())
    }

    /// One of them.
    pub(crate) fn run(&self, id: RunId) -> Result<RunInfo, Error> {
        self.info(self.stored(id)?)
    }

    /// The peers of a run.
    pub(crate) fn peers(&self, run: RunId) -> Result<Peers, Error> {
        let run = self.stored(run)?.row;
        let fail = |error| self.reading(error);
        let sql = "SELECT number, peer_id FROM run_peer JOIN peer ON peer.id = run_peer.peer
            WHERE run = ?1 ORDER BY number";
        let mut select = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut rows = select.query((run,)).map_err(fail)?;
        let mut peers = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let text = row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(fail)?;
            let peer: PeerId =
                text.parse().map_err(|_| damaged(&self.path, format!("`{text}` is no peer id")))?;
            peers.push((PeerNumber(row.get(0).map_err(fail)?), peer));
        }
        Ok(Peers::new(peers))
    }

    /// The rows of one table of a run.
    pub(crate) fn rows(&self, run: RunId, table: &'static Table) -> Result<RowReader<'_>, Error> {
        let run = self.stored(run)?;
        Ok(RowReader::new(&self.connection, &self.path, table, (run.row, run.start.started_at)))
    }

    /// When the rows of one table of a run were created, in their order.
    pub(crate) fn created(&self, run: RunId, table: &Table) -> Result<Vec<Created>, Error> {
        let run = self.stored(run)?.row;
        let sql = "SELECT last - first + 1, created_at_us FROM batch
            WHERE run = ?1 AND kind = (SELECT id FROM name WHERE name = ?2) ORDER BY first";
        let read = || {
            let mut select = self.connection.prepare_cached(sql)?;
            let created =
                |row: &rusqlite::Row<'_>| Ok(Created { rows: row.get(0)?, at: Timestamp(row.get(1)?) });
            select.query_map((run, table.name), created)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|e| self.reading(e))
    }

    /// Who has whom in its routing table, by the visits of a run.
    pub(crate) fn neighbors(&self, run: RunId) -> Result<NeighborReader<'_>, Error> {
        let run = self.stored(run)?.row;
        Ok(NeighborReader::new(&self.connection, &self.path, &Visit::TABLE, run))
    }

    /// The addresses of all runs, but for those whose place these have said; with how many there are.
    pub(crate) fn addresses(&self, placed_by: &[RunId]) -> Result<(AddressReader<'_>, u64), Error> {
        let runs = placed_by.iter().map(|run| self.stored(*run).map(|stored| stored.row));
        AddressReader::new(&self.connection, &self.path, &runs.collect::<Result<Vec<_>, _>>()?)
    }

    /// Columns of many runs.
    pub(crate) fn scan(&self, scan: &Scan<'_>) -> Result<ColumnReader<'_>, Error> {
        let runs = runs::all(&self.connection, &scan.runs).map_err(|e| self.reading(e))?;
        ColumnReader::new(&self.connection, &self.path, scan, runs)
    }

    /// Who a peer of the store is.
    pub(crate) fn peer_id(&self, StorePeer(id): StorePeer) -> Result<PeerId, Error> {
        let sql = "SELECT peer_id FROM peer WHERE id = ?1";
        let mut select = self.connection.prepare_cached(sql).map_err(|e| self.reading(e))?;
        let text: String = select.query_row((id,), |row| row.get(0)).map_err(|e| self.reading(e))?;
        text.parse().map_err(|_| damaged(&self.path, format!("`{text}` is no peer id")))
    }

    /// What is known of a peer.
    pub(crate) fn peer_history(&self, peer: &PeerId) -> Result<PeerHistory, Error> {
        let known = history::rows(&self.connection, &self.path, peer)?;
        let visits = history::visits(&self.connection, &self.path, peer)?;
        Ok(PeerHistory { known, visits })
    }

    /// Deletes the visits that began before a moment.
    pub(crate) fn prune(&mut self, before: Timestamp) -> Result<Pruned, Error> {
        const OPERATION: &str = "prune it";
        let (path, waited) = (&self.path, self.limits.busy_timeout);
        let fail = |error| error::named(path, OPERATION, waited, error);
        let _alone = delete::begin(path, OPERATION)?;
        delete::prune(&mut self.connection, path, before, fail)
    }

    /// Copies the file, as it is at one moment, to a new one.
    pub(crate) fn back_up(&self, to: &Path) -> Result<(), Error> {
        const OPERATION: &str = "write the backup";
        let failed = |source| Error::Io { path: to.to_owned(), operation: OPERATION, source };
        if to.exists() {
            return Err(failed(io::Error::from(io::ErrorKind::AlreadyExists)));
        }
        // Whole under its name, or not there at all.
        let part = open::beside(to, ".partial");
        let alone = Alone::take(&open::beside(to, ".partial.lock")).map_err(failed)?;
        let _alone = alone.ok_or_else(|| failed(io::Error::from(io::ErrorKind::ResourceBusy)))?;
        // What one left that was killed.
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let fail = |error| error::named(to, OPERATION, self.limits.busy_timeout, error);
        let copied = self.connection.execute("VACUUM INTO ?1", (part.to_string_lossy(),)).map_err(fail);
        let kept = copied.and_then(|_| std::fs::rename(&part, to).map_err(failed));
        if kept.is_err()
            && let Err(error) = std::fs::remove_file(&part)
        {
            tracing::debug!(path = %part.display(), %error, "could not remove what was copied");
        }
        kept
    }

    /// Reads the structure of the whole file.
    pub(crate) fn check(&self) -> Result<(), Error> {
        open::check(&self.connection, &self.path, &self.limits)
    }

    fn stored(&self, id: RunId) -> Result<StoredRun, Error> {
        runs::one(&self.connection, id)
            .map_err(|e| self.reading(e))?
            .ok_or_else(|| Error::UnknownRun { store: self.path.display().to_string(), id })
    }

    fn info(&self, run: StoredRun) -> Result<RunInfo, Error> {
        let (id, unfinished) = (run.start.id, run.state.is_none());
        if unfinished && !Alive::is_held(&self.path, id) {
            // Its end may have been written after it was read here: the lock is let go after that.
            return self.ended(self.stored(id)?, RunState::Interrupted);
        }
        self.ended(run, RunState::Running)
    }

    /// A run with the state that is stored, or `without_end` if there is none.
    fn ended(&self, run: StoredRun, without_end: RunState) -> Result<RunInfo, Error> {
        let StoredRun { start, totals, end, state, .. } = run;
        match (&end, state) {
            (None, Some(name)) if RunState::from_name(&name).is_none() => {
                Err(unknown(&self.path, "state of a run", &name))
            }
            _ => {
                let state = end.as_ref().map_or(without_end, |end| end.state);
                Ok(RunInfo { start, end, state, totals })
            }
        }
    }

    fn reading(&self, error: rusqlite::Error) -> Error {
        error::named(&self.path, Error::READ, self.limits.busy_timeout, error)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.place.is_there() {
            open::leave_log(&self.connection);
        }
    }
}
