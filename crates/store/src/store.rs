//! The store as its users see it: one boundary, whatever keeps the rows.

use std::path::Path;

use kad::PeerId;
use schema::{RowType, RunId, RunStart, Table, Timestamp, Visit};
use tokio::time::Instant;

use crate::{
    Error, Limits, Neighbors, PeerHistory, Peers, Pruned, Rows, RunFilter, RunInfo, Scan, Scanned, StorePeer,
    StoreUrl, StoredAddresses, Writer,
    addresses::AddressSource,
    copy::Created,
    rows::{NeighborSource, Source, TableRows},
    scan::ScanSource,
    sqlite,
    writer::Appender,
};

#[cfg(not(feature = "postgres"))]
use crate::PostgresUrl;
#[cfg(feature = "postgres")]
use crate::postgres;

/// An open store. It may be moved between threads; each thread that reads opens its own.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
    limits: Limits,
}

/// What keeps the rows.
#[derive(Debug)]
enum Backend {
    Sqlite(Box<sqlite::Database>),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Database>),
}

impl Store {
    /// Opens a store, made if it does not exist; `None` for `none`, which keeps nothing.
    pub fn open(url: &StoreUrl) -> Result<Option<Self>, Error> {
        Self::open_with(url, Limits::default())
    }

    /// The same, with limits of one's own.
    pub fn open_with(url: &StoreUrl, limits: Limits) -> Result<Option<Self>, Error> {
        let backend = match url {
            StoreUrl::None => return Ok(None),
            StoreUrl::Sqlite(path) => Backend::Sqlite(Box::new(sqlite::Database::open(path, limits)?)),
            #[cfg(feature = "postgres")]
            StoreUrl::Postgres(url) => Backend::Postgres(Box::new(postgres::Database::open(url, limits)?)),
            #[cfg(not(feature = "postgres"))]
            StoreUrl::Postgres(url) => return Err(not_built(url)),
        };
        Ok(Some(Self { backend, limits }))
    }

    /// Opens a store to read what is in it: [`Error::Missing`] if it does not exist, [`Error::NothingKept`] for `none`.
    /// One that cannot be written is only read; [`Error::UnreadableLog`] if that is not possible.
    pub fn open_existing(url: &StoreUrl) -> Result<Self, Error> {
        Self::open_existing_with(url, Limits::default())
    }

    /// The same, with limits of one's own.
    pub fn open_existing_with(url: &StoreUrl, limits: Limits) -> Result<Self, Error> {
        let backend = match url {
            StoreUrl::None => return Err(Error::NothingKept),
            StoreUrl::Sqlite(path) => {
                Backend::Sqlite(Box::new(sqlite::Database::open_existing(path, limits)?))
            }
            #[cfg(feature = "postgres")]
            StoreUrl::Postgres(url) => {
                Backend::Postgres(Box::new(postgres::Database::open_existing(url, limits)?))
            }
            #[cfg(not(feature = "postgres"))]
            StoreUrl::Postgres(url) => return Err(not_built(url)),
        };
        Ok(Self { backend, limits })
    }

    /// The store as people know it; nothing secret is in it.
    pub fn name(&self) -> String {
        match &self.backend {
            Backend::Sqlite(database) => database.path().display().to_string(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.name().to_owned(),
        }
    }

    /// Begins a run. From now on it is in the store, as running.
    ///
    /// Fails with [`Error::RunExists`] if its id is taken. Waits for other writers up to the busy timeout.
    pub fn begin_run(&self, start: &RunStart) -> Result<Writer, Error> {
        // Before others are waited for: the run has begun.
        let began = (start.started_at, Instant::now());
        Writer::begin(self.appender(start, 0)?, self.name(), began, self.limits)
    }

    /// Begins a run whose rows come in batches that are there; so many visits of it were pruned elsewhere.
    pub(crate) fn appender(&self, start: &RunStart, pruned: u64) -> Result<Appender, Error> {
        Ok(match &self.backend {
            Backend::Sqlite(database) => Appender::Sqlite(Box::new(database.begin_run(start, pruned)?)),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Appender::Postgres(Box::new(database.begin_run(start, pruned)?)),
        })
    }

    /// When the rows of a run in a table were created, in their order.
    pub(crate) fn created(&self, run: RunId, table: &'static Table) -> Result<Vec<Created>, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.created(run, table),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.created(run, table),
        }
    }

    /// Deletes a run with all of its rows, and what only it refers to: peers, addresses, agents.
    ///
    /// Fails with [`Error::Running`] while it is under way.
    pub fn delete_run(&mut self, id: RunId) -> Result<(), Error> {
        match &mut self.backend {
            Backend::Sqlite(database) => database.delete_run(id),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.delete_run(id),
        }
    }

    /// The runs that a filter admits, in the order of their start.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunInfo>, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.runs(filter),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.runs(filter),
        }
    }

    /// One run; [`Error::UnknownRun`] if it is not there.
    pub fn run(&self, id: RunId) -> Result<RunInfo, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.run(id),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.run(id),
        }
    }

    /// The peers that a run heard of, by their numbers.
    pub fn peers(&self, run: RunId) -> Result<Peers, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.peers(run),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.peers(run),
        }
    }

    /// The rows of one kind of a run in the order in which they were written, read as they are asked for.
    pub fn rows<T: RowType>(&self, run: RunId) -> Result<Rows<'_, T>, Error> {
        Ok(Rows::new(self.source(run, &T::TABLE)?, self.name()))
    }

    /// The rows of a run that are kept in a table, whatever it is, read as they are asked for.
    pub fn rows_of(&self, run: RunId, table: &'static Table) -> Result<TableRows<'_>, Error> {
        Ok(TableRows::new(self.source(run, table)?, table, self.name()))
    }

    /// The values of the rows that are kept in a table.
    pub(crate) fn source(&self, run: RunId, table: &'static Table) -> Result<Source<'_>, Error> {
        Ok(match &self.backend {
            Backend::Sqlite(database) => Source::Sqlite(Box::new(database.rows(run, table)?)),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Source::Postgres(database.rows(run, table)?),
        })
    }

    /// The visits of a run.
    pub fn visits(&self, run: RunId) -> Result<Rows<'_, Visit>, Error> {
        self.rows(run)
    }

    /// Who has whom in its routing table, and nothing else of the visits of a run.
    pub fn neighbors(&self, run: RunId) -> Result<Neighbors<'_>, Error> {
        let source = match &self.backend {
            Backend::Sqlite(database) => NeighborSource::Sqlite(database.neighbors(run)?),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => NeighborSource::Postgres(database.neighbors(run)?),
        };
        Ok(Neighbors { source, is_over: false })
    }

    /// Columns of one kind of rows over many runs. [`Error::UnknownColumn`] if it has no such column.
    pub fn scan(&self, scan: &Scan<'_>) -> Result<Scanned<'_>, Error> {
        let source = match &self.backend {
            Backend::Sqlite(database) => ScanSource::Sqlite(Box::new(database.scan(scan)?)),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => ScanSource::Postgres(database.scan(scan)?),
        };
        Ok(Scanned { source, is_over: false })
    }

    /// The addresses that any row names, each once, but for those whose place one of these runs has said
    /// ([`AddressPlace`](schema::AddressPlace)); [`Error::UnknownRun`] if one is not there.
    pub fn addresses(&self, placed_by: &[RunId]) -> Result<StoredAddresses<'_>, Error> {
        let (source, total) = match &self.backend {
            Backend::Sqlite(database) => {
                let (reader, total) = database.addresses(placed_by)?;
                (AddressSource::Sqlite(reader), total)
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => {
                let (reader, total) = database.addresses(placed_by)?;
                (AddressSource::Postgres(reader), total)
            }
        };
        Ok(StoredAddresses::new(source, total))
    }

    /// Who a peer of a scan is.
    pub fn peer_id(&self, peer: StorePeer) -> Result<PeerId, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.peer_id(peer),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.peer_id(peer),
        }
    }

    /// What is known of a peer over all runs; nothing if no run has heard of it.
    pub fn peer_history(&self, peer: &PeerId) -> Result<PeerHistory, Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.peer_history(peer),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.peer_history(peer),
        }
    }

    /// Deletes the visits that began before a moment, of all runs, in steps between which others write, with what only they
    /// refer to, and gives the room back to the system. Of a run that is pruned its row, summary and peers stay;
    /// [`Totals::pruned`](crate::Totals) says how many visits it had more, and what is counted from visits is of those left.
    pub fn prune(&mut self, before: Timestamp) -> Result<Pruned, Error> {
        match &mut self.backend {
            Backend::Sqlite(database) => database.prune(before),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.prune(before),
        }
    }

    /// Copies the store, as it is at one moment, to a new file while others write. Fails if there is a file.
    pub fn back_up(&self, to: &Path) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.back_up(to),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => Err(Error::NoBackup { store: database.name().to_owned() }),
        }
    }

    /// Reads the structure of the whole store, whatever its size; [`Error::Damaged`] says what is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(database) => database.check(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(database) => database.check(),
        }
    }
}

/// Why a database is not opened: its name is wrong, or this program cannot open any.
#[cfg(not(feature = "postgres"))]
pub(crate) fn not_built(url: &PostgresUrl) -> Error {
    let url_text = url.to_string();
    match url.parts {
        Err(reason) => Error::Url { url: url_text, reason },
        Ok(_) => Error::NotBuilt { url: url_text },
    }
}
