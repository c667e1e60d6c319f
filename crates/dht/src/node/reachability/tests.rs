//! A node on loopback sockets, and servers there that dial it back.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Keypair, Multiaddr,
    answer::{Answer, Asked, Findings},
    autonat::Reachability,
    fabric::{
        Attending, Fabric as _, Inward, Member as _, OtherProtocol, PeerStream, Request, Says, Service, Terms,
    },
    message::{AMINO_PROTOCOL, Message, MessageType},
};
use net::{Addresses, FabricConfig, Host, HostConfig, Identity, SocketFabric};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    autonat::{DialBacks, OwnAddress},
    conversation::{Ask, Awaits},
    node::{Node, NodeConfig, NodeProfile},
    pool::{Pool, PoolConfig},
};

/// No test waits longer for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Knows nobody, and dials back.
#[derive(Debug)]
struct Server(Arc<DialBacks<Host>>);

impl Service for Server {
    async fn answer(&self, request: Request) -> Answer {
        match Asked::read(&request.message, &request.from.to_bytes()) {
            Ok(Asked::Lookup(lookup)) => Answer::Message(lookup.answer(b"", b"", &Findings::default())),
            _ => Answer::Reset,
        }
    }

    fn others(&self) -> Vec<OtherProtocol> {
        DialBacks::<Host>::protocols().into()
    }

    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        self.0.attend(stream)
    }
}

/// A server that listens there.
async fn server(fabric: &SocketFabric, at: &str) -> Host {
    let dialler = HostConfig::new(Identity::generate().expect("a key"), Addresses::Loopback);
    let dial_backs = DialBacks::new(Host::new(dialler).expect("a socket"), 7);
    let listen = vec![at.parse().expect("an address")];
    let mut says = Says { kad_protocols: vec![AMINO_PROTOCOL.to_owned()], ..Says::default() };
    let terms =
        Terms { keypair: Keypair::generate_ed25519(), says: says.clone(), listen, inward: Inward::Served };
    let host = fabric.join(terms, Arc::new(Server(Arc::new(dial_backs)))).await.expect("a server");
    says.addresses = host.listens();
    host.say(says);
    host
}

/// Asks a node something, after which it knows who asked.
async fn meet(host: &Host, node: &Contact) {
    let ask = Ask {
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        message: Some(Message::new(MessageType::Ping, Vec::new()).encode().into()),
        awaits: Awaits::Message,
        patience: PATIENCE,
    };
    let pool = Pool::new(host.clone(), PoolConfig::default());
    assert!(pool.request(node, ask, &CancellationToken::new(), || {}).await.outcome.is_ok());
}

async fn node(fabric: &SocketFabric, bootstrap: &[Contact], listen: &str) -> Node<Host> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "node/1".to_owned(), protocols, announce: Vec::new() };
    // 2026-01-01.
    let now = Duration::from_secs(1_767_225_600);
    let config = NodeConfig {
        listen: vec![listen.parse().expect("an address")],
        bootstrap: bootstrap.to_vec(),
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, now)
    };
    Node::join(fabric, config).await.expect("a node")
}

/// Waits until a node believes this of its one address.
async fn until(node: &Node<Host>, address: &Multiaddr, reachability: Reachability) {
    let expected = [OwnAddress { address: address.clone(), reachability }];
    let mut known = node.reachability();
    let awaited = known.wait_for(|known| *known == expected);
    assert!(timeout(PATIENCE, awaited).await.is_ok(), "{:?}", node.reachability().borrow());
}

/// A node that servers dial back, where it listens and where nobody does. Two would do, but who does not answer in time is not asked
/// again, and a busy machine may take long.
async fn assert_knows(listen: &str, nowhere: &str) {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let mut node = node(&fabric, &[], listen).await;
    let mut servers = Vec::new();
    for n in 3..7 {
        let server = server(&fabric, &format!("/ip4/127.0.0.{n}/tcp/0")).await;
        meet(&server, node.contact()).await;
        servers.push(server);
    }
    let at = node.contact().addrs[0].clone();
    until(&node, &at, Reachability::Public).await;
    let nowhere: Multiaddr = nowhere.parse().expect("an address");
    node.announce(vec![nowhere.clone()]);
    assert_eq!(node.contact().addrs.first(), Some(&nowhere));
    until(&node, &nowhere, Reachability::Unknown).await;
    node.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_knows_that_it_can_be_reached_over_tcp() {
    assert_knows("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_sends_what_is_demanded_where_it_comes_from_elsewhere_over_quic() {
    assert_knows("/ip4/127.0.0.2/udp/0/quic-v1", "/ip4/127.0.0.2/udp/1/quic-v1").await;
}
