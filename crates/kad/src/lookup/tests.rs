//! Lookups in small networks whose truth is known, with liars, and from their traces.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::{
    failure::{Failure, FailureClass, Phase},
    key::Key,
    message::K,
    table::{Newcomer, RoutingTable, TableRules},
};

/// Ids as SHA-256 multihashes of a number.
fn id(number: u32) -> Vec<u8> {
    [&[0x12, 0x20][..], Key::of(&number.to_be_bytes()).as_bytes()].concat()
}

/// Numbers that look random and are always the same (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap_or_default()
    }
}

/// What a peer does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    Dead,
    /// Names a thousand peers that do not exist, new ones for each.
    Thousand,
    /// Names itself, the asker, and what is no id.
    Nonsense,
    /// Answers for another key.
    OtherKey,
}

/// Peers with complete tables of buckets of k, each filled in an order of its own.
#[derive(Clone)]
struct Net {
    ids: Vec<Vec<u8>>,
    tables: Arc<Vec<RoutingTable<usize>>>,
    manners: Vec<Manner>,
}

impl Net {
    fn new(peers: u32, seed: u64) -> Self {
        let ids: Vec<_> =
            (0..peers).map(|number| id(number ^ u32::try_from(seed << 12 & 0xffff_f000).unwrap())).collect();
        let keys: Vec<_> = ids.iter().map(|id| Key::of(id)).collect();
        let mut numbers = Numbers(seed);
        let mut order: Vec<usize> = (0..ids.len()).collect();
        let tables = keys.iter().map(|&own| {
            let mut table = RoutingTable::new(own, TableRules::default());
            for last in (1..order.len()).rev() {
                order.swap(last, numbers.below(last + 1));
            }
            for &peer in &order {
                drop(table.insert(Newcomer::new(keys[peer], peer), Duration::ZERO));
            }
            table
        });
        let tables = Arc::new(tables.collect());
        let manners = vec![Manner::Honest; ids.len()];
        Self { ids, tables, manners }
    }

    /// What a peer answers; `None` if it does not.
    fn answer(&self, peer: usize, target: &[u8]) -> Option<Vec<Vec<u8>>> {
        let closest =
            |key| self.tables[peer].closest(&key, K).into_iter().map(|known| self.ids[known.peer].clone());
        Some(match self.manners[peer] {
            Manner::Honest => closest(Key::of(target)).collect(),
            Manner::Dead => return None,
            Manner::Thousand => {
                let first = (1 << 31) + u32::try_from(peer).unwrap() * 1000;
                (first..first + 1000).map(id).collect()
            }
            Manner::Nonsense => {
                vec![self.ids[peer].clone(), OWN.to_vec(), vec![], vec![0x12, 0x20, 1], vec![7; 500]]
            }
            Manner::OtherKey => closest(Key::of(b"another key")).collect(),
        })
    }

    /// The true closest honest peers.
    fn closest(&self, target: &[u8], count: usize) -> Vec<Vec<u8>> {
        let mut all: Vec<_> = (0..self.ids.len())
            .filter(|&peer| self.manners[peer] == Manner::Honest)
            .map(|peer| self.ids[peer].clone())
            .collect();
        all.sort_by_key(|id| Key::of(id).distance(&Key::of(target)));
        all.truncate(count);
        all
    }

    fn start(&self, from: usize) -> Vec<&[u8]> {
        (0..20.min(self.ids.len())).map(|step| &*self.ids[(from + step) % self.ids.len()]).collect()
    }
}

/// Four honest networks: making one costs far more than a lookup in it.
static NETS: LazyLock<Vec<Net>> = LazyLock::new(|| (0..4).map(|seed| Net::new(150, seed)).collect());

fn net(seed: u64) -> Net {
    NETS[usize::try_from(seed % 4).unwrap()].clone()
}

const OWN: &[u8] = b"\x12\x20own id own id own id own id own id";

fn target(preimage: &[u8]) -> LookupTarget<'_> {
    LookupTarget { kind: LookupKind::Closest, preimage }
}

/// Runs a lookup. Answers come in an order drawn from `seed`, a millisecond apart.
fn run(
    net: &Net,
    preimage: &[u8],
    from: usize,
    rules: Rules,
    seed: u64,
) -> (LookupOutcome, Trace, Vec<Vec<u8>>) {
    let start = net.start(from);
    let mut lookup = Lookup::new(target(preimage), Start { own: OWN, peers: &start }, rules);
    let mut trace = Trace::new(&lookup);
    let places: HashMap<&[u8], usize> = net.ids.iter().map(Vec::as_slice).zip(0..).collect();
    let (mut open, mut asked, mut now) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut numbers = Numbers(seed);
    loop {
        match lookup.step() {
            Step::Ask(candidate) => {
                asked.push(lookup.candidates.id(candidate).unwrap().to_vec());
                open.push((candidate, trace.ask(&lookup, candidate, now).unwrap()));
                assert!(lookup.termination().is_some() || open.len() <= rules.alpha);
            }
            Step::Wait => {
                now += Duration::from_millis(1);
                let (candidate, rpc) = open.swap_remove(numbers.below(open.len()));
                let place = places.get(lookup.candidates.id(candidate).unwrap());
                let answer = place.and_then(|&place| net.answer(place, preimage));
                if let Some(closer) = answer {
                    trace.sent(rpc, now);
                    trace.answered(rpc, now, closer.iter().map(|id| (&**id, true)), []);
                    lookup.answered(candidate, closer.iter().map(Vec::as_slice));
                } else {
                    trace.failed(rpc, now, Failure::new(Phase::Connect, FailureClass::ConnectionRefused));
                    lookup.failed(candidate);
                }
            }
            Step::Give(_) | Step::MayReturn => unreachable!("it gives nothing"),
            Step::Done => break,
        }
    }
    trace.close(now);
    (lookup.outcome(), trace, asked)
}

fn ids(outcome: &LookupOutcome) -> Vec<Vec<u8>> {
    outcome.closest.iter().map(|peer| peer.peer.to_bytes()).collect()
}

fn rules() -> impl Strategy<Value = Rules> {
    let ends = prop_oneof![Just(FollowUp::None), Just(FollowUp::Rest), Just(FollowUp::Go)];
    (1..25usize, 1..15usize, 1..25usize, ends, 1..50usize, 1..300usize).prop_map(
        |(k, alpha, beta, follow_up, per_answer, known)| Rules {
            k,
            alpha,
            beta,
            follow_up,
            per_answer,
            known,
            ..Rules::go()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn on_honest_complete_tables_the_true_closest_are_found(
        peers in 1..250u32, seed: u64, from in 0..250usize, preimage: [u8; 8],
    ) {
        let net = Net::new(peers, seed % 64);
        let (outcome, trace, _) = run(&net, &preimage, from, Rules::specification(), seed);
        prop_assert_eq!(ids(&outcome), net.closest(&preimage, K));
        prop_assert!(outcome.is_complete);
        prop_assert!(outcome.closest.iter().all(|peer| peer.state == PeerState::Queried));
        let counts = trace.counts();
        // Those that were under way when the closest had answered were given up.
        prop_assert_eq!((counts.asked, counts.failed), (outcome.asked, 0));
        prop_assert!(counts.unsent < Rules::specification().alpha);
    }

    #[test]
    fn lookups_end_and_ask_nobody_twice_whoever_lies(
        rules in rules(), seed: u64, from in 0..150usize, preimage: [u8; 8], liars in 0..150usize,
    ) {
        let mut net = net(seed);
        let manners = [Manner::Dead, Manner::Thousand, Manner::Nonsense, Manner::OtherKey];
        for liar in 0..liars {
            net.manners[liar] = manners[liar % manners.len()];
        }
        let (outcome, trace, mut asked) = run(&net, &preimage, from, rules, seed);
        prop_assert!(outcome.known <= rules.known);
        prop_assert!(!asked.iter().any(|id| id == OWN), "it asks itself");
        let searched = asked.len();
        asked.sort();
        asked.dedup();
        // Go asks those of the k closest again that answered between the end of the search and the follow-up.
        let again = if rules.follow_up == FollowUp::Go { rules.k.min(rules.alpha) } else { 0 };
        prop_assert!(searched - asked.len() <= again, "{} of {searched} twice", searched - asked.len());
        prop_assert!(asked.len() <= rules.known);
        let counts = trace.counts();
        prop_assert_eq!(counts.asked, outcome.asked);
        prop_assert_eq!(counts.asked, counts.unsent + counts.sent);
        prop_assert_eq!(counts.sent, counts.answered + counts.unconfirmed + counts.cancelled + counts.failed);
        prop_assert_eq!(counts.open, 0);
    }

    #[test]
    fn a_trace_decided_anew_under_its_own_rules_comes_to_the_same(
        rules in rules(), seed: u64, from in 0..150usize, preimage: [u8; 8], dead in 0..75usize,
    ) {
        let mut net = net(seed);
        for place in 0..dead {
            net.manners[place * 2] = Manner::Dead;
        }
        let (outcome, trace, _) = run(&net, &preimage, from, rules, seed);
        let again = replay(&trace, rules);
        prop_assert_eq!(&again.outcome, &outcome);
        prop_assert_eq!(again.unknown, 0);
        let other = replay(&trace, Rules { alpha: 1, ..rules });
        prop_assert!(other.outcome.asked <= rules.known + rules.k);
    }
}

#[test]
fn the_rules_of_go_find_nearly_all_of_the_true_closest() {
    let (mut found, mut sought) = (0, 0);
    for seed in 0..16 {
        let net = Net::new(250, seed);
        let preimage = seed.to_be_bytes();
        let (outcome, ..) = run(&net, &preimage, 3, Rules::go(), seed);
        let truth = net.closest(&preimage, K);
        sought += truth.len();
        found += ids(&outcome).iter().filter(|id| truth.contains(id)).count();
    }
    assert!(found * 100 >= sought * 99, "{found} of {sought}");
}

fn begin(kind: LookupKind, preimage: &[u8], rules: Rules) -> (Lookup, Vec<Candidate>) {
    let peers: Vec<_> = (0..4).map(id).collect();
    let peers: Vec<_> = peers.iter().map(Vec::as_slice).collect();
    let mut lookup = Lookup::new(LookupTarget { kind, preimage }, Start { own: OWN, peers: &peers }, rules);
    let asked = std::iter::from_fn(|| match lookup.step() {
        Step::Ask(candidate) => Some(candidate),
        _ => None,
    });
    let asked = asked.collect();
    (lookup, asked)
}

#[test]
fn a_lookup_with_nobody_to_begin_with_is_over() {
    let mut lookup = Lookup::new(target(b"x"), Start { own: OWN, peers: &[OWN, b"no id"] }, Rules::go());
    assert_eq!(lookup.step(), Step::Done);
    assert_eq!(lookup.outcome().termination, Termination::Starvation);
}

#[test]
fn enough_providers_end_it_and_their_addresses_may_come_later() {
    let (mut lookup, asked) = begin(LookupKind::Providers, b"key", Rules::lean().until(Enough::Count(2)));
    assert_eq!(lookup.provider(&id(50), false), Some(Novelty::Provider));
    assert_eq!(lookup.provider(b"no id", true), None);
    lookup.answered(asked[0], []);
    assert_eq!(lookup.step(), Step::Wait);
    assert_eq!(lookup.provider(&id(50), true), Some(Novelty::Addresses));
    assert_eq!(lookup.provider(&id(51), true), Some(Novelty::Provider));
    assert_eq!(lookup.provider(&id(52), true), None, "there are enough");
    lookup.answered(asked[1], []);
    assert_eq!(lookup.step(), Step::Done);
    let outcome = lookup.outcome();
    assert_eq!((outcome.termination, outcome.is_complete), (Termination::Stopped, false));
    assert_eq!(outcome.providers.len(), 2);
}

#[test]
fn a_quorum_as_go_counts_it_takes_one_more() {
    let (mut lookup, asked) = begin(LookupKind::Value, b"/pk/x", Rules::lean().until(Enough::go_quorum(1)));
    lookup.value();
    lookup.answered(asked[0], []);
    assert_eq!(lookup.step(), Step::Wait);
    lookup.value();
    lookup.answered(asked[1], []);
    assert_eq!((lookup.step(), lookup.termination()), (Step::Done, Some(Termination::Stopped)));
}

#[test]
fn a_connection_to_the_peer_looked_for_is_its_end() {
    let (mut lookup, asked) = begin(LookupKind::Peer, &id(2), Rules::lean());
    let sought = lookup.candidates.find(&id(2)).unwrap();
    assert_eq!(asked[0], sought, "it is its own closest peer");
    lookup.connected(asked[1]);
    assert_eq!(lookup.step(), Step::Wait);
    lookup.connected(sought);
    assert_eq!(lookup.step(), Step::Done);
    assert!(lookup.outcome().is_connected);
}

#[test]
fn go_waits_for_everybody_and_asks_again_who_answered_too_late() {
    let (mut lookup, asked) = begin(LookupKind::Closest, b"key", Rules::go());
    for &peer in &asked[..3] {
        lookup.answered(peer, []);
    }
    assert_eq!((lookup.step(), lookup.termination()), (Step::Wait, Some(Termination::Completed)));
    lookup.answered(asked[3], [&*id(77)]);
    assert_eq!(lookup.step(), Step::Ask(asked[3]));
    assert_eq!(lookup.step(), Step::Wait);
    lookup.failed(asked[3]);
    assert_eq!(lookup.step(), Step::Done);
    let outcome = lookup.outcome();
    assert_eq!((outcome.asked, outcome.known, outcome.closest.len()), (5, 4, 4));
    assert_eq!(outcome.closest[3].state, PeerState::Unreachable);
}

#[test]
fn without_that_rule_who_answered_late_has_answered() {
    let (mut lookup, asked) = begin(LookupKind::Closest, b"key", Rules::lean());
    for &peer in &asked[..3] {
        lookup.answered(peer, []);
    }
    assert_eq!(lookup.step(), Step::Wait);
    lookup.answered(asked[3], []);
    assert_eq!(lookup.step(), Step::Done);
    let outcome = lookup.outcome();
    assert_eq!((outcome.asked, outcome.is_complete), (4, true));
    assert_eq!(outcome.closest[3].state, PeerState::Queried);
}

#[test]
fn what_came_of_a_request_is_told_once() {
    let (mut lookup, asked) = begin(LookupKind::Closest, b"key", Rules::go());
    lookup.failed(asked[0]);
    assert_eq!(lookup.answered(asked[0], [&*id(9)]), HeardCounts::default());
    assert_eq!(lookup.state(asked[0]), Some(PeerState::Unreachable));
    lookup.cancel();
    assert_eq!(lookup.step(), Step::Done);
    assert_eq!(lookup.outcome().termination, Termination::Cancelled);
}

#[test]
fn what_is_left_out_of_an_answer_is_counted() {
    let (mut lookup, asked) =
        begin(LookupKind::Closest, b"key", Rules { per_answer: 5, known: 5, ..Rules::go() });
    let answer = [OWN, &id(0), b"no id", &id(10), &id(11), &id(12)];
    let heard = lookup.answered(asked[0], answer);
    assert_eq!(heard, HeardCounts { new: 1, known: 1, own: 1, malformed: 1, over_limit: 2 });
}

#[test]
fn every_request_of_a_trace_is_counted_once() {
    let (mut lookup, asked) = begin(LookupKind::Providers, b"key", Rules::go());
    let mut trace = Trace::new(&lookup);
    let at = Duration::from_millis;
    let rows: Vec<_> = asked.iter().map(|&peer| trace.ask(&lookup, peer, at(1)).unwrap()).collect();
    let refused = || Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
    trace.failed(rows[0], at(2), refused());
    trace.sent(rows[1], at(3));
    trace.failed(rows[1], at(4), Failure::new(Phase::Request, FailureClass::Timeout));
    trace.answered(rows[2], at(5), [(&*id(70), true), (OWN, false)], [(&*id(71), false)]);
    trace.failed(rows[2], at(6), refused());
    trace.sent(rows[3], at(6));
    assert_eq!(trace.counts().open, 1);
    trace.close(at(7));
    lookup.answered(asked[2], [&*id(70)]);
    let late = lookup.candidates.find(&id(70)).unwrap();
    let row = trace.ask(&lookup, late, at(8)).unwrap();
    trace.unconfirmed(row, at(9));
    let counts = RpcCounts {
        asked: 5,
        unsent: 1,
        sent: 4,
        answered: 1,
        unconfirmed: 1,
        cancelled: 1,
        failed: 1,
        open: 0,
        classes: [(FailureClass::ConnectionRefused, 1), (FailureClass::Timeout, 1)].into(),
    };
    assert_eq!(trace.counts(), counts);
    let rpc = &trace.rpcs[row];
    assert_eq!((rpc.heard_at, rpc.hop, rpc.sent, rpc.ended), (at(5), 1, Some(at(9)), Some(at(9))));
    assert_eq!(rpc.heard_by, Some(trace.rpcs[rows[2]].peer));
    assert_eq!(rpc.common_prefix_len, Key::of(b"key").common_prefix_len(&Key::of(&id(70))));
    assert_eq!(trace.rpcs[rows[2]].providers.len(), 1);
}

#[test]
fn a_replay_says_what_it_could_not_know() {
    let (mut lookup, asked) =
        begin(LookupKind::Closest, b"key", Rules { alpha: 1, beta: 1, ..Rules::specification() });
    let mut trace = Trace::new(&lookup);
    let row = trace.ask(&lookup, asked[0], Duration::ZERO).unwrap();
    trace.answered(row, Duration::from_millis(30), [], []);
    lookup.answered(asked[0], []);
    assert_eq!((asked.len(), lookup.step()), (1, Step::Done));
    let same = replay(&trace, trace.rules);
    assert_eq!((same.unknown, same.took), (0, Duration::from_millis(30)));
    let more = replay(&trace, Rules { beta: 2, ..trace.rules });
    assert_eq!((more.outcome.asked, more.unknown), (4, 3));
    assert_eq!(more.outcome.termination, Termination::Starvation);
}

#[test]
fn a_lookup_is_decided_anew_without_a_peer() {
    let (mut lookup, asked) =
        begin(LookupKind::Closest, b"key", Rules { alpha: 1, beta: 1, ..Rules::specification() });
    let mut trace = Trace::new(&lookup);
    let row = trace.ask(&lookup, asked[0], Duration::ZERO).unwrap();
    let slow = trace.rpcs[row].peer;
    trace.answered(row, Duration::from_secs(7), [], []);
    lookup.answered(asked[0], []);
    // Nobody asked the one who is asked in its stead: it answers as fast as is usual.
    let without = replay_without(&trace, slow, Duration::from_millis(40));
    assert_eq!(
        (without.took, without.searched),
        (Duration::from_millis(40), Some(Duration::from_millis(40)))
    );
    assert_eq!((without.outcome.termination, without.unknown), (Termination::Completed, 1));
    let id = trace.id(slow).unwrap();
    assert!(without.outcome.closest.iter().all(|closest| closest.peer.to_bytes() != id));
    assert_eq!(trace.number_of(id), Some(slow));
}
