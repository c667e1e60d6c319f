//! Servers of go-libp2p-kad-dht that have room for few streams or few connections. Such a server is there, and not down.

use std::{net::TcpListener, thread};

use kad::{
    failure::{FailureClass, Phase},
    network::{AddressOutcome, Connection as _, Dial, Network as _},
};
use net::{Addresses, Host, HostConfig, Identity};
use schema::Visit;

use crate::{
    crawl::{Crawl, while_still},
    program::Network,
    servers::servers,
    truth::{Peer, Truth},
};

/// So many servers in each test.
const SERVERS: u64 = 10;

/// So many of them are full, of which none is one to begin with.
const FULL: usize = 4;

#[test]
fn two_streams_are_room_enough() {
    for transport in ["tcp", "quic"] {
        let mut network =
            servers(SERVERS, &format!("-transport {transport} -security noise -max-streams-per-conn 2"));
        let begin = network.bootstrap();
        let (truth, crawled) = while_still(&mut network, |_| Crawl::new(&begin, &[]));
        crawled.assert_equals(&truth);
        assert_eq!(truth.refused_streams(), 0, "{transport}");
    }
}

#[test]
fn room_for_one_stream_is_enough() {
    for transport in ["tcp", "quic"] {
        let mut network =
            servers(SERVERS, &format!("-transport {transport} -security noise -max-streams-per-conn 1"));
        let begin = network.bootstrap();
        let (truth, crawled) = while_still(&mut network, |_| Crawl::new(&begin, &[]));
        crawled.assert_equals(&truth);
        assert!(truth.refused_streams() > 0, "{transport}");
    }
}

/// The servers that will be full: those that nobody begins with.
fn full<'a>(truth: &'a Truth, begin: &[String]) -> Vec<&'a Peer> {
    let others = truth.peers.iter().filter(|peer| !begin.iter().any(|address| address.ends_with(&peer.id)));
    others.take(FULL).collect()
}

/// Connections that take all the room that a few servers have.
async fn fill(peers: &[&Peer]) -> Vec<net::AnyConnection> {
    let identity = Identity::generate().expect("an identity");
    let host = Host::new(HostConfig::new(identity, Addresses::Loopback)).expect("a host");
    let mut held = Vec::new();
    for peer in peers {
        let addrs = peer.addrs.iter().map(|address| address.parse().expect("an address")).collect();
        let Dial { attempts, connection } = host.connect(peer.id.parse().expect("a peer id"), addrs).await;
        let mut connection = connection.unwrap_or_else(|| panic!("{attempts:?}"));
        let stream = connection.open("/ipfs/id/1.0.0", 4096);
        connection.next().await.unwrap_or_else(|error| panic!("{stream:?}: {error}"));
        held.push(connection);
    }
    held
}

/// What came of the one address of a peer.
fn outcome(visit: &Visit) -> (Phase, FailureClass) {
    let [address] = visit.met.addresses.as_slice() else { panic!("{visit:?}") };
    let AddressOutcome::Failed(failure) = &address.outcome else { panic!("{visit:?}") };
    (failure.phase, failure.class)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_room_for_a_connection_is_not_nobody_there() {
    for transport in ["tcp", "quic"] {
        let mut network = servers(SERVERS, &format!("-transport {transport} -security noise -max-conns 1"));
        let begin = network.bootstrap();
        let truth = network.truth();
        let full = full(&truth, &begin);
        let held = fill(&full).await;
        let (after, crawled) = while_still(&mut network, |_| Crawl::new(&begin, &[]));
        drop(held);
        assert_eq!(crawled.number("/peers/reachable"), SERVERS - FULL as u64, "{transport}");
        assert!(after.refused_conns() >= FULL as u64, "{transport}");
        assert_eq!(crawled.number("/visits/second_pass"), FULL as u64, "{transport}: each is tried again");
        for peer in full {
            let (phase, class) = outcome(&crawled.visits[&peer.id]);
            match transport {
                "tcp" => {
                    // Whether the server's end or its reset comes first is up to the system.
                    let closed = [FailureClass::ConnectionClosed, FailureClass::ConnectionReset];
                    assert!(phase == Phase::Secure && closed.contains(&class), "{phase} {class}");
                }
                _ => assert_eq!(class, FailureClass::ResourceLimit),
            }
        }
    }
}

/// Waits until so many servers had no room for a connection, and none is just being asked again.
fn await_refusals(network: &mut Network, count: usize) {
    let mut before = Vec::new();
    loop {
        let refused: Vec<u64> = network.truth().peers.iter().map(|peer| peer.refused_conns).collect();
        if refused == before && refused.iter().filter(|&&times| times > 0).count() >= count {
            return;
        }
        before = refused;
        thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn full_servers_are_found_once_they_have_room() {
    for transport in ["tcp", "quic"] {
        let mut network = servers(SERVERS, &format!("-transport {transport} -security noise -max-conns 1"));
        let mut begin = network.bootstrap();
        let truth = network.truth();
        let held = fill(&full(&truth, &begin)).await;
        // A host that says nothing keeps the crawl from ending before the servers have room.
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stranger = Identity::generate().expect("randomness").peer_id();
        begin.push(format!(
            "/ip4/127.0.0.1/tcp/{}/p2p/{stranger}",
            silent.local_addr().expect("a port").port()
        ));
        let crawl = Crawl::new(&begin, &["--dial-timeout", "2s"]);
        let crawl = thread::spawn(|| crawl.run());
        await_refusals(&mut network, FULL);
        for connection in held {
            connection.close().await;
        }
        let mut crawled = crawl.join().expect("a crawl");
        assert_eq!(crawled.number("/visits/recovered"), FULL as u64, "{transport}: {}", crawled.summary);
        assert!(crawled.visits.remove(&stranger.to_string()).is_some_and(|visit| !visit.is_reachable()));
        assert!(
            truth.peers.iter().all(|peer| crawled.visits[&peer.id].is_reachable()),
            "{}",
            crawled.summary
        );
        assert_eq!(crawled.tables, truth.tables(), "{transport}");
    }
}
