//! Peers of ours that listen as well as dial, among servers of go-libp2p-kad-dht: they are let into the servers' tables, answer
//! there, stay while they answer, and are forgotten when they left; and records cross in both directions.

use std::{collections::BTreeSet, time::Duration};

use dht::{Node, NodeConfig, NodeProfile};
use kad::{Contact, Keypair, Multiaddr, message::AMINO_PROTOCOL, table::answer_grace};
use multiaddr::Protocol;
use net::{Addresses, FabricConfig, Host, SocketFabric};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    crawl::Crawl,
    program::{Network, kadscope},
    servers::servers,
};

/// So many servers: all of them fit into one bucket.
const SERVERS: usize = 12;

/// How often the servers and our node refresh their tables.
const REFRESH: Duration = Duration::from_secs(2);

/// A CID, and another.
const OURS: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const THEIRS: &str = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG";

/// An address that ends in a peer's id.
pub(crate) fn contact(text: &String) -> Contact {
    let mut address: Multiaddr = text.parse().expect("an address");
    match address.pop() {
        Some(Protocol::P2p(peer)) => Contact { peer, addrs: vec![address] },
        _ => panic!("no peer id: {text}"),
    }
}

/// A node of ours in that network.
pub(crate) async fn join(network: &Network, listen: &str) -> Node<Host> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "kadscope-node/1".to_owned(), protocols, announce: Vec::new() };
    // 2026-01-01; no record is dated here.
    let now = Duration::from_secs(1_767_225_600);
    let config = NodeConfig {
        listen: vec![listen.parse().expect("an address")],
        bootstrap: network.bootstrap().iter().map(contact).collect(),
        refresh: REFRESH,
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, now)
    };
    Node::join(&SocketFabric::new(FabricConfig::new(Addresses::Loopback)), config).await.expect("a node")
}

/// Who of the servers has that peer in its table.
fn listing(network: &mut Network, peer: &str) -> BTreeSet<String> {
    let tables = network.truth().tables().into_iter();
    tables.filter(|(_, listed)| listed.contains(peer)).map(|(server, _)| server).collect()
}

/// One round of our own refreshes, which take as long as the servers'.
async fn round(node: &Node<Host>, rounds: &mut u64) {
    *rounds += 1;
    node.refreshed(*rounds).await;
}

async fn assert_lives_among_servers(transport: &str, listen: &str) {
    let options = format!("-transport {transport} -security both -refresh {}s", REFRESH.as_secs());
    let mut network = servers(SERVERS as u64, &options);
    let (node, mut rounds) = (join(&network, listen).await, 0);
    let own = node.contact().peer.to_string();
    while listing(&mut network, &own).len() < SERVERS {
        assert!(rounds < 20, "listed by {:?} only", listing(&mut network, &own));
        round(&node, &mut rounds).await;
    }
    // Longer than three refreshes, and than silent peers are left alone: who does not answer the servers' tests is out by then.
    let grace = answer_grace(20, 10, REFRESH);
    let begun = Instant::now();
    while begun.elapsed() < grace + 2 * REFRESH {
        round(&node, &mut rounds).await;
        assert_eq!(listing(&mut network, &own).len(), SERVERS);
    }
    let bootstrap = network.bootstrap();
    let crawled = tokio::task::block_in_place(|| Crawl::new(&bootstrap, &[]).run());
    assert_eq!(crawled.visits.len(), SERVERS + 1, "{}", crawled.summary);
    let visit = &crawled.visits[&own];
    assert!(
        visit.is_reachable() && visit.met.agent_version.as_deref() == Some("kadscope-node/1"),
        "{visit:?}"
    );
    assert_eq!(crawled.tables[&own].len(), SERVERS, "its own table is whole");
    node.leave().await;
    let watch = join(&network, listen).await;
    let (left, mut rounds) = (Instant::now(), 0);
    while !listing(&mut network, &own).is_empty() {
        assert!(left.elapsed() < grace + 3 * REFRESH, "listed by {:?} still", listing(&mut network, &own));
        round(&watch, &mut rounds).await;
    }
    watch.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_of_ours_lives_among_go_servers_over_tcp() {
    assert_lives_among_servers("tcp", "/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_of_ours_lives_among_go_servers_over_quic() {
    assert_lives_among_servers("quic", "/ip4/127.0.0.1/udp/0/quic-v1").await;
}

/// Runs the program in a network, and reads the one object that it prints.
#[track_caller]
fn json(network: &Network, words: &[&str]) -> Value {
    json_and_code(network, words, 0)
}

/// The same of one that ends by that code.
#[track_caller]
fn json_and_code(network: &Network, words: &[&str], code: i32) -> Value {
    let bootstrap = network.bootstrap().join(",");
    let mut command = kadscope();
    command.args(words).args(["--json", "--addresses", "loopback", "--bootstrap", &bootstrap]);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn records_cross_in_both_directions() {
    let mut network = servers(30, "-transport both");
    let published = json(&network, &["provide", OURS, "--read-back"]);
    let holders = published["holders"].as_array().expect("a list");
    assert_eq!(holders.len(), 20);
    for holder in holders {
        assert_eq!(
            (&holder["has_record"], &holder["with_addresses"]),
            (&true.into(), &true.into()),
            "{holder}"
        );
    }
    let found = network.obey(&format!("providers {OURS}"));
    let found = found["servers"].as_array().expect("a list");
    assert_eq!(found.len(), 30);
    let provider = published["provider"].as_str().expect("an id");
    for server in found {
        let providers = server["providers"].as_object().expect("an object");
        assert_eq!(providers.keys().collect::<Vec<_>>(), [provider], "{server}");
        assert_eq!(providers[provider], published["addresses"]);
    }

    let theirs = network.obey(&format!("provide {THEIRS}"));
    // The servers provide, and have nothing.
    let found = json_and_code(&network, &["lookup", "providers", THEIRS, "--dial"], 5);
    assert_eq!(found["retrieval"]["verdict"], "no_protocol", "{found}");
    let [provider] = &found["found"].as_array().expect("a list")[..] else { panic!("one provider: {found}") };
    assert_eq!(provider["peer"], theirs["id"]);
    let sorted = |list: &Value| {
        let texts = list.as_array().expect("a list").iter();
        texts.map(|text| text.as_str().expect("a text").to_owned()).collect::<BTreeSet<_>>()
    };
    let known = provider["addresses"].as_array().expect("a list").iter();
    let known: Value = known.map(|known| known["address"].clone()).collect();
    assert_eq!(sorted(&known), sorted(&theirs["addrs"]));
    assert_eq!(provider["dialled"]["reachable"], true, "{provider}");
}
