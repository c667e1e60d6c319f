//! The rows as they are written. `docs/export.md` documents each field.

use std::time::Duration;

use kad::{
    Address,
    failure::Failure,
    network::{AddressOutcome, WssCertificate},
    opt_out::OptOut,
};
use schema::{AddressVisit, NatClass, PrefixOutcome, RunId, RunState, Timestamp, Visit, visit::PREFIXES};
use serde::Serialize;

use super::{
    Veil,
    names::{Names, Verdict},
};
use crate::args::Privacy;

/// One row: an object that says in `row` of which kind it is.
#[derive(Debug, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub(crate) enum Row<'a> {
    Crawl(Box<CrawlRow<'a>>),
    Peer(PeerRow<'a>),
    Visit(Box<VisitRow<'a>>),
    Neighbors(NeighborsRow<'a>),
}

/// How the other rows were made.
#[derive(Debug, Serialize)]
pub(crate) struct CrawlRow<'a> {
    pub(crate) crawl_id: RunId,
    pub(crate) network: &'a str,
    pub(crate) state: RunState,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) version: &'a str,
    pub(crate) seed: u64,
    pub(crate) privacy: Privacy,
    pub(crate) peers: u64,
    pub(crate) peers_left_out: u64,
    pub(crate) vantage: Option<&'a str>,
    pub(crate) parameters: Option<serde_json::Value>,
}

/// A peer that was heard of.
#[derive(Debug, Serialize)]
pub(crate) struct PeerRow<'a> {
    crawl_id: RunId,
    peer_id: &'a str,
    visits: u32,
    reachable: Option<bool>,
    nat: Option<&'static str>,
}

/// What one visit showed.
#[derive(Debug, Serialize)]
pub(crate) struct VisitRow<'a> {
    crawl_id: RunId,
    peer_id: &'a str,
    kind: &'static str,
    started_at: Timestamp,
    ended_at: Timestamp,
    reachable: bool,
    nat: Option<&'static str>,
    dial_us: Option<u64>,
    connect_us: Option<u64>,
    crawl_us: Option<u64>,
    request_rtt_us: Option<u64>,
    connection: Option<ConnectionPart>,
    connect_error: Option<FailurePart<'a>>,
    identify_error: Option<FailurePart<'a>>,
    crawl_error: Option<FailurePart<'a>>,
    agent_version: Option<&'a str>,
    protocols: &'a [String],
    listen_addrs: Vec<String>,
    addresses: Vec<AddressPart<'a>>,
    prefixes: Vec<PrefixPart>,
    further: FurtherPart,
    open_buckets: Vec<usize>,
    connected_claims: u8,
    sent_bytes: u64,
    received_bytes: u64,
}

#[derive(Debug, Serialize)]
struct ConnectionPart {
    address: Option<String>,
    transport: &'static str,
    security: &'static str,
    certificate: Option<&'static str>,
    ip_version: u8,
    socket: Option<String>,
    rtt_us: Option<u64>,
    rtt_source: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct AddressPart<'a> {
    address: String,
    outcome: &'static str,
    skip_reason: Option<&'static str>,
    failure: Option<FailurePart<'a>>,
    started_after_us: Option<u64>,
    took_us: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resolved: Vec<Self>,
}

#[derive(Debug, Serialize)]
struct FailurePart<'a> {
    phase: &'static str,
    class: &'static str,
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct FurtherPart {
    answered: u16,
    failed: u16,
}

#[derive(Debug, Serialize)]
struct PrefixPart {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
}

/// Who has whom in its routing table, by one visit.
#[derive(Debug, Serialize)]
pub(crate) struct NeighborsRow<'a> {
    crawl_id: RunId,
    peer_id: &'a str,
    neighbors: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// The row of a peer.
    pub(crate) fn peer(crawl_id: RunId, peer_id: &'a str, verdict: Verdict) -> Self {
        let Verdict { visits, reachable, nat } = verdict;
        let (reachable, nat) = ((visits > 0).then_some(reachable), nat.map(NatClass::name));
        Self::Peer(PeerRow { crawl_id, peer_id, visits, reachable, nat })
    }

    /// The row of what was in one peer's answers.
    pub(crate) fn neighbors(
        crawl_id: RunId,
        peer: schema::PeerNumber,
        neighbors: &[schema::PeerNumber],
        names: &'a Names,
    ) -> Option<Self> {
        let neighbors = neighbors.iter().filter_map(|&neighbor| names.get(neighbor)).collect();
        Some(Self::Neighbors(NeighborsRow { crawl_id, peer_id: names.get(peer)?, neighbors }))
    }

    /// The row of a visit.
    pub(crate) fn visit(
        crawl_id: RunId,
        peer_id: &'a str,
        visit: &'a Visit,
        veil: &Veil,
        opt_out: &OptOut,
    ) -> Self {
        let failure = |failure: &'a Option<Failure>| failure.as_ref().map(|f| failure_part(f, veil));
        Self::Visit(Box::new(VisitRow {
            crawl_id,
            peer_id,
            kind: visit.kind.name(),
            started_at: visit.met.started_at,
            ended_at: visit.met.ended_at,
            reachable: visit.is_reachable(),
            nat: NatClass::of(visit).map(NatClass::name),
            dial_us: visit.met.dial_duration.map(micros),
            connect_us: visit.met.connect_duration.map(micros),
            crawl_us: visit.crawl_duration.map(micros),
            request_rtt_us: visit.request_rtt.map(micros),
            connection: connection(visit, veil, opt_out),
            connect_error: failure(&visit.met.connect_error),
            identify_error: failure(&visit.met.identify_error),
            crawl_error: failure(&visit.crawl_error),
            agent_version: visit.met.agent_version.as_deref(),
            protocols: &visit.met.protocols,
            listen_addrs: said(&visit.met.listen_addrs, veil, opt_out),
            addresses: addresses(&visit.met.addresses, veil, opt_out),
            prefixes: visit.prefixes.iter().copied().map(prefix).collect(),
            further: FurtherPart { answered: visit.further.answered, failed: visit.further.failed },
            open_buckets: (0..PREFIXES).filter(|bucket| visit.open_buckets >> bucket & 1 == 1).collect(),
            connected_claims: visit.connected_claims,
            sent_bytes: visit.met.sent_bytes,
            received_bytes: visit.met.received_bytes,
        }))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn said(addresses: &[Address], veil: &Veil, opt_out: &OptOut) -> Vec<String> {
    addresses.iter().filter(|address| !opt_out.has_given(address)).map(|a| veil.address(a)).collect()
}

fn connection(visit: &Visit, veil: &Veil, opt_out: &OptOut) -> Option<ConnectionPart> {
    let connection = visit.met.connection.as_ref()?;
    Some(ConnectionPart {
        address: visit.met.addresses.get(connection.address).map(|visited| veil.address(&visited.address)),
        transport: connection.transport.name(),
        security: connection.security.name(),
        certificate: connection.certificate.map(WssCertificate::name),
        ip_version: connection.ip_version,
        socket: veil.socket(connection.socket).filter(|_| !opt_out.has_ip(connection.socket.ip())),
        rtt_us: connection.rtt.map(|rtt| micros(rtt.time)),
        rtt_source: connection.rtt.map(|rtt| rtt.source.name()),
    })
}

fn addresses<'a>(visited: &'a [AddressVisit], veil: &Veil, opt_out: &OptOut) -> Vec<AddressPart<'a>> {
    let part = |visited: &'a AddressVisit| {
        let (outcome, skip_reason, failure) = match &visited.outcome {
            AddressOutcome::Connected => ("connected", None, None),
            AddressOutcome::NotTried => ("not_tried", None, None),
            AddressOutcome::Abandoned => ("abandoned", None, None),
            AddressOutcome::Skipped(reason) => ("skipped", Some(reason.name()), None),
            AddressOutcome::Failed(failure) => ("failed", None, Some(failure_part(failure, veil))),
        };
        AddressPart {
            address: veil.address(&visited.address),
            outcome,
            skip_reason,
            failure,
            started_after_us: visited.started_after.map(micros),
            took_us: visited.took.map(micros),
            resolved: addresses(&visited.resolved, veil, opt_out),
        }
    };
    visited.iter().filter(|visited| !opt_out.has_given(&visited.address)).map(part).collect()
}

fn failure_part<'a>(failure: &'a Failure, veil: &Veil) -> FailurePart<'a> {
    FailurePart { phase: failure.phase.name(), class: failure.class.name(), detail: veil.detail(failure) }
}

fn prefix(outcome: PrefixOutcome) -> PrefixPart {
    let (outcome, peers, class) = match outcome {
        PrefixOutcome::NotAsked => ("not_asked", None, None),
        PrefixOutcome::Saved => ("saved", None, None),
        PrefixOutcome::Answered { peers } => ("answered", Some(peers), None),
        PrefixOutcome::Failed(class) => ("failed", None, Some(class.name())),
    };
    PrefixPart { outcome, peers, class }
}
