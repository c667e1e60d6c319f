//! A private network of Kubo daemons, in a namespace of its own.

use serde_json::json;

use crate::{
    crawl::{Crawl, while_still},
    program::{Network, kadscope, peer_program},
    space::Space,
};

const DAEMONS: usize = 5;

/// Their DHT, where all of them have private addresses.
const PROTOCOL: &[&str] = &["--protocol", "/ipfs/lan/kad/1.0.0"];

#[test]
fn a_network_of_kubo_daemons_is_seen_as_it_is() {
    let space = Space::new();
    let home = tempfile::tempdir().expect("a directory");
    let mut network = space.command(peer_program("kubo/run.sh"));
    network.arg(DAEMONS.to_string()).arg(home.path());
    let mut network = Network::start(&mut network);
    let crawl = |begin: &[String]| Crawl::by(space.command(kadscope().get_program()), begin, PROTOCOL);

    let begin = network.bootstrap();
    let (truth, crawled) = while_still(&mut network, |_| crawl(&begin));
    crawled.assert_equals(&truth);
    assert_eq!(crawled.summary["agents"], json!({"kubo/0.43.0": DAEMONS}));

    for (part, transport, security) in [("/tcp/", "tcp", "noise"), ("/quic-v1", "quic", "tls")] {
        // All begin at once, so that no other address is known of any of them.
        let (truth, crawled) = while_still(&mut network, |truth| crawl(&truth.addresses_with(part)));
        crawled.assert_equals(&truth);
        assert_eq!(crawled.summary["transports"], json!({transport: DAEMONS}));
        assert_eq!(crawled.summary["security"], json!({security: DAEMONS}));
    }
}
