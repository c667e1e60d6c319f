//! Several nodes of ours in one network: they meet each other there, and share what its peers remember.

use kad::lookup::LookupKind;
use tokio_util::sync::CancellationToken;

use super::{find, minutes, settlement::Settlement};

/// So few peers that there is room for everybody in every table.
const SMALL: &str = "peers = 24";

#[tokio::test(start_paused = true)]
async fn they_meet_in_the_network_and_each_lists_all_others() {
    let settlement = Settlement::of(SMALL);
    let mut nodes = Vec::new();
    for number in 1..=4 {
        nodes.push(settlement.join(number).await);
    }
    for node in &nodes {
        node.refreshed(2).await;
    }
    for node in &nodes {
        let others: Vec<_> = nodes.iter().filter(|other| other.contact() != node.contact()).collect();
        let standing = settlement.standing(node, &others);
        assert_eq!((standing.wrong, standing.missing(), standing.places()), (0, 0, 27), "{standing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_provides_another_finds_that_never_heard_of_it() {
    let settlement = Settlement::of("peers = 300");
    let (one, key) = (settlement.join(1).await, b"\x12\x20a key that somebody provides....");
    one.refreshed(1).await;
    let holders = one.provide(key.to_vec(), &CancellationToken::new()).await;
    assert_eq!(holders.iter().filter(|holder| holder.sent == Ok(())).count(), 20, "{holders:?}");
    let provider = one.contact().clone();
    one.leave().await;
    // The one who comes later has the network's word alone.
    let other = settlement.join(2).await;
    other.refreshed(1).await;
    let found = find(&other, LookupKind::Providers, key).await;
    let [seen] = &found.providers[..] else { panic!("{:?}", found.providers) };
    assert_eq!((seen.peer, seen.addrs()), (provider.peer, provider.addrs.clone()));
    assert!(seen.holders.len() >= 2, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn who_has_left_the_others_forget_within_their_grace_and_a_refresh() {
    let settlement = Settlement::of(SMALL);
    let (staying, going) = (settlement.join(1).await, settlement.join(2).await);
    staying.refreshed(2).await;
    let id = going.contact().peer;
    assert!(super::listed(&staying).contains(&id));
    going.leave().await;
    // 43 minutes of grace, ten to the next refresh, and its test.
    tokio::time::sleep(minutes(55)).await;
    assert!(!super::listed(&staying).contains(&id));
    let standing = settlement.standing(&staying, &[]);
    assert_eq!((standing.wrong, standing.missing()), (0, 0), "{standing:?}");
}
