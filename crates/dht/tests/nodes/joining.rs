//! A node comes into a network that knows nothing of it.

use std::time::Duration;

use kad::{lookup::LookupKind, preimage::target_among};
use kadscope_dht::Node;

use super::{find, key, settlement::Settlement};

#[tokio::test(start_paused = true)]
async fn who_begins_with_the_bootstrap_peers_fills_its_table_in_one_refresh() {
    let settlement = Settlement::of("peers = 1000");
    for number in 1..=3 {
        let node = settlement.join(number).await;
        assert!(node.table().is_empty());
        node.refreshed(1).await;
        let standing = settlement.standing(&node, &[]);
        assert_eq!((standing.wrong, standing.missing()), (0, 0), "{standing:?}");
        node.leave().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_network_in_trouble_the_table_holds_those_alone_who_answer() {
    let settlement = Settlement::of(
        "peers = 1000\n[tables]\nstale = 0.1\nholes = 0.1\n[[states]]\nstate = 'refusing'\nshare = 0.1\n\
         [[states]]\nstate = 'dropping'\nshare = 0.1\n[[states]]\nstate = 'silent'\nat = 'request'\nshare = 0.05\n\
         [[states]]\nstate = 'reset'\nat = 'request'\nshare = 0.05\n[[states]]\nstate = 'inventing'\nshare = 0.05\n",
    );
    let node = settlement.join(1).await;
    node.refreshed(3).await;
    let standing = settlement.standing(&node, &[]);
    assert_eq!(standing.wrong, 0, "{standing:?}");
    assert!(standing.missing() * 50 <= standing.places(), "{standing:?}");
}

#[tokio::test(start_paused = true)]
async fn whom_it_asks_the_network_lists_it_and_others_find_it() {
    let settlement = Settlement::of("peers = 300");
    let node = settlement.join(1).await;
    node.refreshed(1).await;
    let guests = settlement.fabric.guests();
    let [guest] = &guests[..] else { panic!("{guests:?}") };
    assert_eq!((guest.id, &guest.addresses), (node.contact().peer, &node.contact().addrs));
    assert_eq!(guest.agent.as_deref(), Some("node/1"));
    let other = settlement.join(2).await;
    other.refreshed(1).await;
    let id = node.contact().peer.to_bytes();
    let found = find(&other, LookupKind::Peer, &id).await;
    assert_eq!(found.outcome.closest.first().map(|closest| closest.peer), Some(node.contact().peer));
    assert_eq!(found.contact(node.contact().peer).addrs, node.contact().addrs);
}

#[tokio::test(start_paused = true)]
async fn it_finds_who_is_closest_in_truth_to_any_key() {
    let settlement = Settlement::of("peers = 1000");
    let node = settlement.join(1).await;
    node.refreshed(1).await;
    for shared in [0, 3, 8] {
        let target = target_among(&key(&node), shared, 7).expect("a target");
        let found = find(&node, LookupKind::Closest, &target).await;
        let closest: Vec<_> = found.outcome.closest.iter().map(|closest| closest.peer).collect();
        assert_eq!(closest, settlement.closest(&target), "{shared}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_knows_nobody_is_led_into_the_network_by_the_first_who_asks_it() {
    let settlement = Settlement::of("peers = 60");
    let (mut lonely, mut guide) = (settlement.config(1), settlement.config(2));
    lonely.bootstrap = Vec::new();
    let lonely = Node::join(&settlement.fabric, lonely).await.expect("a node");
    lonely.refreshed(3).await;
    assert!(lonely.table().is_empty());
    guide.bootstrap.insert(0, lonely.contact().clone());
    let guide = Node::join(&settlement.fabric, guide).await.expect("a node");
    guide.refreshed(1).await;
    // It refreshes as soon as there is somebody, and not when it would have tried again.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let standing = settlement.standing(&lonely, &[&guide]);
    assert_eq!((standing.wrong, standing.missing()), (0, 0), "{standing:?}");
}
