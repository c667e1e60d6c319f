//! DHT servers of go-libp2p-kad-dht: over each transport, with each type of key, and with habits of their own.

use schema::visit::PREFIXES;
use serde_json::json;

use crate::{
    crawl::{Crawl, Crawled, while_still},
    program::{Network, command, kadscope, peer_program},
    space::Space,
    truth::Truth,
};

/// So many servers, more than one answer holds.
const SERVERS: u64 = 24;

/// The program that runs servers.
const PROGRAM: &str = "bin/dhtservers";

/// So many servers with these options.
pub(crate) fn servers(count: u64, options: &str) -> Network {
    Network::start(
        command(peer_program(PROGRAM), options.split_whitespace()).args(["-n", &count.to_string()]),
    )
}

/// Crawls servers at our defaults and once more with all prefixes, and compares both with their routing tables.
#[track_caller]
fn crawl_twice(options: &str) -> (Truth, Crawled) {
    let mut network = servers(SERVERS, options);
    let begin = network.bootstrap();
    let (truth, all) = while_still(&mut network, |_| Crawl::new(&begin, &["--all-prefixes"]));
    all.assert_equals(&truth);
    assert_eq!(all.number("/requests/sent"), SERVERS * PREFIXES as u64);
    let (truth, crawled) = while_still(&mut network, |_| Crawl::new(&begin, &[]));
    crawled.assert_equals(&truth);
    assert!(crawled.number("/requests/saved") > 0);
    assert_eq!(crawled.tables, all.tables);
    (truth, crawled)
}

#[test]
fn every_key_is_known_over_tcp_with_noise() {
    let (truth, crawled) = crawl_twice("-transport tcp -security noise -keys mixed");
    assert_eq!(truth.key_types().len(), 4, "{:?}", truth.key_types());
    assert_eq!(crawled.summary["transports"], json!({"tcp": SERVERS}));
    assert_eq!(crawled.summary["security"], json!({"noise": SERVERS}));
}

#[test]
fn every_key_is_known_over_tcp_with_tls() {
    let (truth, crawled) = crawl_twice("-transport tcp -security tls -keys mixed");
    assert_eq!(truth.key_types().len(), 4, "{:?}", truth.key_types());
    assert_eq!(crawled.summary["transports"], json!({"tcp": SERVERS}));
    assert_eq!(crawled.summary["security"], json!({"tls": SERVERS}));
}

#[test]
fn every_key_is_known_over_quic() {
    let (truth, crawled) = crawl_twice("-transport quic -keys mixed");
    assert_eq!(truth.key_types().len(), 4, "{:?}", truth.key_types());
    assert_eq!(crawled.summary["transports"], json!({"quic": SERVERS}));
    assert_eq!(crawled.summary["security"], json!({"tls": SERVERS}));
}

#[test]
fn servers_with_both_transports_and_either_security_are_each_visited_once() {
    let (truth, crawled) = crawl_twice("-transport both -security both -keys mixed -agent first/1,second/2");
    assert_eq!(crawled.summary["agents"], json!({"first/1": SERVERS / 2, "second/2": SERVERS / 2}));
    assert_eq!(crawled.number("/visits/first"), SERVERS);
    assert!(truth.peers.iter().all(|peer| peer.addrs.len() == 2));
}

#[test]
fn servers_are_reached_over_both_versions_of_ip() {
    let space = Space::new();
    let mut network = space.command(peer_program(PROGRAM));
    let mut network =
        Network::start(network.args(["-n", "8", "-listen", "127.0.0.1,::1", "-security", "noise"]));
    let crawl = |begin: &[String]| Crawl::by(space.command(kadscope().get_program()), begin, &[]);
    for (part, transport) in [("/tcp/", "tcp"), ("/quic-v1", "quic")] {
        let (truth, crawled) = while_still(&mut network, |truth| crawl(&truth.addresses_with(part)));
        crawled.assert_equals(&truth);
        assert_eq!(crawled.summary["ip_versions"], json!({"ip4": 4, "ip6": 4}));
        assert_eq!(crawled.summary["transports"], json!({transport: 8}));
    }
}

#[test]
fn one_answer_a_stream_is_enough_over_tcp() {
    crawl_twice("-transport tcp -security noise -one-request-per-stream");
}

#[test]
fn one_answer_a_stream_is_enough_over_quic() {
    crawl_twice("-transport quic -one-request-per-stream");
}
