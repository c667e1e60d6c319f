//! Who is visited when.

use kad::{
    Key,
    message::{Message, MessageType, Peer},
};
use proptest::prelude::*;

use super::*;
use crate::summary::LeftOut;

/// Like that of an RSA key.
fn random_id() -> PeerId {
    PeerId::from_bytes(&[&[0x12, 32], &PeerId::random().to_bytes()[2..]].concat()).expect("a multihash")
}

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address")
}

/// Admits everything but port 1.
fn admits(address: &Multiaddr) -> Result<(), SkipReason> {
    if address.to_string().ends_with("/1") { Err(SkipReason::Private) } else { Ok(()) }
}

fn found(peers: &[(PeerId, &[Multiaddr])]) -> Found {
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    message.closer_peers = peers.iter().map(|(id, addrs)| Peer::new(id, addrs)).collect();
    let mut found = Found::new(Key::of(b"own"));
    found.add(None, &message.encode()).expect("whole");
    found
}

fn frontier() -> (Frontier, PeerNumber, PeerId) {
    let mut frontier = Frontier::new(7, 1000, Arc::default());
    let first = random_id();
    let number = frontier.add(&first, &[address(2)], &admits).expect("room");
    (frontier, number, first)
}

#[test]
fn a_peer_is_visited_once_when_it_is_reached() {
    let (mut frontier, first, id) = frontier();
    let job = frontier.pop().expect("the first");
    assert_eq!((job.peer, job.id, job.kind, job.addrs), (first, id, VisitKind::First, vec![address(2)]));
    frontier.finish(first, true);
    let other = random_id();
    let extended = frontier.extend(first, &found(&[(other, &[address(3)]), (id, &[address(9)])]), &admits);
    assert_eq!(extended.neighbors, [PeerNumber(1)], "the peer itself is no neighbor");
    assert_eq!(extended.new, [(PeerNumber(1), other)]);
    assert_eq!(frontier.pop().map(|job| job.id), Some(other));
    frontier.finish(PeerNumber(1), true);
    frontier.extend(PeerNumber(1), &found(&[(id, &[address(8)])]), &admits);
    assert_eq!(frontier.pop(), None);
    assert!(!frontier.second_pass(&HashSet::new()));
}

#[test]
fn a_peer_without_a_dialable_address_is_parked_until_it_has_one() {
    let (mut frontier, first, _) = frontier();
    let hidden = random_id();
    frontier.pop().expect("the first");
    frontier.extend(first, &found(&[(hidden, &[address(1)])]), &admits);
    assert_eq!(frontier.pop(), None);
    assert_eq!(
        frontier.parked().map(|(peer, addrs)| (peer, addrs.len())).collect::<Vec<_>>(),
        [(PeerNumber(1), 1)]
    );
    frontier.extend(first, &found(&[(hidden, &[address(4)])]), &admits);
    let job = frontier.pop().expect("an address is known now");
    assert_eq!((job.kind, job.addrs), (VisitKind::First, vec![address(1), address(4)]));
    assert_eq!(frontier.parked().count(), 0);
}

#[test]
fn new_addresses_give_another_turn_and_the_second_pass_the_last() {
    let (mut frontier, first, id) = frontier();
    frontier.pop().expect("the first");
    // Learned while the visit is under way: it could not have used the address.
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(3)])]), &admits);
    frontier.finish(first, false);
    assert_eq!(frontier.pop().map(|job| (job.kind, job.addrs.len())), Some((VisitKind::NewAddresses, 2)));
    frontier.finish(first, false);
    // Nothing new, and an address that would not be dialled: no turn.
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(3), address(1)])]), &admits);
    assert_eq!(frontier.pop(), None);
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(5)])]), &admits);
    assert_eq!(frontier.pop().map(|job| job.kind), Some(VisitKind::NewAddresses));
    frontier.finish(first, false);
    assert!(!frontier.second_pass(&HashSet::from([first])), "held back");
    assert!(frontier.retry([first].into_iter()));
    assert_eq!(frontier.pop().map(|job| job.kind), Some(VisitKind::SecondPass));
    frontier.extend(PeerNumber(9), &found(&[(id, &[address(6)])]), &admits);
    frontier.finish(first, false);
    assert_eq!(frontier.pop(), None);
}

#[test]
fn who_finds_new_addresses_for_ever_gets_no_turn_for_ever() {
    let (mut frontier, first, id) = frontier();
    let mut turns = 0;
    for port in 10..200 {
        if frontier.pop().is_some() {
            turns += 1;
            frontier.finish(first, false);
        }
        frontier.extend(PeerNumber(9), &found(&[(id, &[address(port)])]), &admits);
    }
    assert_eq!(turns, MAX_TURNS);
    assert!(frontier.peers.addrs(first).len() <= MAX_PEER_ADDRESSES);
}

#[test]
fn those_whom_several_peers_name_go_before_the_inventions_of_one() {
    let (mut frontier, liar, _) = frontier();
    frontier.pop();
    let real = random_id();
    frontier.extend(liar, &found(&[(real, &[address(3)])]), &admits);
    let addrs = [address(4)];
    let invented: Vec<_> = (0..20).map(|_| (random_id(), addrs.as_slice())).collect();
    frontier.extend(liar, &found(&invented), &admits);
    // Another peer knows the real one too.
    frontier.extend(PeerNumber(500), &found(&[(real, &[address(3)])]), &admits);
    assert_eq!(frontier.pop().map(|job| job.id), Some(real));
    assert_eq!(
        std::iter::from_fn(|| frontier.pop()).count(),
        20,
        "the old place in the queue is no second turn"
    );
}

#[test]
fn room_is_bounded_and_what_is_left_out_is_counted() {
    let mut frontier = Frontier::new(0, 2, Arc::default());
    for _ in 0..5 {
        frontier.add(&random_id(), &[address(2)], &admits);
    }
    assert_eq!((frontier.len(), frontier.over_budget()), (2, 3));
    let extended = frontier.extend(PeerNumber(0), &found(&[(random_id(), &[])]), &admits);
    assert_eq!(extended, Extended::default());
    assert_eq!(frontier.over_budget(), 4);
}

#[test]
fn of_who_opted_out_nothing_is_kept() {
    let (peer, other) = (random_id(), random_id());
    let opt_out = Arc::new(OptOut::parse(&peer.to_base58()).expect("a list"));
    let mut frontier = Frontier::new(0, 100, opt_out);
    assert_eq!(frontier.add(&peer, &[address(2)], &admits), None);
    frontier.add(&other, &[address(2)], &admits);
    let extended = frontier.extend(PeerNumber(0), &found(&[(peer, &[address(3)])]), &admits);
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
    let mut found = Found::new(Key::of(b"own"));
    found.add(None, &message.encode()).expect("whole");
    let extended = frontier.extend(PeerNumber(0), &found, &admits);
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
    let mut found = Found::new(Key::of(b"own"));
    found.add(None, &message.encode()).expect("whole");
    frontier.extend(PeerNumber(7), &found, &admits);
    let job = frontier.pop().expect("the first");
    assert_eq!(job.addrs, [address(2), address(3)]);
    assert_eq!(job.malformed, [Box::from([255; 9]), Box::default()]);
    frontier.finish(first, false);
    assert_eq!(frontier.malformed_addresses(first).len(), 2);
    assert_eq!(frontier.malformed_addresses_left_out(), 0);
}

#[test]
fn addresses_beyond_those_that_are_kept_are_counted() {
    let (mut frontier, first, id) = frontier();
    for ports in [3..53_u16, 53..103, 103..153] {
        let addrs: Vec<Multiaddr> = ports.map(address).collect();
        frontier.extend(PeerNumber(7), &found(&[(id, &addrs)]), &admits);
    }
    assert_eq!(frontier.peers.addrs(first).len(), MAX_PEER_ADDRESSES);
    assert_eq!(frontier.addresses_left_out(), 1 + 150 - MAX_PEER_ADDRESSES as u64);
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
        let mut frontier = Frontier::new(seed, 100, Arc::default());
        for id in &ids {
            frontier.add(id, &[address(2)], &admits);
        }
        std::iter::from_fn(move || frontier.pop()).map(|job| job.id).collect::<Vec<_>>()
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
        let mut frontier = Frontier::new(3, 15, Arc::default());
        frontier.add(&ids[0], &[address(2)], &admits);
        let mut visits = 0;
        for (a, b, port, reached) in steps {
            let job = frontier.pop();
            let addrs = [address(port)];
            frontier.extend(PeerNumber(99), &found(&[(ids[a], &addrs), (ids[b], &addrs)]), &admits);
            if let Some(job) = job {
                visits += 1;
                frontier.finish(job.peer, reached);
            }
        }
        for _ in 0..2 {
            while let Some(job) = frontier.pop() {
                visits += 1;
                frontier.finish(job.peer, false);
            }
            if !frontier.second_pass {
                frontier.second_pass(&HashSet::new());
            }
        }
        prop_assert!(frontier.len() <= 15);
        prop_assert!(visits <= 15 * (usize::from(MAX_TURNS) + 1));
        prop_assert_eq!(frontier.waiting(), 0);
        let settled = frontier.peers.numbers().all(|peer| matches!(frontier.peers.stage(peer), Stage::Parked | Stage::Failed | Stage::Reached));
        prop_assert!(settled);
    }
}
