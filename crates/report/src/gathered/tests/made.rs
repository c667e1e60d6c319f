//! Networks whose every peer's history is made, and the rows that an observer would have kept of them.

use std::{collections::BTreeMap, time::Duration};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Security, Transport},
};
use schema::{
    AddressVisit, Encounter, OnlineCriterion, PeerNumber, PeerSession, Row, RunEnd, RunId, RunStart,
    RunState, SeenSession, SessionEnd, SessionState, Timestamp, Tool, Visit, VisitKind,
};
use store::{Store, StoreUrl};
use tempfile::TempDir;

/// Crawls are half an hour apart: the unit of everything here.
const APART_US: i64 = 1_800_000_000;

/// The moment at which a crawl begins.
pub(crate) const fn at(crawl: i64) -> Timestamp {
    Timestamp(1_790_000_000_000_000 / APART_US * APART_US + crawl * APART_US)
}

/// When a crawl looks at a peer, from when until when.
pub(crate) const fn looked(crawl: i64, peer: i64) -> (Timestamp, Timestamp) {
    let began = at(crawl).0 + 1_000_000 + peer * 1_000;
    (Timestamp(began), Timestamp(began + 500))
}

/// A peer, and between which crawls it was up: from the first of two until before the second.
#[derive(Debug, Clone)]
pub(crate) struct MadePeer {
    pub(crate) agent: String,
    pub(crate) ip: String,
    pub(crate) up: Vec<(i64, i64)>,
}

/// A network and how it was watched.
#[derive(Debug)]
pub(crate) struct MadeWorld {
    pub(crate) peers: Vec<MadePeer>,
    pub(crate) crawls: i64,
    /// Whether a monitor kept sessions.
    pub(crate) is_monitored: bool,
}

impl MadePeer {
    pub(crate) fn is_up(&self, crawl: i64) -> bool {
        self.up.iter().any(|(from, until)| (*from..*until).contains(&crawl))
    }
}

impl MadeWorld {
    /// All rows, in a store of its own.
    pub(crate) async fn kept(&self) -> (Store, TempDir) {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreUrl::Sqlite(place.path().join("made.sqlite"))).unwrap().unwrap();
        let ids: Vec<PeerId> = (0..self.peers.len()).map(id).collect();
        for crawl in 0..self.crawls {
            let rows =
                self.peers.iter().enumerate().map(|(peer, made)| {
                    Row::Visit(Box::new(visit(made, u32::try_from(peer).unwrap(), crawl)))
                });
            keep(&store, (Tool::Crawl, crawl), &ids, rows.collect()).await;
        }
        if self.is_monitored {
            let rows = self.sessions().map(|session| Row::PeerSession(Box::new(session)));
            keep(&store, (Tool::Monitor, -1), &ids, rows.collect()).await;
        }
        (store, place)
    }

    /// A row when a session begins, and another one when it is over.
    fn sessions(&self) -> impl Iterator<Item = PeerSession> {
        let mut rows: BTreeMap<(i64, u32), PeerSession> = BTreeMap::new();
        for (peer, made) in (0..).zip(&self.peers) {
            let mut down = None;
            let mut open: Option<SeenSession> = None;
            for crawl in 0..self.crawls {
                let (began, ended) = looked(crawl, i64::from(peer));
                let session =
                    |seen: SeenSession| PeerSession { peer: PeerNumber(peer), seen, next_dial: None };
                match (&mut open, made.is_up(crawl)) {
                    (None, true) => {
                        let seen = opened(down, (began, ended));
                        rows.insert((crawl, peer), session(seen.clone()));
                        open = Some(seen);
                    }
                    (Some(seen), true) => seen.ended_after = began,
                    (Some(seen), false) => {
                        seen.first_failed = Some(began);
                        seen.ended_by = Some(ended);
                        seen.state = SessionState::Closed;
                        seen.end = Some(SessionEnd::Gone);
                        rows.insert((crawl, peer), session(seen.clone()));
                        open = None;
                    }
                    (None, false) => {}
                }
                if !made.is_up(crawl) {
                    down = Some(began);
                }
            }
        }
        rows.into_values()
    }
}

fn opened(began_after: Option<Timestamp>, (began, ended): (Timestamp, Timestamp)) -> SeenSession {
    SeenSession {
        criterion: OnlineCriterion::Handshake,
        state: SessionState::Open,
        began_after,
        first_successful: began,
        began_by: ended,
        ended_after: began,
        first_failed: None,
        ended_by: None,
        successes: 1,
        failures: 0,
        recoveries: 0,
        gaps: 0,
        unwatched: Duration::ZERO,
        end: None,
        failure: None,
    }
}

fn id(peer: usize) -> PeerId {
    // An identity multihash of 32 bytes: any bytes are an id.
    let mut bytes = vec![0, 32];
    bytes.extend(format!("{peer:032}").bytes());
    PeerId::from_bytes(&bytes).unwrap()
}

fn visit(made: &MadePeer, peer: u32, crawl: i64) -> Visit {
    let (began, ended) = looked(crawl, i64::from(peer));
    let ip: std::net::IpAddr = made.ip.parse().unwrap();
    let address = multiaddr::Multiaddr::empty()
        .with(multiaddr::Protocol::from(ip))
        .with(multiaddr::Protocol::Tcp(4001));
    let timeout = Failure::new(Phase::Connect, FailureClass::Timeout);
    let is_up = made.is_up(crawl);
    let mut met = Encounter {
        ended_at: ended,
        dial_duration: Some(Duration::from_micros(400)),
        addresses: vec![AddressVisit {
            address: address.into(),
            started_after: Some(Duration::ZERO),
            took: Some(Duration::from_micros(400)),
            outcome: if is_up { AddressOutcome::Connected } else { AddressOutcome::Failed(timeout.clone()) },
            resolved: Vec::new(),
        }],
        ..Encounter::begun(began)
    };
    if is_up {
        met.connection = Some(schema::ConnectionInfo {
            address: 0,
            transport: Transport::Tcp,
            security: Security::Noise,
            certificate: None,
            ip_version: if ip.is_ipv4() { 4 } else { 6 },
            socket: std::net::SocketAddr::new(ip, 4001),
            rtt: None,
        });
        met.agent_version = Some(made.agent.clone());
        met.protocols = vec!["/ipfs/kad/1.0.0".to_owned()];
    } else {
        met.connect_error = Some(timeout);
    }
    Visit { met, ..Visit::begun(PeerNumber(peer), VisitKind::First, began) }
}

async fn keep(store: &Store, (tool, crawl): (Tool, i64), ids: &[PeerId], rows: Vec<Row>) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(crawl + 2).to_be_bytes());
    let started_at = at(crawl.max(0));
    let start = RunStart {
        id: RunId(id),
        tool,
        network: "made".to_owned(),
        started_at,
        version: "test".to_owned(),
        seed: 1,
        vantage: "here".to_owned(),
        parameters: serde_json::json!({}),
    };
    let writer = store.begin_run(&start).unwrap();
    let sender = writer.sender();
    for (number, id) in (0..).map(PeerNumber).zip(ids) {
        sender.send(Row::Peer(number, *id)).await.unwrap();
    }
    for row in rows {
        sender.send(row).await.unwrap();
    }
    drop(sender);
    let end = RunEnd {
        finished_at: Timestamp(started_at.0 + 300_000_000),
        state: RunState::Succeeded,
        summary: serde_json::json!({}),
    };
    writer.finish(end).await.unwrap();
}
