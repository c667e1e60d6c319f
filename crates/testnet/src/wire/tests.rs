//! The wire face as net's dialler sees it.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use kad::network::{Connection, Network, Security};
use net::{Addresses, Host, HostConfig, Identity, session::Securities};
use tokio::time::Instant;

use super::*;
use crate::{
    Stage, State, Truth,
    crawler::{PlainVisit, crawl, visit},
};

/// How long the tests wait for what never comes. On loopback what comes takes milliseconds, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(2);

fn host() -> Host {
    let mut config = HostConfig::new(Identity::generate().expect("an identity"), Addresses::Loopback);
    config.dials.dial_timeout = PATIENCE;
    Host::new(config).expect("a host")
}

async fn testnet(toml: &str) -> WireTestnet {
    WireTestnet::start(&Scenario::parse(toml, "test").expect("a scenario")).await.expect("a testnet")
}

async fn look(testnet: &WireTestnet, peer: u32) -> PlainVisit {
    let world = testnet.world();
    visit(host(), &world.scenario().protocol, (world.peer_id(peer), world.addresses(peer)), PATIENCE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_of_a_healthy_network_is_right_in_everything() {
    let testnet = testnet("peers = 100").await;
    let observed = crawl(&host(), testnet.world(), PATIENCE).await;
    let verdict = Truth::of(Arc::clone(testnet.world())).judge(&observed);
    assert_eq!(verdict.wrong, [], "{verdict:?}");
    assert_eq!(
        (verdict.peers.found, verdict.edges.missed, verdict.edges_invented),
        (100, 0, 0),
        "{verdict:?}"
    );
    testnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_of_every_fault_is_right_in_everything() {
    let faults = Scenario::named("faults").expect("built in").with_peers(150);
    let testnet = WireTestnet::start(&faults).await.expect("a testnet");
    let observed = crawl(&host(), testnet.world(), PATIENCE).await;
    let verdict = Truth::of(Arc::clone(testnet.world())).judge(&observed);
    assert_eq!(verdict.wrong, [], "{verdict:?}");
    assert_eq!((verdict.peers.missed, verdict.peers_invented), (0, 0), "{verdict:?}");
    assert_eq!((verdict.edges.missed, verdict.edges_invented), (0, 0), "{verdict:?}");
}

/// How long it takes to visit a near peer and a far one from an address: of three visits each the shortest.
#[cfg(target_os = "linux")]
async fn distances(world: &World, from: Ipv4Addr) -> [Duration; 2] {
    let host = host().beside(
        Identity::generate().expect("an identity"),
        "elsewhere/1",
        net::Source::Own { ip4: Some(from), ip6: None },
    );
    let (near, far) = world.peers().partition::<Vec<_>, _>(|&peer| world.region(peer) == Some("near"));
    let mut least = [Duration::MAX; 2];
    for _ in 0..3 {
        for (least, peer) in least.iter_mut().zip([near[0], far[0]]) {
            let start = Instant::now();
            let (who, protocol) = ((world.peer_id(peer), world.addresses(peer)), &world.scenario().protocol);
            let visit = visit(host.clone(), protocol, who, PATIENCE).await;
            assert_eq!(visit.class, None, "{visit:?}");
            *least = (*least).min(start.elapsed());
        }
    }
    least
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_a_peer_is_hangs_on_the_region_that_one_asks_from() {
    // Of TCP and of QUIC a visit takes two flights: the handshake, and the answers.
    for transport in ["tcp = 1", "tcp = 0\nquic = 1"] {
        let testnet = testnet(&format!(
            "peers = 12\n[transports]\n{transport}\n\
             [[regions]]\nname = 'near'\nshare = 0.5\nrtt_ms = {{ near = 5, far = 400 }}\n\
             [[regions]]\nname = 'far'\nshare = 0.5\nrtt_ms = {{ far = 5 }}"
        ))
        .await;
        let (near, far) =
            (Duration::from_millis(10)..Duration::from_millis(400), Duration::from_millis(800)..);
        // The observer's region is the first one; others are chosen by the third byte.
        for (third, is_near) in [(0, [true, false]), (128, [true, false]), (129, [false, true])] {
            let took = distances(testnet.world(), Ipv4Addr::new(127, 0, third, 1)).await;
            let fits = |(took, is_near)| if is_near { near.contains(&took) } else { far.contains(&took) };
            assert!(took.into_iter().zip(is_near).all(fits), "{took:?} from {third}, by {transport}");
        }
        testnet.stop().await;
    }
}

/// All peers at 127.0.0.1.
fn at_one_address() -> WireConfig {
    WireConfig { one_address: true, ..WireConfig::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_of_every_fault_and_transport_at_one_address_is_right_in_everything() {
    let transports = "[transports]\ntcp = 0.5\nboth = 0.2\nws = 0.1\nwss = 0.1\nall = 0.1";
    let mut faults = Scenario::named("faults").expect("built in").with_peers(150);
    faults.transports = Scenario::parse(transports, "test").expect("a scenario").transports;
    let testnet = WireTestnet::start_with(&faults, at_one_address()).await.expect("a testnet");
    let world = testnet.world();
    let own = |peer| world.location(peer).ip4 == Some(Ipv4Addr::LOCALHOST);
    assert!(world.peers().all(own));
    let observed = crawl(&host(), world, PATIENCE).await;
    let verdict = Truth::of(Arc::clone(world)).judge(&observed);
    assert_eq!(verdict.wrong, [], "{verdict:?}");
    assert_eq!((verdict.peers.missed, verdict.peers_invented), (0, 0), "{verdict:?}");
    assert_eq!((verdict.edges.missed, verdict.edges_invented), (0, 0), "{verdict:?}");
}

#[tokio::test]
async fn more_peers_than_ports_are_refused_with_what_to_do() {
    let scenario = Scenario::parse("peers = 20000", "test").expect("a scenario");
    let error = WireTestnet::start_with(&scenario, at_one_address()).await.expect_err("too many").to_string();
    assert!(error.contains("20002 free ports") && error.contains("fewer peers"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_shows_what_the_simulation_promises() {
    let testnet = WireTestnet::start(&Scenario::named("faults").expect("built in").with_peers(100)).await;
    let testnet = testnet.expect("a testnet");
    let world = Arc::clone(testnet.world());
    let limits = crate::SimLimits { address_timeout: PATIENCE, ..crate::SimLimits::default() };
    let config = crate::SimConfig { limits, ..crate::SimConfig::default() };
    let sim = crate::SimNetwork::new(Arc::clone(&world), config);
    let mut one_of_each: BTreeMap<String, u32> = BTreeMap::new();
    for peer in world.peers().filter(|&peer| world.carrier(peer) == crate::TransportSet::Tcp) {
        one_of_each.entry(world.state(peer).to_string()).or_insert(peer);
    }
    assert!(one_of_each.len() >= 20, "{one_of_each:?}");
    let (host, protocol) = (host(), world.scenario().protocol.clone());
    let mut visits = JoinSet::new();
    for (state, peer) in one_of_each {
        let named = (world.peer_id(peer), world.addresses(peer));
        let (host, sim, protocol) = (host.clone(), sim.clone(), protocol.clone());
        visits.spawn(async move {
            let live = visit(host, &protocol, named.clone(), PATIENCE);
            let simulated = visit(sim, &protocol, named, PATIENCE);
            (state, tokio::join!(live, simulated))
        });
    }
    while let Some(visited) = visits.join_next().await {
        let (state, (live, simulated)) = visited.expect("no panic");
        // Whether a reset beats the return of `connect` is a race.
        let phase =
            |visit: &PlainVisit| visit.phase.filter(|_| state != State::Reset(Stage::Accept).to_string());
        let outcome =
            |visit: &PlainVisit| (visit.reachable, phase(visit), visit.class.clone(), visit.agent.clone());
        assert_eq!(outcome(&live), outcome(&simulated), "{state}");
        assert_eq!(live.protocols, simulated.protocols, "{state}");
        assert_eq!(live.named.len(), simulated.named.len(), "{state}");
    }
}

#[tokio::test]
async fn distance_is_a_delay_of_each_flight() {
    let testnet = testnet("peers = 10\n[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 100 }").await;
    let begun = Instant::now();
    let visit = look(&testnet, 3).await;
    assert_eq!((visit.reachable, visit.class), (true, None));
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn connections_to_addresses_of_nobody_are_reset() {
    let testnet = testnet("peers = 10").await;
    let port = testnet.world().ports().listen;
    let peer =
        (testnet.world().peer_id(0), vec![format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address")]);
    let visit = visit(host(), "/ipfs/kad/1.0.0", peer, PATIENCE).await;
    assert_eq!((visit.reachable, visit.class.as_deref()), (false, Some("connection_reset")));
}

#[tokio::test]
async fn two_testnets_live_beside_each_other_and_a_stopped_one_is_gone() {
    let (one, other) = (testnet("peers = 10").await, testnet("peers = 10").await);
    assert_ne!(one.world().ports().listen, other.world().ports().listen);
    let online = |testnet: &WireTestnet| {
        let world = testnet.world();
        world.peers().find(|&peer| world.state(peer) == State::Online).expect("one")
    };
    assert!(look(&one, online(&one)).await.reachable && look(&other, online(&other)).await.reachable);
    let world = Arc::clone(one.world());
    one.stop().await;
    let gone = (world.peer_id(0), world.addresses(0));
    let visit = visit(host(), "/ipfs/kad/1.0.0", gone, PATIENCE).await;
    assert_eq!(visit.class.as_deref(), Some("connection_refused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_security_and_key_is_crawled_and_told_apart() {
    let testnet = testnet(
        "peers = 120\n[transports]\ntcp = 0.2\nquic = 0.2\nws = 0.2\nwss = 0.2\nall = 0.2\n\
         [securities]\nany = 0.4\nnoise = 0.3\ntls = 0.3\n\
         [keys]\ned25519 = 0.4\nrsa = 0.2\nsecp256k1 = 0.2\necdsa = 0.2",
    )
    .await;
    let world = testnet.world();
    let observed = crawl(&host(), world, PATIENCE).await;
    let verdict = Truth::of(Arc::clone(world)).judge(&observed);
    assert_eq!(verdict.wrong, [], "{verdict:?}");
    assert_eq!((verdict.peers.found, verdict.edges.missed), (120, 0), "{verdict:?}");
    let host = host();
    for peer in world.peers() {
        // Each address for itself, not only the one that wins.
        for (address, transport) in world.addresses(peer).into_iter().zip(world.carrier(peer).transports()) {
            let dial = host.connect(world.peer_id(peer), vec![address.clone()]).await;
            let Some(connection) = dial.connection else { panic!("{address}: {:?}", dial.attempts) };
            let endpoint = connection.endpoint();
            assert_eq!(endpoint.transport, transport);
            let expected = match (transport, world.securities(peer)) {
                (Transport::Quic, _) | (_, Securities::Tls) => Security::Tls,
                _ => Security::Noise,
            };
            assert_eq!(endpoint.security, expected, "{address}");
            connection.close().await;
        }
    }
}
