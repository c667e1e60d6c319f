//! Servers in virtual time, in a network whose truth is known.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dht::NodeProfile;
use kad::{Key, Keypair, lookup::RpcFate, message::AMINO_PROTOCOL};
use schema::{ConnectionPolicy, RequestPurpose, Strategy};
use sha2::Digest as _;
use testnet::{Scenario, SimFabric, SimLimits, State, World};
use tokio::time::{Instant, timeout};

use super::*;
use crate::OperationId;

const HEALTHY: &str = r#"
peers = 120
seed = 3
[[regions]]
name = "here"
share = 1.0
rtt_ms = { here = 20 }
"#;

/// Everybody takes connections, and answers nothing.
const FROZEN: &str = r#"
peers = 60
seed = 3
[[states]]
state = "silent"
at = "request"
share = 1.0
"#;

fn fabric(toml: &str) -> SimFabric {
    let scenario = Scenario::parse(toml, "perf").expect("a scenario");
    SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default())
}

fn config(fabric: &SimFabric, number: u8) -> ServerConfig {
    let profile = NodeProfile {
        agent: format!("perf/{number}"),
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        announce: Vec::new(),
    };
    let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
    let world = fabric.world();
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let bootstrap = match world.bootstrap() {
        [] => world.peers().take(20).map(|peer| contact(&peer)).collect(),
        some => some.iter().map(contact).collect(),
    };
    let mut config = ServerConfig::new(keypair, profile, bootstrap, Duration::from_secs(1_795_000_000));
    config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    config.node.checks_addresses = false;
    config.node.seed = number.into();
    config
}

async fn join(fabric: &SimFabric, config: ServerConfig) -> PerfServer<SimFabric> {
    let server = PerfServer::join(fabric, config).await.expect("a server");
    server.node().refreshed(1).await;
    server
}

fn key(text: &str) -> Vec<u8> {
    [&[0x12, 0x20][..], &sha2::Sha256::digest(text)].concat()
}

fn with(server: &PerfServer<SimFabric>, policy: ConnectionPolicy) -> OperationTerms {
    OperationTerms { policy, id: OperationId([7; 16]), ..server.terms() }
}

/// How many peers were dialled, and how many answered. By Go's rules some are asked twice.
fn connected(operation: &Operation) -> (usize, usize) {
    let answered = operation.requests.iter().filter(|request| request.fate == RpcFate::Answered);
    let dialled = answered.clone().filter(|request| request.dial.is_some());
    let peers = |requests: &mut dyn Iterator<Item = kad::PeerId>| requests.collect::<BTreeSet<_>>().len();
    (peers(&mut dialled.map(|request| request.peer)), peers(&mut answered.map(|request| request.peer)))
}

/// The living peers of the world that are closest to a key.
fn closest(fabric: &SimFabric, key: &[u8]) -> Vec<kad::PeerId> {
    let world = fabric.world();
    let mut all: Vec<_> = world.peers().filter(|&peer| world.state(peer) == State::Online).collect();
    all.sort_by_key(|&peer| world.key(peer).distance(&Key::of(key)));
    all.iter().take(20).map(|&peer| world.peer_id(peer)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_one_publishes_the_other_finds_by_every_strategy() {
    for strategy in [Strategy::Default, Strategy::OptProv, Strategy::FullRt, Strategy::Sweep] {
        let fabric = fabric(HEALTHY);
        let of = |number| ServerConfig { strategy, ..config(&fabric, number) };
        let (publisher, finder) = (join(&fabric, of(1)).await, join(&fabric, of(2)).await);
        let world = fabric.world();
        let everybody = FullTable::of(
            world.peers().map(|peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) }),
        );
        publisher.set_everybody(everybody.clone());
        finder.set_everybody(everybody);
        let key = key("content");
        let provided = publisher.provide(&key, &publisher.terms()).await;
        assert_eq!(provided.outcome, OperationOutcome::Done, "{strategy}: {:?}", provided.counts);
        assert!(provided.table_size > 50, "{strategy}: {:?}", provided.counts);
        let given = provided.requests.iter().filter(|request| request.purpose == RequestPurpose::Give);
        let given: Vec<_> = given.map(|request| request.peer).collect();
        let (truth, reached) = (closest(&fabric, &key), |peer: &kad::PeerId| given.contains(peer));
        assert!(truth.iter().filter(|peer| reached(peer)).count() >= 15, "{strategy}: {given:?}");
        let found = finder.retrieve(&key, &finder.terms()).await;
        assert_eq!((found.outcome, found.strategy), (OperationOutcome::Done, strategy));
        assert!(!found.own_record && !found.left_over, "{strategy}");
        let unknown = finder.retrieve(&self::key("nobody's"), &finder.terms()).await;
        assert_eq!(unknown.outcome, OperationOutcome::NotFound, "{strategy}");
        assert_eq!(unknown.failure, None);
        finder.leave().await;
        publisher.leave().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_record_is_found_at_home_only_where_that_is_asked_for_and_then_it_is_said() {
    let fabric = fabric(HEALTHY);
    let key = key("own");
    let modest = join(&fabric, config(&fabric, 1)).await;
    modest.provide(&key, &modest.terms()).await;
    let found = modest.retrieve(&key, &modest.terms()).await;
    assert_eq!((found.outcome, found.own_record), (OperationOutcome::Done, false));
    assert!(!found.requests.is_empty() && found.took > Duration::ZERO, "others were asked");
    let as_go = ServerConfig { looks_at_home: true, ..config(&fabric, 2) };
    let as_go = join(&fabric, as_go).await;
    let before = as_go.retrieve(&self::key("not yet"), &as_go.terms()).await;
    assert_eq!((before.outcome, before.own_record), (OperationOutcome::NotFound, false));
    as_go.provide(&key, &as_go.terms()).await;
    let found = as_go.retrieve(&key, &as_go.terms()).await;
    assert_eq!((found.outcome, found.own_record), (OperationOutcome::Done, true));
    assert!(found.requests.is_empty(), "nobody was asked");
}

#[tokio::test(start_paused = true)]
async fn connections_are_as_the_policy_says_and_the_row_has_it() {
    let fabric = fabric(HEALTHY);
    let server = join(&fabric, config(&fabric, 1)).await;
    let key = key("content");
    server.retrieve(&key, &with(&server, ConnectionPolicy::Warm)).await;
    let warm = server.retrieve(&key, &with(&server, ConnectionPolicy::Warm)).await;
    assert_eq!((connected(&warm).0, warm.policy), (0, ConnectionPolicy::Warm));
    let table_size = server.table_size();
    let cold = server.retrieve(&key, &with(&server, ConnectionPolicy::Cold)).await;
    let (dials, answered) = connected(&cold);
    assert_eq!((dials, cold.policy), (answered, ConnectionPolicy::Cold));
    assert!(answered > 3 && server.table_size() >= table_size, "the table is kept");
    let fresh = server.retrieve(&key, &with(&server, ConnectionPolicy::Fresh)).await;
    assert_eq!((fresh.policy, fresh.id), (ConnectionPolicy::Fresh, OperationId([7; 16])));
    assert!(fresh.table_size > 20, "it has filled a table of its own first: {}", fresh.table_size);
}

#[tokio::test(start_paused = true)]
async fn a_peer_for_one_operation_provides_as_itself_and_leaves() {
    let fabric = fabric(HEALTHY);
    let (publisher, finder) =
        (join(&fabric, config(&fabric, 1)).await, join(&fabric, config(&fabric, 2)).await);
    let key = key("content");
    let provided = publisher.provide(&key, &with(&publisher, ConnectionPolicy::Fresh)).await;
    assert_eq!(provided.outcome, OperationOutcome::Done);
    let found = finder.node().find(kad::lookup::LookupKind::Providers, key, &CancellationToken::new()).await;
    let providers: Vec<_> = found.providers.iter().map(|provider| provider.peer).collect();
    assert_eq!(providers.len(), 1);
    assert_ne!(providers[0], publisher.contact().peer);
    publisher.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_cold_operation_waits_for_those_under_way_and_the_others_for_it() {
    let fabric = fabric(HEALTHY);
    let server = join(&fabric, config(&fabric, 1)).await;
    let keys: Vec<_> = (0..6).map(|number| key(&format!("content {number}"))).collect();
    let operations = keys.iter().enumerate().map(|(number, key)| {
        let policy = if number % 2 == 0 { ConnectionPolicy::Warm } else { ConnectionPolicy::Cold };
        let (server, key) = (server.clone(), key.clone());
        tokio::spawn(async move { server.retrieve(&key, &with(&server, policy)).await })
    });
    for operation in operations.collect::<Vec<_>>() {
        let operation = operation.await.expect("no panic");
        assert_eq!(operation.outcome, OperationOutcome::NotFound);
        if operation.policy == ConnectionPolicy::Cold {
            let (dialled, answered) = connected(&operation);
            assert_eq!(dialled, answered, "nobody warmed a connection meanwhile");
        }
    }
    assert_eq!(server.counters().under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_what_would_take_longer_and_it_says_so() {
    let fabric = fabric(FROZEN);
    let server = PerfServer::join(&fabric, config(&fabric, 1)).await.expect("a server");
    for deadline in [Duration::from_millis(700), Duration::from_secs(3)] {
        let terms = OperationTerms { deadline: Some(deadline), ..server.terms() };
        for kind in [OperationKind::Provide, OperationKind::Retrieve] {
            let begun = Instant::now();
            let operation =
                timeout(Duration::from_secs(60), server.operate(kind, &key("x"), &terms)).await.unwrap();
            assert_eq!(operation.outcome, OperationOutcome::TimedOut, "{kind}: {:?}", operation.failure);
            assert_eq!(operation.took, begun.elapsed(), "{kind}");
            // A tenth of a publication's time is kept for giving, and there was nobody to give to.
            let kept = if kind == OperationKind::Provide { deadline / 10 } else { Duration::ZERO };
            assert_eq!(operation.took + kept, deadline, "{kind}");
        }
    }
    assert!(!server.is_ready(), "nobody has answered");
    server.leave().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_gives_up_what_is_under_way() {
    let fabric = fabric(FROZEN);
    let server = PerfServer::join(&fabric, config(&fabric, 1)).await.expect("a server");
    let under_way = tokio::spawn({
        let server = server.clone();
        async move { server.retrieve(&key("x"), &server.terms()).await }
    });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    server.leave().await;
    assert_eq!(under_way.await.unwrap().outcome, OperationOutcome::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_mate_that_names_itself_on_a_connection_that_stood_is_told_apart() {
    // So few that the publisher itself is among the closest.
    let fabric = fabric("peers = 12\nseed = 3");
    let serving = |number| {
        let mut config = ServerConfig { looks_at_home: true, ..config(&fabric, number) };
        config.node.serves = true;
        config
    };
    let publisher = join(&fabric, serving(1)).await;
    let mut second = serving(2);
    second.looks_at_home = false;
    second.node.bootstrap.insert(0, publisher.contact());
    let finder = join(&fabric, second).await;
    let key = key("content");
    publisher.provide(&key, &publisher.terms()).await;
    // A connection to it stands, and it is asked itself.
    let mate = publisher.contact().peer;
    assert!(finder.node().table().iter().any(|contact| contact.peer == mate), "it knows its mate");
    let mut operations = Vec::new();
    for number in 0..8 {
        let key = self::key(&format!("content {number}"));
        publisher.provide(&key, &publisher.terms()).await;
        operations.push(finder.retrieve(&key, &finder.terms()).await);
    }
    assert!(operations.iter().all(|operation| operation.outcome == OperationOutcome::Done));
    assert!(operations[0].left_over || !finder.node().finder().pool().is_connected(&mate));
    assert!(
        !finder.node().table().iter().any(|contact| contact.peer == mate),
        "whoever provides is forgotten, as Parsec does"
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_were_given_a_record_are_asked_for_it_at_each_time() {
    let fabric = fabric(HEALTHY);
    let server = join(&fabric, config(&fabric, 1)).await;
    let read_back: Vec<Duration> = [0, 1, 5, 30].map(Duration::from_secs).to_vec();
    let terms = OperationTerms { read_back: read_back.clone(), ..server.terms() };
    let begun = Instant::now();
    let operation = server.provide(&key("content"), &terms).await;
    assert!(begun.elapsed() >= operation.took + read_back[3], "it is read back after it was told");
    let read: Vec<_> =
        operation.requests.iter().filter(|request| request.purpose == RequestPurpose::ReadBack).collect();
    assert_eq!(read.len(), 4 * operation.counts.holders_sent as usize);
    assert!(
        read.iter().all(|request| request.has_record == Some(true) && request.agent.is_some()),
        "{read:?}"
    );
    let late = read.iter().filter(|request| request.read_back_after == Some(read_back[3]));
    assert!(late.into_iter().all(|request| request.asked_after >= operation.took + read_back[3]));
    assert!(operation.critical_path.iter().all(|piece| piece.until <= operation.took));
}
