//! Operations in simulated networks in virtual time, of which it is known who holds them up; and any operation that a stranger may
//! write.

use std::sync::Arc;

use dht::{
    ANSWER_PATIENCE, BACKGROUND_SLOTS, Finder, FinderTerms, Found, FullTable, OptimisticTerms, Pool,
    PoolConfig, ProviderRecord, Publication, PublishTerms, Quest, ReadingTimes, SizeWatch,
};
use kad::{
    Contact, Key, Persistence,
    failure::{FailureClass, Phase},
    lookup::{Enough, LookupKind, RpcFate, Rules},
    message::AMINO_PROTOCOL,
};
use proptest::{prelude::proptest, prop_assert, prop_assert_eq};
use schema::{ConnectionPolicy, OperationKind, OperationOutcome, RequestPurpose, Strategy};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::operation::{OperationId, OperationRequest, OperationTold, UnixNanos, tests::operation};

/// Every peer is so far away that a round trip takes 100 ms.
const FAR: &str = "[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 100 }\n";

const ROUND_TRIP: Duration = Duration::from_millis(100);

fn own() -> Contact {
    let peer = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
    Contact { peer, addrs: vec!["/ip4/127.0.0.1/tcp/4001".parse().expect("an address")] }
}

/// A network and whoever asks in it.
struct Net {
    finder: Finder<SimNetwork>,
}

impl Net {
    fn new(toml: &str) -> Self {
        let scenario = Scenario::parse(&format!("{toml}\n{FAR}"), "test").expect("a scenario");
        let network = SimNetwork::new(
            Arc::new(World::generate(&scenario)),
            SimConfig { local: own().peer, ..SimConfig::default() },
        );
        let terms = FinderTerms {
            own: own().peer,
            protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
            patience: ANSWER_PATIENCE,
        };
        Self { finder: Finder::new(Pool::new(network, PoolConfig::default()), terms) }
    }

    fn world(&self) -> &World {
        self.finder.pool().network().world()
    }

    fn contact(&self, peer: u32) -> Contact {
        Contact { peer: self.world().peer_id(peer), addrs: self.world().addresses(peer) }
    }

    /// The closest peers of the world, by what they are.
    fn closest(&self, key: &[u8]) -> Vec<(PeerId, State)> {
        let world = self.world();
        let mut all: Vec<u32> = world.peers().collect();
        all.sort_by_key(|&peer| world.key(peer).distance(&Key::of(key)));
        all.into_iter().take(20).map(|peer| (world.peer_id(peer), world.state(peer))).collect()
    }

    /// A key of whose closest peers exactly one is in such a state, and that peer.
    fn key_near(&self, place: std::ops::Range<usize>, is: impl Fn(State) -> bool) -> (Vec<u8>, PeerId) {
        let mut keys = (0..5_000_u32).map(|number| number.to_be_bytes().to_vec());
        let near = |key: Vec<u8>| {
            let closest = self.closest(&key);
            let mut bad = closest.iter().enumerate().filter(|(_, (_, state))| is(*state));
            let (at, (peer, _)) = bad.next()?;
            (place.contains(&at) && bad.next().is_none()).then_some((key, *peer))
        };
        keys.find_map(near).expect("a key near one of them")
    }

    fn quest(&self, kind: LookupKind, key: &[u8], rules: Rules) -> Quest {
        let from = self.world().peers().take(20).map(|peer| self.contact(peer)).collect();
        Quest { kind, key: key.to_vec(), from, rules }
    }

    async fn find(&self, kind: LookupKind, key: &[u8], rules: Rules) -> Found {
        let quest = self.quest(kind, key, rules);
        self.finder.find(quest, |_| true, |_, _| {}, &CancellationToken::new()).await
    }

    async fn retrieve(&self, key: &[u8], rules: Rules) -> Operation {
        let found = self.find(LookupKind::Providers, key, rules).await;
        let operation = Operation::of_found(told(OperationKind::Retrieve, Strategy::Default), &found);
        assert_adds_up(&operation);
        operation
    }

    /// Who publishes optimistically has learned the size of the network from its healthy days.
    async fn publish(&self, key: &[u8], strategy: Strategy, healthy: &Self) -> Operation {
        let record = ProviderRecord { key: key.to_vec(), provider: own() };
        let quest = self.quest(LookupKind::Closest, key, Rules::go());
        let deadline = Instant::now() + Duration::from_secs(180);
        let publish = PublishTerms { deadline, persistence: Persistence::Go };
        let cancel = CancellationToken::new();
        let mut published = match strategy {
            Strategy::OptProv => {
                let size = Arc::new(SizeWatch::new(&own().peer));
                for number in 0..20_u8 {
                    let found = healthy.find(LookupKind::Closest, &[number, 1], Rules::go()).await;
                    size.track(&found, |_| 20);
                }
                let slots = Arc::new(Semaphore::new(BACKGROUND_SLOTS));
                let terms = OptimisticTerms { publish, size, slots };
                self.finder.publish_optimistic(&record, quest, &terms, &cancel).await
            }
            _ => self.finder.publish(&record, quest, publish, &cancel).await,
        };
        published.settle().await;
        let operation = Operation::of_publication(told(OperationKind::Provide, strategy), &published);
        assert_adds_up(&operation);
        operation
    }

    async fn publish_full(&self, key: &[u8], persistence: Persistence) -> Operation {
        let table = FullTable::of(self.world().peers().map(|peer| self.contact(peer)));
        let record = ProviderRecord { key: key.to_vec(), provider: own() };
        let cancel = CancellationToken::new();
        let mut published: Publication =
            self.finder.publish_full(&record, &table, persistence, &cancel).await;
        published.settle().await;
        let told = OperationTold { persistence, ..told(OperationKind::Provide, Strategy::FullRt) };
        let operation = Operation::of_publication(told, &published);
        assert_adds_up(&operation);
        operation
    }
}

fn told(kind: OperationKind, strategy: Strategy) -> OperationTold {
    OperationTold {
        id: OperationId([1; 16]),
        kind,
        key: b"key".to_vec(),
        strategy,
        policy: ConnectionPolicy::Cold,
        persistence: Persistence::Go,
        began_at: UnixNanos(0),
        deadline: Duration::from_secs(180),
        table_size: 0,
        own_record: false,
        left_over: false,
        cpu: Duration::ZERO,
        size_estimate: None,
    }
}

fn assert_adds_up(operation: &Operation) {
    let mut at = Duration::ZERO;
    for piece in &operation.critical_path {
        assert!(piece.from == at && piece.from < piece.until, "{piece:?} at {at:?}");
        at = piece.until;
    }
    assert_eq!(at, operation.took);
    let sum: Duration = operation.critical_path.iter().map(PathPiece::took).sum();
    assert_eq!(sum, operation.took);
}

fn waited(operation: &Operation, wait: PathWait) -> Duration {
    operation.critical_path.iter().filter(|piece| piece.wait == wait).map(PathPiece::took).sum()
}

const fn black_hole(state: State) -> bool {
    matches!(state, State::Silent(_))
}

#[tokio::test(start_paused = true)]
async fn in_a_healthy_network_the_pieces_add_up_and_nobody_is_blamed() {
    let net = Net::new("peers = 500");
    for number in 0..10_u8 {
        let operation = net.retrieve(&[number], Rules::go()).await;
        assert_eq!((operation.outcome, &operation.culprit), (OperationOutcome::NotFound, &None));
        assert_eq!(waited(&operation, PathWait::Own), Duration::ZERO, "{:?}", operation.critical_path);
        let hops = operation.hops.expect("somebody answered");
        assert!(hops > 0 && operation.took >= ROUND_TRIP * (hops + 1), "{hops} {:?}", operation.took);
        let counts = operation.counts;
        assert_eq!(counts.asked, u32::try_from(operation.requests.len()).expect("few"));
        assert_eq!((counts.failed, counts.failed_dials), (0, 0));
        // By Go's rules dials end with the search.
        let given_up = operation.requests.iter().filter(|request| request.fate == RpcFate::Cancelled).count();
        assert_eq!(counts.answered + u32::try_from(given_up).expect("few"), counts.asked);
        assert!(counts.wasted < counts.answered && counts.bytes_in > u64::from(counts.answered) * 1000);
    }
}

#[tokio::test(start_paused = true)]
async fn the_one_black_hole_among_the_closest_is_named_with_its_timeout() {
    let net = Net::new("peers = 500\n[[states]]\nshare = 0.02\nstate = 'silent'\nat = 'request'");
    let (key, hole) = net.key_near(0..10, black_hole);
    let operation = net.retrieve(&key, Rules::go()).await;
    let culprit = operation.culprit.as_ref().expect("somebody");
    assert_eq!(culprit.peer, hole);
    let failure = culprit.failure.as_ref().expect("a timeout");
    assert_eq!((failure.phase, failure.class), (Phase::Request, FailureClass::Timeout));
    assert!(culprit.held >= ANSWER_PATIENCE && operation.took > ANSWER_PATIENCE);
    let faster_by = culprit.faster_by.expect("the trace tells");
    assert!(faster_by > Duration::from_secs(5), "{faster_by:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_whose_dial_hangs_is_named_with_its_dial() {
    let net = Net::new("peers = 500\n[[states]]\nshare = 0.004\nstate = 'dropping'");
    let (key, dropping) = net.key_near(3..20, |state| state == State::Dropping);
    let operation = net.retrieve(&key, Rules::go()).await;
    let culprit = operation.culprit.as_ref().expect("somebody");
    assert_eq!((culprit.peer, culprit.phase), (dropping, PathWait::Dial), "{culprit:?}");
    assert!(culprit.faster_by > Some(Duration::from_secs(4)), "{culprit:?}");
    assert_eq!(culprit.failure.as_ref().map(|failure| failure.class), Some(FailureClass::Timeout));
    assert!(operation.counts.failed_dials > 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_is_named_although_it_answers() {
    let net = Net::new("peers = 500\n[[states]]\nshare = 0.02\nstate = 'slow'\ndelay_ms = 3000");
    let (key, _) = net.key_near(0..3, |state| matches!(state, State::Slow(_)));
    let operation = net.retrieve(&key, Rules::go()).await;
    let culprit = operation.culprit.as_ref().expect("somebody");
    let number = net.world().find(&culprit.peer).expect("one of the world");
    assert!(matches!(net.world().state(number), State::Slow(_)), "{culprit:?}");
    assert_eq!((culprit.phase, &culprit.failure), (PathWait::Answer, &None), "{culprit:?}");
    assert!(culprit.held >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn where_all_are_frozen_one_of_them_is_named_and_how_many_are_like_it() {
    let net = Net::new("peers = 80\n[[states]]\nshare = 1.0\nstate = 'silent'\nat = 'request'");
    let operation = net.retrieve(b"key", Rules::go()).await;
    assert_eq!(operation.outcome, OperationOutcome::NotFound);
    let culprit = operation.culprit.as_ref().expect("somebody");
    assert_eq!(culprit.failure.as_ref().map(|failure| failure.class), Some(FailureClass::Timeout));
    assert!(culprit.held >= ANSWER_PATIENCE && culprit.alike > 0, "{culprit:?}");
    assert_eq!(operation.counts.failed, operation.counts.asked);
}

#[tokio::test(start_paused = true)]
async fn the_tick_of_a_full_table_is_named_with_who_did_not_answer() {
    let net = Net::new("peers = 200\n[[states]]\nshare = 0.6\nstate = 'dropping'");
    let is_right = |key: &[u8]| {
        let online = net.closest(key).iter().filter(|(_, state)| *state == State::Online).count();
        (6..10).contains(&online)
    };
    let key = (0..100_u8).map(|number| [number]).find(|key| is_right(key)).expect("a key");
    let operation = net.publish_full(&key, Persistence::Go).await;
    let last = operation.critical_path.last().expect("a piece");
    assert_eq!((last.wait, last.part), (PathWait::Tick, PathPart::Give), "{last:?}");
    let culprit = operation.culprit.as_ref().expect("somebody");
    let world = net.world();
    let number = world.find(&culprit.peer).expect("one of the world");
    assert_eq!((culprit.wait, culprit.phase), (PathWait::Tick, PathWait::Dial), "{culprit:?}");
    assert_eq!(world.state(number), State::Dropping);
    assert!(operation.counts.holders_sent < operation.counts.holders);
}

#[tokio::test(start_paused = true)]
async fn what_was_found_took_until_it_was_heard_of() {
    let net = Net::new("peers = 300\n[[states]]\nshare = 0.02\nstate = 'silent'\nat = 'request'");
    net.publish_full(b"key", Persistence::Thorough).await;
    let operation = net.retrieve(b"key", Rules::go().until(Enough::FIRST)).await;
    assert_eq!(operation.outcome, OperationOutcome::Done);
    let last = operation.critical_path.last().and_then(|piece| operation.requests.get(piece.request?));
    let last = last.expect("a request");
    assert!(last.providers > 0 && last.is_critical && last.ended_after == Some(operation.took));
    assert_eq!(operation.hops, Some(last.hop));
}

#[tokio::test(start_paused = true)]
async fn a_publication_waits_for_its_search_and_then_for_the_last_record_to_leave() {
    let net = Net::new("peers = 500");
    for strategy in [Strategy::Default, Strategy::OptProv] {
        let operation = net.publish(b"key", strategy, &net).await;
        assert_eq!((operation.outcome, &operation.culprit), (OperationOutcome::Done, &None), "{strategy}");
        assert_eq!(waited(&operation, PathWait::Own), Duration::ZERO, "{:?}", operation.critical_path);
        assert_eq!((operation.counts.holders, operation.counts.holders_sent), (20, 20), "{strategy}");
    }
    // On connections that stand a record has left as soon as it is known to whom it goes.
    let again = net.publish(b"key", Strategy::Default, &net).await;
    assert!(
        again.critical_path.iter().all(|piece| piece.part != PathPart::Give),
        "{:?}",
        again.critical_path
    );
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_publication_up_is_named_whatever_the_part() {
    let holes = "peers = 500\n[[states]]\nshare = 0.01\nstate = 'silent'\nat = 'request'";
    let net = Net::new(holes);
    let (key, hole) = net.key_near(0..20, black_hole);
    let operation = net.publish(&key, Strategy::Default, &net).await;
    let culprit = operation.culprit.as_ref().expect("somebody");
    assert_eq!((culprit.peer, culprit.phase), (hole, PathWait::Answer), "{culprit:?}");
    assert!(culprit.faster_by > Some(Duration::from_secs(5)), "{culprit:?}");
    assert_eq!(operation.outcome, OperationOutcome::Done);
}

#[tokio::test(start_paused = true)]
async fn a_publication_among_frozen_peers_says_for_whom_it_waited() {
    let net = Net::new("peers = 80\n[[states]]\nshare = 1.0\nstate = 'silent'\nat = 'request'");
    let operation = net.publish(b"key", Strategy::Default, &net).await;
    // As Go says it.
    assert_eq!((operation.outcome, operation.counts.holders), (OperationOutcome::Done, 0));
    // Twenty peers to begin with, ten at a time, and by Go's rules each is asked twice: four times ten seconds.
    let timeouts = 4 * ANSWER_PATIENCE;
    assert!((timeouts..timeouts + Duration::from_secs(1)).contains(&operation.took), "{:?}", operation.took);
    let culprit = operation.culprit.as_ref().expect("somebody");
    let failure = culprit.failure.as_ref().expect("a timeout");
    assert_eq!((failure.phase, failure.class), (Phase::Request, FailureClass::Timeout));
    assert_eq!((culprit.phase, culprit.alike), (PathWait::Answer, 9), "{culprit:?}");
}

#[tokio::test(start_paused = true)]
async fn an_optimistic_publication_waits_for_the_fifteenth_and_says_for_whom() {
    let healthy = Net::new("peers = 300");
    let net = Net::new("peers = 300\n[[states]]\nshare = 0.4\nstate = 'dropping'");
    let operation = net.publish(b"key", Strategy::OptProv, &healthy).await;
    assert_eq!(operation.outcome, OperationOutcome::Done);
    let done = |request: &&OperationRequest| {
        let done = request.sent_after.or(request.ended_after);
        request.purpose == RequestPurpose::Give && done.is_some_and(|done| done <= operation.took)
    };
    assert!(operation.requests.iter().filter(done).count() >= 15);
    let last = operation.critical_path.last().expect("a piece");
    assert_eq!((last.part, last.wait), (PathPart::Give, PathWait::Dial), "{last:?}");
    let culprit = operation.culprit.as_ref().expect("somebody");
    let number = net.world().find(&culprit.peer).expect("one of the world");
    assert_eq!((culprit.phase, net.world().state(number)), (PathWait::Dial, State::Dropping));
    assert_eq!(culprit.failure.as_ref().map(|failure| failure.class), Some(FailureClass::Timeout));
}

/// A tenth of all take records as it seems, and keep none: their programs say so, and so does the reading.
#[tokio::test(start_paused = true)]
async fn who_swallows_records_is_found_out_when_they_are_read_back() {
    let net = Net::new(
        "peers = 200\n[[agents]]\nname = 'kubo/0.40.0/'\nshare = 1.0\n[[holders]]\nname = 'swallowing'\nshare = 0.3\n\
         swallows = true",
    );
    let record = ProviderRecord { key: b"key".to_vec(), provider: own() };
    let (begun, cancel) = (Instant::now(), CancellationToken::new());
    let quest = net.quest(LookupKind::Closest, b"key", Rules::go());
    let publish = PublishTerms { deadline: begun + Duration::from_secs(60), persistence: Persistence::Go };
    let mut published = net.finder.publish(&record, quest, publish, &cancel).await;
    let ended = begun + published.took;
    published.settle().await;
    let contacts: Vec<Contact> = published.gifts.iter().map(|gift| gift.to.clone()).collect();
    let after = [0, 1, 5, 30].map(Duration::from_secs);
    let times = ReadingTimes { begun, ended, after: &after };
    let readings = net.finder.read_back_at(&record, &contacts, times, &cancel).await;
    let mut operation =
        Operation::of_publication(told(OperationKind::Provide, Strategy::Default), &published);
    let (asked, path) = (operation.counts.asked, operation.critical_path.clone());
    operation.take_readings(&readings);
    let agents = net.finder.agents(&contacts, &cancel).await;
    operation
        .name_agents(|peer| agents.iter().find(|(known, _)| known == peer).map(|(_, agent)| agent.clone()));
    operation.draw_path();
    assert_eq!(
        (operation.counts.asked, &operation.critical_path),
        (asked, &path),
        "reading is no part of it"
    );
    let read = operation.requests.iter().filter(|request| request.purpose == RequestPurpose::ReadBack);
    let mut swallowed = 0;
    for request in read.clone() {
        let number = net.world().find(&request.peer).expect("one of the world");
        let swallows = net.world().holder(number).is_some_and(|holder| holder.swallows);
        assert_eq!(request.has_record, Some(!swallows), "{request:?}");
        swallowed += u64::from(swallows);
    }
    assert_eq!(read.count(), 80);
    assert!(swallowed > 0 && operation.counts.holders_sent == 20);
    let shares = crate::accepted_shares([&operation]);
    assert_eq!(shares.len(), 4, "{shares:?}");
    for share in &shares {
        let kept = share.kept.expect("they answered");
        assert_eq!((share.asked, kept.n, kept.n - kept.hits), (20, 20, swallowed / 4));
        assert!(kept.low < kept.share && kept.share < kept.high && share.agent.is_some());
    }
}

proptest! {
    #[test]
    fn the_pieces_of_any_operation_add_up(operation in operation(), scale in 1..1_000_000_000_u64) {
        let mut operation = operation;
        // Times that meet each other.
        let near = |time: &mut Duration| {
            *time = Duration::from_nanos(u64::try_from(time.as_nanos()).unwrap_or(0) / u64::MAX.div_ceil(scale));
        };
        near(&mut operation.took);
        operation.searched_after.iter_mut().for_each(near);
        let peers: Vec<PeerId> = operation.requests.iter().map(|request| request.peer).collect();
        for (position, request) in operation.requests.iter_mut().enumerate() {
            near(&mut request.heard_after);
            near(&mut request.asked_after);
            request.sent_after.iter_mut().chain(&mut request.ended_after).for_each(near);
            if let Some(dial) = &mut request.dial {
                near(&mut dial.began_after);
                near(&mut dial.ended_after);
            }
            request.heard_by = request.heard_by.map(|_| peers[position * 7 % peers.len()]);
        }
        operation.draw_path();
        let sum: Duration = operation.critical_path.iter().map(PathPiece::took).sum();
        prop_assert_eq!(sum, operation.took);
        let mut at = Duration::ZERO;
        for piece in &operation.critical_path {
            prop_assert!(piece.from == at && piece.from < piece.until);
            at = piece.until;
        }
        prop_assert_eq!(at, operation.took);
        prop_assert!(operation.critical_path.len() <= MAX_PIECES);
        let critical = operation.requests.iter().filter(|request| request.is_critical);
        prop_assert!(critical.into_iter().all(|request| request.purpose != RequestPurpose::ReadBack));
    }
}

#[test]
fn every_wait_and_every_part_is_documented() {
    let page = include_str!("../../../../docs/methodology/perf.md");
    let waits = PathWait::ALL.iter().map(|wait| wait.name());
    let mut names = waits.chain(PathPart::ALL.iter().map(|part| part.name()));
    assert!(names.all(|name| page.contains(&format!("\n| `{name}` |"))));
}
