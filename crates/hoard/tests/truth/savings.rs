//! What a change is said to save, replayed on walks that were seen, beside retrievals that go by it in the same network.

use std::{sync::Arc, time::Duration};

use dht::{ANSWER_PATIENCE, BlockDesk, Finder, FinderTerms, Found, Pool, PoolConfig, Provider, Quest};
use kad::{
    Contact, Keypair, PeerId,
    fabric::{Fabric, Inward, Says, Terms},
    lookup::{Enough, LookupKind, RpcFate, Rules, Trace},
    message::AMINO_PROTOCOL,
    network::Network,
};
use kadscope_hoard::savings::{
    ChangeNumbers, ProviderPlace, RetrievalWalk, SavingsRows, SavingsTerms, SecondWalk, WalkAnswer,
};
use testnet::{Scenario, SimNetwork};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, key, publish};

const MINUTE: Duration = Duration::from_secs(60);

/// How old records are when they are looked for, ascending.
const AGES: [Duration; 3] =
    [Duration::from_secs(5 * 60), Duration::from_secs(20 * 60), Duration::from_secs(45 * 60)];

const KEYS: u32 = 10;

/// How long who waits waits.
const WAIT: Duration = Duration::from_millis(300);

/// Holders that give addresses for 10 minutes, 30 minutes, as long as `rest_s`, and some that keep nothing; near and far.
fn network(ten_s: u32, thirty_s: u32, rest_s: u32) -> Ground {
    let toml = format!(
        "
        seed = 41
        peers = 250
        tables = {{ stale = 0.05 }}
        [[regions]]
        name = 'near'
        share = 0.5
        rtt_ms = {{ near = 30, far = 150 }}
        [[regions]]
        name = 'far'
        share = 0.5
        rtt_ms = {{ far = 61 }}
        [[holders]]
        name = 'ten'
        share = 0.45
        addresses_s = {ten_s}
        [[holders]]
        name = 'thirty'
        share = 0.35
        addresses_s = {thirty_s}
        [[holders]]
        name = 'nothing'
        share = 0.1
        swallows = true
        [[holders]]
        name = 'rest'
        share = 0.1
        addresses_s = {rest_s}
        "
    );
    Ground::of(&Scenario::parse(&toml, "savings").expect("a scenario"))
}

/// Somebody who looks for keys, each time as if it had just come.
struct Looker {
    network: SimNetwork,
    from: Vec<Contact>,
}

/// What a caller has when it stops a walk. Answers that come at the same moment are in some order, as they never are in the field: requests
/// are those that were made before that moment.
#[derive(Debug, PartialEq)]
struct Stopped {
    combo: u8,
    after: Duration,
    requests: u32,
}

/// When a caller stops a walk.
#[derive(Debug, Clone, Copy)]
enum Stop {
    First,
    Addresses,
    AddressesOrAfter(Duration),
}

impl Looker {
    async fn at(ground: &Ground) -> Self {
        let terms = Terms {
            keypair: Keypair::ed25519_from_bytes([99; 32]).expect("any 32 bytes are a key"),
            says: Says::default(),
            listen: Vec::new(),
            inward: Inward::HandedOut,
        };
        let network = ground.fabric.join(terms, Arc::new(BlockDesk::default())).await.expect("joins");
        Self { network, from: ground.bootstrap() }
    }

    async fn find(
        &self,
        (kind, key, rules): (LookupKind, &[u8], Rules),
        watch: impl FnMut(&Trace),
        cancel: &CancellationToken,
    ) -> Found {
        let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
        let terms = FinderTerms { own: self.network.local(), protocols, patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(self.network.clone(), PoolConfig::default()), terms);
        let quest = Quest { kind, key: key.to_vec(), from: self.from.clone(), rules };
        let mut watch = watch;
        finder.find(quest, |_| true, |trace, _| watch(trace), cancel).await
    }

    async fn look(&self, kind: LookupKind, key: &[u8]) -> Found {
        self.find((kind, key, Rules::go()), |_| {}, &CancellationToken::new()).await
    }

    /// Looks for a key, and stops as it is told to.
    async fn retrieve(&self, key: &[u8], stop: Stop) -> Stopped {
        let enough = if matches!(stop, Stop::First) { Enough::FIRST } else { Enough::All };
        let rules = Rules::go().until(enough);
        let (cancel, mut waits) = (CancellationToken::new(), false);
        let begun = Instant::now();
        let watch = |trace: &Trace| {
            let named = || trace.rpcs.iter().flat_map(|rpc| &rpc.providers);
            if named().any(|provider| provider.has_addresses) && !matches!(stop, Stop::First) {
                cancel.cancel();
            }
            if let Stop::AddressesOrAfter(patience) = stop
                && !waits
                && named().next().is_some()
            {
                waits = true;
                let (cancel, until) = (cancel.clone(), begun + begun.elapsed() + patience);
                tokio::spawn(async move {
                    sleep_until(until).await;
                    cancel.cancel();
                });
            }
        };
        let found = self.find((LookupKind::Providers, key, rules), watch, &cancel).await;
        // What else came at the same moment is no longer heard.
        let has_addresses = |provider: &Provider| match stop {
            Stop::First => provider.holders.first().is_some_and(|(_, has_addresses)| *has_addresses),
            _ => !provider.given.is_empty(),
        };
        let combo = found.providers.first().map_or(0, |provider| 1 + u8::from(has_addresses(provider)));
        let is_whole = combo == 0 || (combo == 1 && matches!(stop, Stop::Addresses));
        let asked = found.trace.rpcs.iter().filter(|rpc| is_whole || rpc.asked < found.took).count();
        Stopped { combo, after: found.took, requests: u32::try_from(asked).expect("few") }
    }
}

/// A lookup that nothing cut short, as hoard reads it.
fn walk(found: &Found, provider: PeerId, age: Duration, second: SecondWalk) -> RetrievalWalk {
    let trace = &found.trace;
    let mut answered: Vec<_> = trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered).collect();
    answered.sort_by_key(|rpc| rpc.rank);
    let answers = answered.iter().map(|rpc| WalkAnswer {
        after: rpc.ended.expect("it was answered"),
        providers: rpc
            .providers
            .iter()
            .map(|named| (trace.peer(named.peer).expect("a peer"), named.has_addresses))
            .collect(),
    });
    RetrievalWalk {
        key: 0,
        provider,
        age: Some(age),
        took: found.took,
        asked: trace.rpcs.iter().map(|rpc| rpc.asked).collect(),
        answers: answers.collect(),
        second: Some(second),
        place: ProviderPlace::Assumed,
    }
}

fn second(found: &Found) -> SecondWalk {
    SecondWalk { took: found.took, requests: u32::try_from(found.trace.rpcs.len()).expect("few") }
}

/// What hoard says of one walk under each change, as what a caller has when it stops.
fn replayed(walk: &RetrievalWalk, policy: &str, lifetime: Option<u64>) -> Stopped {
    let mut rows = SavingsRows::new(SavingsTerms { wait: WAIT, ..SavingsTerms::default() });
    rows.add(walk);
    let section = rows.section();
    let is_it = |change: &&ChangeNumbers| change.policy == policy && change.address_lifetime_s == lifetime;
    let numbers = &section.changes.iter().find(is_it).expect("it was tried").all;
    let requests = numbers.requests.value.expect("one walk");
    let combo = numbers.id_only.hits + 2 * numbers.with_addresses.hits;
    Stopped {
        combo: u8::try_from(combo).expect("at most 2"),
        after: Duration::from_secs_f64(numbers.settled_s.value.expect("one walk")),
        requests: (0..10_000).find(|&count| f64::from(count) >= requests).expect("few"),
    }
}

/// By how many requests two are apart: never in what was found, and in time by what is lost in seconds as numbers.
fn same(replayed: &Stopped, done: &Stopped, what: &str) -> u32 {
    assert_eq!(replayed.combo, done.combo, "{what}: {replayed:?} {done:?}");
    assert!(replayed.after.abs_diff(done.after) < Duration::from_micros(2), "{what}: {replayed:?} {done:?}");
    replayed.requests.abs_diff(done.requests)
}

/// Everybody's record of each key, published at once; the times from which their ages count.
async fn published(ground: &Ground) -> (PeerId, Vec<Instant>) {
    let publisher = ground.publisher(7).await;
    let provider = publisher.contact().peer;
    let mut times = Vec::new();
    for number in 0..KEYS {
        times.push(Instant::now());
        publish(&publisher, &key(number)).await;
    }
    (provider, times)
}

#[tokio::test(start_paused = true)]
async fn a_replayed_policy_is_what_a_retrieval_under_it_comes_to() {
    let ground = network(600, 1800, 86_400);
    let (provider, times) = published(&ground).await;
    let looker = Looker::at(&ground).await;
    let (mut walks, mut id_only, mut upgraded, mut apart, mut requests) = (0_u32, 0_u32, 0_u32, 0, 0);
    let (mut guessed, mut taken) = (Duration::ZERO, Duration::ZERO);
    for age in AGES {
        for (number, published) in (0..KEYS).zip(&times) {
            sleep_until(*published + age).await;
            let key = key(number);
            let closest = looker.look(LookupKind::Closest, &key).await;
            let age = published.elapsed();
            let seen = looker.look(LookupKind::Providers, &key).await;
            let walk = walk(&seen, provider, age, second(&closest));
            for (policy, stop) in [
                ("first_answer", Stop::First),
                ("peer_set_before", Stop::First),
                ("peer_set_after", Stop::Addresses),
                ("wait_for_addresses", Stop::AddressesOrAfter(WAIT)),
            ] {
                let (said, done) = (replayed(&walk, policy, None), looker.retrieve(&key, stop).await);
                apart += same(&said, &done, policy);
                requests += done.requests;
                id_only += u32::from(policy == "first_answer" && done.combo == 1);
                upgraded += u32::from(policy == "peer_set_after" && done.combo == 2);
            }
            walks += 1;
            guessed += closest.took;
            taken += looker.look(LookupKind::Peer, &provider.to_bytes()).await.took;
        }
    }
    // All of this would hold of a network in which nothing is to be decided.
    assert!(walks == 30 && id_only >= 5 && upgraded > walks - id_only, "{id_only} {upgraded} of {walks}");
    assert!(apart * 100 <= requests, "{apart} of {requests} requests");
    let off = guessed.as_secs_f64() / taken.as_secs_f64();
    assert!((0.7..1.4).contains(&off), "second walks take {off} of what they are said to take");
}

/// A walk for each key at each age.
async fn seen_at_all_ages(ground: &Ground) -> Vec<RetrievalWalk> {
    let (provider, times) = published(ground).await;
    let looker = Looker::at(ground).await;
    let mut seen = Vec::new();
    for age in AGES {
        for (number, published) in (0..KEYS).zip(&times) {
            sleep_until(*published + age + MINUTE).await;
            let age = published.elapsed();
            let found = looker.look(LookupKind::Providers, &key(number)).await;
            seen.push(walk(&found, provider, age, SecondWalk { took: Duration::ZERO, requests: 0 }));
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn addresses_kept_longer_bring_what_they_bring_where_servers_keep_them_so_long() {
    let as_it_is = network(600, 1800, 86_400);
    for (lifetime, changed) in [(1800, network(1800, 1800, 1800)), (86_400, network(86_400, 86_400, 86_400))]
    {
        let mut seen = Vec::new();
        for ground in [&as_it_is, &changed] {
            seen.extend(seen_at_all_ages(ground).await);
            sleep(3 * MINUTE).await;
        }
        let (as_it_is, changed) = seen.split_at(AGES.len() * KEYS as usize);
        for (walk, changed) in as_it_is.iter().zip(changed) {
            for policy in ["first_answer", "peer_set_after"] {
                let (said, done) = (replayed(walk, policy, Some(lifetime)), replayed(changed, policy, None));
                let apart = same(&said, &done, policy);
                assert!(apart <= 2, "{policy}: {said:?} {done:?}");
            }
        }
    }
}
