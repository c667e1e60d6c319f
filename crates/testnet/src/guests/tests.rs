//! Guests: who is listed by whom, for how long, and what there is room for.

use super::*;

const KAD: &str = "/ipfs/kad/1.0.0";
const MINUTE: Duration = Duration::from_secs(60);

fn said(id: PeerId, protocols: &[&str]) -> GuestSaid {
    GuestSaid {
        id,
        addresses: vec!["/ip4/127.0.0.1/tcp/9".parse().expect("an address")],
        protocols: protocols.iter().copied().map(str::to_owned).collect(),
        agent: Some("guest/1".to_owned()),
    }
}

fn listed(guests: &Guests, peer: u32, now: Duration) -> Vec<PeerId> {
    let ids = guests.of_peer(peer, now);
    ids.iter().map(|listed| PeerId::from_bytes(listed.known().id).expect("an id")).collect()
}

#[test]
fn a_server_is_listed_by_those_whom_it_asked_until_they_hear_no_more() {
    let (mut guests, id) = (Guests::new(KAD), PeerId::random());
    guests.heard(4, &id.to_bytes(), MINUTE);
    assert_eq!(guests.all(MINUTE), []);
    assert!(guests.met(4, said(id, &["/x", KAD]), MINUTE));
    guests.heard(5, &id.to_bytes(), 31 * MINUTE);
    for (peer, now, is_listed) in
        [(4, 61, true), (4, 62, false), (5, 91, true), (5, 92, false), (6, 31, false)]
    {
        assert_eq!(listed(&guests, peer, now * MINUTE) == [id], is_listed, "{peer} {now}");
    }
    let [guest] = &guests.all(91 * MINUTE)[..] else { panic!("one guest") };
    assert_eq!((guest.id, guest.agent.as_deref()), (id, Some("guest/1")));
    assert_eq!((guest.first_seen, guest.last_seen), (MINUTE, 31 * MINUTE));
    assert_eq!(guests.all(92 * MINUTE), []);
}

#[test]
fn a_client_leaves_no_trace_and_is_not_asked_again_at_once() {
    let (mut guests, id) = (Guests::new(KAD), PeerId::random());
    assert!(guests.is_of_interest(&id, Duration::ZERO));
    assert!(!guests.met(4, said(id, &["/ipfs/id/1.0.0"]), Duration::ZERO));
    guests.heard(4, &id.to_bytes(), Duration::ZERO);
    assert!(guests.all(Duration::ZERO).is_empty() && listed(&guests, 4, Duration::ZERO).is_empty());
    assert!(!guests.is_of_interest(&id, MINUTE / 2));
    assert!(guests.is_of_interest(&id, MINUTE));
    // It has become a server.
    assert!(guests.met(4, said(id, &[KAD]), MINUTE / 2));
    assert!(guests.is_of_interest(&id, MINUTE / 2));
}

#[test]
fn what_a_guest_says_later_counts_and_what_it_leaves_out_stays() {
    let (mut guests, id) = (Guests::new(KAD), PeerId::random());
    guests.met(4, said(id, &[KAD]), MINUTE);
    let address: Multiaddr = "/ip4/127.0.0.2/tcp/7".parse().expect("an address");
    let moved = GuestSaid { id, addresses: vec![address.clone()], protocols: Vec::new(), agent: None };
    assert!(guests.met(4, moved, 2 * MINUTE));
    let [guest] = &guests.all(2 * MINUTE)[..] else { panic!("one guest") };
    assert_eq!((&guest.addresses, guest.agent.as_deref()), (&vec![address.clone()], Some("guest/1")));
    let entry = guests.of_peer(4, 2 * MINUTE).remove(0);
    let bytes: &[u8] = address.as_ref();
    assert!(entry.known().has_addresses && entry.known().entry.ends_with(bytes));
    // It is a server no longer.
    assert!(!guests.met(4, said(id, &["/ipfs/id/1.0.0"]), 3 * MINUTE));
    assert!(guests.all(3 * MINUTE).is_empty() && listed(&guests, 4, 3 * MINUTE).is_empty());
}

#[test]
fn who_was_not_heard_of_for_longest_makes_room() {
    let mut guests = Guests::new(KAD);
    let ids: Vec<PeerId> = (0..=MAX_GUESTS).map(|_| PeerId::random()).collect();
    let at = |second: usize| Duration::from_millis(second as u64);
    for (time, id) in ids.iter().enumerate() {
        guests.met(7, said(*id, &[KAD]), at(time));
        // The first one is heard of again and again.
        guests.heard(7, &ids[0].to_bytes(), at(time));
    }
    let all = guests.all(at(MAX_GUESTS));
    assert_eq!((all.len(), guests.numbers.len()), (MAX_GUESTS, MAX_GUESTS));
    assert!(all.iter().any(|guest| guest.id == ids[0]) && all.iter().all(|guest| guest.id != ids[1]));
    let mut known = listed(&guests, 7, at(MAX_GUESTS));
    assert_eq!(known.len(), MAX_GUESTS_OF_PEER);
    known.retain(|id| *id != ids[0]);
    assert!(known.iter().all(|id| ids[MAX_GUESTS - MAX_GUESTS_OF_PEER..].contains(id)));
}

#[test]
fn long_lists_are_cut_and_many_clients_forgotten() {
    let mut guests = Guests::new(KAD);
    let id = PeerId::random();
    let many = GuestSaid {
        addresses: (1..99).map(|port| format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("one")).collect(),
        protocols: (0..99).map(|n| n.to_string()).chain([KAD.to_owned()]).collect(),
        ..said(id, &[])
    };
    guests.met(1, many, MINUTE);
    let guest = guests.all(MINUTE).remove(0);
    assert_eq!((guest.addresses.len(), guest.protocols.len()), (MAX_GUEST_ADDRESSES, MAX_GUEST_PROTOCOLS));
    for _ in 0..2 * MAX_CLIENTS {
        guests.met(1, said(PeerId::random(), &["/x"]), MINUTE);
    }
    assert_eq!(guests.clients.len(), MAX_CLIENTS);
    guests.met(1, said(PeerId::random(), &["/x"]), 2 * MINUTE);
    assert_eq!(guests.clients.len(), 1);
}
