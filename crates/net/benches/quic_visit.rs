//! What a visit over QUIC costs the process that makes it: CPU time, with the heads in another process.
//!
//! `cargo bench -p kadscope-net --bench quic_visit [-- VISITS [CONCURRENCY]]` measures a full visit (16 pipelined requests
//! whose answers have 2.3 KiB each, and identify), a dial without requests, and the memory of open connections.
//! Loopback only. Ratios between the lines mean more than the microseconds.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program for developers"
)]

use std::{
    hint::black_box,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    agreement::{self, PrivateKey, X25519},
    kem::{DecapsulationKey, ML_KEM_768},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, UnparsedPublicKey,
    },
};
use kad::{
    identify::{IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES},
    network::{Connection, Event, Network},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, quic_multiaddr,
    serve::{self, Answer, Head, Limits, Profile, Request, Service},
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

/// Answers every request alike.
struct Table(Arc<Vec<u8>>);

impl Service for Table {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reply(self.0.to_vec())
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
async fn serve_heads(heads: usize) {
    let socket = serve::bind_quic((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let profile = Profile::new("bench/1", &[KAD]);
    let answer = Arc::new(vec![7; ANSWER_BYTES]);
    let heads: Vec<_> = (0..heads)
        .map(|index| {
            let identity = Identity::new(keypair(index)).unwrap();
            let addr = quic_multiaddr(address(index, port));
            Arc::new(Head::new(identity, &profile, &[addr], Table(Arc::clone(&answer))))
        })
        .collect();
    let resolve = move |local: SocketAddr| match local {
        SocketAddr::V4(addr) => {
            let [_, a, b, c] = addr.ip().octets().map(usize::from);
            let index = (a.checked_sub(1)? * 250 + b) * 250 + c.checked_sub(1)?;
            heads.get(index).cloned()
        }
        SocketAddr::V6(_) => None,
    };
    println!("{port}");
    serve::listen_quic(socket, resolve, Limits::default()).await.unwrap();
}

fn start_server(heads: usize) -> (Child, u16) {
    let exe = std::env::current_exe().unwrap();
    let mut child =
        Command::new(exe).args(["serve", &heads.to_string()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Full,
    DialOnly,
}

async fn dial(host: &Host, peer: PeerId, addr: SocketAddr) -> AnyConnection {
    let dial = host.connect(peer, vec![quic_multiaddr(addr)]).await;
    dial.connection.unwrap_or_else(|| panic!("no connection: {:?}", dial.attempts))
}

async fn visit(host: &Host, peer: PeerId, addr: SocketAddr, kind: Kind) {
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
    peers: Arc<Vec<(PeerId, SocketAddr)>>,
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
                while let Some(&(peer, addr)) = peers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Box::pin(visit(&host, peer, addr, kind)).await;
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
        for &(peer, addr) in self.peers.iter().cycle().take(HELD_CONNECTIONS) {
            let mut connection = dial(&self.host, peer, addr).await;
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

async fn measure(visits: usize, concurrency: usize) {
    let (mut server, port) = start_server(visits);
    let path = format!("/proc/{}/status", server.id());
    println!("server: {:.2} KiB a head at most, idle", field(&path, "VmRSS:") / visits as f64);
    let peers: Vec<_> =
        (0..visits).map(|index| (keypair(index).public().to_peer_id(), address(index, port))).collect();
    let host = Host::new(HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback)).unwrap();
    let world = World { host, peers: Arc::new(peers), concurrency };
    let crypto = crypto().await;
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
    println!("peak memory of visits: {:.1} MB", field("/proc/self/status", "VmHWM:") / 1024.0);
    let before = field(&path, "VmRSS:");
    let held = world.held().await;
    println!("open connection: {held:.1} KiB here");
    let server_kib = (field(&path, "VmRSS:") - before) / HELD_CONNECTIONS as f64;
    println!("open connection: {server_kib:.1} KiB at the server, on top of what it kept from before");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The asymmetric cryptography of one handshake as a dialler, which no visit can do without: the hybrid key exchange
/// (with one encapsulation too much: its other end is needed to have something to take apart), one signature and three verifications. CPU time in microseconds, on as many threads at once as a visit uses.
async fn crypto() -> f64 {
    const HANDSHAKES: u32 = 1000;
    let before = cpu();
    let mut threads = JoinSet::new();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..count {
        threads.spawn_blocking(|| {
            let other = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
            let identity = Ed25519KeyPair::generate().unwrap();
            let proof = identity.sign(b"text");
            let own = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
            let random = SystemRandom::new();
            let signature = own.sign(&random, b"text").unwrap();
            for _ in 0..HANDSHAKES {
                let key = PrivateKey::generate(&X25519).unwrap();
                let other = agreement::UnparsedPublicKey::new(&X25519, other.as_ref());
                agreement::agree(&key, other, (), |secret| Ok(black_box(secret.len()))).unwrap();
                let lattice = DecapsulationKey::generate(&ML_KEM_768).unwrap();
                let (ciphertext, _) = lattice.encapsulation_key().unwrap().encapsulate().unwrap();
                black_box(lattice.decapsulate(ciphertext).unwrap());
                black_box(own.sign(&random, b"text").unwrap());
                for _ in 0..2 {
                    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, own.public_key().as_ref());
                    public.verify(b"text", signature.as_ref()).unwrap();
                }
                let public = UnparsedPublicKey::new(&ED25519, identity.public_key().as_ref());
                public.verify(b"text", proof.as_ref()).unwrap();
            }
        });
    }
    threads.join_all().await;
    cpu().saturating_sub(before).as_secs_f64() * 1e6 / (f64::from(HANDSHAKES) * count as f64)
}

#[tokio::main]
async fn main() {
    // Cargo passes `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    match args.first().map(String::as_str) {
        Some("serve") => serve_heads(number(1, 1)).await,
        _ => measure(number(0, 4000), number(1, 100)).await,
    }
}
