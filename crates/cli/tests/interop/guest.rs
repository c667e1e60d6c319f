//! A server of go-libp2p-kad-dht joins our testnet: what it gives to our peers is found there, and so is it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    crawl::Crawl,
    program::{Network, command, kadscope, peer_program},
};

const PEERS: usize = 100;

/// What the guest says of itself, and what a client of its own found.
#[derive(Debug, Deserialize)]
struct Visit {
    id: String,
    addrs: BTreeSet<String>,
    providers: Vec<Found>,
    peer: Found,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Found {
    id: String,
    addrs: BTreeSet<String>,
}

/// Lets a guest join our network, and crawls both.
#[track_caller]
fn assert_is_at_home(scenario: &str) {
    let peers = PEERS.to_string();
    let args = ["testnet", "--json", "--until-eof", "--peers", &peers, "--scenario", scenario];
    let network = Network::start(kadscope().args(args));
    let begin = network.bootstrap();
    let guest = Network::start(&mut command(peer_program("bin/dhtguest"), &begin));
    let visit: Visit = serde_json::from_value(guest.announcement().clone()).expect("a visit");
    assert_eq!(visit.addrs.len(), 2, "{visit:?}");
    let [provider] = &visit.providers[..] else { panic!("one provider: {visit:?}") };
    for found in [provider, &visit.peer] {
        assert_eq!((&found.id, &found.addrs), (&visit.id, &visit.addrs));
    }
    assert_eq!(visit.values, ["ipns", "pk"]);

    // The client of the guest is in nobody's table.
    let crawled = Crawl::new(&begin, &[]).run();
    assert_eq!(crawled.visits.len(), PEERS + 1, "{}", crawled.summary);
    let visit = &crawled.visits[&visit.id];
    assert!(visit.is_reachable(), "{visit:?}");
    assert_eq!(visit.met.agent_version.as_deref(), Some("kadscope-dhtguest/1"));
}

/// The same where peers listen on one transport or both.
#[track_caller]
fn assert_is_at_home_over(transport: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let scenario = home.path().join("scenario.toml");
    std::fs::write(&scenario, format!("[transports]\n{transport} = 1\n")).expect("a file");
    assert_is_at_home(scenario.to_str().expect("UTF-8"));
}

#[test]
fn a_go_server_is_at_home_in_our_testnet_over_tcp() {
    assert_is_at_home_over("tcp");
}

#[test]
fn a_go_server_is_at_home_in_our_testnet_over_quic() {
    assert_is_at_home_over("quic");
}
