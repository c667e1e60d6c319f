//! Who is visited when.

use kad::{
    failure::{Failure, FailureClass, Phase},
    message::{Message, MessageType, Peer},
    network::{AddressOutcome, Security},
};
use proptest::prelude::*;
use schema::{AddressVisit, ConnectionInfo, Timestamp, Visit};

use super::{addresses::MAX_ADDRESSES, *};
use crate::{summary::LeftOut, visit::malformed};

/// The most addresses that a dial of these tests tries.
const PLACES: usize = 8;

const REFUSED: (Phase, FailureClass) = (Phase::Connect, FailureClass::ConnectionRefused);
const SILENT: (Phase, FailureClass) = (Phase::Connect, FailureClass::Timeout);
const FULL: (Phase, FailureClass) = (Phase::Secure, FailureClass::ConnectionReset);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Like that of an RSA key.
fn random_id() -> PeerId {
    PeerId::from_bytes(&[&[0x12, 32], &PeerId::random().to_bytes()[2..]].concat()).expect("a multihash")
}

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address")
}

/// Admits everything but port 1.
fn admits(address: &Multiaddr) -> Admitted {
    if address.to_string().ends_with("/1") { Err(SkipReason::Private) } else { Ok(Some(Transport::Tcp)) }
}

/// What a visit showed whose dial tried the first addresses, and met the same at each.
fn missed(job: &Job, (phase, class): (Phase, FailureClass)) -> Visit {
    let mut visit = Visit::begun(job.peer, job.kind, Timestamp(0));
    let outcome = |place, address: &Multiaddr| match admits(address) {
        Err(reason) => AddressOutcome::Skipped(reason),
        Ok(_) if place >= PLACES => AddressOutcome::Skipped(SkipReason::OverLimit),
        Ok(_) => AddressOutcome::Failed(Failure::new(phase, class)),
    };
    let address = |(place, address): (usize, &Multiaddr)| AddressVisit {
        address: address.clone().into(),
        started_after: None,
        took: None,
        outcome: outcome(place, address),
        resolved: Vec::new(),
    };
    visit.met.addresses = job.addrs.iter().enumerate().map(address).collect();
    visit.met.connect_error = AddressVisit::furthest(&visit.met.addresses);
    visit
}

fn reached(peer: PeerNumber) -> Visit {
    let mut visit = Visit::begun(peer, VisitKind::First, Timestamp(0));
    visit.met.connection = Some(ConnectionInfo {
        address: 0,
        transport: Transport::Tcp,
        security: Security::Noise,
        certificate: None,
        ip_version: 4,
        socket: ([127, 0, 0, 1], 1).into(),
        rtt: None,
    });
    visit
}

/// Takes the next turn, and misses; says why the visit was made and which addresses it dialled.
fn miss(
    frontier: &mut Frontier,
    now: Duration,
    what: (Phase, FailureClass),
) -> Option<(VisitKind, Vec<Multiaddr>)> {
    let mut job = frontier.pop(now)?;
    frontier.finish(&missed(&job, what), now);
    job.addrs.truncate(PLACES);
    Some((job.kind, job.addrs))
}

fn found(peers: &[(PeerId, &[Multiaddr])]) -> HeardPeers {
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    message.closer_peers = peers.iter().map(|(id, addrs)| Peer::new(id, addrs)).collect();
    let mut found = HeardPeers::new(b"own", Arc::default());
    found.add(None, &message.encode()).expect("whole");
    found
}

fn frontier() -> (Frontier, PeerNumber, PeerId) {
    let mut frontier = Frontier::new(&random_id(), 7, 1000, Arc::default());
    let first = random_id();
    let number = frontier.add(&first, &[address(2)], &admits).expect("room");
    (frontier, number, first)
}

#[test]
fn a_peer_is_visited_once_when_it_is_reached() {
    let (mut frontier, first, id) = frontier();
    let job = frontier.pop(s(0)).expect("the first");
    assert_eq!((job.peer, job.id, job.kind, job.addrs), (first, id, VisitKind::First, vec![address(2)]));
    frontier.finish(&reached(first), s(0));
    let other = random_id();
    let answer = found(&[(other, &[address(3)]), (id, &[address(9)])]);
    let extended = frontier.extend(first, &answer, s(0), &admits);
    assert_eq!(extended.neighbors, [PeerNumber(1)], "the peer itself is no neighbor");
    assert_eq!(extended.new, [(PeerNumber(1), other)]);
    assert_eq!(frontier.pop(s(0)).map(|job| job.id), Some(other));
    frontier.finish(&reached(PeerNumber(1)), s(0));
    frontier.extend(PeerNumber(1), &found(&[(id, &[address(8)])]), s(0), &admits);
    assert_eq!(frontier.pop(s(0)), None);
    assert_eq!(frontier.idle(s(0)), None);
}

#[test]
fn who_crawls_is_no_peer_and_no_neighbor() {
    let local = random_id();
    let mut frontier = Frontier::new(&local, 7, 1000, Arc::default());
    assert_eq!(frontier.add(&local, &[address(2)], &admits), None);
    let other = random_id();
    let peer = frontier.add(&other, &[address(3)], &admits).expect("room");
    let extended = frontier.extend(peer, &found(&[(local, &[address(4)])]), s(0), &admits);
    assert_eq!((extended, frontier.len()), (Extended::default(), 1));
    assert_eq!(frontier.malformed_ids() + frontier.over_budget() + frontier.opted_out(), 0);
}

#[test]
fn a_peer_without_a_dialable_address_is_parked_until_it_has_one() {
    let (mut frontier, first, _) = frontier();
    let hidden = random_id();
    frontier.pop(s(0)).expect("the first");
    frontier.extend(first, &found(&[(hidden, &[address(1)])]), s(0), &admits);
    assert_eq!(frontier.pop(s(0)), None);
    assert_eq!(
        frontier.parked().map(|(peer, addrs)| (peer, addrs.len())).collect::<Vec<_>>(),
        [(PeerNumber(1), 1)]
    );
    frontier.extend(first, &found(&[(hidden, &[address(4)])]), s(0), &admits);
    let job = frontier.pop(s(0)).expect("an address is known now");
    assert_eq!((job.kind, job.addrs), (VisitKind::First, vec![address(4), address(1)]));
    assert_eq!(frontier.parked().count(), 0);
}

#[test]
fn a_new_address_gives_another_turn_that_begins_with_it() {
    let (mut frontier, first, id) = frontier();
    let job = frontier.pop(s(0)).expect("the first");
    // Learned while the visit is under way: it could not have used the address.
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(3)])]), s(0), &admits);
    frontier.finish(&missed(&job, SILENT), s(5));
    let (kind, dialled) = miss(&mut frontier, s(5), SILENT).expect("another turn");
    assert_eq!((kind, dialled), (VisitKind::NewAddresses, vec![address(3), address(2)]));
    // Nothing new, and an address that would not be dialled: no turn but the second chance of who was given.
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(3), address(1)])]), s(5), &admits);
    assert_eq!(miss(&mut frontier, s(5), SILENT).map(|turn| turn.0), Some(VisitKind::SecondPass));
    assert_eq!((frontier.pop(s(99)), frontier.idle(s(99))), (None, None));
    // Also after that.
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(5)])]), s(10), &admits);
    let (kind, dialled) = miss(&mut frontier, s(10), SILENT).expect("another turn");
    assert_eq!((kind, dialled[0].clone()), (VisitKind::NewAddresses, address(5)));
    assert_eq!((frontier.pop(s(99)), frontier.idle(s(99))), (None, None));
    assert!(frontier.peers.get(first).had_second);
}

#[test]
fn stale_addresses_of_one_source_hide_nobody() {
    let (mut frontier, _, id) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let hidden = random_id();
    // One server names eight addresses where nobody listens, another the right one a little later.
    let stale: Vec<Multiaddr> = (10..18).map(address).collect();
    frontier.extend(PeerNumber(0), &found(&[(hidden, &stale)]), s(0), &admits);
    let (kind, dialled) = miss(&mut frontier, s(0), REFUSED).expect("the first visit");
    assert_eq!((kind, dialled), (VisitKind::First, stale));
    frontier.extend(PeerNumber(7), &found(&[(hidden, &[address(99)])]), ms(200), &admits);
    let (kind, dialled) = miss(&mut frontier, ms(200), REFUSED).expect("another turn");
    assert_eq!((kind, dialled[0].clone()), (VisitKind::NewAddresses, address(99)));
    assert_ne!(id, hidden);
}

#[test]
fn every_address_is_tried_before_a_peer_is_called_unreachable() {
    let (mut frontier, first, _) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let hidden = random_id();
    let addrs: Vec<Multiaddr> = (100..132).map(address).collect();
    frontier.extend(first, &found(&[(hidden, &addrs)]), s(0), &admits);
    let mut tried: Vec<Multiaddr> = Vec::new();
    for expected in
        [VisitKind::First, VisitKind::NewAddresses, VisitKind::NewAddresses, VisitKind::NewAddresses]
    {
        let (kind, dialled) = miss(&mut frontier, s(0), REFUSED).expect("a turn");
        assert_eq!(kind, expected);
        tried.extend(dialled);
    }
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), 32);
    assert_eq!(frontier.pop(s(0)), None);
}

#[test]
fn an_address_with_the_name_of_its_peer_is_the_same_address() {
    let (mut frontier, first, _) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let (named, other) = (random_id(), random_id());
    let full = address(3).with_p2p(named).expect("no name yet");
    frontier.extend(first, &found(&[(named, std::slice::from_ref(&full))]), s(0), &admits);
    let (_, dialled) = miss(&mut frontier, s(0), REFUSED).expect("the first visit");
    assert_eq!(dialled, [address(3)]);
    frontier.extend(PeerNumber(8), &found(&[(named, &[address(3)])]), s(0), &admits);
    frontier.extend(PeerNumber(9), &found(&[(named, &[full])]), s(0), &admits);
    assert_eq!(frontier.pop(s(0)), None, "nothing new");
    assert_eq!(frontier.peers.addrs(PeerNumber(1)).iter().count(), 1);
    // The name of another is no ornament.
    let foreign = address(3).with_p2p(other).expect("no name yet");
    frontier.extend(PeerNumber(9), &found(&[(named, std::slice::from_ref(&foreign))]), s(0), &admits);
    assert!(frontier.peers.addrs(PeerNumber(1)).iter().any(|address| *address == foreign));
    // Who is given by the user is not another either.
    let given = random_id();
    let peer = frontier.add(&given, &[address(5).with_p2p(given).expect("no name"), address(5)], &admits);
    assert_eq!(frontier.peers.addrs(peer.expect("room")).iter().count(), 1);
}

#[test]
fn whose_first_visit_comes_late_has_every_turn_too() {
    // The peer to begin with turns us away at first, so that nobody else is heard of before its second chance.
    let (mut frontier, first, _) = frontier();
    assert_eq!(miss(&mut frontier, s(0), FULL).map(|turn| turn.0), Some(VisitKind::First));
    assert_eq!((frontier.pop(s(0)), frontier.idle(s(0))), (None, Some(s(1))));
    assert_eq!(frontier.pop(s(1)).map(|job| job.kind), Some(VisitKind::SecondPass));
    let late = random_id();
    frontier.extend(first, &found(&[(late, &[address(3)])]), s(1), &admits);
    frontier.finish(&reached(first), s(1));
    assert_eq!(miss(&mut frontier, s(1), REFUSED).map(|turn| turn.0), Some(VisitKind::First));
    frontier.extend(PeerNumber(9), &found(&[(late, &[address(4)])]), s(1), &admits);
    assert_eq!(miss(&mut frontier, s(1), REFUSED).map(|turn| turn.0), Some(VisitKind::NewAddresses));
    assert_eq!(miss(&mut frontier, s(2), REFUSED).map(|turn| turn.0), Some(VisitKind::SecondPass));
    assert_eq!((frontier.pop(s(99)), frontier.idle(s(99))), (None, None));
}

#[test]
fn second_chances_begin_while_first_visits_wait_and_a_refusal_is_not_waited_for() {
    let (mut frontier, first, _) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let (down, slow) = (random_id(), random_id());
    let addrs = [address(3)];
    frontier.extend(first, &found(&[(down, &addrs), (slow, &addrs)]), s(0), &admits);
    frontier.finish(&reached(first), s(0));
    let jobs = [frontier.pop(s(0)), frontier.pop(s(0))].map(|job| job.expect("both"));
    let [down, slow] = [down, slow].map(|id| jobs.iter().find(|job| job.id == id).expect("both"));
    frontier.finish(&missed(down, REFUSED), s(0));
    assert_eq!((frontier.pop(ms(999)), frontier.next_at()), (None, Some(s(1))));
    // The other visit is still under way.
    let again = frontier.pop(s(1)).expect("its second chance");
    assert_eq!((again.id, again.kind, again.is_brief), (down.id, VisitKind::SecondPass, false));
    frontier.finish(&missed(&again, REFUSED), s(1));
    frontier.finish(&missed(slow, REFUSED), s(1));
    assert!(frontier.has_only_second_chances());
    assert_eq!(frontier.idle(s(1)), None, "nobody waits for a refusal alone");
    assert_eq!((frontier.waiting(), frontier.waiting_for_later()), (0, 0));
}

#[test]
fn silence_has_a_second_chance_where_somebody_is_connected_to_the_peer() {
    let (mut frontier, first, _) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let (dead, hidden) = (random_id(), random_id());
    let addrs = [address(3)];
    frontier.extend(first, &found(&[(dead, &addrs), (hidden, &addrs)]), s(0), &admits);
    for _ in 0..2 {
        miss(&mut frontier, s(0), SILENT).expect("the first visits");
    }
    frontier.finish(&reached(first), s(1));
    assert_eq!(frontier.pop(s(5)), None);
    // A claim that comes later gives the chance too, once.
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    let connection = message::ConnectionType::Connected;
    message.closer_peers = vec![Peer { connection, ..Peer::new(&hidden, &addrs) }];
    let mut claims = HeardPeers::new(b"own", Arc::default());
    claims.add(None, &message.encode()).expect("whole");
    for _ in 0..2 {
        frontier.extend(first, &claims, s(5), &admits);
    }
    let job = frontier.pop(s(5)).expect("its second chance");
    assert_eq!((job.id, job.kind, job.is_brief), (hidden, VisitKind::SecondPass, true));
    frontier.finish(&missed(&job, SILENT), s(7));
    frontier.extend(first, &claims, s(7), &admits);
    assert_eq!((frontier.pop(s(99)), frontier.idle(s(99))), (None, None));
}

#[test]
fn who_turns_us_away_is_asked_again_over_the_length_of_the_crawl() {
    let (mut frontier, first, _) = frontier();
    // A short crawl waits until it is some seconds old, and comes once more then.
    let mut turns = Vec::new();
    let mut now = s(0);
    loop {
        turns.extend(miss(&mut frontier, now, FULL).map(|(kind, _)| (now, kind)));
        let Some(next) = frontier.idle(now) else { break };
        now = next;
    }
    let expected = [
        (s(0), VisitKind::First),
        (s(1), VisitKind::SecondPass),
        (s(4), VisitKind::TurnedAway),
        (ms(9_100), VisitKind::TurnedAway),
    ];
    assert_eq!(turns, expected);
    assert_eq!(frontier.peers.stage(first), PeerStage::Failed);
}

#[test]
fn a_long_crawl_comes_back_more_often_and_an_old_one_waits_for_some_seconds() {
    let (mut frontier, first, _) = frontier();
    frontier.pop(s(0)).expect("somebody");
    let full = random_id();
    frontier.extend(first, &found(&[(full, &[address(3)])]), s(100), &admits);
    let mut turns = Vec::new();
    for now in (100..1000).map(s) {
        turns.extend(miss(&mut frontier, now, FULL).map(|_| now));
    }
    assert_eq!(turns, [100, 101, 104, 113, 140, 221].map(s), "while the first visit is under way");
    let last = random_id();
    frontier.extend(first, &found(&[(last, &[address(4)])]), s(1000), &admits);
    frontier.finish(&reached(first), s(1000));
    let mut now = s(1000);
    let mut turns = Vec::new();
    loop {
        turns.extend(miss(&mut frontier, now, FULL).map(|_| now));
        let Some(next) = frontier.idle(now) else { break };
        now = next;
    }
    assert_eq!(turns, [1000, 1001, 1004, 1006].map(s));
}

#[test]
fn who_finds_new_addresses_for_ever_gets_no_turn_for_ever() {
    let (mut frontier, first, id) = frontier();
    let (mut prompt, mut all) = (0, 0);
    for port in 10..2000 {
        prompt += u32::from(miss(&mut frontier, s(0), REFUSED).is_some());
        frontier.extend(PeerNumber(u32::from(port)), &found(&[(id, &[address(port)])]), s(0), &admits);
    }
    assert_eq!(prompt, 4, "more than so many wait until addresses have gathered");
    for now in (1..100).map(s) {
        while miss(&mut frontier, now, REFUSED).is_some() {
            all += 1;
        }
        let newer = address(5000 + u16::try_from(now.as_secs()).expect("small"));
        frontier.extend(PeerNumber(7), &found(&[(id, &[newer])]), now, &admits);
    }
    assert!((4..=64).contains(&all), "{all}");
    assert_eq!(frontier.peers.addrs(first).iter().count(), 128);
    assert!(frontier.addresses_left_out() > 1800);
}

#[test]
fn those_whom_several_peers_name_go_before_the_inventions_of_one() {
    let (mut frontier, liar, _) = frontier();
    frontier.pop(s(0));
    let real = random_id();
    frontier.extend(liar, &found(&[(real, &[address(3)])]), s(0), &admits);
    let addrs = [address(4)];
    let invented: Vec<_> = (0..20).map(|_| (random_id(), addrs.as_slice())).collect();
    frontier.extend(liar, &found(&invented), s(0), &admits);
    // Another peer knows the real one too.
    frontier.extend(PeerNumber(500), &found(&[(real, &[address(3)])]), s(0), &admits);
    assert_eq!(frontier.pop(s(0)).map(|job| job.id), Some(real));
    assert_eq!(
        std::iter::from_fn(|| frontier.pop(s(0))).count(),
        20,
        "the old place in the queue is no second turn"
    );
}

#[test]
fn room_is_bounded_and_what_is_left_out_is_counted() {
    let mut frontier = Frontier::new(&random_id(), 0, 2, Arc::default());
    for _ in 0..5 {
        frontier.add(&random_id(), &[address(2)], &admits);
    }
    assert_eq!((frontier.len(), frontier.over_budget()), (2, 3));
    let extended = frontier.extend(PeerNumber(0), &found(&[(random_id(), &[])]), s(0), &admits);
    assert_eq!(extended, Extended::default());
    assert_eq!(frontier.over_budget(), 4);
}

#[test]
fn of_who_opted_out_nothing_is_kept() {
    let (peer, other) = (random_id(), random_id());
    let opt_out = Arc::new(OptOut::parse(&peer.to_base58()).expect("a list"));
    let mut frontier = Frontier::new(&random_id(), 0, 100, opt_out);
    assert_eq!(frontier.add(&peer, &[address(2)], &admits), None);
    frontier.add(&other, &[address(2)], &admits);
    let extended = frontier.extend(PeerNumber(0), &found(&[(peer, &[address(3)])]), s(0), &admits);
    assert_eq!((extended, frontier.opted_out(), frontier.len()), (Extended::default(), 2, 1));
    assert_eq!(frontier.opted_out_peers(), 1);
}

#[test]
fn ids_that_no_key_can_have_are_no_peers() {
    let (mut frontier, ..) = frontier();
    let multihash = |code: u8, digest: &[u8]| {
        let length = u8::try_from(digest.len()).expect("short");
        [&[code, length], digest].concat()
    };
    let ids = [
        multihash(0x12, &[]),
        multihash(0x12, &[7; 5]),
        multihash(0x12, &[7; 64]),
        multihash(0x00, &[]),
        multihash(0x00, &[7; 5]),
        multihash(0x00, &[7; 42]),
        b"no id".to_vec(),
    ];
    let count = ids.len();
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    let addrs = vec![address(3).to_vec()];
    message.closer_peers =
        ids.into_iter().map(|id| Peer { id, addrs: addrs.clone(), ..Peer::default() }).collect();
    let mut found = HeardPeers::new(b"own", Arc::default());
    found.add(None, &message.encode()).expect("whole");
    let extended = frontier.extend(PeerNumber(0), &found, s(0), &admits);
    assert_eq!((extended, frontier.len()), (Extended::default(), 1));
    assert_eq!(frontier.malformed_ids(), count as u64);
    assert_eq!(found.left_out(), LeftOut::default(), "counted once");
}

#[test]
fn what_is_no_address_is_kept_apart_and_is_in_the_next_visit() {
    let (mut frontier, first, id) = frontier();
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    let addrs = vec![vec![255; 9], address(3).to_vec(), Vec::new()];
    message.closer_peers = vec![Peer { id: id.to_bytes(), addrs, ..Peer::default() }];
    let mut found = HeardPeers::new(b"own", Arc::default());
    found.add(None, &message.encode()).expect("whole");
    frontier.extend(PeerNumber(7), &found, s(0), &admits);
    let job = frontier.pop(s(0)).expect("the first");
    assert_eq!(job.addrs, [address(2), address(3)]);
    assert_eq!(job.malformed, [Box::from([255; 9]), Box::default()]);
    let mut visit = missed(&job, SILENT);
    visit.met.addresses.extend(job.malformed.into_iter().map(malformed));
    frontier.finish(&visit, s(0));
    assert_eq!(frontier.malformed_addresses(first).len(), 2);
    assert_eq!(frontier.malformed_addresses_left_out(), 0);
    let again = frontier.pop(s(0)).expect("its second chance");
    assert_eq!((again.kind, again.malformed.len()), (VisitKind::SecondPass, 2));
    frontier.finish(&reached(first), s(0));
    assert!(frontier.malformed_addresses(first).is_empty());
}

#[test]
fn addresses_beyond_those_that_are_kept_are_counted() {
    let (mut frontier, first, id) = frontier();
    for ports in [3..53_u16, 53..103, 103..153] {
        let addrs: Vec<Multiaddr> = ports.map(address).collect();
        frontier.extend(PeerNumber(7), &found(&[(id, &addrs)]), s(0), &admits);
    }
    assert_eq!(frontier.peers.addrs(first).iter().count(), MAX_ADDRESSES);
    assert_eq!(frontier.addresses_left_out(), 1 + 150 - MAX_ADDRESSES as u64);
}

#[test]
fn an_id_written_the_long_way_is_the_same_peer() {
    let (mut frontier, first, id) = frontier();
    let canonical = id.to_bytes();
    // The same code as a varint of two bytes.
    let mut long = vec![canonical[0] | 0x80, 0x00];
    long.extend_from_slice(&canonical[1..]);
    if PeerId::from_bytes(&long).is_ok() {
        assert_eq!(frontier.intern(&long), Some((first, false)));
    } else {
        assert_eq!(frontier.intern(&long), None);
    }
    assert_eq!(frontier.len(), 1);
}

#[test]
fn the_seed_decides_the_order() {
    let ids: Vec<PeerId> = (0..50).map(|_| random_id()).collect();
    let order = |seed| {
        let mut frontier = Frontier::new(&random_id(), seed, 100, Arc::default());
        for id in &ids {
            frontier.add(id, &[address(2)], &admits);
        }
        std::iter::from_fn(move || frontier.pop(s(0))).map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    assert_eq!(order(1).len(), 50);
}

proptest! {
    /// Whatever happens in whatever order, every peer is in one place, and the crawl ends.
    #[test]
    fn it_ends_and_forgets_nobody(steps in prop::collection::vec((0..20_usize, 0..20_usize, 1..6_u16, any::<bool>()), 0..200)) {
        let ids: Vec<PeerId> = (0..20_u8).map(|n| PeerId::from_bytes(&[&[0x12, 32][..], &[n; 32]].concat()).expect("a multihash")).collect();
        let mut frontier = Frontier::new(&random_id(), 3, 15, Arc::default());
        frontier.add(&ids[0], &[address(2)], &admits);
        let (mut visits, mut now) = (0, s(0));
        for (step, (a, b, port, is_reached)) in steps.into_iter().enumerate() {
            now += ms(300);
            let job = frontier.pop(now);
            let addrs = [address(port)];
            frontier.extend(PeerNumber(99), &found(&[(ids[a], &addrs), (ids[b], &addrs)]), now, &admits);
            if let Some(job) = job {
                visits += 1;
                let what = [REFUSED, SILENT, FULL][step % 3];
                frontier.finish(&if is_reached { reached(job.peer) } else { missed(&job, what) }, now);
            }
        }
        loop {
            while let Some(job) = frontier.pop(now) {
                visits += 1;
                frontier.finish(&missed(&job, FULL), now);
            }
            let Some(next) = frontier.idle(now) else { break };
            prop_assert!(next >= now);
            now = next;
        }
        prop_assert!(frontier.len() <= 15);
        // The first visit, four of the five addresses, the second chance, and patience.
        prop_assert!(visits <= 15 * (1 + 4 + 1 + 4));
        prop_assert_eq!((frontier.waiting(), frontier.waiting_for_later()), (0, 0));
        prop_assert!(frontier.has_only_second_chances());
        let settled = frontier.peers.numbers().all(|peer| matches!(frontier.peers.stage(peer), PeerStage::Parked | PeerStage::Failed | PeerStage::Reached));
        prop_assert!(settled);
    }
}
