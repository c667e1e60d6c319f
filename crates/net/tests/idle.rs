//! What a thousand peers cost that listen and have no connection: descriptors, threads and time. The only test of its
//! process, so that it can count exactly.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{sync::Arc, time::Duration};

use kad::{
    Keypair,
    answer::Answer,
    fabric::{Fabric, Inward, Member, Request, Says, Service, Terms},
    network::{Connection, Event, Network},
};
use kadscope_net::{Addresses, FabricConfig, Host, SocketFabric};
use tokio::time::Instant;

const KAD: &str = "/ipfs/kad/1.0.0";

/// How many peers.
const PEERS: usize = 1_000;

/// As many are there first as there are threads at the most, so that each has been started.
const FIRST: usize = 8;

/// The most threads, those of the runtime with them.
const MAX_THREADS: usize = 8;

/// Twice what is to be reached on a quiet machine with optimised code, and more: this is neither.
const PATIENCE: Duration = Duration::from_secs(30);

struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.message)
    }
}

async fn join(fabric: &SocketFabric, listen: &[&str]) -> Host {
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says { kad_protocols: vec![KAD.to_owned()], ..Says::default() },
        listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
        inward: Inward::Served,
    };
    fabric.join(terms, Arc::new(Echo)).await.unwrap()
}

/// Whether a peer answers at one of its addresses.
async fn answers(asker: &Host, peer: &Host, address: usize) -> bool {
    let dial = asker.connect(peer.local(), vec![peer.listens()[address].clone()]).await;
    let mut connection = dial.connection.unwrap();
    let stream = connection.open(KAD, 1 << 10);
    connection.send(stream, b"x");
    connection.finish(stream);
    let mut answered = false;
    while let Event::Accepted(_) | Event::Message(..) = connection.next().await.unwrap() {
        answered = true;
    }
    connection.close().await;
    answered
}

fn entries(path: &str) -> usize {
    std::fs::read_dir(path).unwrap().count()
}

#[test]
fn a_thousand_listening_peers_have_two_descriptors_each_and_eight_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let mut peers = Vec::with_capacity(PEERS);
        for _ in 0..FIRST {
            peers.push(join(&fabric, &listen).await);
        }
        let (before, began) = (entries("/proc/self/fd"), Instant::now());
        while peers.len() < PEERS {
            peers.push(join(&fabric, &listen).await);
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        assert_eq!(entries("/proc/self/fd") - before, 2 * (PEERS - FIRST));
        // One is the harness's.
        assert!(entries("/proc/self/task") - 1 <= MAX_THREADS, "{}", entries("/proc/self/task"));
        let asker = join(&fabric, &[]).await;
        for n in [0, PEERS / 2, PEERS - 1] {
            assert!(answers(&asker, &peers[n], 0).await && answers(&asker, &peers[n], 1).await);
        }
        for peer in peers.drain(FIRST..) {
            peer.leave().await;
        }
        // The asker's own sockets are open now.
        assert!(entries("/proc/self/fd") < before + 16);
    });
}
