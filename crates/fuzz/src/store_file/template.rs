//! A store with one crawl of three peers: one that answered, one that refused, one with nothing to dial.

use std::{fs, time::Duration};

use kad::{
    Address, PeerId,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, RoundTrip, RttSource, Security, Transport},
};
use multiaddr::Multiaddr;
use schema::{
    AddressVisit, ConnectionInfo, Encounter, FurtherRequests, PeerNumber, PrefixOutcome, Row, RunEnd, RunId,
    RunStart, RunState, Timestamp, Tool, Visit, VisitKind, visit::PREFIXES,
};
use store::{Store, StoreUrl};

/// How many visits are in it.
pub(super) const VISITS: u64 = 3;

const STARTED_AT: Timestamp = Timestamp(1_795_000_000_000_000);

/// The bytes of the store; `None` if there is no place to make it.
pub(super) fn make() -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().join("crawls.sqlite");
    let store = Store::open(&StoreUrl::Sqlite(path.clone())).ok()??;
    let writer = store.begin_run(&start()).ok()?;
    let rows = writer.sender();
    for row in all() {
        rows.blocking_send(row).ok()?;
    }
    drop(rows);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().ok()?;
    let end = RunEnd {
        finished_at: STARTED_AT.after(Duration::from_secs(1)),
        state: RunState::Succeeded,
        summary: serde_json::json!({ "peers": 3 }),
    };
    runtime.block_on(writer.finish(end)).ok()?;
    drop(store);
    fs::read(path).ok()
}

fn start() -> RunStart {
    RunStart {
        id: RunId::new(STARTED_AT, [7; 10]),
        tool: Tool::Crawl,
        network: "ipfs".to_owned(),
        started_at: STARTED_AT,
        version: "0.1.0".to_owned(),
        seed: 1,
        vantage: "here".to_owned(),
        parameters: serde_json::json!({ "parallelism": 100 }),
    }
}

fn all() -> Vec<Row> {
    let ids = (1..=3_u8).filter_map(|n| PeerId::from_bytes(&[&[0x12, 32], [n; 32].as_slice()].concat()).ok());
    let peers = (0..).zip(ids).map(|(number, id)| Row::Peer(PeerNumber(number), id));
    let visits = [answered(), refused(), skipped()].map(|visit| Row::Visit(Box::new(visit)));
    peers.chain(visits).collect()
}

fn blank(number: u32) -> Visit {
    let mut visit = Visit::begun(PeerNumber(number), VisitKind::First, STARTED_AT);
    visit.met.ended_at = STARTED_AT.after(Duration::from_millis(5));
    visit
}

fn address(text: &str, outcome: AddressOutcome) -> AddressVisit {
    let took = Some(Duration::from_millis(2));
    let address = text.parse().unwrap_or(Multiaddr::empty()).into();
    AddressVisit { address, started_after: took, took, outcome, resolved: Vec::new() }
}

fn answered() -> Visit {
    let failure = Failure::new(Phase::Request, FailureClass::StreamReset);
    let mut prefixes = [PrefixOutcome::Answered { peers: 20 }; PREFIXES];
    prefixes[14] = PrefixOutcome::Failed(failure.class);
    prefixes[15] = PrefixOutcome::Saved;
    Visit {
        crawl_duration: Some(Duration::from_millis(1)),
        prefixes,
        further: FurtherRequests { answered: 3, failed: 1 },
        open_buckets: 3,
        crawl_error: Some(failure),
        request_rtt: Some(Duration::from_micros(900)),
        neighbors: Some(vec![PeerNumber(1), PeerNumber(2)]),
        met: Encounter {
            dial_duration: Some(Duration::from_millis(3)),
            connect_duration: Some(Duration::from_millis(2)),
            addresses: vec![address("/ip4/127.0.0.1/tcp/4001", AddressOutcome::Connected)],
            connection: Some(ConnectionInfo {
                address: 0,
                transport: Transport::Tcp,
                security: Security::Noise,
                certificate: None,
                ip_version: 4,
                socket: ([127, 0, 0, 1], 4001).into(),
                rtt: Some(RoundTrip { time: Duration::from_micros(150), source: RttSource::TcpInfo }),
            }),
            agent_version: Some("kubo/0.43.0/".to_owned()),
            protocols: vec!["/ipfs/id/1.0.0".to_owned(), "/ipfs/kad/1.0.0".to_owned()],
            listen_addrs: ["/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/udp/4001/quic-v1"]
                .iter()
                .filter_map(|text| text.parse().ok().map(Address::Multiaddr))
                .chain([Address::from_bytes(&[4, 127, 0, 0, 1, 6])])
                .collect(),
            sent_bytes: 1000,
            received_bytes: 20_000,
            ..blank(0).met
        },
        ..blank(0)
    }
}

fn refused() -> Visit {
    let failure = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    Visit {
        kind: VisitKind::SecondPass,
        met: Encounter {
            dial_duration: Some(Duration::from_millis(1)),
            addresses: vec![address("/ip4/127.0.0.2/tcp/4001", AddressOutcome::Failed(failure.clone()))],
            connect_error: Some(failure),
            ..blank(1).met
        },
        ..blank(1)
    }
}

fn skipped() -> Visit {
    let relayed = AddressOutcome::Skipped(SkipReason::Relayed);
    Visit {
        met: Encounter {
            addresses: vec![address("/ip4/127.0.0.3/tcp/4001/p2p-circuit", relayed)],
            ..blank(2).met
        },
        ..blank(2)
    }
}
