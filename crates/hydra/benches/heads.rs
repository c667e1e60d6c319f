//! What many heads cost that share what they know, beside as many nodes that each have a table of their own, in the same network on
//! loopback sockets; and what heads cost that are idle.
//!
//! `cargo bench -p kadscope-hydra --bench heads [-- HEADS [SERVERS [SECONDS]]]`: 100 heads, 300 servers, so many seconds after joining
//! until what is called settled is measured for half a minute (150), and a thousand idle heads. The network, the heads and the
//! nodes are processes of their own, one after the other.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use dht::{Node, NodeConfig, NodeProfile};
use kad::{Contact, Keypair, PeerId, fabric::ConnectionId, message::AMINO_PROTOCOL, network::Traffic};
use kadscope_hydra::{HeadConfig, Hydra, HydraConfig};
use net::{Addresses, Bounds, FabricConfig, SocketFabric};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use store::{Belly, BellyConfig};
use testnet::{Scenario, WireTestnet};
use tokio::time::{Instant, sleep};

/// Where each head listens.
const LISTEN: [&str; 2] = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];

/// How long what is settled is measured.
const SETTLED: Duration = Duration::from_secs(30);

/// How often connections are looked at, whose bytes are counted.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Heads that are there before idle ones are measured: what all share has been made by them.
const FIRST: usize = 16;

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number =
        |n: usize, default: usize| args.get(n).map_or(default, |text| text.parse().expect("a number"));
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let block = |future| runtime().expect("a runtime").block_on(future);
    match args.first().map(String::as_str) {
        Some("--network") => runtime().expect("a runtime").block_on(be_the_network(number(1, 300))),
        Some("--idle") => runtime().expect("a runtime").block_on(idle(number(1, 1_000))),
        Some(kind @ ("--heads" | "--nodes")) => {
            block(measure(kind == "--heads", (number(1, 100), number(2, 150)), bootstrap(&args[3..])));
        }
        _ => compare((number(0, 100), number(1, 300), number(2, 150))),
    }
}

/// All sides, one after the other.
fn compare((heads, servers, seconds): (usize, usize, usize)) {
    let program = std::env::current_exe().expect("a path");
    println!(
        "| | ready | joining | settled CPU of a core | resident | connections | descriptors | sent and received |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for kind in ["--heads", "--nodes"] {
        let mut network = Command::new(&program);
        network.args(["--network", &servers.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut network = network.spawn().expect("the network");
        let peers = first_line(&mut network);
        let args = [kind, &heads.to_string(), &seconds.to_string()];
        let side = Command::new(&program).args(args).args(peers.split_whitespace()).status();
        assert!(side.expect("a side").success());
        drop(network.stdin.take());
        network.wait().expect("an end");
    }
    let idle = Command::new(&program).arg("--idle").status();
    assert!(idle.expect("idle heads").success());
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let out = child.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut line).expect("a line");
    line
}

/// The network, until the input ends.
async fn be_the_network(servers: usize) {
    let servers = u32::try_from(servers).expect("a number");
    let scenario = Scenario::named("healthy").expect("built in").with_peers(servers);
    let testnet = WireTestnet::start(&scenario).await.expect("a testnet");
    let bootstrap: Vec<String> = testnet.bootstrap_addresses().iter().map(ToString::to_string).collect();
    println!("{}", bootstrap.join(" "));
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.expect("no panic").expect("an end");
    testnet.stop().await;
}

fn bootstrap(addresses: &[String]) -> Vec<Contact> {
    let contact = |text: &String| {
        let (addr, peer) = text.rsplit_once("/p2p/").expect("an id");
        let peer: PeerId = peer.parse().expect("an id");
        Contact { peer, addrs: vec![addr.parse().expect("an address")] }
    };
    addresses.iter().map(contact).collect()
}

fn fabric() -> SocketFabric {
    let bounds = Bounds { per_source: 1 << 20, half_open_per_source: 1 << 10, ..Bounds::default() };
    SocketFabric::new(FabricConfig { bounds, ..FabricConfig::new(Addresses::Loopback) })
}

fn head(index: usize) -> HeadConfig {
    let index = index as u64;
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&index.to_be_bytes());
    HeadConfig {
        index,
        keypair: Keypair::ed25519_from_bytes(seed).expect("a key"),
        listen: LISTEN.map(|addr| addr.parse().expect("an address")).to_vec(),
        announce: Vec::new(),
    }
}

fn hydra(heads: std::ops::Range<usize>) -> HydraConfig {
    let belly = Belly::in_memory(&BellyConfig::default());
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let config = HydraConfig::new(heads.map(head).collect(), protocols, belly, NOW);
    HydraConfig { agent: "bench/1".to_owned(), ..config }
}

fn node(index: usize, bootstrap: &[Contact]) -> NodeConfig {
    let HeadConfig { keypair, listen, index, .. } = head(index);
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "bench/1".to_owned(), protocols, announce: Vec::new() };
    let config = NodeConfig::new(keypair, profile, NOW);
    NodeConfig { listen, bootstrap: bootstrap.to_vec(), seed: index, checks_addresses: false, ..config }
}

/// One side: joins, and says what that and living have cost.
async fn measure(is_hydra: bool, (count, seconds): (usize, usize), bootstrap: Vec<Contact>) {
    let (fabric, began) = (fabric(), Instant::now());
    let (mut heads, mut nodes) = (None, Vec::new());
    if is_hydra {
        let config = HydraConfig { bootstrap, ..hydra(0..count) };
        heads = Some(Hydra::join(&fabric, config).await.expect("heads"));
    } else {
        for index in 0..count {
            nodes.push(Node::join(&fabric, node(index, &bootstrap)).await.expect("a node"));
        }
    }
    let ready = began.elapsed();
    let mut bytes = Bytes::default();
    bytes.watch(&fabric, Duration::from_secs(seconds as u64)).await;
    let joining = cpu();
    bytes.watch(&fabric, SETTLED).await;
    let settled = cpu().saturating_sub(joining).as_secs_f64() / SETTLED.as_secs_f64();
    let table = |sizes: Vec<usize>| sizes.iter().sum::<usize>() / sizes.len().max(1);
    let tables = match &heads {
        Some(hydra) => table(hydra.heads().iter().map(|head| hydra.table_size(head)).collect()),
        None => table(nodes.iter().map(|node| node.table().len()).collect()),
    };
    let what = if is_hydra { "heads of one hydra" } else { "nodes" };
    println!(
        "| {count} {what}, tables of {tables} | {:.2} s | {:.1} s of CPU | {:.1} % | {:.0} MiB | {} | {} | {:.1} MB |",
        ready.as_secs_f64(),
        joining.as_secs_f64(),
        100.0 * settled,
        resident_kib() / 1024.0,
        fabric.counted().open,
        descriptors(),
        bytes.total() as f64 / 1e6,
    );
}

/// What idle heads take that know nobody.
async fn idle(count: usize) {
    let fabric = fabric();
    let first = Hydra::join(&fabric, hydra(0..FIRST)).await.expect("heads");
    let (before, files, began) = (resident_kib(), descriptors(), Instant::now());
    let hydra = Hydra::join(&fabric, hydra(FIRST..FIRST + count)).await.expect("heads");
    let took = began.elapsed().as_secs_f64();
    let each = (resident_kib() - before) / count as f64;
    let files = (descriptors() - files) as f64 / count as f64;
    println!("\n{count} idle heads: {each:.1} KiB and {files:.1} descriptors each, ready in {took:.2} s");
    hydra.leave().await;
    first.leave().await;
}

/// What went over connections, as far as they were seen: those that stand for less than [`LOOK_EVERY`] may be missed.
#[derive(Default)]
struct Bytes(HashMap<ConnectionId, Traffic>);

impl Bytes {
    async fn watch(&mut self, fabric: &SocketFabric, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            sleep(LOOK_EVERY).await;
            self.0.extend(
                fabric.connections().into_iter().map(|connection| (connection.id, connection.traffic)),
            );
        }
    }

    fn total(&self) -> u64 {
        self.0.values().map(|traffic| traffic.sent_bytes + traffic.received_bytes).sum()
    }
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a usage");
    let spent = usage.user_time() + usage.system_time();
    Duration::from_micros(spent.num_microseconds().unsigned_abs())
}

/// Resident memory of this process, in KiB.
fn resident_kib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("what Linux says");
    let pages: u32 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    f64::from(pages) * 4.0
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("what Linux says").count()
}
