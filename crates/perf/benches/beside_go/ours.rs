//! Our side: a server in a process of its own, which is told to publish and to look up without HTTP between.

use std::{path::Path, sync::Arc, time::Duration};

use dht::{FullTable, NodeProfile};
use kad::{Contact, Keypair, Multiaddr, Persistence, message::AMINO_PROTOCOL};
use kadscope_perf::{OperationOutcome, PerfServer, ServerConfig, Strategy};
use multiaddr::Protocol;
use net::{Addresses, FabricConfig, SocketFabric};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{COUNT, WARM, cost::Meter, network::living};

/// The most connections that are kept: more than there are peers.
const CONNECTIONS: usize = 1 << 14;

/// What the key of a number is the multihash of, as Go's side makes it.
pub(crate) fn key(seed: u32, kind: &str, number: u32) -> Vec<u8> {
    let digest = Sha256::digest(format!("{seed} {kind} {number}"));
    [&[0x12, 0x20][..], &digest].concat()
}

/// One round: strategy, persistence, seed and the file with what the network said.
pub(crate) async fn measure(args: &[String]) {
    let strategy = Strategy::from_name(&args[0]).expect("a strategy");
    let persistence = Persistence::from_name(&args[1]).expect("a persistence");
    let seed: u32 = args[2].parse().expect("a number");
    let said: Value =
        serde_json::from_str(&std::fs::read_to_string(Path::new(&args[3])).expect("a file")).expect("JSON");
    let publisher = join(Strategy::Default, Persistence::Go, &said).await;
    for number in 0..COUNT {
        publisher.provide(&key(seed, "found", number), &publisher.terms()).await;
    }
    publisher.leave().await;
    let server = join(strategy, persistence, &said).await;
    warm(&server, seed).await;
    println!("{}", measured(&server, seed).await);
}

async fn join(strategy: Strategy, persistence: Persistence, said: &Value) -> PerfServer<SocketFabric> {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let profile = NodeProfile { agent: "kadscope-bench/1".to_owned(), protocols, announce: Vec::new() };
    let texts = said["bootstrap"].as_array().expect("a list");
    let bootstrap = texts.iter().map(|text| contact(text.as_str().expect("a text"))).collect();
    let mut config = ServerConfig::new(Keypair::generate_ed25519(), profile, bootstrap, Duration::ZERO);
    config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    config.node.checks_addresses = false;
    config.node.pool.connections = CONNECTIONS;
    (config.strategy, config.persistence) = (strategy, persistence);
    let server = PerfServer::join(&fabric, config).await.expect("a place");
    server.set_everybody(FullTable::of(living(said)));
    server.node().refreshed(1).await;
    server
}

fn contact(text: &str) -> Contact {
    let mut addr: Multiaddr = text.parse().expect("an address");
    let Some(Protocol::P2p(peer)) = addr.pop() else { unreachable!("whoever is begun with has an id") };
    Contact { peer, addrs: vec![addr] }
}

/// Everybody is connected, and the network's size is known.
async fn warm(server: &PerfServer<SocketFabric>, seed: u32) {
    for number in 0..WARM {
        server.retrieve(&key(seed, "warm", number), &server.terms()).await;
        server.provide(&key(seed, "warm", number), &server.terms()).await;
    }
}

async fn measured(server: &PerfServer<SocketFabric>, seed: u32) -> Value {
    let mut found = 0;
    let mut meter = Meter::new(connections(server));
    for number in 0..COUNT {
        let operation = server.retrieve(&key(seed, "found", number), &server.terms()).await;
        found += u32::from(operation.outcome == OperationOutcome::Done);
    }
    let found_cost = meter.lap(COUNT, connections(server));
    for number in 0..COUNT {
        let operation = server.retrieve(&key(seed, "unknown", number), &server.terms()).await;
        assert_eq!(operation.outcome, OperationOutcome::NotFound, "nobody provides it");
    }
    let unknown_cost = meter.lap(COUNT, connections(server));
    for number in 0..COUNT {
        server.provide(&key(seed, "provide", number), &server.terms()).await;
    }
    let provide_cost = meter.lap(COUNT, connections(server));
    json!({
        "found": found_cost, "unknown": unknown_cost, "provide": provide_cost, "providers": found,
        "peer": server.contact().peer.to_string(), "connections": connections(server),
    })
}

/// How many connections stand. None is closed while there is room for all, so what comes to them was dialled.
fn connections(server: &PerfServer<SocketFabric>) -> usize {
    server.node().connections()
}
