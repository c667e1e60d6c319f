//! Holders that do otherwise than most with the provider records that they are given, in virtual time and on sockets.

use kad::fabric::{Fabric, Inward, Says, Terms};
use net::{FabricConfig, SocketFabric, serve::Answer};
use tokio::time::timeout;

use super::*;
use crate::{SimFabric, SimLimits, Truth};

const KINDS: &str = "peers = 80\n\
    [[holders]]\nname = 'swallows'\nshare = 0.1\nswallows = true\n\
    [[holders]]\nname = 'drops'\nshare = 0.1\nkeep_s = 3600\n\
    [[holders]]\nname = 'ten minutes'\nshare = 0.1\naddresses_s = 600\n\
    [[holders]]\nname = 'half an hour unseen'\nshare = 0.1\naddresses_s = 1800\naddresses_since = 'seen'\n\
    [[holders]]\nname = 'a quarter after'\nshare = 0.1\naddresses_s = 900\naddresses_since = 'hung_up'\n\
    [[holders]]\nname = 'bare'\nshare = 0.1\naddresses_s = 0\n\
    [[holders]]\nname = 'one store'\nshare = 0.1\nshared = true\n";

/// Says nothing.
struct Mute;

impl Service for Mute {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Nothing
    }
}

async fn join<F: Fabric>(fabric: &F) -> F::Member {
    let (keypair, says) = (Keypair::generate_ed25519(), Says::default());
    let terms = Terms { keypair, says, listen: Vec::new(), inward: Inward::Served };
    fabric.join(terms, Arc::new(Mute)).await.expect("joins")
}

fn of_kind(world: &World, kind: &str) -> Vec<u32> {
    let is_of_it = |peer: &u32| world.holder(*peer).is_some_and(|holder| holder.name == kind);
    world.peers().filter(is_of_it).collect()
}

/// How many addresses of the provider a peer gives out; `None` if it knows of none.
async fn given<N: Network>(network: &N, world: &World, peer: u32) -> Option<usize> {
    let asked = [request(MessageType::GetProviders, KEY)];
    let answer = ask(network, world, peer, &asked, 1).await.remove(0);
    answer.provider_peers.first().map(|provider| provider.addrs.len())
}

/// Announces itself to a peer, and waits until that has been read.
async fn announce<N: Network>(network: &N, world: &World, peer: u32) {
    let address = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
    let asked = [announcement(&network.local(), &[address]), request(MessageType::FindNode, KEY)];
    ask(network, world, peer, &asked, 1).await;
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_holder_gives_out_what_it_says_for_as_long_as_it_says() {
    let scenario = Scenario::parse(KINDS, "test").expect("a scenario");
    let world = Arc::new(World::generate(&scenario));
    let fabric = SimFabric::new(Arc::clone(&world), SimLimits::default());
    let (provider, asker) = (join(&fabric).await, join(&fabric).await);
    for kind in scenario.holders.iter().map(|holder| holder.name.as_str()) {
        let holders = of_kind(&world, kind);
        assert_eq!(holders.len(), 8, "{kind}");
        // One is enough where all have one store.
        let told = if kind == "one store" { &holders[3..4] } else { &holders };
        for &holder in told {
            announce(&provider, &world, holder).await;
        }
    }
    let minute = Duration::from_secs(60);
    let (with, without) = (Some(1), Some(0));
    // After so many minutes more, what each kind says.
    for (minutes, expected) in [
        (0, [None, with, with, with, with, without, with]),
        (9, [None, with, with, with, with, without, with]),
        (2, [None, with, without, with, with, without, with]),
        (5, [None, with, without, with, without, without, with]),
        (15, [None, with, without, without, without, without, with]),
        (30, [None, None, without, without, without, without, with]),
        (23 * 60, [None, None, without, without, without, without, without]),
        (24 * 60, [None; 7]),
    ] {
        advance(minutes * minute).await;
        for (holder, expected) in scenario.holders.iter().zip(expected) {
            for peer in of_kind(&world, &holder.name) {
                let found = given(&asker, &world, peer).await;
                assert_eq!(found, expected, "{} {minutes} minutes later", holder.name);
            }
        }
    }
    let truth = Truth::of(Arc::clone(&world));
    let of_one_store = of_kind(&world, "one store");
    let stores = of_one_store.iter().filter_map(|&peer| truth.peer(peer).holder).map(|holder| holder.store);
    assert!(stores.eq(std::iter::repeat_n(world.peer_id(of_one_store[0]).to_base58(), 8)));
    let others = world.peers().filter(|&peer| truth.peer(peer).holder.is_none()).count();
    assert_eq!(others, 24);
}

#[tokio::test(start_paused = true)]
async fn who_is_seen_again_and_who_stays_keeps_its_addresses() {
    let world = Arc::new(World::generate(&Scenario::parse(KINDS, "test").expect("a scenario")));
    let fabric = SimFabric::new(Arc::clone(&world), SimLimits::default());
    let (provider, asker) = (join(&fabric).await, join(&fabric).await);
    let (seen, after) = (of_kind(&world, "half an hour unseen")[0], of_kind(&world, "a quarter after")[0]);
    for holder in [seen, after] {
        announce(&provider, &world, holder).await;
    }
    // It asks once again there, and here holds a connection on which it has asked something.
    advance(Duration::from_secs(800)).await;
    given(&provider, &world, seen).await;
    let dial = provider.connect(world.peer_id(after), world.addresses(after)).await;
    let mut held = dial.connection.expect("a connection");
    let stream = held.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    held.send(stream, &request(MessageType::FindNode, KEY).encode());
    while !matches!(held.next().await.expect("an answer"), Event::Message(..)) {}
    for (seconds, expected) in [(1_700, [Some(1), Some(1)]), (7_200, [Some(0), Some(1)])] {
        advance(Duration::from_secs(seconds)).await;
        assert_eq!([given(&asker, &world, seen).await, given(&asker, &world, after).await], expected);
    }
    held.close().await;
    for (seconds, expected) in [(890, Some(1)), (20, Some(0))] {
        advance(Duration::from_secs(seconds)).await;
        assert_eq!(given(&asker, &world, after).await, expected);
    }
}

#[tokio::test]
async fn on_sockets_holders_are_the_same() {
    let text = KINDS.replace("addresses_s = 900", "addresses_s = 0.1").replace("peers = 80", "peers = 60");
    let testnet = WireTestnet::start(&Scenario::parse(&text, "test").expect("a scenario")).await;
    let testnet = testnet.expect("a testnet");
    let world = testnet.world();
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let (provider, asker) = (join(&fabric).await, join(&fabric).await);
    let shared = of_kind(world, "one store");
    for (kind, expected) in [("swallows", None), ("drops", Some(1)), ("bare", Some(0))] {
        let holder = of_kind(world, kind)[0];
        announce(&provider, world, holder).await;
        assert_eq!(given(&asker, world, holder).await, expected, "{kind}");
    }
    announce(&provider, world, shared[0]).await;
    assert_eq!(given(&asker, world, shared[1]).await, Some(1));
    // Its addresses are there while it is, and gone soon after.
    let after = of_kind(world, "a quarter after")[0];
    let dial = provider.connect(world.peer_id(after), world.addresses(after)).await;
    let mut held = dial.connection.expect("a connection");
    let stream = held.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    let address = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
    held.send(stream, &announcement(&provider.local(), &[address]).encode());
    held.send(stream, &request(MessageType::FindNode, KEY).encode());
    while !matches!(held.next().await.expect("an answer"), Event::Message(..)) {}
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(given(&asker, world, after).await, Some(1));
    held.close().await;
    let forgotten = async { while given(&asker, world, after).await != Some(0) {} };
    timeout(Duration::from_secs(20), forgotten).await.expect("forgets");
    testnet.stop().await;
}
