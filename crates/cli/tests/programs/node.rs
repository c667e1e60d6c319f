//! A node of ours as a program, for tests that run it where no packet can leave.
//!
//! `interop-node SECONDS LISTEN,... BOOTSTRAP...` joins the network of these peers, at public addresses, and refreshes its
//! table as often. It prints `{"id","bootstrap":[its own addresses]}` and obeys lines: `table` prints `{"table":[ID,...]}`. The end of
//! stdin ends it.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program of tests")]

use std::time::Duration;

use dht::{Node, NodeConfig, NodeProfile};
use kad::{Contact, Keypair, Multiaddr, message::AMINO_PROTOCOL};
use multiaddr::Protocol;
use net::{Addresses, FabricConfig, SocketFabric};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

/// 2026-01-01; it keeps no records for so long that this matters.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// An address that ends in a peer's id.
fn contact(text: &str) -> Option<Contact> {
    let mut address: Multiaddr = text.parse().ok()?;
    match address.pop() {
        Some(Protocol::P2p(peer)) => Some(Contact { peer, addrs: vec![address] }),
        _ => None,
    }
}

/// How it lives, by the arguments.
fn config(mut args: impl Iterator<Item = String>) -> Option<NodeConfig> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "kadscope-node/1".to_owned(), protocols, announce: Vec::new() };
    let refresh = Duration::from_secs(args.next()?.parse().ok()?);
    let listen = args.next()?.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    let bootstrap = args.map(|text| contact(&text)).collect::<Option<_>>()?;
    let config = NodeConfig::new(Keypair::generate_ed25519(), profile, NOW);
    Some(NodeConfig { listen, bootstrap, refresh, ..config })
}

#[tokio::main]
async fn main() {
    let config = config(std::env::args().skip(1)).expect("SECONDS LISTEN,... BOOTSTRAP...");
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Public));
    let node = Node::join(&fabric, config).await.expect("a node");
    let Contact { peer, addrs } = node.contact();
    let own: Vec<_> = addrs.iter().map(|addr| format!("{addr}/p2p/{peer}")).collect();
    println!("{}", json!({"id": peer.to_string(), "bootstrap": own}));
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line == "table" {
            let table: Vec<_> = node.table().iter().map(|contact| contact.peer.to_string()).collect();
            println!("{}", json!({"table": table}));
        }
    }
    node.leave().await;
}
