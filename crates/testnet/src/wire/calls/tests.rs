//! Who is behind address translation calls a server of ours on sockets, and can be asked there.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use kad::{
    Keypair, PeerId,
    answer::Answer,
    fabric::{Accepted, Fabric, Inward, Member, Request, Says, Service, Terms},
    message::{MAX_MESSAGE_BYTES, Message, MessageType, MessageView},
    network::{Connection, Event},
};
use net::{Addresses, AnyConnection, FabricConfig, SocketFabric};
use tokio::time::timeout;

use super::*;
use crate::{Scenario, Truth, WireTestnet};

const KAD: &str = "/ipfs/kad/1.0.0";

/// How long it may take until each has called, which calls every four seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that knows nobody.
#[derive(Debug)]
struct Lone;

impl Service for Lone {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Message(Message::new(MessageType::FindNode, Vec::new()).encode())
    }
}

/// Asks whom a peer knows closest to itself.
async fn ask(connection: &mut AnyConnection, peer: PeerId) -> Vec<PeerId> {
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, &Message::new(MessageType::FindNode, peer.to_bytes()).encode());
    connection.finish(stream);
    loop {
        match connection.next().await.expect("a connection") {
            Event::Message(of, message) if of == stream => {
                let view = MessageView::decode(&message).expect("a message");
                return view.closer_peers().map(|peer| PeerId::from_bytes(peer.id).expect("an id")).collect();
            }
            Event::Ended(of, end) if of == stream => panic!("{end:?}"),
            _ => {}
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_calls_from_where_it_is_and_answers_by_its_own_table() {
    let scenario =
        "peers = 30\n[[states]]\nstate = 'behind_nat'\ncalls_every_s = 4\nstays_s = 3\nshare = 0.2";
    let testnet =
        WireTestnet::start(&Scenario::parse(scenario, "test").expect("a scenario")).await.expect("a testnet");
    let (world, truth) = (Arc::clone(testnet.world()), Truth::of(Arc::clone(testnet.world())));
    for listen in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        let says =
            |addresses| Says { agent: "x/1".to_owned(), kad_protocols: vec![KAD.to_owned()], addresses };
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: says(Vec::new()),
            listen: vec![listen.parse().expect("an address")],
            inward: Inward::HandedOut,
        };
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let server = fabric.join(terms, Arc::new(Lone)).await.expect("joins");
        server.say(says(server.listens()));
        let &first = world.bootstrap().first().expect("a peer");
        let dial = server.connect(world.peer_id(first), world.addresses(first)).await;
        let mut known = dial.connection.expect("a connection");
        assert!(!ask(&mut known, world.peer_id(first)).await.is_empty());
        // The peer asks who it was.
        let known = tokio::spawn(async move { while known.next().await.is_ok() {} });
        let mut seen = BTreeSet::new();
        while seen.len() < world.callers().count() {
            let called = timeout(PATIENCE, server.accept()).await.expect("a call in time");
            let Accepted { peer, remote, mut connection, .. } = called.expect("a call");
            let number = world.find(&peer).expect("a peer of the world");
            let mut named = ask(&mut connection, peer).await;
            assert_eq!(named.remove(0), peer);
            // It lists servers that have asked it, too.
            named.retain(|peer| world.find(peer).is_some());
            let table = truth.neighbors(number);
            let listed: Vec<PeerId> = table.iter().map(|&other| world.peer_id(other)).collect();
            assert!(named.iter().all(|peer| listed.contains(peer)) && named.len() >= 10, "{named:?}");
            let own: Ipv4Addr = world.location(number).ip4.expect("an address");
            assert!(remote.to_string().starts_with(&format!("/ip4/{own}/")), "{remote}");
            seen.insert(number);
        }
        assert!(seen.iter().copied().eq(world.callers()), "{seen:?}");
        server.leave().await;
        known.await.expect("no panic");
    }
    testnet.stop().await;
}
