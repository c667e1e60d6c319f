//! Answers: the server's rules over a world's tables, and the lies.

use kad::{message::write_find_node, preimage::target_at};
use libp2p_identity::PeerId;

use super::*;
use crate::Scenario;

fn answers(text: &str) -> Answers {
    Answers::new(Arc::new(World::generate(&Scenario::parse(text, "test").expect("a scenario"))))
}

fn ask(answers: &Answers, peer: u32, asker: &[u8], target: &[u8]) -> Vec<u32> {
    let mut request = Vec::new();
    write_find_node(&mut request, target);
    let Answer::Message(reply) = answers.answer(peer, asker, &request) else { panic!("no message") };
    let view = MessageView::decode(&reply).expect("a message");
    let number = |id: &[u8]| answers.world.find(&PeerId::from_bytes(id).expect("an id")).expect("a peer");
    view.closer_peers().map(|peer| number(peer.id)).collect()
}

#[test]
fn sixteen_requests_read_a_whole_table() {
    let answers = answers("peers = 3000");
    for peer in answers.world.peers().step_by(211) {
        let mut seen: Vec<u32> = (0..=15)
            .flat_map(|length| {
                let target = target_at(&answers.world.key(peer), length).expect("a target");
                ask(&answers, peer, b"asker", &target)
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        let mut table = answers.world.neighbors(peer).to_vec();
        table.sort_unstable();
        assert_eq!(seen, table);
    }
}

#[test]
fn the_target_comes_first_even_if_it_is_the_server_and_the_asker_is_left_out() {
    let answers = answers("peers = 200");
    let world = &answers.world;
    let neighbor = world.neighbors(3)[0];
    let target = world.peer_id(neighbor).to_bytes();
    assert_eq!(ask(&answers, 3, b"asker", &target)[0], neighbor);
    assert_eq!(ask(&answers, 3, &target, &target)[0], neighbor);
    assert_eq!(ask(&answers, 3, b"asker", &world.peer_id(3).to_bytes())[0], 3);
    let near = target_at(&world.key(3), 0).expect("a target");
    let first = ask(&answers, 3, b"asker", &near)[0];
    let without = ask(&answers, 3, &world.peer_id(first).to_bytes(), &near);
    assert_eq!((without.contains(&first), without.len()), (false, 20));
}

#[test]
fn invented_peers_are_new_each_time_and_known_for_what_they_are() {
    let answers = answers("peers = 8\n[[states]]\nstate = 'inventing'\npeers_per_answer = 30\nshare = 0.5");
    let world = &answers.world;
    let liar = world.peers().find(|&peer| matches!(world.state(peer), State::Inventing(_))).expect("a liar");
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10 {
        let mut request = Vec::new();
        write_find_node(&mut request, b"anything");
        let Answer::Message(reply) = answers.answer(liar, b"", &request) else { panic!("no message") };
        for peer in MessageView::decode(&reply).expect("a message").closer_peers() {
            let id = PeerId::from_bytes(peer.id).expect("an id");
            assert!(world.is_fake(&id) && world.find(&id).is_none());
            assert!(peer.addrs().all(|address| address[..2] == [4, 127]));
            seen.insert(id);
        }
    }
    assert_eq!(seen.len(), 300);
}

#[test]
fn a_stale_address_is_announced_by_about_half_of_those_that_know_the_peer() {
    let answers = answers("peers = 300\n[[states]]\nstate = 'stale_address'\nshare = 0.1");
    let world = &answers.world;
    let stale = world.peers().find(|&peer| world.state(peer) == State::StaleAddress).expect("one");
    let (current, former) = (world.addresses(stale), world.former_addresses(stale));
    let knows = |&peer: &u32| world.neighbors(peer).contains(&stale);
    let shares: Vec<bool> = world
        .peers()
        .filter(knows)
        .map(|announcer| {
            let bytes = if world.announces_former(announcer, stale) { &former[0] } else { &current[0] };
            let entry = world.entry(announcer, stale);
            assert!(entry.windows(bytes.len()).any(|window| window == bytes.as_ref()));
            world.announces_former(announcer, stale)
        })
        .collect();
    let former = shares.iter().filter(|&&former| former).count() as f64 / shares.len() as f64;
    assert!((0.3..0.7).contains(&former), "{former} of {}", shares.len());
}

#[test]
fn nonsense_resets_the_stream_and_an_oversize_answer_is_one() {
    let answers = answers("peers = 8\n[[states]]\nstate = 'oversize'\nshare = 0.5");
    let world = &answers.world;
    let in_state = |state| world.peers().find(|&peer| world.state(peer) == state).expect("one");
    assert_eq!(answers.answer(in_state(State::Online), b"", &[0xff]), Answer::Reset);
    let Answer::Message(reply) = answers.answer(in_state(State::Oversize), b"", &[]) else {
        panic!("no message")
    };
    assert!(reply.len() > MAX_MESSAGE_BYTES);
}
