//! How much a monitor's looks add to a store, where peers say nothing new: the aim is 250 MB a day of 20,000 peers that are looked at every
//! quarter of an hour.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::{path::Path, time::Duration};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Endpoint, Security, Transport},
};
use kadscope_monitor::running::{MonitorFact, monitor_row};
use schema::{
    AddressVisit, ConnectionInfo, PeerNumber, RunEnd, RunId, RunStart, RunState, Timestamp, Tool, Visit,
    VisitKind,
};
use store::{Store, StoreUrl};

/// A fiftieth of the peers: what a visit takes does not hang on how many there are.
const PEERS: u32 = 400;

/// Visits in a day of 20,000 peers, one in a quarter of an hour.
const DAILY: f64 = 20_000.0 * 96.0;

const START: Timestamp = Timestamp(1_795_000_000_000_000);

fn peer(number: u32) -> PeerId {
    let mut bytes = [0x5a; 34];
    (bytes[0], bytes[1]) = (0x12, 32);
    bytes[30..].copy_from_slice(&number.to_be_bytes());
    PeerId::from_bytes(&bytes).expect("an id")
}

/// One of five addresses connects; of a peer that is gone all are silent.
fn look(number: u32, round: u32) -> Visit {
    let is_up = !number.is_multiple_of(3);
    let after = Duration::from_secs(u64::from(round) * 900) + Duration::from_millis(u64::from(number) * 2250);
    let mut visit = Visit::begun(PeerNumber(number), VisitKind::Scheduled, START.after(after));
    // Times differ from look to look.
    let took = Duration::from_micros(20_000 + u64::from(number * 7919 + round * 104_729) % 50_000);
    visit.met.ended_at = visit.met.started_at.after(if is_up { took } else { Duration::from_secs(5) + took });
    let silence = Failure::new(Phase::Connect, FailureClass::Timeout);
    let [_, _, third, fourth] = number.to_be_bytes();
    let address = |port: u16| {
        let outcome = match (is_up, port) {
            (true, 4001) => AddressOutcome::Connected,
            (true, _) => AddressOutcome::NotTried,
            (false, _) => AddressOutcome::Failed(silence.clone()),
        };
        let is_tried = outcome != AddressOutcome::NotTried;
        AddressVisit {
            address: format!("/ip4/198.51.{third}.{fourth}/tcp/{port}")
                .parse::<kad::Multiaddr>()
                .expect("an address")
                .into(),
            started_after: is_tried.then_some(Duration::ZERO),
            took: is_tried.then_some(took),
            outcome,
            resolved: Vec::new(),
        }
    };
    visit.met.addresses = (4001..4006).map(address).collect();
    let endpoint = Endpoint {
        address: 0,
        transport: Transport::Tcp,
        security: Security::Noise,
        certificate: None,
        ip_version: 4,
        socket: ([198, 51, third, fourth], 4001).into(),
    };
    visit.met.connection = is_up.then(|| ConnectionInfo::of(&endpoint, None));
    visit.met.connect_error = (!is_up).then_some(silence);
    visit
}

/// The bytes of a store in which everybody was looked at in so many rounds.
async fn bytes(directory: &Path, rounds: u32) -> u64 {
    let path = directory.join(format!("{rounds}.sqlite"));
    let url = StoreUrl::Sqlite(path.clone());
    let store = Store::open(&url).expect("a store").expect("rows are kept");
    let start = RunStart {
        id: RunId::new(START, [1; 10]),
        tool: Tool::Monitor,
        network: "test".to_owned(),
        started_at: START,
        version: String::new(),
        seed: 0,
        vantage: String::new(),
        parameters: serde_json::json!({}),
    };
    let writer = store.begin_run(&start).expect("a run");
    let sender = writer.sender();
    let peers = (0..PEERS).map(|number| MonitorFact::Peer(PeerNumber(number), peer(number)));
    let looks = (0..rounds).flat_map(|round| (0..PEERS).map(move |number| look(number, round)));
    for fact in peers.chain(looks.map(|visit| MonitorFact::Visited(Box::new(visit)))) {
        sender.send(monitor_row(fact).expect("a row")).await.expect("it is kept");
    }
    drop(sender);
    let end = RunEnd { finished_at: START, state: RunState::Succeeded, summary: serde_json::json!({}) };
    writer.finish(end).await.expect("it is kept");
    drop(store);
    std::fs::metadata(path).expect("a file").len()
}

#[tokio::test]
async fn a_day_of_looks_that_say_nothing_new_adds_no_more_than_250_megabytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let (few, many) = (bytes(directory.path(), 4).await, bytes(directory.path(), 36).await);
    let each = (many - few) as f64 / f64::from(32 * PEERS);
    let daily_mb = each * DAILY / 1e6;
    assert!(daily_mb <= 250.0, "{each:.1} bytes a look, {daily_mb:.0} MB a day");
    // So that the docs say what it is.
    assert!((40.0..130.0).contains(&each), "{each:.1} bytes a look");
}
