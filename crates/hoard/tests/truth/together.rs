//! Several publishers and several observers in one world: each sees what is true, whatever the others do.

use std::time::Duration;

use dht::{Holder, Node, ProviderRecord, Publication};
use kad::{Contact, PeerId};
use testnet::{
    HolderGives, RecordTold, Scenario, SimNetwork,
    scenario::{Share, holder::AddressesSince},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, key, publish, told};

const MINUTE: Duration = Duration::from_secs(60);

/// What the holders of a record say to an observer, in their order.
async fn asked(
    observer: &Node<SimNetwork>,
    (key, of): (&[u8], &Contact),
    publication: &Publication,
) -> Vec<HolderGives> {
    let record = ProviderRecord { key: key.to_vec(), provider: of.clone() };
    let holders: Vec<Holder> =
        publication.gifts.iter().map(|gift| Holder { contact: gift.to.clone(), sent: Ok(()) }).collect();
    let read =
        observer.finder().read_back(&record, &holders, Instant::now(), &CancellationToken::new()).await;
    let said = |has: Option<bool>| match has {
        None => HolderGives::Nothing,
        Some(false) => HolderGives::IdOnly,
        Some(true) => HolderGives::WithAddresses,
    };
    read.into_iter().map(|read| said(read.has.expect("all of them answer"))).collect()
}

/// What they give in truth.
fn given(ground: &Ground, publication: &Publication, told: RecordTold) -> Vec<HolderGives> {
    let peers = publication.gifts.iter().map(|gift| ground.world().find(&gift.to.peer).expect("a peer"));
    peers.map(|peer| ground.truth.given(peer, &told, ground.elapsed()).expect("all are honest")).collect()
}

#[tokio::test(start_paused = true)]
async fn publishers_and_observers_see_what_is_true_each_for_itself() {
    let mut scenario = Scenario::named("forgetful").expect("built in");
    scenario.life = None;
    scenario.tables.stale = Share::NONE;
    let ground = Ground::of(&scenario);
    let (leaves, stays) = (ground.publisher(1).await, ground.publisher(2).await);
    let (first, second) = (ground.publisher(3).await, ground.publisher(4).await);
    let [gone, connected] = [leaves.contact(), stays.contact()].map(Clone::clone);
    // Of some of those who will hold it the clock begins when the publisher hangs up.
    let closest_of = |key: &[u8]| ground.closest(key)[..20].to_vec();
    let goes_by_hanging_up = |peer: &PeerId| {
        let holder = ground.world().find(peer).and_then(|peer| ground.world().holder(peer));
        holder.is_some_and(|holder| holder.addresses_since == AddressesSince::HungUp)
    };
    let key = (0..1000).map(key).find(|key| closest_of(key).iter().any(goes_by_hanging_up)).expect("one");
    // They publish the same key, one of them and then the other.
    let by_gone = publish(&leaves, &key).await;
    let at = ground.elapsed();
    leaves.leave().await;
    tokio::time::sleep(MINUTE).await;
    let by_connected = publish(&stays, &key).await;
    let later = ground.elapsed();
    let closest = closest_of(&key);
    for publication in [&by_gone, &by_connected] {
        let mut chosen: Vec<_> = publication.gifts.iter().map(|gift| gift.to.peer).collect();
        chosen.sort_by_key(|peer| closest.iter().position(|other| other == peer));
        assert_eq!(chosen, closest);
    }
    let mut seen = Vec::new();
    for minutes in [2, 7, 4, 5, 16, 800, 800, 1300] {
        tokio::time::sleep(minutes * MINUTE).await;
        let still = RecordTold { hung_up: None, ..told(later) };
        for (publication, of, told) in [(&by_gone, &gone, told(at)), (&by_connected, &connected, still)] {
            let truth = given(&ground, publication, told);
            let [one, other] = [&first, &second].map(|observer| asked(observer, (&key, of), publication));
            let (one, other) = tokio::join!(one, other);
            assert_eq!((&one, &other), (&truth, &truth), "{minutes} minutes later, of {}", of.peer);
            seen.extend(one);
        }
    }
    for answer in [HolderGives::Nothing, HolderGives::IdOnly, HolderGives::WithAddresses] {
        assert!(seen.contains(&answer), "{answer}");
    }
}
