//! Turns the rows of one crawl into SQL.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use kad::{Address, network::AddressOutcome};
use rusqlite::{Connection, named_params, params};
use schema::{AddressVisit, CrawlEnd, CrawlStart, Row, Timestamp, Visit};

use crate::{
    Error, Limits, Totals, codec,
    intern::{self, Interner},
    limits::LOCK_ATTEMPTS,
    names::outcome,
    open::{self, is_busy},
    place::Place,
};

/// Appends the rows of one crawl. After an error it must not be used again.
#[derive(Debug)]
pub(crate) struct Appender {
    connection: Connection,
    path: PathBuf,
    place: Place,
    busy_timeout: Duration,
    crawl: i64,
    started_at: Timestamp,
    interner: Interner,
    totals: Totals,
}

impl Appender {
    /// Begins a crawl in the file at `path`.
    pub(crate) fn begin(
        connection: Connection,
        path: PathBuf,
        start: &CrawlStart,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let busy_timeout = limits.busy_timeout;
        let fail = |error| Error::sqlite(&path, BEGIN, busy_timeout, error);
        let place =
            Place::of(&path).map_err(|source| Error::Io { path: path.clone(), operation: BEGIN, source })?;
        connection.busy_timeout(busy_timeout / LOCK_ATTEMPTS).map_err(fail)?;
        lock(&connection, &path).map_err(fail)?;
        let crawl = insert_crawl(&connection, start)
            .and_then(|crawl| connection.execute_batch("COMMIT").map(|()| crawl))
            .map_err(|error| {
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
                    return Error::CrawlExists { path: path.clone(), id: start.id };
                }
                fail(error)
            })?;
        let (started_at, interner) = (start.started_at, Interner::new());
        Ok(Self {
            connection,
            path,
            place,
            busy_timeout,
            crawl,
            started_at,
            interner,
            totals: Totals::default(),
        })
    }

    /// Appends rows in one transaction; returns what the crawl has by now.
    pub(crate) fn append(&mut self, rows: &[Row]) -> Result<Totals, Error> {
        self.transaction("append rows", |this| {
            for row in rows {
                this.row(row)?;
            }
            let totals = this.totals;
            this.connection
                .prepare_cached(
                    "UPDATE crawl SET peer_count = ?2, visit_count = ?3, edge_count = ?4 WHERE id = ?1",
                )?
                .execute(params![
                    this.crawl,
                    integer(totals.peers),
                    integer(totals.visits),
                    integer(totals.edges)
                ])?;
            Ok(totals)
        })
    }

    /// Writes the end of the crawl.
    pub(crate) fn end(&mut self, end: &CrawlEnd) -> Result<Totals, Error> {
        self.transaction("end the crawl", |this| {
            this.connection.execute(
                "UPDATE crawl SET finished_at_us = ?2, state = ?3, summary = ?4 WHERE id = ?1",
                params![this.crawl, end.finished_at.0, end.state.name(), end.summary.to_string()],
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
        let fail = |error| Error::sqlite(&path, operation, waited, error);
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

    fn row(&mut self, row: &Row) -> rusqlite::Result<()> {
        match row {
            Row::Peer(number, peer) => {
                let peer = intern::peer(&self.connection, *peer)?;
                self.connection
                    .prepare_cached("INSERT INTO crawl_peer (crawl, number, peer) VALUES (?1, ?2, ?3)")?
                    .execute(params![self.crawl, number.0, peer])?;
                self.totals.peers += 1;
            }
            Row::Visit(visit) => {
                let id = self.visit(visit)?;
                self.addresses(id, visit)?;
                self.totals.visits += 1;
            }
        }
        Ok(())
    }

    fn visit(&mut self, visit: &Visit) -> rusqlite::Result<i64> {
        let Self { connection: db, interner, .. } = self;
        let failure = |interner: &mut Interner, failure| -> rusqlite::Result<_> {
            Option::map(failure, |failure| interner.failure(db, failure)).transpose()
        };
        let connection = visit.connection.as_ref();
        let protocols = (!visit.protocols.is_empty()).then_some(&visit.protocols);
        let neighbors = visit.neighbors.as_deref().map(codec::encode_neighbors);
        let (neighbors, neighbor_count) = neighbors.unzip();
        self.totals.edges += neighbor_count.unwrap_or(0) as u64;
        db.prepare_cached(INSERT_VISIT)?.insert(named_params! {
            ":crawl": self.crawl,
            ":peer": visit.peer.0,
            ":kind": interner.name(db, visit.kind.name())?,
            ":started_after_us": visit.started_at.0.wrapping_sub(self.started_at.0),
            ":took_us": visit.ended_at.0.wrapping_sub(visit.started_at.0),
            ":dial_us": visit.dial_duration.map(micros),
            ":connect_us": visit.connect_duration.map(micros),
            ":crawl_us": visit.crawl_duration.map(micros),
            ":connected": connection.map(|c| integer(c.address as u64)),
            ":transport": connection.map(|c| interner.name(db, c.transport.name())).transpose()?,
            ":security": connection.map(|c| interner.name(db, c.security.name())).transpose()?,
            ":certificate": connection
                .and_then(|c| c.certificate)
                .map(|certificate| interner.name(db, certificate.name()))
                .transpose()?,
            ":ip_version": connection.map(|c| c.ip_version),
            ":socket": connection.map(|c| c.socket.to_string()),
            ":rtt_us": connection.and_then(|c| c.rtt).map(|rtt| micros(rtt.time)),
            ":rtt_source": connection
                .and_then(|c| c.rtt)
                .map(|rtt| interner.name(db, rtt.source.name()))
                .transpose()?,
            ":connect_error": failure(interner, visit.connect_error.as_ref())?,
            ":agent": visit.agent_version.as_ref().map(|agent| interner.agent(db, agent)).transpose()?,
            ":protocols": protocols.map(|protocols| interner.protocols(db, protocols)).transpose()?,
            ":listen_addrs": listen_addrs(db, interner, &visit.listen_addrs)?,
            ":identify_error": failure(interner, visit.identify_error.as_ref())?,
            ":prefixes": codec::encode_prefixes(&visit.prefixes, |class| interner.name(db, class.name()))?,
            ":further_answered": visit.further.answered,
            ":further_failed": visit.further.failed,
            ":open_buckets": visit.open_buckets,
            ":crawl_error": failure(interner, visit.crawl_error.as_ref())?,
            ":request_rtt_us": visit.request_rtt.map(micros),
            ":connected_claims": visit.connected_claims,
            ":sent_bytes": integer(visit.sent_bytes),
            ":received_bytes": integer(visit.received_bytes),
            ":neighbor_count": neighbor_count.map(|count| integer(count as u64)),
            ":neighbors": neighbors,
        })
    }

    fn addresses(&mut self, id: i64, visit: &Visit) -> rusqlite::Result<()> {
        let Self { connection: db, interner, .. } = self;
        let mut insert = db.prepare_cached(INSERT_ADDRESS)?;
        for (position, visited) in visit.addresses.iter().enumerate() {
            let position = integer(position as u64);
            let [address, outcome, reason, failure, after, took] = fate(db, interner, visited)?;
            insert.execute(params![id, position, address, outcome, reason, failure, after, took])?;
            for (place, resolved) in visited.resolved.iter().enumerate() {
                let place = integer(place as u64);
                let [address, outcome, reason, failure, after, took] = fate(db, interner, resolved)?;
                db.prepare_cached(INSERT_RESOLVED)?
                    .execute(params![id, position, place, address, outcome, reason, failure, after, took])?;
            }
        }
        Ok(())
    }
}

const INSERT_ADDRESS: &str = "INSERT INTO address_visit
    (visit, position, address, outcome, skip_reason, failure, started_after_us, took_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const INSERT_RESOLVED: &str = "INSERT INTO resolved_visit
    (visit, position, place, address, outcome, skip_reason, failure, started_after_us, took_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// What both tables of addresses keep of one, in the order of their columns.
fn fate(
    db: &Connection,
    interner: &mut Interner,
    visited: &AddressVisit,
) -> rusqlite::Result<[Option<i64>; 6]> {
    let (outcome, reason, failure) = match &visited.outcome {
        AddressOutcome::Connected => (outcome::CONNECTED, None, None),
        AddressOutcome::NotTried => (outcome::NOT_TRIED, None, None),
        AddressOutcome::Abandoned => (outcome::ABANDONED, None, None),
        AddressOutcome::Skipped(reason) => (outcome::SKIPPED, Some(reason.name()), None),
        AddressOutcome::Failed(failure) => (outcome::FAILED, None, Some(failure)),
    };
    Ok([
        Some(interner.address(db, &visited.address)?),
        Some(interner.name(db, outcome)?),
        reason.map(|reason| interner.name(db, reason)).transpose()?,
        failure.map(|failure| interner.failure(db, failure)).transpose()?,
        visited.started_after.map(micros),
        visited.took.map(micros),
    ])
}

const INSERT_VISIT: &str = "INSERT INTO visit
    (crawl, peer, kind, started_after_us, took_us, dial_us, connect_us, crawl_us, connected, transport, security,
     certificate, ip_version, socket, rtt_us, rtt_source, connect_error, agent, protocols, listen_addrs, identify_error,
     prefixes, further_answered, further_failed, open_buckets, crawl_error, request_rtt_us, connected_claims, sent_bytes,
     received_bytes, neighbor_count, neighbors)
    VALUES
    (:crawl, :peer, :kind, :started_after_us, :took_us, :dial_us, :connect_us, :crawl_us, :connected, :transport,
     :security, :certificate, :ip_version, :socket, :rtt_us, :rtt_source, :connect_error, :agent, :protocols,
     :listen_addrs, :identify_error, :prefixes, :further_answered, :further_failed, :open_buckets, :crawl_error,
     :request_rtt_us, :connected_claims, :sent_bytes, :received_bytes, :neighbor_count, :neighbors)";

/// What is tried when a crawl begins.
const BEGIN: &str = "begin a crawl";

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

fn insert_crawl(db: &Connection, start: &CrawlStart) -> rusqlite::Result<i64> {
    db.prepare(
        "INSERT INTO crawl (crawl_id, network, started_at_us, version, seed, vantage, parameters)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .insert(params![
        start.id.to_string(),
        start.network,
        start.started_at.0,
        start.version,
        start.seed.to_string(),
        start.vantage,
        start.parameters.to_string(),
    ])
}

fn listen_addrs(
    db: &Connection,
    interner: &mut Interner,
    addresses: &[Address],
) -> rusqlite::Result<Option<Vec<u8>>> {
    if addresses.is_empty() {
        return Ok(None);
    }
    let ids: Result<Vec<_>, _> = addresses.iter().map(|address| interner.address(db, address)).collect();
    Ok(Some(codec::encode_ids(&ids?)))
}

/// Whole microseconds; the largest number that SQLite has, for what is longer.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A count, or the largest that SQLite has.
fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
