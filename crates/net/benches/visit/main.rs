//! What a visit costs the process that makes it: CPU time, with the heads in another process.
//!
//! `cargo bench -p kadscope-net --bench visit -- [tcp|quic] [VISITS [CONCURRENCY]]` measures a full visit (16 pipelined requests
//! whose answers have 2.3 KiB each, and identify), a dial without requests, and the memory of open connections.
//! Loopback only. Ratios between the lines mean more than the microseconds.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for developers"
)]

mod floor;

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kad::{
    Multiaddr,
    identify::{IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES},
    network::{Connection, Event, Network},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, quic_multiaddr,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use libp2p_identity::{Keypair, PeerId};
use rustix::time::{ClockId, clock_gettime};
use tokio::{task::JoinSet, time::Instant};

const KAD: &str = "/ipfs/kad/1.0.0";
const REQUESTS: usize = 16;
const REQUEST_BYTES: usize = 38;
const ANSWER_BYTES: usize = 2300;
const ROUNDS: usize = 5;
const HELD_CONNECTIONS: usize = 1000;

/// Over what peers are visited.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Transport {
    Tcp,
    Quic,
}

impl Transport {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        }
    }

    fn multiaddr(self, addr: SocketAddr) -> Multiaddr {
        match self {
            Self::Tcp => tcp_multiaddr(addr),
            Self::Quic => quic_multiaddr(addr),
        }
    }
}

/// Answers every request alike.
struct Table(Arc<Vec<u8>>);

impl Service for Table {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Message(self.0.to_vec())
    }
}

fn keypair(index: usize) -> Keypair {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&index.to_le_bytes());
    Keypair::ed25519_from_bytes(seed).expect("any 32 bytes are a secret key")
}

fn address(index: usize, port: u16) -> SocketAddr {
    let octet = |value: usize| u8::try_from(value).expect("below 256");
    (Ipv4Addr::new(127, 1 + octet(index / 62_500), octet(index / 250 % 250), octet(index % 250 + 1)), port)
        .into()
}

/// The child: serves so many heads until its input ends.
async fn serve_heads(transport: Transport, heads: usize) {
    let any = (Ipv4Addr::UNSPECIFIED, 0).into();
    match transport {
        Transport::Tcp => {
            let listener = serve::bind(any).unwrap();
            let port = listener.local_addr().unwrap().port();
            serve::listen(listener, heads_at(transport, port, heads), ListenLimits::default()).await;
        }
        Transport::Quic => {
            let socket = serve::bind_quic(any).unwrap();
            let port = socket.local_addr().unwrap().port();
            serve::listen_quic(socket, heads_at(transport, port, heads), ListenLimits::default())
                .await
                .unwrap();
        }
    }
}

/// Makes heads, says at which port they are, and returns who finds them.
fn heads_at(
    transport: Transport,
    port: u16,
    heads: usize,
) -> impl Fn(SocketAddr) -> Option<Arc<Head<Table>>> {
    let profile = HeadProfile::new("bench/1", &[KAD]);
    let answer = Arc::new(vec![7; ANSWER_BYTES]);
    let heads: Vec<_> = (0..heads)
        .map(|index| {
            let identity = Identity::new(keypair(index)).unwrap();
            let addr = transport.multiaddr(address(index, port));
            Arc::new(Head::new(identity, &profile, &[addr], Table(Arc::clone(&answer))))
        })
        .collect();
    println!("{port}");
    move |local| match local {
        SocketAddr::V4(addr) => {
            let [_, a, b, c] = addr.ip().octets().map(usize::from);
            let index = (a.checked_sub(1)? * 250 + b) * 250 + c.checked_sub(1)?;
            heads.get(index).cloned()
        }
        SocketAddr::V6(_) => None,
    }
}

fn start_server(transport: Transport, heads: usize) -> (Child, u16) {
    let exe = std::env::current_exe().unwrap();
    let mut child = Command::new(exe)
        .args(["serve", transport.name(), &heads.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Full,
    DialOnly,
}

async fn dial(host: &Host, peer: PeerId, addr: &Multiaddr) -> AnyConnection {
    let dial = host.connect(peer, vec![addr.clone()]).await;
    dial.connection.unwrap_or_else(|| panic!("no connection: {:?}", dial.attempts))
}

async fn visit(host: &Host, peer: PeerId, addr: &Multiaddr, kind: Kind) {
    let mut connection = dial(host, peer, addr).await;
    if kind == Kind::Full {
        let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
        connection.finish(identify);
        let stream = connection.open(KAD, 4 << 20);
        for _ in 0..REQUESTS {
            connection.send(stream, &[3; REQUEST_BYTES]);
        }
        connection.finish(stream);
        let mut messages = 0;
        while messages < REQUESTS + 1 {
            match connection.next().await.unwrap() {
                Event::Message(_, message) => messages += usize::from(!message.is_empty()),
                Event::Accepted(_) | Event::Ended(_, None) => {}
                Event::Ended(_, Some(failure)) => panic!("{failure}"),
            }
        }
    }
    connection.close().await;
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

struct World {
    host: Host,
    peers: Arc<Vec<(PeerId, Multiaddr)>>,
    concurrency: usize,
}

impl World {
    /// One visit of each peer; CPU time a visit in microseconds, and visits a second.
    async fn round(&self, kind: Kind) -> (f64, f64) {
        let next = Arc::new(AtomicUsize::new(0));
        let (cpu_before, started) = (cpu(), Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..self.concurrency {
            let (host, peers, next) = (self.host.clone(), Arc::clone(&self.peers), Arc::clone(&next));
            workers.spawn(async move {
                while let Some((peer, addr)) = peers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Box::pin(visit(&host, *peer, addr, kind)).await;
                }
            });
        }
        workers.join_all().await;
        let visits = self.peers.len() as f64;
        (
            cpu().saturating_sub(cpu_before).as_secs_f64() * 1e6 / visits,
            visits / started.elapsed().as_secs_f64(),
        )
    }

    /// The memory that one open connection takes here, in KiB.
    async fn held(&self) -> f64 {
        let before = resident_kib();
        let mut held = Vec::new();
        for (peer, addr) in self.peers.iter().cycle().take(HELD_CONNECTIONS) {
            let mut connection = dial(&self.host, *peer, addr).await;
            let stream = connection.open(KAD, 4 << 20);
            connection.send(stream, &[3; REQUEST_BYTES]);
            while !matches!(connection.next().await.unwrap(), Event::Message(..)) {}
            held.push(connection);
        }
        (resident_kib() - before) / HELD_CONNECTIONS as f64
    }
}

/// Resident memory of this process, in KiB.
fn resident_kib() -> f64 {
    field("/proc/self/status", "VmRSS:")
}

fn field(path: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn measure(transport: Transport, visits: usize, concurrency: usize) {
    let (mut server, port) = start_server(transport, visits);
    let path = format!("/proc/{}/status", server.id());
    println!("server: {:.2} KiB a head at most, idle", field(&path, "VmRSS:") / visits as f64);
    let peers: Vec<_> = (0..visits)
        .map(|index| (keypair(index).public().to_peer_id(), transport.multiaddr(address(index, port))))
        .collect();
    let host = Host::new(HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback)).unwrap();
    let world = World { host, peers: Arc::new(peers), concurrency };
    let before = field(&path, "VmRSS:");
    let held = world.held().await;
    println!("open connection: {held:.1} KiB here");
    let server_kib = (field(&path, "VmRSS:") - before) / HELD_CONNECTIONS as f64;
    println!("open connection: {server_kib:.1} KiB at the server");
    let crypto = floor::measure(transport).await;
    println!("asymmetric cryptography of a handshake alone, now: {crypto:.0} us");
    for (name, kind) in [("full visit", Kind::Full), ("dial only", Kind::DialOnly)] {
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            let (cost, rate) = world.round(kind).await;
            println!("{name}: {cost:.0} us CPU, {rate:.0} a second");
            costs.push(cost);
        }
        costs.sort_by(f64::total_cmp);
        let median = costs[ROUNDS / 2];
        println!("{name}: median {median:.0} us CPU, {:.2} times that cryptography", median / crypto);
    }
    println!("peak memory: {:.1} MB", field("/proc/self/status", "VmHWM:") / 1024.0);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[tokio::main]
async fn main() {
    // Cargo passes `--bench`.
    let mut args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let serves = args.first().is_some_and(|arg| arg == "serve");
    if serves {
        args.remove(0);
    }
    let named =
        args.first().and_then(|arg| [Transport::Tcp, Transport::Quic].into_iter().find(|t| t.name() == arg));
    if named.is_some() {
        args.remove(0);
    }
    let transport = named.unwrap_or(Transport::Tcp);
    let number = |index: usize, default| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    if serves {
        serve_heads(transport, number(0, 1)).await;
    } else {
        measure(transport, number(0, 4000), number(1, 100)).await;
    }
}
