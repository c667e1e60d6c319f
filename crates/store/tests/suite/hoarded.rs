//! Rows of a study of which everything is there, and of which nothing is.

use std::time::Duration;

use kad::{
    Address, Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::Termination,
    network::Transport,
    retrieval::{AddressOrigin, RetrievalVerdict},
};
use schema::{
    HoardDial, HoardHolder, HoardKey, HoardLookup, HoardProvider, HoardPublisher, HoardRound, HoardSight,
    HoardWalk, HolderAnswer, PeerNumber, PublisherEnd, RoundEnd, Row, Strategy, Timestamp, Whereabouts,
};

const KEY: [u8; 4] = [0x12, 0x20, 0, 9];

/// Of each kind a row of which nothing is absent, and of those of which something can be one where all of it is. The peers 0 to 2
/// are introduced before.
pub(crate) fn hoarded(at: Timestamp) -> Vec<Row> {
    let mut rows: Vec<Row> = keys(at).map(Row::from).to_vec();
    rows.push(HoardPublisher { peer: PeerNumber(0), arm: 1, closed_at: at }.into());
    rows.extend(holders().map(Row::from));
    rows.extend(sights().map(Row::from));
    rows.push(round(at).into());
    rows.extend(walks(at).map(Row::from));
    rows.extend(providers().map(Row::from));
    rows.extend(dials().map(Row::from));
    rows
}

const fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn failure(detail: &str) -> Failure {
    Failure::with_detail(Phase::Request, FailureClass::Other, detail)
}

fn addresses() -> Vec<Address> {
    let address: kad::Multiaddr = "/ip4/192.0.2.1/tcp/4001".parse().unwrap();
    vec![address.into(), Address::from_bytes(&[4, 192, 0, 2, 1, 6])]
}

fn keys(at: Timestamp) -> [HoardKey; 2] {
    let whole = HoardKey {
        peer: PeerNumber(0),
        key: KEY.to_vec(),
        arm: 1,
        arm_name: "k of 20".to_owned(),
        position: 2,
        strategy: Some(Strategy::OptProv),
        persistence: Some(Persistence::Thorough),
        k: 20,
        publisher_end: PublisherEnd::ClosedEach,
        published_at: at,
        took: us(3),
        failure: Some("nobody_took".to_owned()),
        holders: 19,
        sent: 18,
    };
    let bare = HoardKey {
        strategy: None,
        persistence: None,
        publisher_end: PublisherEnd::Foreign,
        failure: None,
        ..whole.clone()
    };
    [whole, bare]
}

fn holders() -> [HoardHolder; 2] {
    let whole = HoardHolder {
        peer: PeerNumber(1),
        key: KEY.to_vec(),
        arm: 1,
        rank: 4,
        common_prefix_len: 256,
        agent: Some("agent".to_owned()),
        first_addresses: addresses(),
        chosen_after: us(5),
        sent_after: Some(us(6)),
        send_error: Some(failure("send")),
    };
    let bare = HoardHolder {
        agent: None,
        first_addresses: Vec::new(),
        sent_after: None,
        send_error: None,
        ..whole.clone()
    };
    [whole, bare]
}

fn sights() -> [HoardSight; 2] {
    let whole = HoardSight {
        peer: PeerNumber(1),
        key: KEY.to_vec(),
        arm: 1,
        round: 7,
        planned_after: us(8),
        after: us(9),
        whereabouts: Whereabouts::NewPort,
        first_dial_error: Some(failure("first")),
        first_dial_took: Some(us(10)),
        current_dial_error: Some(failure("current")),
        current_dial_took: Some(us(11)),
        current_addresses: addresses(),
        transport: Some(Transport::Quic),
        round_trip: Some(us(12)),
        agent: Some("agent/2".to_owned()),
        answer: HolderAnswer::Malformed,
        answer_error: Some(failure("answer")),
        answer_took: Some(us(13)),
        provider_addresses: 14,
        other_providers: 15,
        closer: 16,
        attempts: 17,
    };
    let bare = HoardSight {
        first_dial_error: None,
        first_dial_took: None,
        current_dial_error: None,
        current_dial_took: None,
        current_addresses: Vec::new(),
        transport: None,
        round_trip: None,
        agent: None,
        answer_error: None,
        answer_took: None,
        ..whole.clone()
    };
    [whole, bare]
}

fn round(at: Timestamp) -> HoardRound {
    HoardRound {
        key: KEY.to_vec(),
        arm: 1,
        round: 7,
        planned_at: at.after(us(18)),
        began_at: at.after(us(19)),
        ended_at: at.after(us(20)),
        rounds_in_flight: 21,
        requests_in_flight: 22,
        end: RoundEnd::Partial,
        holders: 23,
        reached: 24,
        keeping: 25,
        with_addresses: 26,
    }
}

fn walks(at: Timestamp) -> [HoardWalk; 2] {
    let whole = HoardWalk {
        key: KEY.to_vec(),
        arm: 1,
        round: 7,
        lookup: HoardLookup::Exhaustive,
        began_at: at.after(us(27)),
        took: us(28),
        ending: Termination::Starvation,
        asked: 29,
        answered: 30,
        failed: 31,
        contacted: 32,
        tree_depth: 33,
        hops_to_closest: Some(34),
        providers: 35,
        first_combo: 1,
        upgraded_combo: 2,
        closest: vec![PeerNumber(0), PeerNumber(2)],
    };
    let bare = HoardWalk { hops_to_closest: None, closest: Vec::new(), ..whole.clone() };
    [whole, bare]
}

fn providers() -> [HoardProvider; 2] {
    let whole = HoardProvider {
        peer: PeerNumber(2),
        key: KEY.to_vec(),
        arm: 1,
        round: 7,
        lookup: HoardLookup::Count,
        responder: PeerNumber(1),
        answered_after: us(36),
        addresses: 37,
        listed: addresses(),
    };
    let bare = HoardProvider { listed: Vec::new(), ..whole.clone() };
    [whole, bare]
}

fn dials() -> [HoardDial; 2] {
    let whole = HoardDial {
        peer: PeerNumber(2),
        key: KEY.to_vec(),
        arm: 1,
        round: 7,
        after: us(38),
        origin: Some(AddressOrigin::PeerLookup),
        addresses: addresses(),
        verdict: RetrievalVerdict::Unreachable,
        error: Some("timeout".to_owned()),
    };
    let bare = HoardDial {
        origin: None,
        addresses: Vec::new(),
        verdict: RetrievalVerdict::NoAddresses,
        error: None,
        ..whole.clone()
    };
    [whole, bare]
}
