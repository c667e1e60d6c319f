//! Heads on loopback sockets, in a network of virtual peers there.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dht::{Ask, Awaits, Pool, PoolConfig};
use kad::{
    Contact, Keypair, PeerId,
    answer::Answer,
    fabric::{Fabric, Inward, Request, Says, Service, Terms},
    message::{AMINO_PROTOCOL, Message, MessageType, Peer},
};
use kadscope_hydra::{HeadConfig, Hydra, HydraConfig, HydraError};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use store::{Belly, BellyConfig};
use testnet::{Scenario, WireTestnet};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(10);

struct Mute;

impl Service for Mute {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

fn head(index: u8, listen: &[&str]) -> HeadConfig {
    HeadConfig {
        index: index.into(),
        keypair: Keypair::ed25519_from_bytes([index + 1; 32]).expect("a key"),
        listen: listen.iter().map(|addr| addr.parse().expect("an address")).collect(),
        announce: Vec::new(),
    }
}

fn config(heads: Vec<HeadConfig>, bootstrap: Vec<Contact>) -> HydraConfig {
    let belly = Belly::in_memory(&BellyConfig::default());
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let now = Duration::from_secs(1_767_225_600);
    let mut config = HydraConfig { bootstrap, ..HydraConfig::new(heads, protocols, belly, now) };
    config.joining.linger = Duration::from_millis(100);
    config
}

/// Who asks heads: a client.
async fn client(fabric: &SocketFabric) -> (PeerId, Pool<Host>) {
    let keypair = Keypair::generate_ed25519();
    let id = keypair.public().to_peer_id();
    let says = Says { agent: "client/1".to_owned(), ..Says::default() };
    let terms = Terms { keypair, says, listen: Vec::new(), inward: Inward::Served };
    (id, Pool::new(fabric.join(terms, Arc::new(Mute)).await.expect("a client"), PoolConfig::default()))
}

async fn ask(pool: &Pool<Host>, to: &Contact, message: &Message) -> Option<Message> {
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let awaits = if message.kind == MessageType::AddProvider { Awaits::End } else { Awaits::Message };
    let ask = Ask { protocols, message: Some(message.encode().into()), awaits, patience: PATIENCE };
    let exchange = pool.request(to, ask, &CancellationToken::new(), || {}).await;
    exchange.answer().map(|answer| Message::decode(answer).expect("a message"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_live_in_a_network_on_tcp_and_quic_over_both_versions_of_ip() {
    let scenario = Scenario::named("healthy").expect("built in").with_peers(60);
    let testnet = WireTestnet::start(&scenario).await.expect("a testnet");
    let world = Arc::clone(testnet.world());
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let bootstrap: Vec<Contact> = world.bootstrap().iter().map(contact).collect();
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let heads = vec![
        head(0, &["/ip4/127.0.0.1/tcp/0"]),
        head(1, &["/ip4/127.0.0.1/udp/0/quic-v1"]),
        head(2, &["/ip6/::1/tcp/0"]),
        head(3, &["/ip6/::1/udp/0/quic-v1"]),
        head(4, &["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip6/::1/tcp/0"]),
    ];
    let hydra = Hydra::join(&fabric, config(heads, bootstrap)).await.expect("heads");
    hydra.announced(1).await;
    let ids: BTreeSet<PeerId> = hydra.heads().iter().map(|head| head.peer()).collect();
    let guests: BTreeSet<PeerId> = testnet.guests().into_iter().map(|guest| guest.id).collect();
    assert!(ids.is_subset(&guests), "{ids:?} {guests:?}");
    assert!(hydra.heads().iter().all(|head| head.is_known()));
    let contacts: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let (id, pool) = client(&fabric).await;
    let key = b"\x12\x20a key that somebody provides....".to_vec();
    let addr: kad::Multiaddr = "/ip4/127.0.0.1/tcp/4321".parse().expect("an address");
    let mut add = Message::new(MessageType::AddProvider, key.clone());
    add.provider_peers = vec![Peer::new(&id, std::slice::from_ref(&addr))];
    ask(&pool, &contacts[0], &add).await;
    for head in &contacts {
        let answer = ask(&pool, head, &Message::new(MessageType::GetProviders, key.clone())).await;
        assert_eq!(answer.expect("an answer").provider_peers, [Peer::new(&id, std::slice::from_ref(&addr))]);
    }
    hydra.leave().await;
    assert!(ask(&pool, &contacts[1], &Message::new(MessageType::Ping, Vec::new())).await.is_none());
    testnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_names_the_head_and_frees_all_others() {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let heads = |last: &str| {
        vec![head(0, &["/ip4/127.0.0.1/tcp/0"]), head(1, &["/ip4/127.0.0.1/udp/0/quic-v1"]), head(2, &[last])]
    };
    let last = format!("/ip4/127.0.0.1/tcp/{port}");
    let error = Hydra::join(&fabric, config(heads(&last), Vec::new())).await.expect_err("it is taken");
    let HydraError::Head { index: 2, .. } = error else { panic!("{error}") };
    assert_eq!(fabric.counted().open, 0);
    drop(taken);
    let hydra = Hydra::join(&fabric, config(heads(&last), Vec::new())).await.expect("a free port");
    assert_eq!(hydra.heads().len(), 3);
    hydra.leave().await;
}
