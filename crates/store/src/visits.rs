//! Reads the visits of a crawl as a stream.

use std::{collections::VecDeque, net::SocketAddr, path::Path, time::Duration};

use kad::{
    Address,
    failure::{Failure, FailureClass, SkipReason},
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport, WssCertificate},
};
use multiaddr::Protocol;
use rusqlite::{Connection, Row, params};
use schema::{AddressVisit, ConnectionInfo, FurtherRequests, PeerNumber, Timestamp, Visit};

use crate::{
    Error, codec,
    limits::READ_CHUNK,
    names::{self, outcome},
    resolve::{Resolver, damaged, unknown},
};

/// The visits of one crawl in the order in which they were written. Those that are written meanwhile come too; after
/// an error or the first `None` it ends.
#[derive(Debug)]
pub struct Visits<'a> {
    reader: Reader<'a>,
    crawl: i64,
    started_at: Timestamp,
    chunk: VecDeque<Visit>,
    after: i64,
    over: bool,
}

impl<'a> Visits<'a> {
    pub(crate) fn new(db: &'a Connection, path: &'a Path, crawl: i64, started_at: Timestamp) -> Self {
        let reader = Reader { db, path, resolver: Resolver::new(db, path) };
        Self { reader, crawl, started_at, chunk: VecDeque::new(), after: 0, over: false }
    }

    fn fill(&mut self) -> Result<(), Error> {
        let path = self.reader.path;
        let fail = |error| Error::reading(path, error);
        let mut select = self.reader.db.prepare_cached(SELECT).map_err(fail)?;
        let mut rows = select.query(params![self.crawl, self.after, READ_CHUNK]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            self.after = row.get("id").map_err(fail)?;
            self.chunk.push_back(self.reader.visit(row, self.started_at)?);
        }
        Ok(())
    }
}

impl Iterator for Visits<'_> {
    type Item = Result<Visit, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.is_empty() && !self.over {
            if let Err(error) = self.fill() {
                self.over = true;
                self.chunk.clear();
                return Some(Err(error));
            }
            self.over = self.chunk.is_empty();
        }
        self.chunk.pop_front().map(Ok)
    }
}

const SELECT: &str = "SELECT id, peer, kind, started_after_us, took_us, dial_us, connect_us, crawl_us, connected,
    transport, security, certificate, ip_version, socket, rtt_us, rtt_source, connect_error, agent, protocols,
    listen_addrs, identify_error, prefixes, further_answered, further_failed, open_buckets, crawl_error, request_rtt_us,
    connected_claims, sent_bytes, received_bytes, neighbors
    FROM visit WHERE crawl = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

#[derive(Debug)]
struct Reader<'a> {
    db: &'a Connection,
    path: &'a Path,
    resolver: Resolver<'a>,
}

impl Reader<'_> {
    fn get<T: rusqlite::types::FromSql>(&self, row: &Row<'_>, column: &str) -> Result<T, Error> {
        row.get(column).map_err(|error| Error::reading(self.path, error))
    }

    fn visit(&mut self, row: &Row<'_>, crawl_started_at: Timestamp) -> Result<Visit, Error> {
        let started_at = Timestamp(crawl_started_at.0.wrapping_add(self.get(row, "started_after_us")?));
        let agent: Option<i64> = self.get(row, "agent")?;
        let protocols: Option<i64> = self.get(row, "protocols")?;
        Ok(Visit {
            peer: PeerNumber(self.get(row, "peer")?),
            kind: self.resolver.variant(self.get(row, "kind")?, "kind of visit", names::visit_kind)?,
            started_at,
            ended_at: Timestamp(started_at.0.wrapping_add(self.get(row, "took_us")?)),
            dial_duration: self.duration(row, "dial_us")?,
            connect_duration: self.duration(row, "connect_us")?,
            crawl_duration: self.duration(row, "crawl_us")?,
            addresses: self.addresses(self.get(row, "id")?)?,
            connection: self.connection(row)?,
            connect_error: self.failure(row, "connect_error")?,
            agent_version: agent.map(|id| self.resolver.agent(id)).transpose()?,
            protocols: protocols.map_or_else(|| Ok(Vec::new()), |id| self.resolver.protocols(id))?,
            listen_addrs: self.listen_addrs(row)?,
            identify_error: self.failure(row, "identify_error")?,
            prefixes: self.prefixes(row)?,
            further: FurtherRequests {
                answered: self.get(row, "further_answered")?,
                failed: self.get(row, "further_failed")?,
            },
            open_buckets: self.get(row, "open_buckets")?,
            crawl_error: self.failure(row, "crawl_error")?,
            request_rtt: self.duration(row, "request_rtt_us")?,
            neighbors: self.neighbors(row)?,
            connected_claims: self.get(row, "connected_claims")?,
            sent_bytes: self.get(row, "sent_bytes")?,
            received_bytes: self.get(row, "received_bytes")?,
        })
    }

    fn connection(&mut self, row: &Row<'_>) -> Result<Option<ConnectionInfo>, Error> {
        let Some(address) = self.get(row, "connected")? else { return Ok(None) };
        Ok(Some(ConnectionInfo {
            address,
            transport: self.resolver.variant(
                self.get(row, "transport")?,
                "transport",
                Transport::from_name,
            )?,
            security: self.resolver.variant(self.get(row, "security")?, "security", Security::from_name)?,
            certificate: self.certificate(row)?,
            ip_version: self.get(row, "ip_version")?,
            socket: self.socket(row)?,
            rtt: self.round_trip(row)?,
        }))
    }

    fn certificate(&mut self, row: &Row<'_>) -> Result<Option<WssCertificate>, Error> {
        let id: Option<i64> = self.get(row, "certificate")?;
        id.map(|id| self.resolver.variant(id, "certificate", WssCertificate::from_name)).transpose()
    }

    fn socket(&self, row: &Row<'_>) -> Result<SocketAddr, Error> {
        let text: String = self.get(row, "socket")?;
        text.parse().map_err(|_| damaged(self.path, "a socket that was never written".to_owned()))
    }

    fn round_trip(&mut self, row: &Row<'_>) -> Result<Option<RoundTrip>, Error> {
        let Some(time) = self.duration(row, "rtt_us")? else { return Ok(None) };
        let source = self.get(row, "rtt_source")?;
        let source = self.resolver.variant(source, "source of a round trip", RttSource::from_name)?;
        Ok(Some(RoundTrip { time, source }))
    }

    fn duration(&self, row: &Row<'_>, column: &str) -> Result<Option<Duration>, Error> {
        self.get::<Option<u64>>(row, column).map(|micros| micros.map(Duration::from_micros))
    }

    fn failure(&mut self, row: &Row<'_>, column: &str) -> Result<Option<Failure>, Error> {
        let id: Option<i64> = self.get(row, column)?;
        id.map(|id| self.resolver.failure(id)).transpose()
    }

    fn prefixes(&mut self, row: &Row<'_>) -> Result<[schema::PrefixOutcome; schema::visit::PREFIXES], Error> {
        let blob: Option<Vec<u8>> = self.get(row, "prefixes")?;
        codec::decode_prefixes(blob.as_deref(), |id| {
            self.resolver.variant(id, "failure class", FailureClass::from_name)
        })?
        .ok_or_else(|| damaged(self.path, "prefixes that were never written".to_owned()))
    }

    fn listen_addrs(&mut self, row: &Row<'_>) -> Result<Vec<Address>, Error> {
        let blob: Option<Vec<u8>> = self.get(row, "listen_addrs")?;
        codec::decode_ids(&blob.unwrap_or_default())
            .ok_or_else(|| damaged(self.path, "addresses that were never written".to_owned()))?
            .into_iter()
            .map(|id| self.resolver.address(id))
            .collect()
    }

    fn neighbors(&self, row: &Row<'_>) -> Result<Option<Vec<PeerNumber>>, Error> {
        let blob: Option<Vec<u8>> = self.get(row, "neighbors")?;
        blob.map(|blob| neighbors(self.path, &blob)).transpose()
    }

    fn addresses(&mut self, visit: i64) -> Result<Vec<AddressVisit>, Error> {
        let fail = |error| Error::reading(self.path, error);
        let mut select = self.db.prepare_cached(SELECT_ADDRESSES).map_err(fail)?;
        let mut rows = select.query((visit,)).map_err(fail)?;
        let mut addresses = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            let mut visited = self.address(row)?;
            if begins_with_name(&visited.address) {
                visited.resolved = self.resolved(visit, self.get(row, "position")?)?;
            }
            addresses.push(visited);
        }
        Ok(addresses)
    }

    fn resolved(&mut self, visit: i64, position: i64) -> Result<Vec<AddressVisit>, Error> {
        let fail = |error| Error::reading(self.path, error);
        let mut select = self.db.prepare_cached(SELECT_RESOLVED).map_err(fail)?;
        let mut rows = select.query((visit, position)).map_err(fail)?;
        let mut resolved = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            resolved.push(self.address(row)?);
        }
        Ok(resolved)
    }

    fn address(&mut self, row: &Row<'_>) -> Result<AddressVisit, Error> {
        Ok(AddressVisit {
            address: self.resolver.address(self.get(row, "address")?)?,
            started_after: self.duration(row, "started_after_us")?,
            took: self.duration(row, "took_us")?,
            outcome: self.outcome(row)?,
            resolved: Vec::new(),
        })
    }

    fn outcome(&mut self, row: &Row<'_>) -> Result<AddressOutcome, Error> {
        let name = self.resolver.name(self.get(row, "outcome")?)?;
        Ok(match name.as_str() {
            outcome::CONNECTED => AddressOutcome::Connected,
            outcome::NOT_TRIED => AddressOutcome::NotTried,
            outcome::ABANDONED => AddressOutcome::Abandoned,
            outcome::SKIPPED => {
                let reason = self.get(row, "skip_reason")?;
                AddressOutcome::Skipped(self.resolver.variant(
                    reason,
                    "skip reason",
                    SkipReason::from_name,
                )?)
            }
            outcome::FAILED => AddressOutcome::Failed(self.resolver.failure(self.get(row, "failure")?)?),
            other => return Err(unknown(self.path, "outcome of an address", other)),
        })
    }
}

const SELECT_ADDRESSES: &str =
    "SELECT position, address, outcome, skip_reason, failure, started_after_us, took_us
    FROM address_visit WHERE visit = ?1 ORDER BY position";

const SELECT_RESOLVED: &str = "SELECT address, outcome, skip_reason, failure, started_after_us, took_us
    FROM resolved_visit WHERE visit = ?1 AND position = ?2 ORDER BY place";

/// Whether an address has anything to resolve: only what begins with a name has.
fn begins_with_name(address: &Address) -> bool {
    let is_name = |part| {
        matches!(part, Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_))
    };
    address.multiaddr().and_then(|address| address.iter().next()).is_some_and(is_name)
}

fn neighbors(path: &Path, blob: &[u8]) -> Result<Vec<PeerNumber>, Error> {
    codec::decode_neighbors(blob).ok_or_else(|| damaged(path, "neighbors that were never written".to_owned()))
}

/// The neighbors of every visit of one crawl that kept them, in the order in which they were written: who was visited,
/// and the peers in its answers, ascending. After an error it ends.
#[derive(Debug)]
pub struct Neighbors<'a> {
    db: &'a Connection,
    path: &'a Path,
    crawl: i64,
    chunk: VecDeque<(PeerNumber, Vec<PeerNumber>)>,
    after: i64,
    over: bool,
}

impl<'a> Neighbors<'a> {
    pub(crate) fn new(db: &'a Connection, path: &'a Path, crawl: i64) -> Self {
        Self { db, path, crawl, chunk: VecDeque::new(), after: 0, over: false }
    }

    fn fill(&mut self) -> Result<(), Error> {
        let fail = |error| Error::reading(self.path, error);
        let sql = "SELECT id, peer, neighbors FROM visit
            WHERE crawl = ?1 AND id > ?2 AND neighbors IS NOT NULL ORDER BY id LIMIT ?3";
        let mut select = self.db.prepare_cached(sql).map_err(fail)?;
        let mut rows = select.query(params![self.crawl, self.after, READ_CHUNK]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            self.after = row.get(0).map_err(fail)?;
            let blob = row.get_ref(2).and_then(|value| Ok(value.as_blob()?)).map_err(fail)?;
            let peer = PeerNumber(row.get(1).map_err(fail)?);
            self.chunk.push_back((peer, neighbors(self.path, blob)?));
        }
        Ok(())
    }
}

impl Iterator for Neighbors<'_> {
    type Item = Result<(PeerNumber, Vec<PeerNumber>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.is_empty() && !self.over {
            if let Err(error) = self.fill() {
                self.over = true;
                self.chunk.clear();
                return Some(Err(error));
            }
            self.over = self.chunk.is_empty();
        }
        self.chunk.pop_front().map(Ok)
    }
}
