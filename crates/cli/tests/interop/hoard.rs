//! Holders of provider records that are DHT servers of go-libp2p-kad-dht: whom records are given to, who keeps them and gives
//! addresses, and what becomes of a holder that is killed or stopped.

use std::{sync::Arc, time::Duration};

use crawl::Clock;
use dht::{Gift, Node, NodeConfig, NodeProfile, PublishTerms};
use futures_util::{StreamExt as _, future::join_all, stream};
use kad::{
    Key, Keypair, PeerId, Persistence,
    failure::FailureClass,
    message::{AMINO_PROTOCOL, K},
};
use kadscope_hoard::{
    HolderSight, KeyRound, KnownHolder, Observer, ObserverConfig, RoundOrder, RoundParts, WatchedKey,
};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use rustix::process::{Pid, Signal, kill_process};
use schema::{HoardLookup, HolderAnswer, RoundEnd, Timestamp, Whereabouts};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    node::contact,
    program::{Network, command, peer_program},
    servers::servers,
};

/// 2026-01-01; no record is dated here.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// How long a publication may take.
const DEADLINE: Duration = Duration::from_secs(80);

/// Rounds under way at once.
const AT_ONCE: usize = 4;

/// Keys that were published by a peer that has left, and who looks at them.
struct Watch {
    observer: Observer<Host>,
    clock: Clock,
    keys: Vec<WatchedKey>,
    /// When the publisher hung up.
    #[cfg_attr(not(feature = "by-hand"), expect(dead_code, reason = "it takes long until it matters"))]
    left: Instant,
}

fn config(network: &Network, name: &str) -> NodeConfig {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: format!("kadscope-{name}/1"), protocols, announce: Vec::new() };
    NodeConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        bootstrap: network.bootstrap().iter().map(contact).collect(),
        serves: false,
        checks_addresses: false,
        ..NodeConfig::new(Keypair::generate_ed25519(), profile, NOW)
    }
}

impl Watch {
    /// Publishes these keys all at once.
    async fn of(network: &Network, keys: &[Vec<u8>], lookups: &[HoardLookup]) -> Self {
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let publisher = Node::join(&fabric, config(network, "publisher")).await.expect("a node");
        publisher.refreshed(1).await;
        let clock = Clock::started_at(Timestamp(0));
        let publications = keys.iter().map(|key| published(&publisher, key, clock));
        let keys = join_all(publications).await;
        publisher.leave().await;
        let left = Instant::now();
        let mut config = ObserverConfig::new(config(network, "observer"), clock);
        config.walks.lookups = lookups.to_vec();
        let observer = Observer::join(&fabric, config).await.expect("an observer");
        observer.node().refreshed(1).await;
        Self { observer, clock, keys, left }
    }

    /// One round of each key, some at once.
    async fn round(&self, round: u32) -> Vec<KeyRound> {
        let planned_at = self.clock.at(Instant::now());
        let order = RoundOrder { round, planned_at, parts: RoundParts::All };
        let cancel = &CancellationToken::new();
        let rounds = self.keys.iter().map(|key| self.observer.round(key, &order, cancel));
        stream::iter(rounds).buffered(AT_ONCE).collect().await
    }
}

async fn published(publisher: &Node<Host>, key: &[u8], clock: Clock) -> WatchedKey {
    let published_at = clock.at(Instant::now());
    let terms = PublishTerms { deadline: Instant::now() + DEADLINE, persistence: Persistence::Go };
    let mut publication = publisher.publish(key, terms, &CancellationToken::new()).await;
    publication.settle().await;
    assert!(publication.gifts.iter().all(|gift| gift.sent == Some(Ok(()))), "{:?}", publication.gifts);
    let target = Key::of(key);
    publication.gifts.sort_by_key(|gift| Key::of_peer(&gift.to.peer).distance(&target));
    let known = |gift: &Gift| KnownHolder {
        peer: gift.to.peer,
        addresses: gift.to.addrs.clone().into(),
        agent: None,
    };
    let holders = publication.gifts.iter().map(known).collect();
    WatchedKey { key: Arc::from(key), arm: 0, provider: publisher.contact().peer, published_at, holders }
}

/// The key of this number.
fn key(number: u32) -> Vec<u8> {
    [&[0x12, 0x20][..], &Sha256::digest(number.to_be_bytes())].concat()
}

/// Those closest to a key, the closest first.
fn closest(key: &[u8], peers: &[PeerId]) -> Vec<PeerId> {
    let target = Key::of(key);
    let mut peers = peers.to_vec();
    peers.sort_by_key(|peer| Key::of_peer(peer).distance(&target));
    peers.truncate(K);
    peers
}

/// A server in a process of its own.
struct Guest {
    network: Network,
    peer: PeerId,
}

impl Guest {
    fn of(begin: &[String]) -> Self {
        let network = Network::start(&mut command(peer_program("bin/dhtguest"), begin));
        let id = network.announcement()["id"].as_str().expect("an id").to_owned();
        Self { network, peer: id.parse().expect("an id") }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.network.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it runs");
    }
}

/// One that is stopped would never end.
impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.network.pid()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            kill_process(pid, Signal::CONT).ok();
        }
    }
}

fn assert_keeps(sight: &HolderSight) {
    let seen = (sight.whereabouts, sight.said.answer);
    assert_eq!(seen, (Whereabouts::SameAddress, HolderAnswer::WithAddresses), "{sight:?}");
}

fn assert_unreached(sight: &HolderSight, class: FailureClass) {
    let seen = (sight.whereabouts, sight.said.answer);
    assert_eq!(seen, (Whereabouts::Gone, HolderAnswer::Unreached), "{sight:?}");
    let failure = sight.first.as_ref().and_then(|dial| dial.failure.as_ref()).expect("a failure");
    assert_eq!(failure.class, class, "{sight:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_servers_that_are_closest_keep_records_and_one_that_is_killed_or_stopped_is_seen_so() {
    let mut network = servers(38, "-transport tcp -security noise");
    let (killed, stopped) = (Guest::of(&network.bootstrap()), Guest::of(&network.bootstrap()));
    let mut peers: Vec<PeerId> =
        network.truth().peers.iter().map(|peer| peer.id.parse().expect("an id")).collect();
    peers.extend([killed.peer, stopped.peer]);
    let are_both = |key: &Vec<u8>| {
        let closest = closest(key, &peers);
        closest.contains(&killed.peer) && closest.contains(&stopped.peer)
    };
    let keys: Vec<Vec<u8>> = (0..).map(key).filter(are_both).take(3).collect();
    let watch = Watch::of(&network, &keys, &[HoardLookup::Closest, HoardLookup::First]).await;
    for round in watch.round(1).await {
        let holders: Vec<PeerId> = round.sights.iter().map(|sight| sight.peer).collect();
        assert_eq!(holders, closest(&round.key, &peers));
        round.sights.iter().for_each(assert_keeps);
        assert_eq!((round.end, &round.lookups[0].closest), (RoundEnd::Whole, &holders));
        assert_eq!((round.lookups[1].first_combo, round.sights.len()), (2, K));
    }
    killed.signal(Signal::KILL);
    stopped.signal(Signal::STOP);
    for round in watch.round(2).await {
        for sight in &round.sights {
            if sight.peer == killed.peer {
                assert_unreached(sight, FailureClass::ConnectionRefused);
            } else if sight.peer == stopped.peer {
                assert_unreached(sight, FailureClass::Timeout);
            } else {
                assert_keeps(sight);
            }
        }
    }
    stopped.signal(Signal::CONT);
    for round in watch.round(3).await {
        let lost: Vec<_> = round.sights.iter().filter(|sight| sight.peer == killed.peer).collect();
        assert_unreached(lost[0], FailureClass::ConnectionRefused);
        round.sights.iter().filter(|sight| sight.peer != killed.peer).for_each(assert_keeps);
    }
    watch.observer.leave().await;
}

/// RFM17.1 in its own time, 50 minutes: by hand.
#[cfg(feature = "by-hand")]
mod by_hand {
    use tokio::time::sleep_until;

    use super::*;

    /// More need more descriptors than a process has.
    const SERVERS: u64 = 120;

    /// As RFM17.1: so many keys, a round every three minutes, for fifty.
    const KEYS: u32 = 100;
    const EVERY: Duration = Duration::from_secs(180);
    const SPAN: Duration = Duration::from_secs(50 * 60);

    /// Go's servers forget the addresses of a peer so long after it hung up (go-libp2p, `RecentlyConnectedAddrTTL`), and look for what is
    /// to be forgotten once a minute.
    const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn go_servers_keep_records_and_forget_addresses_fifteen_minutes_after_their_publisher_left() {
        let network = servers(SERVERS, "-transport tcp -security noise -settle 30m");
        let keys: Vec<Vec<u8>> = (0..KEYS).map(key).collect();
        let began = Instant::now();
        let watch = Watch::of(&network, &keys, &[HoardLookup::Count]).await;
        println!(
            "| minutes since it left | answered, of {} | keep | give addresses | by the first answer: id, addresses | with the change |",
            KEYS * 20
        );
        println!("|---|---|---|---|---|---|");
        for round in 1.. {
            let at = began + round * EVERY;
            if at > began + SPAN {
                break;
            }
            sleep_until(at).await;
            let (from, rounds) = (watch.left.elapsed(), watch.round(round).await);
            let to = watch.left.elapsed();
            // On a machine with much to do some do not answer in time.
            let sum = |of: fn(&KeyRound) -> usize| rounds.iter().map(of).sum::<usize>();
            let answered =
                |round: &KeyRound| round.sights.iter().filter(|sight| sight.said.answer.is_answer()).count();
            let (answered, keep, give) =
                (sum(answered), sum(KeyRound::keeping), sum(KeyRound::with_addresses));
            let combos = |of: fn(&KeyRound) -> u8| {
                [1, 2].map(|combo| rounds.iter().filter(|round| of(round) == combo).count())
            };
            let (first, changed) = (
                combos(|round| round.lookups[0].first_combo),
                combos(|round| round.lookups[0].upgraded_combo),
            );
            let minutes = |span: Duration| span.as_secs_f64() / 60.0;
            println!(
                "| {:.1} to {:.1} | {answered} | {keep} | {give} | {}, {} | {}, {} |",
                minutes(from),
                minutes(to),
                first[0],
                first[1],
                changed[0],
                changed[1]
            );
            assert_eq!(keep, answered, "nobody drops a record");
            if to < FORGOTTEN {
                assert_eq!(give, answered, "all give addresses");
            } else if from > FORGOTTEN + 2 * MINUTE {
                assert_eq!((give, first[0], changed[0]), (0, rounds.len(), rounds.len()), "nobody does");
            }
        }
        watch.observer.leave().await;
    }
}
