//! Heads come into a network that knows nothing of them, and leave it.

use std::{collections::BTreeSet, time::Duration};

use kad::{PeerId, failure::FailureClass, network::Network as _};
use kadscope_hydra::{Hydra, HydraError};
use testnet::SimNetwork;
use tokio::{runtime::Handle, time::Instant};

use super::{
    minutes,
    settlement::{self, Settlement},
};

/// No longer than this it takes until all heads of a hydra have ended.
const SOON: Duration = Duration::from_secs(5);

fn guests(settlement: &Settlement) -> BTreeSet<PeerId> {
    settlement.fabric.guests().into_iter().map(|guest| guest.id).collect()
}

fn ids(hydra: &Hydra<SimNetwork>) -> BTreeSet<PeerId> {
    hydra.heads().iter().map(|head| head.peer()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_network_lists_every_head_and_the_heads_know_the_whole_network() {
    let settlement = Settlement::of("peers = 300");
    let hydra = settlement.join(20).await;
    hydra.announced(1).await;
    assert_eq!(guests(&settlement), ids(&hydra));
    let known: BTreeSet<PeerId> = hydra.known_peers().into_iter().map(|contact| contact.peer).collect();
    assert_eq!(known, settlement.living());
    assert!(hydra.heads().iter().all(|head| head.is_known() && hydra.table_size(head) > 60));
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn one_head_that_cannot_join_is_named_and_all_others_have_left() {
    let settlement = Settlement::of("peers = 30");
    let before = Handle::current().metrics().num_alive_tasks();
    let first = Hydra::join(&settlement.fabric, settlement.config(100..101)).await.expect("a head");
    let mut config = settlement.config(0..8);
    config.heads[6].listen = first.heads()[0].listens();
    let (index, peer) = (6, config.heads[6].keypair.public().to_peer_id());
    let begun = Instant::now();
    let error = Hydra::join(&settlement.fabric, config).await.expect_err("it is taken");
    assert!(begun.elapsed() < SOON);
    let HydraError::Head { index: named, peer: who, .. } = &error else { panic!("{error}") };
    assert_eq!((*named, *who), (index, peer));
    assert!(error.to_string().contains("head 6"), "{error}");
    // Those who had joined are nowhere: their places are free for others.
    let mut config = settlement.config(0..8);
    config.heads.truncate(6);
    let again = Hydra::join(&settlement.fabric, config).await.expect("free places");
    again.leave().await;
    first.leave().await;
    tokio::time::sleep(SOON).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_at_any_moment_is_nowhere_and_nothing_runs_on() {
    let settlement = Settlement::of("peers = 200\n[[states]]\nstate = 'dropping'\nshare = 0.2\n");
    let before = Handle::current().metrics().num_alive_tasks();
    for after_ms in [0, 1, 40, 300, 2_000, 9_000, 599_000, 3_000_000] {
        let hydra = settlement.join(6).await;
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        let contacts: Vec<_> = hydra.heads().iter().map(|head| head.contact()).collect();
        let begun = Instant::now();
        hydra.leave().await;
        assert!(begun.elapsed() < SOON, "{after_ms}: it took {:?}", begun.elapsed());
        tokio::time::sleep(SOON).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), before, "{after_ms}");
        let client = super::asking::Client::on(&settlement.fabric).await;
        for contact in contacts {
            let dial = client.network().connect(contact.peer, contact.addrs).await;
            let classes =
                dial.attempts.iter().map(|attempt| attempt.outcome.failure().map(|failure| failure.class));
            assert!(classes.into_iter().all(|class| class == Some(FailureClass::ConnectionRefused)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_nobody_tries_again_and_has_not_begun_until_somebody_answers() {
    let settlement = Settlement::of("peers = 30");
    let mut config = settlement.config(0..3);
    let gone = settlement::head(900);
    config.bootstrap = vec![kad::Contact {
        peer: gone.keypair.public().to_peer_id(),
        addrs: vec!["/ip4/127.0.0.1/tcp/9".parse().expect("an address")],
    }];
    let lonely = Hydra::join(&settlement.fabric, config).await.expect("heads");
    tokio::time::sleep(minutes(10)).await;
    let count = |count: &std::sync::atomic::AtomicU64| count.load(std::sync::atomic::Ordering::Relaxed);
    assert!(count(&lonely.counters().bootstraps_failed) >= 4);
    assert_eq!(count(&lonely.counters().bootstrapped), 0);
    assert!(lonely.heads().iter().all(|head| !head.is_known()));
    // The first who asks leads it into the network.
    let mut guide = settlement.config(10..11);
    guide.bootstrap.insert(0, lonely.heads()[0].contact());
    let guide = Hydra::join(&settlement.fabric, guide).await.expect("a head");
    tokio::time::sleep(minutes(5)).await;
    assert_eq!(count(&lonely.counters().bootstrapped), 3);
    let mut all = ids(&lonely);
    all.extend(ids(&guide));
    assert_eq!(guests(&settlement), all);
}
