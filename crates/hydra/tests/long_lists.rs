//! A list of very many records takes no more memory than a short one, however slowly it is read.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::{sync::Arc, time::Duration};

use http::{Access, Metrics, Readiness, Room, TakenAddress, resident_bytes};
use kad::{
    Keypair,
    answer::entry,
    message::{AMINO_PROTOCOL, ConnectionType},
};
use kadscope_hydra::{HeadConfig, Hydra, HydraApi, HydraConfig};
use store::{Belly, BellyConfig, NewProvider};
use testnet::{Scenario, SimFabric, SimLimits, SimNetwork, World};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// As many as hydra-booster was seen to list.
const RECORDS: u32 = 400_000;

/// What answering may take beyond what was there before.
const MAX_GROWTH_BYTES: u64 = 8 << 20;

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

fn belly() -> Belly {
    let belly = Belly::in_memory(&BellyConfig::default());
    let peer = Keypair::generate_ed25519().public().to_peer_id().to_bytes();
    let entry = entry(&peer, std::iter::empty(), ConnectionType::NotConnected);
    let provider = NewProvider::new(&peer, &entry).expect("a provider");
    for number in 0..RECORDS {
        let mut key = [0x12; 34];
        key[1] = 0x20;
        key[2..6].copy_from_slice(&number.to_be_bytes());
        belly.add_provider(&key, provider, NOW);
    }
    belly
}

async fn hydra() -> Hydra<SimNetwork> {
    let scenario = Scenario::parse("peers = 5", "lists").expect("a scenario");
    let fabric = SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default());
    let head = HeadConfig {
        index: 0,
        keypair: Keypair::generate_ed25519(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        announce: Vec::new(),
    };
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    Hydra::join(&fabric, HydraConfig::new(vec![head], protocols, belly(), NOW)).await.expect("a head")
}

#[tokio::test]
async fn memory_does_not_grow_with_a_list() {
    let (hydra, api) = (hydra().await, HydraApi::default());
    api.open(hydra.view());
    let mut room = Room::new(Access::ThisMachine, Readiness::not_yet("a test"), Metrics::default());
    room.routes = api.routes();
    let taken = TakenAddress::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listening = room.open(taken).expect("a listener");
    let before = resident_bytes().unwrap_or(0);
    let asked = async || {
        let mut stream = TcpStream::connect(listening.address()).await.expect("a connection");
        stream.write_all(b"GET /records/list HTTP/1.0\r\nHost: localhost\r\n\r\n").await.expect("sent");
        stream
    };
    // Who reads nothing for now holds no more than a page; who reads is given all of it.
    let idle = [asked().await, asked().await, asked().await];
    let (mut reader, mut part) = (asked().await, vec![0; 64 << 10]);
    let (mut lines, mut most) = (0, 0);
    while let bytes @ 1.. = reader.read(&mut part).await.expect("it goes on") {
        lines += part[..bytes].split(|byte| *byte == b'{').count() - 1;
        most = most.max(resident_bytes().unwrap_or(0));
    }
    assert_eq!(lines, RECORDS as usize);
    assert!(most.saturating_sub(before) <= MAX_GROWTH_BYTES, "{before} to {most} bytes");
    drop(idle);
    listening.close().await;
    hydra.leave().await;
}
