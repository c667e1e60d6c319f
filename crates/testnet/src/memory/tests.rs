//! What peers keep for others and whom they list, seen by who asks them: in virtual time and on sockets.

use std::sync::Arc;

use kad::{
    PeerId,
    message::{MAX_MESSAGE_BYTES, Message, MessageType, Peer, Record},
    network::{Connection, Event, Network},
};
use libp2p_identity::Keypair;
use net::{
    Host, HostConfig, Identity,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use tokio::time::advance;

use super::*;
use crate::{Scenario, SimConfig, SimNetwork, WireTestnet, World, crawler::crawl};

mod holding;

const KEY: &[u8] = b"\x12\x20a key that somebody provides....";
const HOUR: Duration = Duration::from_secs(3600);

fn scenario(peers: u32) -> Scenario {
    Scenario::parse(&format!("peers = {peers}"), "test").expect("a scenario")
}

/// Sends requests to a peer on one stream; the answers, until there are as many as asked for.
async fn ask<N: Network>(
    network: &N,
    world: &World,
    peer: u32,
    requests: &[Message],
    answers: usize,
) -> Vec<Message> {
    let dial = network.connect(world.peer_id(peer), world.addresses(peer)).await;
    let mut connection = dial.connection.expect("a connection");
    let stream = connection.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    for request in requests {
        connection.send(stream, &request.encode());
    }
    let mut said = Vec::new();
    while said.len() < answers {
        match connection.next().await.expect("a connection") {
            Event::Message(_, message) => said.push(Message::decode(&message).expect("a message")),
            Event::Accepted(_) => {}
            Event::Ended(_, end) => panic!("{end:?}"),
        }
    }
    connection.close().await;
    said
}

fn request(kind: MessageType, key: &[u8]) -> Message {
    Message::new(kind, key.to_vec())
}

fn announcement(provider: &PeerId, addrs: &[Multiaddr]) -> Message {
    Message { provider_peers: vec![Peer::new(provider, addrs)], ..request(MessageType::AddProvider, KEY) }
}

/// The providers of the key that a peer names, with the numbers of their addresses.
async fn providers<N: Network>(network: &N, world: &World, peer: u32) -> Vec<(PeerId, usize)> {
    let asked = [request(MessageType::GetProviders, KEY)];
    let answer = ask(network, world, peer, &asked, 1).await.remove(0);
    assert_eq!(answer.closer_peers.len(), 20);
    let named = |peer: &Peer| (PeerId::from_bytes(&peer.id).expect("an id"), peer.addrs.len());
    answer.provider_peers.iter().map(named).collect()
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_known_for_two_days_and_its_addresses_for_one() {
    let provider = PeerId::random();
    let config = SimConfig { local: provider, ..SimConfig::default() };
    let network = SimNetwork::new(Arc::new(World::generate(&scenario(60))), config);
    let world = network.world();
    let addrs = ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1/webtransport"];
    let addrs = addrs.map(|addr| addr.parse().expect("an address"));
    for peer in [3, 30, 59] {
        let asked = [announcement(&provider, &addrs), request(MessageType::GetProviders, KEY)];
        let answer = ask(&network, world, peer, &asked, 1).await.remove(0);
        let of_the_world = vec![addrs[0].to_vec(), addrs[2].to_vec()];
        assert_eq!(answer.provider_peers[0].addrs, of_the_world);
    }
    for (hours, known) in [(23, Some(2)), (2, Some(0)), (22, Some(0)), (2, None)] {
        advance(hours * HOUR).await;
        for peer in world.peers() {
            let expected = known.filter(|_| [3, 30, 59].contains(&peer)).map(|addrs| (provider, addrs));
            let named = providers(&network, world, peer).await;
            assert_eq!(named, Vec::from_iter(expected), "{peer} after {hours} hours more");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_kept_by_whom_it_was_given_to_and_nobody_announces_others() {
    let network = SimNetwork::new(Arc::new(World::generate(&scenario(60))), SimConfig::default());
    let world = network.world();
    let public = Keypair::generate_ed25519().public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    let mut put = request(MessageType::PutValue, &key);
    let value = public.encode_protobuf();
    put.record = Some(Record { key: key.clone(), value, time_received: String::new() });
    advance(HOUR).await;
    let asked = [put.clone(), request(MessageType::GetValue, &key)];
    let answers = ask(&network, world, 7, &asked, 2).await;
    assert_eq!(answers[0], put);
    let record = answers[1].record.clone().expect("a record");
    assert!(record.time_received.starts_with("2026-01-01T01:00:0"), "{record:?}");
    assert_eq!(Some(Record { time_received: String::new(), ..record }), put.record);
    let elsewhere = ask(&network, world, 8, &asked[1..], 1).await.remove(0);
    assert_eq!((elsewhere.record, elsewhere.closer_peers.len()), (None, 20));
    advance(49 * HOUR).await;
    assert_eq!(ask(&network, world, 7, &asked[1..], 1).await.remove(0).record, None);

    // Who announces somebody else has its stream reset.
    let dial = network.connect(world.peer_id(7), world.addresses(7)).await;
    let mut connection = dial.connection.expect("a connection");
    let stream = connection.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    let address = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
    connection.send(stream, &announcement(&PeerId::random(), &[address]).encode());
    loop {
        if let Event::Ended(_, end) = connection.next().await.expect("a connection") {
            assert!(end.is_some());
            break;
        }
    }
    assert_eq!(providers(&network, world, 7).await, []);
}

/// Serves, but has nothing to say.
struct Mute;

impl Service for Mute {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

/// A server beside the world's: its dialling side, its id, and where it listens.
fn server(world: &World) -> (Host, PeerId, Multiaddr) {
    let identity = Identity::generate().expect("an identity");
    let listener = serve::bind(([127, 0, 0, 1], 0).into()).expect("a socket");
    let address = tcp_multiaddr(listener.local_addr().expect("an address"));
    let protocol = world.scenario().protocol.as_str();
    let profile = HeadProfile::new("guest/1", &[protocol]);
    let head = Arc::new(Head::new(identity.clone(), &profile, std::slice::from_ref(&address), Mute));
    tokio::spawn(serve::listen(listener, move |_| Some(Arc::clone(&head)), ListenLimits::default()));
    let mut config = HostConfig::new(identity.clone(), Addresses::Loopback);
    config.agent = "guest/1".to_owned();
    config.kad_protocols = vec![protocol.to_owned()];
    config.listen_addrs = vec![
        address.clone().with(Protocol::P2p(identity.peer_id())),
        "/ip4/192.168.0.1/tcp/1".parse().expect("an address"),
    ];
    (Host::new(config).expect("a host"), identity.peer_id(), address)
}

/// Asks a peer something, and stays until the testnet knows who asked.
async fn introduce(host: &Host, testnet: &WireTestnet, peer: u32) {
    let world = testnet.world();
    let dial = host.connect(world.peer_id(peer), world.addresses(peer)).await;
    let mut connection = dial.connection.expect("a connection");
    let stream = connection.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    connection.send(stream, &request(MessageType::Ping, b"").encode());
    let hang_on = async { while connection.next().await.is_ok() {} };
    let known = async {
        while testnet.guests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = hang_on => panic!("the peer hung up"),
        () = known => {}
    }
    connection.close().await;
}

fn client() -> Host {
    let identity = Identity::generate().expect("an identity");
    Host::new(HostConfig::new(identity, Addresses::Loopback)).expect("a host")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asked_is_listed_by_those_whom_it_asked_and_a_client_is_not() {
    // Too few for a full bucket: there is room for a guest everywhere.
    let testnet = WireTestnet::start(&scenario(21)).await.expect("a testnet");
    let world = testnet.world();
    crawl(&client(), world, Duration::from_secs(5)).await;
    assert_eq!(testnet.guests(), []);

    let (host, id, address) = server(world);
    introduce(&host, &testnet, 2).await;
    for peer in [2, 10, 20] {
        let answer = ask(&host, world, peer, &[request(MessageType::FindNode, KEY)], 1).await.remove(0);
        assert_eq!(answer.closer_peers.len(), 20);
        assert!(answer.closer_peers.iter().all(|peer| peer.id != id.to_bytes()), "it is the asker");
    }
    let guests = testnet.guests();
    let [guest] = &guests[..] else { panic!("{guests:?}") };
    assert_eq!((guest.id, guest.agent.as_deref()), (id, Some("guest/1")));
    assert_eq!(guest.addresses, std::slice::from_ref(&address));
    assert!(guest.protocols.contains(&world.scenario().protocol));

    let client = client();
    let own = [request(MessageType::FindNode, &id.to_bytes())];
    for peer in world.peers() {
        let answer = ask(&client, world, peer, &own, 1).await.remove(0);
        let named = answer.closer_peers.iter().position(|peer| peer.id == id.to_bytes());
        assert_eq!(named, [2, 10, 20].contains(&peer).then_some(0), "{peer}");
        if named.is_some() {
            // It stands in the table, so that it is one of the 20.
            assert_eq!(answer.closer_peers.len(), 20);
            assert_eq!(answer.closer_peers[0].addrs, [address.to_vec()]);
        }
    }
    assert_eq!(testnet.guests().len(), 1);
    testnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_provides_at_three_peers_and_is_found_at_these() {
    let testnet = WireTestnet::start(&scenario(40)).await.expect("a testnet");
    let world = testnet.world();
    let (host, id, address) = server(world);
    for peer in [2, 20, 39] {
        let asked = [announcement(&id, std::slice::from_ref(&address)), request(MessageType::Ping, b"")];
        ask(&host, world, peer, &asked, 1).await;
    }
    let client = client();
    for peer in world.peers() {
        let expected = [2, 20, 39].contains(&peer).then_some((id, 1));
        assert_eq!(providers(&client, world, peer).await, Vec::from_iter(expected), "{peer}");
    }
    testnet.stop().await;
}
