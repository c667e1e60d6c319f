//! Many heads in a network, seen from outside: who finds them, and what they say.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kad::{Contact, Key, Multiaddr, PeerId, preimage::target_at};
use kadscope_hydra::Hydra;
use testnet::SimNetwork;
use tokio::time::sleep;

use super::{
    K,
    asking::Client,
    minutes,
    settlement::{self, Settlement},
};

/// What a crawl saw: whom each peer named that answered.
type Crawled = BTreeMap<PeerId, BTreeSet<PeerId>>;

/// Asks everybody for all of their table, and goes on to whom they name.
async fn crawl(settlement: &Settlement) -> Crawled {
    let client = Client::on(&settlement.fabric).await;
    let world = settlement.world();
    let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let mut next: Vec<Contact> = world.bootstrap().iter().map(contact).collect();
    let mut seen: BTreeSet<PeerId> = next.iter().map(|contact| contact.peer).collect();
    let mut crawled = Crawled::new();
    while let Some(contact) = next.pop() {
        let key = Key::of_peer(&contact.peer);
        let mut named = BTreeSet::new();
        for shared in 0..12 {
            let target = target_at(&key, shared).expect("a target");
            let Some(peers) = client.try_find_node(&contact, &target).await else { break };
            for peer in peers {
                let id = PeerId::from_bytes(&peer.id).expect("an id");
                let addrs = peer.addrs.into_iter().filter_map(|addr| Multiaddr::try_from(addr).ok());
                named.insert(id);
                if seen.insert(id) {
                    next.push(Contact { peer: id, addrs: addrs.collect() });
                }
            }
        }
        if !named.is_empty() {
            crawled.insert(contact.peer, named);
        }
    }
    crawled
}

fn ids(hydra: &Hydra<SimNetwork>) -> BTreeSet<PeerId> {
    hydra.heads().iter().map(|head| head.peer()).collect()
}

/// That a crawl saw the network and these heads, that every head named what a table of its own would hold, and nobody else.
fn assert_is_the_truth(crawled: &Crawled, settlement: &Settlement, hydras: &[&Hydra<SimNetwork>]) {
    let mut all = settlement.living();
    all.extend(hydras.iter().flat_map(|hydra| ids(hydra)));
    let seen: BTreeSet<PeerId> = crawled.keys().copied().collect();
    assert_eq!(seen, all);
    for head in hydras.iter().flat_map(|hydra| hydra.heads()) {
        let named = &crawled[&head.peer()];
        assert!(named.is_subset(&all));
        let count = |peers: &BTreeSet<PeerId>| {
            let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
            for peer in peers.iter().filter(|peer| **peer != head.peer()) {
                *counts.entry(Key::of_peer(peer).common_prefix_len(head.key())).or_default() += 1;
            }
            counts
        };
        let (there, seen) = (count(&all), count(named));
        for (shared, count) in there {
            assert!(seen.get(&shared).is_some_and(|&seen| seen >= count.min(K)), "{shared}: {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crawl_sees_exactly_the_heads_and_their_tables_and_one_who_came_late() {
    let settlement = Settlement::of("peers = 200");
    let hydra = settlement.join(20).await;
    hydra.announced(1).await;
    assert_is_the_truth(&crawl(&settlement).await, &settlement, &[&hydra]);
    // Another process, with other heads and a belly of its own.
    let late = Hydra::join(&settlement.fabric, settlement.config(500..503)).await.expect("heads");
    late.announced(2).await;
    sleep(minutes(11)).await;
    assert_is_the_truth(&crawl(&settlement).await, &settlement, &[&hydra, &late]);
    hydra.leave().await;
    late.leave().await;
}

#[tokio::test(start_paused = true)]
async fn heads_that_join_one_after_the_other_are_known_and_know_like_all_others() {
    let settlement = Settlement::of("peers = 60");
    let mut config = settlement.config(0..5);
    config.stagger = minutes(3);
    let hydra = Hydra::join(&settlement.fabric, config).await.expect("heads");
    sleep(Duration::from_secs(30)).await;
    assert_is_the_truth(&crawl(&settlement).await, &settlement, &[&hydra]);
    assert!(hydra.heads().iter().all(|head| head.is_known()));
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_heads_come_into_a_network_of_three_hundred() {
    let settlement = Settlement::of("peers = 300");
    let hydra = settlement.join(100).await;
    hydra.announced(1).await;
    assert!(hydra.heads().iter().all(|head| head.is_known() && hydra.table_size(head) > 60));
    let guests: BTreeSet<PeerId> = settlement.fabric.guests().into_iter().map(|guest| guest.id).collect();
    assert_eq!(guests, ids(&hydra));
    // Whoever is close to a head names it.
    let (client, peers) = (Client::on(&settlement.fabric).await, hydra.known_peers());
    for head in hydra.heads() {
        let mut closest = peers.clone();
        closest.sort_by_key(|contact| Key::of_peer(&contact.peer).distance(head.key()));
        let named = client.find_node(&closest[0], &head.peer().to_bytes()).await;
        assert_eq!(named.first().map(|peer| peer.id.clone()), Some(head.peer().to_bytes()));
    }
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn two_hydras_with_other_heads_answer_from_one_belly() {
    let settlement = Settlement::of("peers = 60");
    let belly = settlement::belly();
    let mut hydras = Vec::new();
    for heads in [0..10, 10..20] {
        let mut config = settlement.config(heads);
        config.belly = belly.clone();
        hydras.push(Hydra::join(&settlement.fabric, config).await.expect("heads"));
    }
    let (one, two) = (&hydras[0], &hydras[1]);
    assert!(ids(one).is_disjoint(&ids(two)));
    let client = Client::on(&settlement.fabric).await;
    let (key, addr) = (b"\x12\x20a key that somebody provides....", "/ip4/127.0.0.1/tcp/5001");
    client.provide(&one.heads()[3].contact(), key, &[addr]).await;
    let providers = client.providers(&two.heads()[8].contact(), key).await;
    assert_eq!(
        providers.iter().map(|peer| (peer.id.clone(), peer.addrs.len())).collect::<Vec<_>>(),
        [(client.id.to_bytes(), 1)]
    );
    for hydra in hydras {
        hydra.leave().await;
    }
}
