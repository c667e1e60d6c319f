//! Guests among the peers of a table, and who is none.

use kad::{
    identify::Identify,
    message::{K, Message, MessageType},
};

use super::*;
use crate::{Scenario, State, World};

fn answers(text: &str) -> Answers {
    Answers::new(Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario"))))
}

fn introduced(answers: &Answers, peer: PeerId) -> Introduced {
    let here: kad::Multiaddr = "/ip4/127.0.0.1/tcp/9".parse().expect("an address");
    let identify = Identify {
        protocols: vec![answers.world.scenario().protocol.clone()],
        listen_addrs: vec![here.clone()],
        ..Identify::default()
    };
    Introduced { peer, remote: here.clone(), local: here, identify: Box::new(identify) }
}

/// Of guests in the order of their coming those that find room in the table of a peer.
fn with_room(world: &World, peer: u32, guests: &[PeerId]) -> Vec<PeerId> {
    let own = world.key(peer);
    let mut buckets = [0; 256];
    for &other in world.neighbors(peer) {
        buckets[own.common_prefix_len(&world.key(other)) as usize] += 1;
    }
    let mut guests = guests.to_vec();
    guests.retain(|guest| {
        let bucket = &mut buckets[own.common_prefix_len(&Key::of_peer(guest)) as usize];
        *bucket += 1;
        *bucket <= K
    });
    guests
}

#[test]
fn the_closest_of_a_table_and_of_the_guests_answer() {
    let answers = answers("peers = 200");
    let world = &answers.world;
    let all: Vec<PeerId> = (0..60).map(|_| PeerId::random()).collect();
    for guest in &all {
        answers.met(5, introduced(&answers, *guest));
    }
    let guests = with_room(world, 5, &all);
    assert!(guests.len() < all.len(), "the bucket of every second one is full");
    let asker = guests.first().unwrap_or(&all[0]).to_bytes();
    let everybody = || world.neighbors(5).iter().map(|&peer| world.peer_id(peer)).chain(guests.clone());
    for key in 0..50_u8 {
        let target = Key::of(&[key]);
        let mut expected: Vec<PeerId> = everybody().filter(|id| id.to_bytes() != asker).collect();
        expected.sort_by_key(|id| Key::of_peer(id).distance(&target));
        for kind in [MessageType::FindNode, MessageType::GetProviders] {
            let request = Message::new(kind, vec![key]).encode();
            let Answer::Message(reply) = answers.answer(5, &asker, &request) else { panic!("no message") };
            let reply = Message::decode(&reply).expect("a message");
            let named = reply.closer_peers.iter().map(|peer| PeerId::from_bytes(&peer.id).expect("an id"));
            assert_eq!(named.collect::<Vec<_>>(), expected[..K]);
        }
    }
}

#[test]
fn the_worlds_own_peers_are_no_guests_and_peers_that_do_not_serve_ask_nobody() {
    let answers = answers("peers = 20\n[[states]]\nstate = 'oversize'\nshare = 0.5");
    let world = &answers.world;
    answers.met(5, introduced(&answers, world.peer_id(3)));
    assert_eq!(answers.memory.guests(), []);
    let stranger = PeerId::random();
    for peer in world.peers() {
        assert_eq!(answers.asks(peer, &stranger), world.state(peer) == State::Online);
    }
    answers.met(5, introduced(&answers, stranger));
    assert_eq!(answers.memory.guests().len(), 1);
}
