//! An open database as the store has it.

use std::{collections::VecDeque, path::PathBuf};

use schema::{PeerNumber, RunId, RunStart, Table, Timestamp};

use super::{
    addresses::AddressReader,
    appender::Appender,
    desk::{Desk, Ordered},
    login::Login,
    reader::{Chunk, Reader},
    runs::Stored,
    scan::ColumnReader,
};
use crate::{
    Error, Limits, PeerHistory, Peers, PostgresUrl, Pruned, RunFilter, RunInfo, Scan, StorePeer,
    copy::Created, rows::Read,
};

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    login: Login,
    store: String,
    spills: Option<PathBuf>,
    limits: Limits,
    desk: Desk<Reader>,
}

impl Database {
    /// Connects; its tables are made if there are none.
    pub(crate) fn open(url: &PostgresUrl, limits: Limits) -> Result<Self, Error> {
        Self::open_or_make(url, limits, true)
    }

    /// Connects to read what is there: [`Error::Empty`] if nothing is.
    pub(crate) fn open_existing(url: &PostgresUrl, limits: Limits) -> Result<Self, Error> {
        Self::open_or_make(url, limits, false)
    }

    fn open_or_make(url: &PostgresUrl, limits: Limits, makes: bool) -> Result<Self, Error> {
        let login = Login::of(url).map_err(|reason| Error::Url { url: url.to_string(), reason })?;
        let store = login.to_string();
        let desk = Desk::new("postgres", Reader::new(login.clone()));
        let desk = desk.map_err(|source| Error::Backend {
            store: store.clone(),
            operation: "start a thread",
            source: source.into(),
        })?;
        let database = Self { login, store, spills: url.spills(), limits, desk };
        database.ask(async move |reader: &mut Reader| reader.open(makes).await)?;
        Ok(database)
    }

    /// As people know it; the password is not in it.
    pub(crate) fn name(&self) -> &str {
        &self.store
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl for<'a> AsyncFnOnce(&'a mut Reader) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.desk.ask(job).unwrap_or_else(|| Err(Error::WriterDied { store: self.store.clone() }))
    }

    /// Begins a run of which so many visits were pruned elsewhere.
    pub(crate) fn begin_run(&self, start: &RunStart, pruned: u64) -> Result<Appender, Error> {
        Appender::begin(&self.login, self.spills.clone(), (start, pruned), self.limits)
    }

    pub(crate) fn created(&self, run: RunId, table: &'static Table) -> Result<Vec<Created>, Error> {
        self.ask(async move |reader: &mut Reader| reader.created(run, table).await)
    }

    pub(crate) fn runs(&self, filter: &RunFilter) -> Result<Vec<RunInfo>, Error> {
        let all = self.ask(async |reader: &mut Reader| reader.runs().await)?;
        Ok(all.into_iter().map(Stored::info).filter(|run| filter.admits(run)).collect())
    }

    pub(crate) fn scan(&self, scan: &Scan<'_>) -> Result<ColumnReader<'_>, Error> {
        let all = self.ask(async |reader: &mut Reader| reader.runs().await)?;
        let mut runs: Vec<_> = all
            .into_iter()
            .map(|stored| (stored.id, stored.info()))
            .filter(|(_, run)| scan.runs.admits(run))
            .map(|(id, run)| (id, run.start.id))
            .collect();
        runs.sort_unstable_by_key(|&(id, _)| id);
        ColumnReader::new(self, scan, runs.into())
    }

    pub(crate) fn peer_id(&self, peer: StorePeer) -> Result<kad::PeerId, Error> {
        self.ask(async move |reader: &mut Reader| reader.peer_id(peer).await)
    }

    pub(crate) fn peer_history(&self, peer: &kad::PeerId) -> Result<PeerHistory, Error> {
        let peer = *peer;
        self.ask(async move |reader: &mut Reader| reader.history(peer).await)
    }

    pub(crate) fn prune(&self, before: Timestamp) -> Result<Pruned, Error> {
        self.ask(async move |reader: &mut Reader| reader.prune(before).await)
    }

    pub(crate) fn run(&self, id: RunId) -> Result<RunInfo, Error> {
        self.ask(async move |reader: &mut Reader| reader.run(id).await.map(Stored::info))
    }

    pub(crate) fn peers(&self, run: RunId) -> Result<Peers, Error> {
        self.ask(async move |reader: &mut Reader| reader.peers(run).await)
    }

    pub(crate) fn rows(&self, run: RunId, table: &'static Table) -> Result<RowReader<'_>, Error> {
        let run = self.row_of(run)?;
        Ok(RowReader { database: self, table, run, next: 0, chunk: VecDeque::new(), coming: None })
    }

    pub(crate) fn neighbors(&self, run: RunId) -> Result<NeighborReader<'_>, Error> {
        let run = self.row_of(run)?;
        Ok(NeighborReader { database: self, run, next: 0, chunk: VecDeque::new() })
    }

    pub(crate) fn addresses(&self, placed_by: &[RunId]) -> Result<(AddressReader<'_>, u64), Error> {
        AddressReader::new(self, placed_by.iter().map(|run| self.row_of(*run)).collect::<Result<_, _>>()?)
    }

    fn row_of(&self, run: RunId) -> Result<i32, Error> {
        self.ask(async move |reader: &mut Reader| reader.run(run).await.map(|stored| stored.id))
    }

    pub(crate) fn delete_run(&self, id: RunId) -> Result<(), Error> {
        self.ask(async move |reader: &mut Reader| reader.delete(id).await)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.ask(async |reader: &mut Reader| reader.check().await)
    }
}

/// The rows of one table of one run in the order in which they were written. Those that are written meanwhile come too. While
/// some are looked at, the next are on their way.
#[derive(Debug)]
pub(crate) struct RowReader<'a> {
    database: &'a Database,
    table: &'static Table,
    run: i32,
    next: i64,
    chunk: VecDeque<Read>,
    coming: Option<Ordered<Result<Chunk, Error>>>,
}

impl RowReader<'_> {
    /// The next row; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Read>, Error> {
        if self.chunk.is_empty() {
            let ordered = self.coming.take();
            let was_ordered = ordered.is_some();
            let mut read = self.wait(ordered)?;
            if read.is_empty() && was_ordered {
                // That was some time ago.
                read = self.wait(None)?;
            }
            for (position, read) in read {
                self.next = position + 1;
                self.chunk.push_back(read);
            }
            if !self.chunk.is_empty() {
                self.coming = self.order();
            }
        }
        Ok(self.chunk.pop_front())
    }

    /// Waits for what was ordered, or for what is ordered now.
    fn wait(&self, ordered: Option<Ordered<Result<Chunk, Error>>>) -> Result<Chunk, Error> {
        let came = ordered.or_else(|| self.order()).and_then(Ordered::wait);
        came.unwrap_or_else(|| Err(Error::WriterDied { store: self.database.store.clone() }))
    }

    fn order(&self) -> Option<Ordered<Result<Chunk, Error>>> {
        let (table, run, next) = (self.table, self.run, self.next);
        self.database.desk.order(async move |reader: &mut Reader| reader.rows(table, run, next).await)
    }
}

/// Reads who was visited and who was in its answers, and nothing else.
#[derive(Debug)]
pub(crate) struct NeighborReader<'a> {
    database: &'a Database,
    run: i32,
    next: i64,
    chunk: VecDeque<(PeerNumber, Vec<PeerNumber>)>,
}

impl NeighborReader<'_> {
    /// The next visit that kept them; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(PeerNumber, Vec<PeerNumber>)>, Error> {
        if self.chunk.is_empty() {
            let (run, next) = (self.run, self.next);
            let read =
                self.database.ask(async move |reader: &mut Reader| reader.neighbors(run, next).await)?;
            for (position, peer, neighbors) in read {
                self.next = position + 1;
                self.chunk.push_back((peer, neighbors));
            }
        }
        Ok(self.chunk.pop_front())
    }
}
