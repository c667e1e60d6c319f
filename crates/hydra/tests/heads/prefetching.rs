//! What the belly was asked for and does not have is looked up in the background.

use std::time::Duration;

use kad::{Contact, Key, answer::entry, message::ConnectionType};
use kadscope_hydra::{Hydra, HydraConfig, PrefetchConfig, PrefetchOutcome, PrefetchRefusal};
use store::NewProvider;
use testnet::SimNetwork;
use tokio::time::{Instant, sleep};

use super::{
    K,
    asking::Client,
    minutes,
    settlement::{NOW, Settlement},
};

const KEY: &[u8] = b"\x12\x20a key that somebody provides....";

/// How long what was found lives.
const LIFETIME: Duration = minutes(30);

fn prefetching(config: HydraConfig) -> HydraConfig {
    HydraConfig { prefetch: Some(PrefetchConfig::default()), ..config }
}

async fn join(settlement: &Settlement, heads: std::ops::Range<u64>) -> Hydra<SimNetwork> {
    let config = prefetching(settlement.config(heads));
    Hydra::join(&settlement.fabric, config).await.expect("heads")
}

fn contacts(hydra: &Hydra<SimNetwork>) -> Vec<Contact> {
    hydra.heads().iter().map(|head| head.contact()).collect()
}

fn outcomes(hydra: &Hydra<SimNetwork>) -> [u64; 3] {
    let prefetch = hydra.prefetch().expect("it prefetches");
    [PrefetchOutcome::Found, PrefetchOutcome::Nobody, PrefetchOutcome::Failed]
        .map(|outcome| prefetch.took(outcome).distribution(1e9).count())
}

#[tokio::test(start_paused = true)]
async fn the_first_who_asks_does_not_wait_and_the_next_has_all_providers_with_addresses() {
    let settlement = Settlement::of("peers = 300");
    let hydra = join(&settlement, 0..5).await;
    hydra.announced(1).await;
    // Two provide it, each at the peers of the network that are closest to the key.
    let target = Key::of(KEY);
    let mut holders: Vec<Contact> = hydra.known_peers();
    holders.sort_by_key(|holder| Key::of_peer(&holder.peer).distance(&target));
    let mut providers = Vec::new();
    for port in [5001, 5002] {
        let (client, addr) = (Client::on(&settlement.fabric).await, format!("/ip4/127.0.0.1/tcp/{port}"));
        for holder in &holders[..K] {
            client.provide(holder, KEY, &[&addr]).await;
        }
        providers.push((client.id.to_bytes(), addr.parse::<kad::Multiaddr>().expect("an address").to_vec()));
    }
    providers.sort();
    let (client, heads) = (Client::on(&settlement.fabric).await, contacts(&hydra));
    client.find_node(&heads[0], KEY).await;
    let begun = Instant::now();
    assert_eq!(client.providers(&heads[0], KEY).await, []);
    // As long as any other question on a connection that stands.
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    sleep(Duration::from_secs(10)).await;
    for head in &heads {
        let named = client.providers(head, KEY).await.into_iter();
        let mut named: Vec<_> = named.map(|peer| (peer.id, peer.addrs.concat())).collect();
        named.sort();
        assert_eq!(named, providers);
    }
    assert_eq!(outcomes(&hydra), [1, 0, 0]);
    // It lives for a short time.
    sleep(LIFETIME).await;
    assert_eq!(client.providers(&heads[1], KEY).await, []);
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn that_nobody_has_it_is_told_apart_from_a_network_that_fails_and_both_are_remembered() {
    let settlement = Settlement::of("peers = 60");
    let hydra = join(&settlement, 0..3).await;
    hydra.announced(1).await;
    let (client, heads) = (Client::on(&settlement.fabric).await, contacts(&hydra));
    let refused = |reason| hydra.prefetch().expect("it prefetches").refused(reason);
    for (after, lately, before) in [(0, 0, 0), (1, 1, 0), (6, 1, 1), (50, 1, 2), (10, 1, 2)] {
        sleep(minutes(after)).await;
        assert_eq!(client.providers(&heads[0], KEY).await, []);
        let seen = (refused(PrefetchRefusal::FailedLately), refused(PrefetchRefusal::FailedBefore));
        assert_eq!(seen, (lately, before), "{after}");
    }
    sleep(minutes(1)).await;
    assert_eq!(outcomes(&hydra), [0, 2, 0]);
    hydra.leave().await;
    // One that knows nobody.
    let lonely = HydraConfig { bootstrap: Vec::new(), ..settlement.config(7..8) };
    let lonely = Hydra::join(&settlement.fabric, prefetching(lonely)).await.expect("a head");
    client.providers(&contacts(&lonely)[0], KEY).await;
    sleep(minutes(1)).await;
    assert_eq!(outcomes(&lonely), [0, 0, 1]);
    lonely.leave().await;
}

#[tokio::test(start_paused = true)]
async fn two_hydras_do_not_keep_alive_what_its_provider_has_given_up() {
    let settlement = Settlement::of("peers = 60");
    let config = prefetching(settlement.config(0..4));
    let belly = config.belly.clone();
    let one = Hydra::join(&settlement.fabric, config).await.expect("heads");
    let two = join(&settlement, 4..8).await;
    one.announced(1).await;
    two.announced(1).await;
    // One of them was told of it almost two days ago; it expires in an hour.
    let (client, addr) =
        (Client::on(&settlement.fabric).await, "/ip4/127.0.0.1/tcp/5001".parse::<kad::Multiaddr>());
    let (id, addr) = (client.id.to_bytes(), addr.expect("an address"));
    let entry = entry(&id, [addr.as_ref()].into_iter(), ConnectionType::NotConnected);
    let provider = NewProvider::new(&id, &entry).expect("a provider");
    belly.add_provider(KEY, provider, NOW.saturating_sub(minutes(47 * 60)));
    let begun = Instant::now();
    let (mut last, mut has_fetched) = (Duration::ZERO, false);
    while begun.elapsed() < minutes(12 * 60) {
        for hydra in [&one, &two] {
            if !client.providers(&contacts(hydra)[0], KEY).await.is_empty() {
                last = begun.elapsed();
                has_fetched |= hydra.heads()[0].index() == 4;
            }
        }
        sleep(minutes(3)).await;
    }
    // Each may have it from the other once.
    assert!(has_fetched && last <= minutes(60) + 2 * LIFETIME, "{last:?}");
    one.leave().await;
    two.leave().await;
}

#[tokio::test(start_paused = true)]
async fn however_much_is_missed_lookups_take_their_share_and_no_more() {
    let settlement = Settlement::of("peers = 300");
    let prefetch = PrefetchConfig { cpu_share: 0.02, queue: 100, ..PrefetchConfig::default() };
    let config = HydraConfig { prefetch: Some(prefetch), ..settlement.config(0..3) };
    let hydra = Hydra::join(&settlement.fabric, config).await.expect("heads");
    hydra.announced(1).await;
    let (client, head) = (Client::on(&settlement.fabric).await, contacts(&hydra).remove(0));
    let asked_before = asked(&hydra);
    let begun = Instant::now();
    let mut missed = 0_u32;
    while begun.elapsed() < minutes(1) {
        assert_eq!(client.providers(&head, &Key::of(&missed.to_be_bytes()).as_bytes()[..]).await, []);
        missed += 1;
        sleep(Duration::from_millis(20)).await;
    }
    let seen = hydra.prefetch().expect("it prefetches");
    let counted: u64 = PrefetchRefusal::ALL.iter().map(|&reason| seen.refused(reason)).sum();
    assert_eq!(seen.begun() + counted, u64::from(missed));
    assert!(seen.refused(PrefetchRefusal::QueueFull) > 0 || seen.pending() > 0);
    // A minute's share, and what is under way.
    let spent = prefetch.cost.per_request * u32::try_from(asked(&hydra) - asked_before).expect("few");
    assert!(spent < minutes(1).mul_f64(0.02 * 1.2), "{spent:?}");
    assert!(outcomes(&hydra)[1] >= 20, "{:?}", outcomes(&hydra));
    hydra.leave().await;
}

/// How many times the hydra has asked who provides something.
fn asked(hydra: &Hydra<SimNetwork>) -> u64 {
    let counts = hydra.counters().asked(kadscope_hydra::AskedType::GetProviders);
    counts.sent.load(std::sync::atomic::Ordering::Relaxed)
}
