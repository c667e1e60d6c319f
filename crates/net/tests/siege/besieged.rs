//! The node: a process that says where it is and then, for each line, what it takes and the most that it has taken since
//! the line before.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use dht::{Node, NodeConfig, NodeProfile};
use kad::{Keypair, message::AMINO_PROTOCOL};
use kadscope_net::{Addresses, Bounds, FabricConfig, ListenLimits, SocketFabric};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    runtime::Handle,
    time::interval,
};

use super::counts::Counts;

/// By this argument the program is the node.
pub(crate) const NAME: &str = "besieged";

/// Its bounds: smaller ones than by default, so that few besiegers reach them.
pub(crate) const BOUNDS: Bounds = Bounds {
    connections: 512,
    high_water: 384,
    low_water: 320,
    half_open: 128,
    half_open_per_source: 16,
    per_source: 64,
    per_peer: 4,
    held_bytes: 8 << 20,
};

/// How long a handshake may take: long enough for somebody honest where this machine has much to do beside.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(4);

/// How long a stream may be without a message: who goes while its answers wait is noticed after that.
const IDLE_STREAM: Duration = Duration::from_secs(10);

/// How often it is looked at what the node takes.
const LOOK: Duration = Duration::from_millis(10);

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// Lives until stdin ends.
pub(crate) async fn live() {
    let limits = ListenLimits { handshake: HANDSHAKE, idle_stream: IDLE_STREAM, ..ListenLimits::default() };
    let config = FabricConfig { bounds: BOUNDS, limits, ..FabricConfig::new(Addresses::Loopback) };
    let fabric = SocketFabric::new(config);
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "besieged/1".to_owned(), protocols, announce: Vec::new() };
    let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
    let config = NodeConfig {
        listen: listen.map(|address| address.parse().unwrap()).to_vec(),
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, NOW)
    };
    let node = Node::join(&fabric, config).await.unwrap();
    // Its first refresh makes what a node has once.
    node.refreshed(1).await;
    let contact = node.contact();
    println!("{} {} {}", contact.peer, contact.addrs[0], contact.addrs[1]);
    let most = Arc::new(Mutex::new(Counts::default()));
    tokio::spawn(look(fabric.clone(), Arc::clone(&most)));
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let now = count(&fabric);
        let most = std::mem::replace(&mut *most.lock().unwrap(), now);
        println!("{now} {}", most.most(now));
    }
    node.leave().await;
}

async fn look(fabric: SocketFabric, most: Arc<Mutex<Counts>>) {
    let mut pace = interval(LOOK);
    loop {
        pace.tick().await;
        let now = count(&fabric);
        let mut most = most.lock().unwrap();
        *most = most.most(now);
    }
}

fn count(fabric: &SocketFabric) -> Counts {
    let counted = fabric.counted();
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    Counts {
        open: counted.open as u64,
        half_open: counted.half_open as u64,
        tasks: Handle::current().metrics().num_alive_tasks() as u64,
        descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count() as u64,
        resident_kib: pages * 4,
    }
}
