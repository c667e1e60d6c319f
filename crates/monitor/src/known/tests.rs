//! Peers found by number and by id, and the bounds of what is kept of them.

use kad::{Multiaddr, PeerId};
use schema::PeerNumber;

use super::{PackedId, PeerTable, addresses::MAX_ADDRESSES};

fn address(port: usize) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address")
}

#[test]
fn peers_are_found_by_number_and_by_id() {
    let mut book = PeerTable::new(100);
    let ids: Vec<PeerId> = (0..100).map(|_| PeerId::random()).collect();
    for (number, id) in (0..).zip(&ids) {
        assert_eq!(book.take_in(id), Some((PeerNumber(number), true)));
        assert_eq!(book.take_in(id), Some((PeerNumber(number), false)));
    }
    for (number, id) in (0..).zip(&ids) {
        assert_eq!((book.find(id), book.id(PeerNumber(number))), (Some(PeerNumber(number)), Some(*id)));
    }
    assert_eq!(book.id(PeerNumber(100)), None);
}

#[test]
fn nobody_is_taken_in_beyond_the_bound_and_who_is_known_stays() {
    let mut book = PeerTable::new(1);
    let (first, second) = (PeerId::random(), PeerId::random());
    assert_eq!(book.take_in(&first), Some((PeerNumber(0), true)));
    assert_eq!(book.take_in(&second), None);
    assert_eq!((book.take_in(&first), book.len()), (Some((PeerNumber(0), false)), 1));
}

#[test]
fn addresses_keep_their_order_and_their_bound() {
    let mut book = PeerTable::new(1);
    let (peer, _) = book.take_in(&PeerId::random()).expect("room");
    assert_eq!(book.addresses(peer), []);
    let all: Vec<Multiaddr> = (0..MAX_ADDRESSES + 5).map(address).collect();
    book.set_addresses(peer, all.iter().chain(&all));
    assert_eq!(book.addresses(peer), all[..MAX_ADDRESSES]);
    book.set_addresses(peer, [&all[3], &all[3], &all[1]]);
    assert_eq!(book.addresses(peer), [all[3].clone(), all[1].clone()]);
}

#[test]
fn an_id_takes_no_more_than_its_bytes_and_their_length() {
    assert_eq!(size_of::<PackedId>(), 45);
    let longest = PeerId::from_bytes(&[&[0, 42][..], &[7; 42]].concat()).expect("an identity multihash");
    assert_eq!(PackedId::of(&longest).map(|id| id.bytes().len()), Some(44));
}
