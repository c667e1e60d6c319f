//! Keeps encounters: what repeats from one encounter with a peer to the next is kept once.
//!
//! Three things repeat: the addresses and what came of them, the other end of the connection, and what the peer says of
//! itself. Each is a row of its own, and an encounter names the same row as the last one of its peer if it is the same
//! again. Nothing has to be looked up by its value for that, so these rows need no index.

use std::{net::SocketAddr, sync::Arc};

use kad::{Address, network::AddressOutcome};
use rusqlite::{Connection, OptionalExtension as _, params, types::Value};
use schema::{AddressVisit, ConnectionInfo, Encounter, Timestamp};

use super::{
    codec::{self, Fate, Times, micros},
    intern::Interner,
    physical::ENCOUNTER,
};
use crate::{cache::Cache, limits::CACHED_PEERS};

/// Something that is kept once: its number, and what it is.
type Once<T> = (i64, T);

/// The other end of a connection: transport, security, certificate, IP version and socket.
type Endpoint = (i64, i64, Option<i64>, u8, String);

/// What a peer says of itself: agent, protocols and addresses.
type Description = (Option<i64>, Option<i64>, Option<Vec<u8>>);

/// What the last encounter with a peer named.
#[derive(Debug, Clone, Default)]
struct Latest {
    fates: Option<Once<Vec<u8>>>,
    endpoint: Option<Once<Endpoint>>,
    description: Option<Once<Description>>,
}

/// Turns encounters into values. What it remembers is true only as long as every transaction commits.
#[derive(Debug)]
pub(super) struct Encounters {
    latest: Cache<i64, Arc<Latest>>,
}

/// A peer by its number in the store, and whether no row is about it yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub(super) peer: i64,
    pub(super) is_new: bool,
}

impl Encounters {
    pub(super) fn new() -> Self {
        Self { latest: Cache::new(CACHED_PEERS) }
    }

    /// What is kept of an encounter of a run that began at `began`, in the order of [`ENCOUNTER`].
    pub(super) fn values(
        &mut self,
        db: &Connection,
        interner: &mut Interner,
        (about, began): (About, Timestamp),
        encounter: &Encounter,
    ) -> rusqlite::Result<[Value; ENCOUNTER.len()]> {
        let before = match self.latest.get(&about.peer) {
            Some(latest) => latest,
            None if about.is_new => Arc::default(),
            None => Arc::new(read_latest(db, about.peer)?),
        };
        let fates = fates(db, interner, &encounter.addresses, before.fates.as_ref())?;
        let endpoint = endpoint(db, interner, encounter.connection.as_ref(), before.endpoint.as_ref())?;
        let description = description(db, interner, encounter, before.description.as_ref())?;
        let connection = encounter.connection.as_ref();
        let mut failure = |failure: Option<&kad::failure::Failure>| -> rusqlite::Result<Value> {
            failure.map_or(Ok(Value::Null), |failure| interner.failure(db, failure).map(Value::Integer))
        };
        let errors =
            [failure(encounter.connect_error.as_ref())?, failure(encounter.identify_error.as_ref())?];
        let [connect_error, identify_error] = errors;
        let rtt = connection.and_then(|connection| connection.rtt);
        let rtt_source = rtt.map(|rtt| interner.name(db, rtt.source.name())).transpose()?;
        let values = [
            encounter.started_at.0.wrapping_sub(began.0).into(),
            encounter.ended_at.0.wrapping_sub(encounter.started_at.0).into(),
            encounter.dial_duration.map(micros).into(),
            encounter.connect_duration.map(micros).into(),
            number(fates.as_ref()).into(),
            codec::encode_times(times(&encounter.addresses)).into(),
            connection.map(|connection| integer(connection.address as u64)).into(),
            number(endpoint.as_ref()).into(),
            rtt.map(|rtt| micros(rtt.time)).into(),
            rtt_source.into(),
            connect_error,
            number(description.as_ref()).into(),
            identify_error,
            integer(encounter.sent_bytes).into(),
            integer(encounter.received_bytes).into(),
        ];
        // Who cannot be reached now may say the same as before when it can be again.
        let endpoint = endpoint.or_else(|| before.endpoint.clone());
        let description = description.or_else(|| before.description.clone());
        self.latest.put(about.peer, Arc::new(Latest { fates, endpoint, description }));
        Ok(values)
    }
}

/// A count, or the largest that SQLite has.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn number<T>(once: Option<&Once<T>>) -> Option<i64> {
    once.map(|&(id, _)| id)
}

/// The row of something: that of `before` if it is the same, or a new one.
fn once<T: PartialEq + Clone>(
    value: Option<T>,
    before: Option<&Once<T>>,
    insert: impl FnOnce(&T) -> rusqlite::Result<i64>,
) -> rusqlite::Result<Option<Once<T>>> {
    let Some(value) = value else { return Ok(None) };
    match before {
        Some(same) if same.1 == value => Ok(Some(same.clone())),
        _ => insert(&value).map(|id| Some((id, value))),
    }
}

/// Each address, and behind one with a name those that it led to.
fn every(addresses: &[AddressVisit]) -> impl Iterator<Item = (&AddressVisit, bool)> {
    addresses.iter().flat_map(|visited| {
        std::iter::once((visited, false)).chain(visited.resolved.iter().map(|resolved| (resolved, true)))
    })
}

fn times(addresses: &[AddressVisit]) -> impl Iterator<Item = Times> {
    every(addresses).map(|(visited, _)| (visited.started_after, visited.took))
}

fn fates(
    db: &Connection,
    interner: &mut Interner,
    addresses: &[AddressVisit],
    before: Option<&Once<Vec<u8>>>,
) -> rusqlite::Result<Option<Once<Vec<u8>>>> {
    let mut fates = Vec::with_capacity(addresses.len());
    for (visited, is_resolved) in every(addresses) {
        let (outcome, cause) = match &visited.outcome {
            AddressOutcome::Connected => (0, 0),
            AddressOutcome::NotTried => (1, 0),
            AddressOutcome::Abandoned => (2, 0),
            AddressOutcome::Skipped(reason) => (3, interner.name(db, reason.name())?),
            AddressOutcome::Failed(failure) => (4, interner.failure(db, failure)?),
        };
        fates.push(Fate { address: interner.address(db, &visited.address)?, outcome, cause, is_resolved });
    }
    let list = (!fates.is_empty()).then(|| codec::encode_fates(&fates));
    once(list, before, |list| {
        let sql = "INSERT INTO fates (only_reason, list) VALUES (?1, ?2)";
        db.prepare_cached(sql)?.insert(params![only_reason(&fates), list])
    })
}

/// The reason for which all of them were left out; `None` if there are several reasons, or if one was not left out.
fn only_reason(fates: &[Fate]) -> Option<i64> {
    let mut reasons = fates.iter().filter(|fate| !fate.is_resolved).map(|fate| (fate.outcome, fate.cause));
    let first = reasons.next().filter(|&(outcome, _)| outcome == 3)?;
    reasons.all(|reason| reason == first).then_some(first.1)
}

fn endpoint(
    db: &Connection,
    interner: &mut Interner,
    connection: Option<&ConnectionInfo>,
    before: Option<&Once<Endpoint>>,
) -> rusqlite::Result<Option<Once<Endpoint>>> {
    let Some(connection) = connection else { return Ok(None) };
    let certificate = connection.certificate.map(|certificate| interner.name(db, certificate.name()));
    let endpoint = (
        interner.name(db, connection.transport.name())?,
        interner.name(db, connection.security.name())?,
        certificate.transpose()?,
        connection.ip_version,
        SocketAddr::new(connection.socket.ip(), connection.socket.port()).to_string(),
    );
    once(Some(endpoint), before, |(transport, security, certificate, ip_version, socket)| {
        let sql = "INSERT INTO endpoint (transport, security, certificate, ip_version, socket)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        db.prepare_cached(sql)?.insert(params![transport, security, certificate, ip_version, socket])
    })
}

fn description(
    db: &Connection,
    interner: &mut Interner,
    encounter: &Encounter,
    before: Option<&Once<Description>>,
) -> rusqlite::Result<Option<Once<Description>>> {
    let Encounter { agent_version, protocols, listen_addrs, .. } = encounter;
    let agent = agent_version.as_ref().map(|agent| interner.agent(db, agent)).transpose()?;
    let protocols = (!protocols.is_empty()).then(|| interner.protocols(db, protocols)).transpose()?;
    let description = (agent, protocols, address_list(db, interner, listen_addrs)?);
    let is_something = description != (None, None, None);
    once(is_something.then_some(description), before, |(agent, protocols, listen_addrs)| {
        let sql = "INSERT INTO description (agent, protocols, listen_addrs) VALUES (?1, ?2, ?3)";
        db.prepare_cached(sql)?.insert(params![agent, protocols, listen_addrs])
    })
}

/// A list of addresses as it is kept; `None` for an empty one.
pub(super) fn address_list(
    db: &Connection,
    interner: &mut Interner,
    addresses: &[Address],
) -> rusqlite::Result<Option<Vec<u8>>> {
    let ids = addresses.iter().map(|address| interner.address(db, address));
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok((!ids.is_empty()).then(|| codec::encode_ids(&ids)))
}

/// What the last visit of a peer named, as SQL.
pub(super) const SELECT_LATEST: &str =
    "SELECT t.fates, fates.list, t.endpoint, endpoint.transport, endpoint.security, endpoint.certificate,
    endpoint.ip_version, endpoint.socket, t.description, description.agent, description.protocols,
    description.listen_addrs
    FROM visit AS t LEFT JOIN fates ON fates.id = t.fates LEFT JOIN endpoint ON endpoint.id = t.endpoint
    LEFT JOIN description ON description.id = t.description
    WHERE t.peer = ?1 ORDER BY t.run DESC, t.started_after_us DESC LIMIT 1";

/// What the last visit of a peer named.
fn read_latest(db: &Connection, peer: i64) -> rusqlite::Result<Latest> {
    let latest = db.prepare_cached(SELECT_LATEST)?.query_row((peer,), |row| {
        let [fates, endpoint, description]: [Option<i64>; 3] = [row.get(0)?, row.get(2)?, row.get(8)?];
        Ok(Latest {
            fates: fates.map(|id| Ok::<_, rusqlite::Error>((id, row.get(1)?))).transpose()?,
            endpoint: endpoint
                .map(|id| {
                    let end = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
                    Ok::<_, rusqlite::Error>((id, end))
                })
                .transpose()?,
            description: description
                .map(|id| Ok::<_, rusqlite::Error>((id, (row.get(9)?, row.get(10)?, row.get(11)?))))
                .transpose()?,
        })
    });
    latest.optional().map(Option::unwrap_or_default)
}
