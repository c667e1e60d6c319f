//! A study by hand: keys are published, their publisher leaves, observers look at them at planned times, and what they saw is kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crawl::Clock;
use dht::{Gift, Node, NodeConfig, NodeProfile, PoolConfig};
use futures_util::{StreamExt as _, future::join_all, stream};
use kad::{Key, Keypair, PeerId, message::AMINO_PROTOCOL};
use kadscope_hoard::{KeyRound, KnownHolder, Observer, ObserverConfig, RoundOrder, RoundParts, WatchedKey};
use schema::{HoardLookup, Timestamp};
use testnet::{RecordTold, SimNetwork};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, NEVER, NOW, key, publish};

/// Rounds under way at once.
const AT_ONCE: usize = 64;

/// What is watched, and how.
pub(crate) struct Order {
    pub(crate) keys: u32,
    /// From the publication of a key.
    pub(crate) rounds: Vec<Duration>,
    pub(crate) lookups: Vec<HoardLookup>,
    pub(crate) parts: RoundParts,
    /// From the beginning of one publication to that of the next.
    pub(crate) gap: Duration,
}

/// A key, and what befell its record.
pub(crate) struct Watched {
    pub(crate) key: WatchedKey,
    /// When its publication began, since the network did.
    pub(crate) began: Duration,
    /// When each holder that was sent the record was, since the network began.
    pub(crate) sent: BTreeMap<PeerId, Duration>,
    pub(crate) rounds: Vec<KeyRound>,
}

/// A study that is over.
pub(crate) struct Watching {
    pub(crate) keys: Vec<Watched>,
    /// When the publisher left, since the network began.
    pub(crate) left: Duration,
}

impl Watched {
    /// What befell the record of a holder: of several with one store, that of the last.
    pub(crate) fn told(&self, ground: &Ground, holder: &PeerId, left: Duration) -> Option<RecordTold> {
        let world = ground.world();
        let store = world.store(world.find(holder)?);
        let of_store = self
            .sent
            .iter()
            .filter(|(other, _)| world.find(other).is_some_and(|other| world.store(other) == store));
        let announced = of_store.map(|(_, at)| *at).max()?;
        Some(RecordTold { announced, asked: announced, hung_up: Some(left) })
    }
}

/// An observer of ours, of this number.
async fn observer(ground: &Ground, number: u8, clock: Clock, order: &Order) -> Observer<SimNetwork> {
    let protocols = [AMINO_PROTOCOL.to_owned()].into();
    let profile = NodeProfile { agent: format!("observer/{number}"), protocols, announce: Vec::new() };
    let keypair = Keypair::ed25519_from_bytes([number; 32]).expect("any 32 bytes are a key");
    let node = NodeConfig {
        bootstrap: ground.bootstrap(),
        pool: PoolConfig { connections: 4096, ..PoolConfig::default() },
        refresh: NEVER,
        seed: number.into(),
        ..NodeConfig::new(keypair, profile, NOW)
    };
    let mut config = ObserverConfig::new(node, clock);
    config.walks.lookups.clone_from(&order.lookups);
    config.round = Duration::from_secs(400);
    let observer = Observer::join(&ground.fabric, config).await.expect("a place");
    observer.node().refreshed(1).await;
    observer
}

/// The holders of a publication, the closest first.
fn holders(of: &[u8], gifts: &[Gift]) -> Vec<KnownHolder> {
    let target = Key::of(of);
    let mut gifts: Vec<&Gift> = gifts.iter().collect();
    gifts.sort_by_key(|gift| Key::of_peer(&gift.to.peer).distance(&target));
    let known = |gift: &&Gift| KnownHolder {
        peer: gift.to.peer,
        addresses: gift.to.addrs.clone().into(),
        agent: None,
    };
    gifts.iter().map(known).collect()
}

/// Does it.
pub(crate) async fn watch(ground: &Ground, order: &Order) -> Watching {
    let clock = Clock::started_at(Timestamp(1_767_225_600_000_000));
    let observers = [observer(ground, 2, clock, order).await, observer(ground, 3, clock, order).await];
    let publisher = ground.publisher(1).await;
    let provider = publisher.contact().peer;
    let publications = (0..order.keys).map(|number| {
        let publisher = &publisher;
        async move {
            sleep(number * order.gap).await;
            published(ground, publisher, (clock, provider, &key(number))).await
        }
    });
    let mut keys = join_all(publications).await;
    publisher.leave().await;
    let left = ground.elapsed();
    let due = |(position, watched): (usize, &Watched)| {
        let (watched, began, number) = (watched.key.clone(), watched.began, position);
        (0..)
            .zip(&order.rounds)
            .map(move |(round, after)| (began + *after, number, round, watched.clone()))
            .collect::<Vec<_>>()
    };
    let mut planned: Vec<_> = keys.iter().enumerate().flat_map(due).collect();
    planned.sort_by_key(|(at, number, ..)| (*at, *number));
    let (began, parts) = (ground.began(), order.parts);
    let made = stream::iter(planned)
        .map(|(at, number, round, watched)| {
            let observer = &observers[number % observers.len()];
            async move {
                sleep_until(began + at).await;
                let planned_at = clock.at(began + at);
                let order = RoundOrder { round: round + 1, planned_at, parts };
                (number, observer.round(&watched, &order, &CancellationToken::new()).await)
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    for (number, round) in made {
        keys[number].rounds.push(round);
    }
    for observer in observers {
        observer.leave().await;
    }
    Watching { keys, left }
}

async fn published(
    ground: &Ground,
    publisher: &Node<SimNetwork>,
    (clock, provider, key): (Clock, PeerId, &[u8]),
) -> Watched {
    let (began, published_at) = (ground.elapsed(), clock.at(Instant::now()));
    let publication = publish(publisher, key).await;
    let sent = publication.gifts.iter().filter(|gift| gift.sent == Some(Ok(())));
    let sent = sent.filter_map(|gift| Some((gift.to.peer, began + gift.sent_after?))).collect();
    let holders: Arc<[KnownHolder]> = holders(key, &publication.gifts).into();
    let key = WatchedKey { key: key.into(), arm: 0, provider, published_at, holders };
    Watched { key, began, sent, rounds: Vec::new() }
}
