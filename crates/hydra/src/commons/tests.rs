//! What all heads know of peers, without any network.

use kad::{
    PeerId,
    table::{GroupLimits, TableRules},
};

use super::*;

const NOW: Duration = Duration::from_secs(1_767_225_600);

fn contact(n: u32) -> Contact {
    let [_, a, b, c] = n.to_be_bytes();
    let addr = format!("/ip4/10.{a}.{b}.{c}/tcp/4001").parse().unwrap();
    Contact { peer: PeerId::random(), addrs: vec![addr] }
}

fn commons(max_peers: usize) -> Commons {
    Commons::new(TableRules::default(), max_peers)
}

fn with(count: u32) -> Commons {
    let mut commons = commons(MAX_PEERS);
    for n in 0..count {
        assert!(commons.answered(&contact(n), NOW));
    }
    commons
}

#[test]
fn an_answer_names_the_closest_of_all_and_the_target_though_it_is_no_server() {
    let mut commons = with(1_000);
    let (head, client) = (contact(1), contact(2));
    commons.enter(&head);
    commons.meet(&client, NOW);
    let id = client.peer.to_bytes();
    let place = Key::of(&id);
    let mut all: Vec<Contact> = commons.contacts().chain([head.clone()]).collect();
    all.sort_by_key(|contact| Key::of_peer(&contact.peer).distance(&place));
    let found = commons.findings(&id, &place, NOW);
    let ids: Vec<Vec<u8>> = found.closest.iter().map(|known| known.id.to_vec()).collect();
    let expected: Vec<Vec<u8>> = all[..K + 2].iter().map(|contact| contact.peer.to_bytes()).collect();
    assert_eq!(ids, expected);
    assert_eq!(found.target.map(|known| known.id.to_vec()), Some(id));
    // The head is found as others are; what was left behind by a client is forgotten.
    let id = head.peer.to_bytes();
    assert_eq!(commons.findings(&id, &Key::of(&id), NOW).target.map(|known| known.id), Some(&id[..]));
    let later = NOW + Duration::from_secs(3600);
    assert!(commons.findings(&client.peer.to_bytes(), &place, later).target.is_none());
}

#[test]
fn who_is_tested_is_tested_once_and_comes_in_only_if_it_answers() {
    let (mut commons, peer) = (with(100), contact(500));
    let key = Key::of_peer(&peer.peer);
    assert!(commons.begin_test(&key) && !commons.begin_test(&key));
    assert!(!commons.end_test(&peer, None, NOW) && !commons.knows(&key, NOW));
    assert!(commons.begin_test(&key) && !commons.end_test(&peer, Some(0), NOW));
    assert!(commons.begin_test(&key) && commons.end_test(&peer, Some(20), NOW));
    assert!(commons.knows(&key, NOW) && !commons.begin_test(&key));
    // Nobody passes who was not tested.
    assert!(!commons.end_test(&contact(501), Some(20), NOW));
    // Of the first few any answer will do.
    let mut empty = self::commons(MAX_PEERS);
    assert!(empty.begin_test(&key) && empty.end_test(&peer, Some(0), NOW));
}

#[test]
fn the_silent_are_judged_and_heads_stay() {
    let (mut commons, head) = (with(30), contact(700));
    commons.enter(&head);
    let (grace, later) = (Duration::from_secs(600), NOW + Duration::from_secs(601));
    let silent = commons.overdue(later, grace);
    assert_eq!(silent.len(), 30);
    for (n, contact) in silent.iter().enumerate() {
        commons.judge(&Key::of_peer(&contact.peer), (n % 2 == 0).then_some(20), later);
    }
    commons.remove(&Key::of_peer(&head.peer));
    assert_eq!((commons.len(), commons.overdue(later, grace).len()), (15, 0));
    assert!(commons.knows(&Key::of_peer(&head.peer), later));
    commons.leave(&Key::of_peer(&head.peer));
    assert!(!commons.knows(&Key::of_peer(&head.peer), later));
}

#[test]
fn beyond_the_bound_those_go_first_that_no_head_has_in_view() {
    let (mut commons, head) = (commons(800), contact(1));
    commons.enter(&head);
    let own = Key::of_peer(&head.peer);
    for n in 0..2_000 {
        // The later, the longer silent: age alone would take others.
        commons.answered(&contact(n), NOW + Duration::from_secs(2_000 - u64::from(n)));
        if commons.len() > 800 {
            let view: BTreeSet<Key> =
                commons.view(&own, K).iter().map(|contact| Key::of_peer(&contact.peer)).collect();
            let surplus = commons.surplus();
            assert!(surplus.iter().all(|key| !view.contains(key)));
            commons.forget(&surplus);
            assert_eq!(commons.len(), 700);
        }
    }
    assert!(commons.surplus().is_empty());
}

#[test]
fn nothing_grows_though_nobody_has_time_for_it() {
    let mut commons = commons(80);
    let taken = (0..1_000).filter(|&n| commons.answered(&contact(n), NOW)).count();
    assert_eq!((taken, commons.len()), (90, 90));
}

#[test]
fn of_one_group_of_addresses_there_are_few_in_any_neighbourhood() {
    let limits = GroupLimits { per_prefix: 2, per_table: 3 };
    let mut commons = Commons::new(TableRules { bucket_size: K, groups: Some(limits) }, MAX_PEERS);
    for n in 0..4_000 {
        // Half of them are in one /16, the others in as many as there are.
        let mut contact = contact(7);
        if n % 2 == 0 {
            contact.addrs = vec![format!("/ip4/{}.{}.0.1/tcp/1", 100 + n % 100, n / 100).parse().unwrap()];
        }
        commons.answered(&contact, NOW);
    }
    let crowd: Multiaddr = "/ip4/10.0.0.7/tcp/4001".parse().unwrap();
    let most = (0..200_u32).map(|n| {
        let closest = commons.closest(&Key::of(&n.to_be_bytes()), K);
        closest.iter().filter(|contact| contact.addrs.contains(&crowd)).count()
    });
    assert!(commons.len() >= 2_000 && commons.len() < 2_600, "{}", commons.len());
    assert!(most.max() <= Some(5));
    // Who is nowhere is of no group.
    assert!(!commons.answered(&Contact { peer: PeerId::random(), addrs: Vec::new() }, NOW));
}

#[test]
fn other_addresses_of_a_server_are_what_is_answered_from_then_on() {
    let (mut commons, mut peer) = (with(10), contact(90));
    commons.answered(&peer, NOW);
    peer.addrs = contact(91).addrs;
    commons.answered(&peer, NOW);
    let key = Key::of_peer(&peer.peer);
    assert_eq!(commons.closest(&key, 1), [peer.clone()]);
    peer.addrs = contact(92).addrs;
    commons.meet(&peer, NOW);
    assert_eq!(commons.closest(&key, 1), [peer]);
}
