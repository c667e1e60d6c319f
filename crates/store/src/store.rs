//! The store as its users see it.

use std::path::{Path, PathBuf};

use kad::PeerId;
use rusqlite::Connection;
use schema::{CrawlEnd, CrawlId, CrawlStart, PeerNumber, RunState};

use crate::{
    CrawlInfo, Error, Limits, Neighbors, Peers, StoreUrl, Visits, Writer,
    alive::Alive,
    crawls::{self, StoredCrawl},
    delete, names,
    open::{self, Absent},
    place::Place,
    read_only,
    resolve::{damaged, unknown},
};

/// An open store. It may be moved between threads; each thread that reads opens its own.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    place: Place,
    limits: Limits,
    connection: Connection,
}

impl Store {
    /// Opens a store, made if it does not exist; `None` for `none`, which keeps nothing.
    pub fn open(url: &StoreUrl) -> Result<Option<Self>, Error> {
        Self::open_with(url, Limits::default())
    }

    /// The same, with limits of one's own.
    pub fn open_with(url: &StoreUrl, limits: Limits) -> Result<Option<Self>, Error> {
        match url {
            StoreUrl::None => Ok(None),
            StoreUrl::Sqlite(path) => Self::sqlite(path, Absent::Create, limits).map(Some),
        }
    }

    /// Opens a store to read what is in it: [`Error::Missing`] if it does not exist, [`Error::NothingKept`] for `none`.
    /// One that cannot be written is only read; [`Error::UnreadableLog`] if that is not possible.
    pub fn open_existing(url: &StoreUrl) -> Result<Self, Error> {
        Self::open_existing_with(url, Limits::default())
    }

    /// The same, with limits of one's own.
    pub fn open_existing_with(url: &StoreUrl, limits: Limits) -> Result<Self, Error> {
        match url {
            StoreUrl::None => Err(Error::NothingKept),
            StoreUrl::Sqlite(path) => match Self::sqlite(path, Absent::Refuse, limits) {
                Err(error) if error.is_for_want_of_rights() => {
                    Self::of(path, read_only::open(path, &limits)?, limits)
                }
                opened => opened,
            },
        }
    }

    fn sqlite(path: &Path, absent: Absent, limits: Limits) -> Result<Self, Error> {
        Self::of(path, open::open(path, absent, &limits)?, limits)
    }

    fn of(path: &Path, connection: Connection, limits: Limits) -> Result<Self, Error> {
        let place = Place::of(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            operation: "look at it",
            source,
        })?;
        Ok(Self { path: path.to_owned(), place, limits, connection })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a crawl. From now on it is in the store, as running.
    ///
    /// Fails with [`Error::CrawlExists`] if its id is taken. Waits for other writers up to the busy timeout.
    pub fn begin_crawl(&self, start: &CrawlStart) -> Result<Writer, Error> {
        for crawl in crawls::all(&self.connection).map_err(|e| self.reading(e))? {
            if crawl.state.is_none() && crawl.start.id != start.id {
                Alive::remove_left_over(&self.path, crawl.start.id);
            }
        }
        Writer::begin(self.path.clone(), start, self.limits)
    }

    /// Deletes a crawl with all of its rows, and what only it refers to: peers, addresses, agents.
    ///
    /// Fails with [`Error::Running`] while any crawl is under way in the store.
    pub fn delete_crawl(&mut self, id: CrawlId) -> Result<(), Error> {
        let crawl = self.stored(id)?.row;
        let (path, waited) = (&self.path, self.limits.busy_timeout);
        let fail = |error| Error::sqlite(path, "delete a crawl", waited, error);
        delete::crawl(&mut self.connection, path, crawl, fail)?;
        Alive::remove_left_over(&self.path, id);
        Ok(())
    }

    /// Every crawl, in the order of their start.
    pub fn crawls(&self) -> Result<Vec<CrawlInfo>, Error> {
        let stored = crawls::all(&self.connection).map_err(|e| self.reading(e))?;
        stored.into_iter().map(|crawl| self.info(crawl)).collect()
    }

    /// One crawl; [`Error::UnknownCrawl`] if it is not there.
    pub fn crawl(&self, id: CrawlId) -> Result<CrawlInfo, Error> {
        self.info(self.stored(id)?)
    }

    /// The peers that a crawl heard of, by their numbers.
    pub fn peers(&self, crawl: CrawlId) -> Result<Peers, Error> {
        let crawl = self.stored(crawl)?.row;
        let fail = |error| self.reading(error);
        let sql = "SELECT number, peer_id FROM crawl_peer JOIN peer ON peer.id = crawl_peer.peer
            WHERE crawl = ?1 ORDER BY number";
        let mut select = self.connection.prepare_cached(sql).map_err(fail)?;
        let mut rows = select.query((crawl,)).map_err(fail)?;
        let mut peers = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let text = row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(fail)?;
            let peer: PeerId =
                text.parse().map_err(|_| damaged(&self.path, format!("`{text}` is no peer id")))?;
            peers.push((PeerNumber(row.get(0).map_err(fail)?), peer));
        }
        Ok(Peers::new(peers))
    }

    /// The visits of a crawl in the order in which they were written, read as they are asked for.
    pub fn visits(&self, crawl: CrawlId) -> Result<Visits<'_>, Error> {
        let crawl = self.stored(crawl)?;
        Ok(Visits::new(&self.connection, &self.path, crawl.row, crawl.start.started_at))
    }

    /// Who has whom in its routing table, and nothing else of the visits of a crawl.
    pub fn neighbors(&self, crawl: CrawlId) -> Result<Neighbors<'_>, Error> {
        let crawl = self.stored(crawl)?.row;
        Ok(Neighbors::new(&self.connection, &self.path, crawl))
    }

    /// Reads the structure of the whole file, whatever its size; [`Error::Damaged`] says what is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        open::check(&self.connection, &self.path, &self.limits)
    }

    fn stored(&self, id: CrawlId) -> Result<StoredCrawl, Error> {
        crawls::one(&self.connection, id)
            .map_err(|e| self.reading(e))?
            .ok_or_else(|| Error::UnknownCrawl { path: self.path.clone(), id })
    }

    fn info(&self, crawl: StoredCrawl) -> Result<CrawlInfo, Error> {
        let (id, unfinished) = (crawl.start.id, crawl.state.is_none());
        if unfinished && !Alive::is_held(&self.path, id) {
            // Its end may have been written after it was read here: the lock is let go after that.
            return self.ended(self.stored(id)?, RunState::Interrupted);
        }
        self.ended(crawl, RunState::Running)
    }

    /// A crawl with the state that is stored, or `without_end` if there is none.
    fn ended(&self, crawl: StoredCrawl, without_end: RunState) -> Result<CrawlInfo, Error> {
        let StoredCrawl { start, totals, finished_at, state, summary, .. } = crawl;
        let Some((name, finished_at)) = state.zip(finished_at) else {
            return Ok(CrawlInfo { start, end: None, state: without_end, totals });
        };
        let state = names::run_state(&name).ok_or_else(|| unknown(&self.path, "state of a crawl", &name))?;
        Ok(CrawlInfo { start, end: Some(CrawlEnd { finished_at, state, summary }), state, totals })
    }

    fn reading(&self, error: rusqlite::Error) -> Error {
        Error::sqlite(&self.path, Error::READ, self.limits.busy_timeout, error)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if !self.place.is_there() {
            open::leave_log(&self.connection);
        }
    }
}
