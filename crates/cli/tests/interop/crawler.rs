//! The other way: the crawler of go-libp2p-kad-dht crawls our testnet, and finds all of it.

use std::{collections::BTreeSet, fs};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    program::{Network, command, kadscope, peer_program},
    truth::Tables,
};

const PEERS: &str = "300";

/// What the crawler prints.
#[derive(Debug, Deserialize)]
struct Found {
    peers_ok: usize,
    peers_failed: usize,
    ids: BTreeSet<String>,
    neighbors: Tables,
}

/// What our testnet says of itself.
#[derive(Debug, Deserialize)]
struct Truth {
    peers: Vec<Peer>,
}

#[derive(Debug, Deserialize)]
struct Peer {
    id: String,
    reachable: bool,
    neighbors: BTreeSet<String>,
}

fn crawl(begin: &[String]) -> Found {
    let args = ["-ids", "-neighbors"].map(str::to_owned);
    let output =
        command(peer_program("bin/dhtcrawl"), args.iter().chain(begin)).output().expect("dhtcrawl starts");
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Lets the crawler loose on a scenario in which everybody answers.
#[track_caller]
fn assert_found(scenario: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let truth = home.path().join("truth.json");
    let mut testnet = kadscope();
    testnet.args(["testnet", "--json", "--until-eof", "--peers", PEERS, "--scenario", scenario, "--truth"]);
    let network = Network::start(testnet.arg(&truth));
    let truth: Truth = serde_json::from_slice(&fs::read(truth).expect("a file")).expect("a truth");
    assert!(truth.peers.iter().all(|peer| peer.reachable), "everybody answers");

    let found = crawl(&network.bootstrap());
    assert_eq!((found.peers_ok, found.peers_failed), (truth.peers.len(), 0));
    assert_eq!(found.ids, truth.peers.iter().map(|peer| peer.id.clone()).collect::<BTreeSet<_>>());
    let tables: Tables = truth.peers.into_iter().map(|peer| (peer.id, peer.neighbors)).collect();
    assert_eq!(found.neighbors, tables);
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
