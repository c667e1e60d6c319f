//! Nodes on loopback sockets: they meet, keep each other in their tables, find what was provided, and forget who left.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kad::{
    Contact, Key, Keypair, PeerId,
    answer::{Answer, Asked, Findings},
    fabric::{Fabric, Inward, Member, Request, Says, Service, Terms},
    lookup::LookupKind,
    message::{AMINO_PROTOCOL, Message, MessageType, Peer, Record},
};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod clients;

use super::{Node, NodeConfig, NodeProfile};
use crate::{
    conversation::{Ask, Awaits},
    pool::{Pool, PoolConfig},
};

/// No test waits longer for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often tables are refreshed here.
const REFRESH: Duration = Duration::from_millis(500);

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

fn fabric() -> SocketFabric {
    SocketFabric::new(FabricConfig::new(Addresses::Loopback))
}

fn config(bootstrap: &[Contact]) -> NodeConfig {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: "node/1".to_owned(), protocols, announce: Vec::new() };
    let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
    NodeConfig {
        listen: listen.map(|addr| addr.parse().expect("an address")).to_vec(),
        bootstrap: bootstrap.to_vec(),
        refresh: REFRESH,
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, NOW)
    }
}

async fn join(fabric: &SocketFabric, bootstrap: &[Contact]) -> Node<Host> {
    Node::join(fabric, config(bootstrap)).await.expect("a node")
}

/// So many nodes that began with the first of them.
async fn network(fabric: &SocketFabric, count: usize) -> Vec<Node<Host>> {
    let mut nodes = vec![join(fabric, &[]).await];
    let first = nodes[0].contact().clone();
    for _ in 1..count {
        nodes.push(join(fabric, std::slice::from_ref(&first)).await);
    }
    nodes
}

fn ids<'a>(nodes: impl IntoIterator<Item = &'a Node<Host>>) -> BTreeSet<PeerId> {
    nodes.into_iter().map(|node| node.contact().peer).collect()
}

fn listed(node: &Node<Host>) -> BTreeSet<PeerId> {
    node.table().into_iter().map(|contact| contact.peer).collect()
}

/// Waits from refresh to refresh until it is so.
async fn until(node: &Node<Host>, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            let done = *node.refreshes.borrow();
            node.refreshed(done + 1).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes to be so");
}

/// Each knows all others.
async fn until_whole(nodes: &[Node<Host>]) {
    for node in nodes {
        let mut others = ids(nodes);
        others.remove(&node.contact().peer);
        until(node, || listed(node) == others).await;
    }
}

/// A peer that knows nobody, and answers while this says so.
#[derive(Debug)]
struct Stranger(Arc<AtomicBool>);

impl Service for Stranger {
    async fn answer(&self, request: Request) -> Answer {
        match Asked::read(&request.message, &request.from.to_bytes()) {
            Ok(Asked::Lookup(lookup)) if self.0.load(Ordering::Relaxed) => {
                Answer::Message(lookup.answer(b"", b"", &Findings::default()))
            }
            _ => Answer::Reset,
        }
    }
}

/// A peer that answers nothing, with the connections that it opens.
async fn stranger(fabric: &SocketFabric, kad_protocols: &[&str]) -> (Contact, Pool<Host>) {
    stranger_at(fabric, kad_protocols, (&Arc::default(), None)).await
}

/// A peer that says that it is at another address than where it listens, if one is given.
async fn stranger_at(
    fabric: &SocketFabric,
    kad_protocols: &[&str],
    (answers, at): (&Arc<AtomicBool>, Option<&str>),
) -> (Contact, Pool<Host>) {
    let keypair = Keypair::generate_ed25519();
    let peer = keypair.public().to_peer_id();
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
    let kad_protocols = kad_protocols.iter().map(|&protocol| protocol.to_owned()).collect();
    let mut says = Says { agent: "stranger/1".to_owned(), kad_protocols, addresses: Vec::new() };
    let terms = Terms { keypair, says: says.clone(), listen, inward: Inward::Served };
    let host = fabric.join(terms, Arc::new(Stranger(Arc::clone(answers)))).await.expect("a peer");
    says.addresses = at.map_or_else(|| host.listens(), |at| vec![at.parse().expect("an address")]);
    let addrs = says.addresses.clone();
    host.say(says);
    (Contact { peer, addrs }, Pool::new(host, PoolConfig::default()))
}

async fn ask(pool: &Pool<Host>, node: &Node<Host>, message: &Message, awaits: Awaits) -> Option<Message> {
    let ask = Ask {
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        message: Some(message.encode().into()),
        awaits,
        patience: PATIENCE,
    };
    let exchange = pool.request(node.contact(), ask, &CancellationToken::new(), || {}).await;
    Message::decode(exchange.answer()?).ok()
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it ends")
}

#[tokio::test]
async fn nodes_that_begin_with_one_of_them_come_to_know_each_other() {
    let fabric = fabric();
    let nodes = network(&fabric, 8).await;
    until_whole(&nodes).await;
    let found = nodes[3].find(LookupKind::Closest, b"key".to_vec(), &CancellationToken::new()).await;
    let closest: Vec<_> = found.outcome.closest.iter().map(|closest| closest.peer).collect();
    let mut others: Vec<_> = ids(&nodes).into_iter().filter(|id| *id != nodes[3].contact().peer).collect();
    others.sort_by_key(|peer| Key::of_peer(peer).distance(&Key::of(b"key")));
    assert_eq!(closest, others);
}

#[tokio::test]
async fn what_one_provides_the_others_find_with_its_addresses() {
    let fabric = fabric();
    let nodes = network(&fabric, 5).await;
    until_whole(&nodes).await;
    let (key, go_on) = (b"multihash".to_vec(), CancellationToken::new());
    let holders = within(nodes[1].provide(key.clone(), &go_on)).await;
    assert_eq!(holders.len(), 4);
    assert!(holders.iter().all(|holder| holder.sent == Ok(())), "{holders:?}");
    let found = within(nodes[4].find(LookupKind::Providers, key, &go_on)).await;
    let [provider] = &found.providers[..] else { panic!("{:?}", found.providers) };
    assert_eq!(
        (provider.peer, provider.addrs()),
        (nodes[1].contact().peer, nodes[1].contact().addrs.clone())
    );
    // The provider says so, too.
    assert!(provider.holders.len() >= 2, "{provider:?}");
}

#[tokio::test]
async fn who_left_is_forgotten_by_all() {
    let fabric = fabric();
    let mut nodes = network(&fabric, 5).await;
    until_whole(&nodes).await;
    let gone = nodes.pop().expect("a node");
    within(gone.leave()).await;
    until_whole(&nodes).await;
}

#[tokio::test]
async fn who_finds_nobody_at_first_comes_in_later() {
    let fabric = fabric();
    let mut lonely = config(&[]);
    lonely.bootstrap = vec![Contact {
        peer: PeerId::random(),
        addrs: vec!["/ip4/127.0.0.1/tcp/1".parse().expect("an address")],
    }];
    let lonely = Node::join(&fabric, lonely).await.expect("a node");
    within(lonely.refreshed(1)).await;
    assert!(lonely.table().is_empty());
    let other = join(&fabric, std::slice::from_ref(lonely.contact())).await;
    until_whole(&[lonely, other]).await;
}

#[tokio::test]
async fn a_client_is_answered_and_listed_by_nobody() {
    let fabric = fabric();
    let nodes = network(&fabric, 4).await;
    until_whole(&nodes).await;
    let (client, pool) = stranger(&fabric, &[]).await;
    let find = |peer: PeerId| Message::new(MessageType::FindNode, peer.to_bytes());
    let answer = within(ask(&pool, &nodes[0], &find(nodes[0].contact().peer), Awaits::Message)).await;
    let named: Vec<_> = answer.expect("an answer").closer_peers.into_iter().map(|peer| peer.id).collect();
    assert_eq!(named[0], nodes[0].contact().peer.to_bytes(), "itself first, as it was asked for");
    assert_eq!(named.len(), 4);
    // Where the client is, it has said when it was asked who it is.
    let asking = async {
        loop {
            let answer = ask(&pool, &nodes[0], &find(client.peer), Awaits::Message).await;
            let peers = answer.expect("an answer").closer_peers;
            if let Some(own) = peers.iter().find(|peer| peer.id == client.peer.to_bytes()) {
                return own.addrs.len();
            }
        }
    };
    assert_eq!(within(asking).await, 1);
    assert!(nodes.iter().all(|node| !listed(node).contains(&client.peer)));
}

#[tokio::test]
async fn who_says_that_it_serves_and_does_not_answer_is_not_let_in() {
    let fabric = fabric();
    let node = join(&fabric, &[]).await;
    let (mute, pool) = stranger(&fabric, &[AMINO_PROTOCOL]).await;
    let ping = Message::new(MessageType::Ping, Vec::new());
    assert_eq!(within(ask(&pool, &node, &ping, Awaits::Message)).await, Some(ping));
    // It was looked at: its test is over when the next one may begin.
    let other = join(&fabric, std::slice::from_ref(node.contact())).await;
    until(&node, || listed(&node).contains(&other.contact().peer)).await;
    assert!(!listed(&node).contains(&mute.peer));
}

#[tokio::test]
async fn who_asks_is_tested_on_the_connection_that_stands_and_goes_when_it_answers_no_more() {
    let fabric = fabric();
    let node = join(&fabric, &[]).await;
    // Nobody listens there: it can be asked on its own connection alone.
    let (answers, nowhere) = (Arc::new(AtomicBool::new(true)), Some("/ip4/127.0.0.1/tcp/1"));
    let (server, pool) = stranger_at(&fabric, &[AMINO_PROTOCOL], (&answers, nowhere)).await;
    let ping = Message::new(MessageType::Ping, Vec::new());
    assert_eq!(within(ask(&pool, &node, &ping, Awaits::Message)).await, Some(ping));
    until(&node, || listed(&node).contains(&server.peer)).await;
    assert_eq!(node.table(), std::slice::from_ref(&server));
    // It stays while it answers.
    let done = *node.refreshes.borrow();
    within(node.refreshed(done + 5)).await;
    assert_eq!(node.table(), [server]);
    answers.store(false, Ordering::Relaxed);
    until(&node, || node.table().is_empty()).await;
}

#[tokio::test]
async fn who_serves_no_more_goes() {
    let fabric = fabric();
    let node = join(&fabric, &[]).await;
    let answers = Arc::new(AtomicBool::new(true));
    let (server, pool) = stranger_at(&fabric, &[AMINO_PROTOCOL], (&answers, None)).await;
    let ping = Message::new(MessageType::Ping, Vec::new());
    within(ask(&pool, &node, &ping, Awaits::Message)).await;
    until(&node, || listed(&node).contains(&server.peer)).await;
    let says = Says { agent: "a client/1".to_owned(), kad_protocols: Vec::new(), addresses: server.addrs };
    pool.network().say(says);
    until(&node, || node.table().is_empty()).await;
}

#[tokio::test]
async fn records_are_kept_by_the_rules_of_servers() {
    let fabric = fabric();
    let node = join(&fabric, &[]).await;
    let (provider, pool) = stranger(&fabric, &[]).await;
    let mut offer = Message::new(MessageType::AddProvider, b"multihash".to_vec());
    offer.provider_peers = vec![Peer::new(&provider.peer, &provider.addrs)];
    within(ask(&pool, &node, &offer, Awaits::End)).await;
    let wanted = Message::new(MessageType::GetProviders, b"multihash".to_vec());
    let answer = within(ask(&pool, &node, &wanted, Awaits::Message)).await.expect("an answer");
    assert_eq!(answer.provider_peers, [Peer::new(&provider.peer, &provider.addrs)]);

    let public = Keypair::generate_ed25519().public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    let put = |value: Vec<u8>| Message {
        record: Some(Record { key: key.clone(), value, time_received: String::new() }),
        ..Message::new(MessageType::PutValue, key.clone())
    };
    let wrong = within(ask(&pool, &node, &put(b"no key".to_vec()), Awaits::Message)).await;
    assert_eq!(wrong, None, "what is no value is refused");
    let right = put(public.encode_protobuf());
    assert_eq!(within(ask(&pool, &node, &right, Awaits::Message)).await.as_ref(), Some(&right));
    let wanted = Message::new(MessageType::GetValue, key.clone());
    let kept = within(ask(&pool, &node, &wanted, Awaits::Message)).await.and_then(|answer| answer.record);
    let kept = kept.expect("a record");
    assert_eq!(kept.value, public.encode_protobuf());
    assert!(kept.time_received.starts_with("2026-01-01T00:0"), "{}", kept.time_received);
}
