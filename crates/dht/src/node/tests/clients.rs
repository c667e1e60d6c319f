//! Nodes that only ask; what others ask is seen; who is ignored, forgotten and hung up on.

use std::sync::Mutex;

use kad::message::MessageType;

use super::*;
use crate::node::{RequestSeen, RequestWatch};

/// Who asked what about which key.
type Seen = Vec<(PeerId, MessageType, Vec<u8>)>;

fn key() -> Vec<u8> {
    b"multihash".to_vec()
}

async fn client(fabric: &SocketFabric, nodes: &[Node<Host>], of: impl FnOnce(&mut NodeConfig)) -> Node<Host> {
    let mut config = config(&[nodes[0].contact().clone()]);
    config.serves = false;
    of(&mut config);
    Node::join(fabric, config).await.expect("a node")
}

#[tokio::test]
async fn a_client_knows_the_servers_and_none_of_them_lists_it() {
    let fabric = fabric();
    let nodes = network(&fabric, 5).await;
    until_whole(&nodes).await;
    let client = client(&fabric, &nodes, |_| {}).await;
    until(&client, || listed(&client) == ids(&nodes)).await;
    assert!(!client.serves() && client.table_size() == 5);
    // Whoever serves has met it by now: each was asked for its own key when the table was filled.
    for node in &nodes {
        node.refreshed(3).await;
        assert_eq!(listed(node).len(), 4, "{:?}", listed(node));
        let asks = Ask {
            protocols: [AMINO_PROTOCOL.to_owned()].into(),
            message: Some(Message::new(MessageType::Ping, Vec::new()).encode().into()),
            awaits: Awaits::Message,
            patience: PATIENCE,
        };
        let pool = node.finder().pool();
        let answer = pool.request(client.contact(), asks, &CancellationToken::new(), || {}).await;
        assert!(answer.outcome.is_err(), "it serves: {answer:?}");
    }
}

#[tokio::test]
async fn what_a_client_provides_is_found_at_others_alone_unless_it_keeps_its_own() {
    let fabric = fabric();
    let nodes = network(&fabric, 4).await;
    until_whole(&nodes).await;
    let go_on = CancellationToken::new();
    for keeps_own in [false, true] {
        let client = client(&fabric, &nodes, |config| config.keeps_own = keeps_own).await;
        client.refreshed(1).await;
        let holders = within(client.provide(key(), &go_on)).await;
        assert!(holders.len() == 4 && holders.iter().all(|holder| holder.sent.is_ok()), "{holders:?}");
        assert!(client.contact().addrs.len() == 2, "servers drop records without an address");
        assert_eq!(
            client.kept_providers(&key()),
            if keeps_own { vec![client.contact().peer] } else { vec![] }
        );
        assert!(nodes.iter().all(|node| node.kept_providers(&key()).contains(&client.contact().peer)));
    }
}

#[tokio::test]
async fn a_watch_sees_what_others_ask() {
    let fabric = fabric();
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let mut watched = config(&[]);
    let note = Arc::clone(&seen);
    watched.watch = Some(RequestWatch::new(move |RequestSeen { from, kind, key, .. }| {
        note.lock().expect("no panic").push((from, kind, key.to_vec()));
    }));
    let nodes = [Node::join(&fabric, watched).await.expect("a node")];
    let client = client(&fabric, &nodes, |_| {}).await;
    client.refreshed(1).await;
    within(client.provide(key(), &CancellationToken::new())).await;
    within(client.find(LookupKind::Providers, key(), &CancellationToken::new())).await;
    let (from, seen) = (client.contact().peer, seen.lock().expect("no panic"));
    for kind in [MessageType::FindNode, MessageType::AddProvider, MessageType::GetProviders] {
        assert!(seen.contains(&(from, kind, key())), "{kind:?}");
    }
}

#[tokio::test]
async fn who_is_ignored_is_not_asked_and_not_among_the_closest() {
    let fabric = fabric();
    let nodes = network(&fabric, 5).await;
    until_whole(&nodes).await;
    let ignored = nodes[3].contact().peer;
    let client = client(&fabric, &nodes, |config| config.ignored = vec![ignored]).await;
    client.refreshed(1).await;
    let found = within(client.find(LookupKind::Closest, key(), &CancellationToken::new())).await;
    assert_eq!(found.outcome.closest.len(), 4);
    assert!(found.outcome.closest.iter().all(|closest| closest.peer != ignored));
    assert!(found.trace.rpcs.iter().all(|rpc| found.trace.peer(rpc.peer) != Some(ignored)));
    assert!(!listed(&client).contains(&ignored));
}

#[tokio::test]
async fn who_is_forgotten_is_hung_up_on_and_so_are_all() {
    let fabric = fabric();
    let nodes = network(&fabric, 4).await;
    until_whole(&nodes).await;
    let client = client(&fabric, &nodes, |config| config.refresh = Duration::from_secs(3600)).await;
    client.refreshed(1).await;
    until(&client, || listed(&client).len() == 4).await;
    let _quiet = client.undisturbed().await;
    within(client.find(LookupKind::Closest, key(), &CancellationToken::new())).await;
    let (pool, first) = (client.finder().pool(), nodes[0].contact().peer);
    assert_eq!((pool.connections(), pool.is_connected(&first)), (4, true));
    within(client.forget(&first)).await;
    assert_eq!((pool.connections(), pool.is_connected(&first), listed(&client).len()), (3, false, 3));
    within(pool.hang_up_on_all()).await;
    assert_eq!((pool.connections(), listed(&client).len()), (0, 3), "the table is kept");
    let found = within(client.find(LookupKind::Closest, key(), &CancellationToken::new())).await;
    // Whoever is asked a second time by then has a connection.
    let dialled = |peer| found.trace.rpcs.iter().any(|rpc| rpc.peer == peer && rpc.dial.is_some());
    assert!(found.trace.rpcs.iter().all(|rpc| dialled(rpc.peer)), "everybody was dialled");
}
