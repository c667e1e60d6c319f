//! The other way: the crawler of go-libp2p-kad-dht crawls our testnet, and finds all of it.

use std::{collections::BTreeSet, fs, process::Command};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    program::{Network, kadscope, peer_program},
    truth::{Generated, Tables},
    world::World,
};

const PEERS: &str = "300";

/// The program that crawls.
const CRAWLER: &str = "bin/dhtcrawl";

/// Hosts of every kind: by transports, by versions of IP, with several peers at an address, and with names.
const HOSTS: &str = "
peers = 300
[transports]
tcp = 0.3
quic = 0.3
both = 0.4
[addresses]
ip4 = 0.4
ip6 = 0.2
dual = 0.4
shared = 0.4
named = 0.05
";

/// Ways to be dead.
const DEAD: &str = r#"
[[states]]
state = "refusing"
share = 0.2
[[states]]
state = "dropping"
share = 0.2
[[states]]
state = "unroutable"
share = 0.1
"#;

/// What the crawler prints.
#[derive(Debug, Deserialize)]
struct Found {
    peers_ok: usize,
    peers_failed: usize,
    ids: BTreeSet<String>,
    neighbors: Tables,
}

fn crawl(mut dhtcrawl: Command, begin: &[String]) -> Found {
    let output = dhtcrawl.args(["-ids", "-neighbors"]).args(begin).output().expect("dhtcrawl starts");
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

impl Found {
    /// Whether all that can be reached was found, and what they know.
    #[track_caller]
    fn assert_equals(&self, truth: &Generated) {
        let reachable = truth.reachable();
        assert_eq!(
            (self.peers_ok, self.peers_failed),
            (reachable.len(), truth.peers.len() - reachable.len())
        );
        assert_eq!(self.ids, reachable);
        assert_eq!(self.neighbors, truth.tables());
    }
}

/// Lets the crawler loose on a scenario in which everybody answers.
#[track_caller]
fn assert_found(scenario: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let truth = home.path().join("truth.json");
    let mut testnet = kadscope();
    testnet.args(["testnet", "--json", "--until-eof", "--peers", PEERS, "--scenario", scenario, "--truth"]);
    let network = Network::start(testnet.arg(&truth));
    let truth = Generated::read(&truth);
    assert!(truth.peers.iter().all(|peer| peer.reachable), "everybody answers");
    crawl(Command::new(peer_program(CRAWLER)), &network.bootstrap()).assert_equals(&truth);
}

/// Lets the crawler loose in a world, at what peers announce there.
#[track_caller]
fn assert_found_in(world: &World, begin: &[String]) {
    let mut dhtcrawl = world.command(peer_program(CRAWLER));
    dhtcrawl.args(["-addresses", "any"]);
    crawl(dhtcrawl, begin).assert_equals(&world.truth());
}

/// The same with peers that listen on other transports.
#[track_caller]
fn assert_found_over(transport: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let scenario = home.path().join("scenario.toml");
    fs::write(&scenario, format!("[transports]\n{transport} = 1\n")).expect("a file");
    assert_found(scenario.to_str().expect("UTF-8"));
}

#[test]
fn gos_crawler_finds_all_of_our_testnet_over_tcp() {
    assert_found("healthy");
}

#[test]
fn gos_crawler_finds_all_of_our_testnet_over_quic() {
    assert_found_over("quic");
}

#[test]
fn gos_crawler_finds_all_of_our_testnet_where_peers_have_both() {
    assert_found_over("both");
}

#[test]
fn gos_crawler_finds_all_of_our_world() {
    let world = World::of(HOSTS);
    assert!(world.truth().peers.iter().all(|peer| peer.reachable), "everybody answers");
    assert_found_in(&world, &world.bootstrap());
    assert_found_in(&world, &[world.bootstrap_name()]);
}

#[test]
fn gos_crawler_finds_peers_that_are_on_secure_websocket_alone() {
    // By IP with the name that TLS asks for, and by that name.
    let world =
        World::of("peers = 60\ntransports = { wss = 1 }\naddresses = { ip4 = 0, dual = 1, named = 0.3 }");
    assert_found_in(&world, &world.bootstrap());
    assert_found_in(&world, &[world.bootstrap_name()]);
}

#[test]
fn gos_crawler_finds_all_who_live_in_a_world_where_half_are_dead() {
    let world = World::of(&[HOSTS, DEAD].concat());
    let truth = world.truth();
    assert!(truth.reachable().len() * 5 < truth.peers.len() * 3, "about half are dead");
    assert_found_in(&world, &[world.bootstrap_name()]);
}
