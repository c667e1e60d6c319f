//! What peers of ours cost that listen, and connections that others open to them and ask one thing on: resident memory,
//! descriptors, threads and time, with those who dial in another process.
//!
//! `cargo bench -p kadscope-net --bench peers -- [PEERS [CONNECTIONS]]` measures so many idle peers on TCP and QUIC (1,000),
//! and then so many connections with each (10), over either. Loopback only.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers")]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use kad::{
    Keypair, Multiaddr, PeerId,
    answer::Answer,
    fabric::{Fabric, Inward, Member, Request, Says, Service, Terms},
    network::{Connection, Event, Network},
};
use kadscope_net::{Addresses, Bounds, FabricConfig, Host, SocketFabric};
use tokio::time::Instant;

const KAD: &str = "/ipfs/kad/1.0.0";

/// Where each peer listens.
const LISTEN: [&str; 2] = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];

/// Peers that are there before anything is measured: what all share has been made by them.
const FIRST: usize = 16;

/// The answer to every request, in bytes.
const ANSWER_BYTES: usize = 2300;

struct Table;

impl Service for Table {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Message(vec![7; ANSWER_BYTES])
    }
}

/// Resident memory of this process, in KiB.
fn resident_kib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u32 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    f64::from(pages) * 4.0
}

/// CPU time of this process so far, in microseconds.
fn cpu_us() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)).as_secs_f64() * 1e6
}

fn entries(path: &str) -> usize {
    std::fs::read_dir(path).unwrap().count()
}

async fn join(fabric: &SocketFabric, listen: &[&str]) -> Host {
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says { agent: "bench/1".to_owned(), kad_protocols: vec![KAD.to_owned()], ..Says::default() },
        listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
        inward: Inward::Served,
    };
    fabric.join(terms, Arc::new(Table)).await.unwrap()
}

/// The child: dials whom it is told to, asks each once, and holds the connections until its input ends.
async fn dial_all() {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let (mut hosts, mut held) = (Vec::new(), Vec::new());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let Some((peer, address)) = line.split_once(' ') else {
            println!("{}", held.len());
            continue;
        };
        let (peer, address): (PeerId, Multiaddr) = (peer.parse().unwrap(), address.parse().unwrap());
        // A peer has few connections with one other.
        if held.len() % 4 == 0 {
            hosts.push(join(&fabric, &[]).await);
        }
        let mut connection = hosts.last().unwrap().connect(peer, vec![address]).await.connection.unwrap();
        let stream = connection.open(KAD, 1 << 16);
        connection.send(stream, b"x");
        connection.finish(stream);
        while !matches!(connection.next().await, Ok(Event::Ended(..)) | Err(_)) {}
        held.push(tokio::spawn(async move { while connection.next().await.is_ok() {} }));
    }
}

/// Another process, and what it says.
fn child() -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--dial")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    (child, said)
}

/// Has all peers dialled at one of their addresses.
fn connect(peers: &[Host], address: usize, connections: usize) {
    let (mut child, mut said) = child();
    let (before, spent) = (resident_kib(), cpu_us());
    let mut to = child.stdin.take().unwrap();
    for peer in peers {
        for _ in 0..connections {
            writeln!(to, "{} {}", peer.local(), peer.listens()[address]).unwrap();
        }
    }
    writeln!(to, "held").unwrap();
    to.flush().unwrap();
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let held: u32 = line.trim().parse().unwrap();
    let (each, cpu) = ((resident_kib() - before) / f64::from(held), (cpu_us() - spent) / f64::from(held));
    println!("{}: {held} connections, {each:.1} KiB and {cpu:.0} us of CPU each", LISTEN[address]);
    drop(to);
    child.wait().unwrap();
}

fn measure(peers: usize, connections: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bounds = Bounds {
        per_source: 1 << 20,
        connections: 1 << 20,
        high_water: 1 << 20,
        half_open_per_source: 1 << 10,
        ..Bounds::default()
    };
    let fabric = SocketFabric::new(FabricConfig { bounds, ..FabricConfig::new(Addresses::Loopback) });
    let mut ours: Vec<Host> = (0..FIRST).map(|_| runtime.block_on(join(&fabric, &LISTEN))).collect();
    let (before, files, began) = (resident_kib(), entries("/proc/self/fd"), Instant::now());
    ours.extend((0..peers).map(|_| runtime.block_on(join(&fabric, &LISTEN))));
    let count = f64::from(u32::try_from(peers).unwrap());
    println!(
        "{peers} idle peers: {:.1} KiB and {:.1} descriptors each, {} threads, ready in {:.2} s",
        (resident_kib() - before) / count,
        f64::from(u32::try_from(entries("/proc/self/fd") - files).unwrap()) / count,
        entries("/proc/self/task"),
        began.elapsed().as_secs_f64(),
    );
    for address in 0..LISTEN.len() {
        connect(&ours[..peers.min(100)], address, connections);
    }
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = numbers.next();
    if first.as_deref() == Some("--dial") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(dial_all());
    }
    let number = |text: Option<String>, default| text.map_or(default, |text| text.parse().unwrap());
    let peers = number(first, 1_000);
    measure(peers, number(numbers.next(), 10));
}
