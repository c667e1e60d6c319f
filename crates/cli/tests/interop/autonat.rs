//! Servers of go-libp2p dial a node of ours back, by `AutoNAT` version 2: it comes to know that it can be reached, over TCP and
//! QUIC, where it comes from and where it does not and has to send data first.

use std::time::Duration;

use dht::OwnAddress;
use kad::autonat::Reachability;
use tokio::time::timeout;

use crate::{node::join, servers::servers};

/// So many servers: each is asked once in two minutes, and two have to say the same.
const SERVERS: u64 = 8;

/// A question every five seconds, of which two say of each address that it can be reached, and what the machine takes.
const KNOWN_WITHIN: Duration = Duration::from_secs(90);

async fn assert_knows(listen: &str) {
    let network = servers(SERVERS, "-transport both -autonat -bootstrap 8 -refresh 2s");
    let node = join(&network, listen).await;
    let expected: Vec<OwnAddress> = node
        .contact()
        .addrs
        .iter()
        .map(|address| OwnAddress { address: address.clone(), reachability: Reachability::Public })
        .collect();
    let mut known = node.reachability();
    let is_known = timeout(KNOWN_WITHIN, known.wait_for(|known| *known == expected)).await.is_ok();
    assert!(is_known, "{:?}", node.reachability().borrow());
    node.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn go_servers_dial_a_node_of_ours_back_over_tcp() {
    assert_knows("/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn go_servers_dial_a_node_of_ours_back_over_quic() {
    assert_knows("/ip4/127.0.0.1/udp/0/quic-v1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn go_servers_dial_a_node_of_ours_back_elsewhere_once_it_has_sent_data() {
    assert_knows("/ip4/127.0.0.2/tcp/0").await;
}
