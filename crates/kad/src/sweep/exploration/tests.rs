//! Explorations of networks whose peers are all known.

use super::{super::prefix::tests::prefix, *};
use crate::{fullrt::SortedKeys, message::K};

struct Network {
    keys: SortedKeys,
    peers: BTreeMap<Key, PeerId>,
}

impl Network {
    fn of(size: u32) -> Self {
        let id =
            |n: u32| PeerId::from_bytes(&[&[0x12, 0x20][..], Key::of(&n.to_be_bytes()).as_bytes()].concat());
        let peers: BTreeMap<Key, PeerId> =
            (0..size).filter_map(|n| id(n).ok()).map(|peer| (Key::of_peer(&peer), peer)).collect();
        Self { keys: SortedKeys::new(peers.keys().copied().collect()), peers }
    }

    fn closest(&self, target: &Key) -> Vec<PeerId> {
        self.keys.nearest(target).take(K).map(|position| self.peers[&self.keys.keys()[position]]).collect()
    }

    fn explore(&self, prefix: KeyPrefix) -> Explored {
        let mut exploration = Exploration::new(prefix, K, Key::of(b"order"));
        while let Some(target) = exploration.next() {
            exploration.found(&self.closest(&Key::of(&target)));
        }
        exploration.explored()
    }
}

#[test]
fn everybody_under_the_prefix_is_found_by_few_lookups() {
    let network = Network::of(1000);
    let mut lookups = 0;
    for n in 0..32 {
        let asked = KeyPrefix::of(&Key::of(&[n]), 5);
        let explored = network.explore(asked);
        assert!(asked.is_within(&explored.prefix));
        let under: Vec<&Key> = network.peers.keys().filter(|key| explored.prefix.covers(key)).collect();
        assert!(under.iter().all(|key| explored.peers.contains_key(key)) && under.len() >= K, "{n}");
        lookups += explored.lookups;
    }
    // A lookup covers some 10 to 20 of the 31 peers under such a prefix.
    assert!((32 * 2..32 * 6).contains(&lookups), "{lookups}");
}

#[test]
fn a_prefix_with_too_few_peers_grows_until_there_are_enough() {
    let network = Network::of(100);
    let explored = network.explore(KeyPrefix::of(&Key::of(b"key"), 8));
    let under = network.peers.keys().filter(|key| explored.prefix.covers(key)).count();
    assert!(under >= K && explored.prefix.len() <= 3, "{under} {:?}", explored.prefix);
    assert!(
        network
            .peers
            .keys()
            .filter(|key| explored.prefix.covers(key))
            .all(|key| explored.peers.contains_key(key))
    );
}

#[test]
fn of_a_few_peers_all_are_found_in_the_whole_key_space() {
    for size in [1, 2, 3, 7, 19, 20, 21] {
        let network = Network::of(size);
        let explored = network.explore(prefix("0110"));
        assert_eq!(explored.prefix, if size == 21 { explored.prefix } else { KeyPrefix::WHOLE }, "{size}");
        assert!(size > 20 || explored.peers == network.peers, "{size}: {} found", explored.peers.len());
    }
}

#[test]
fn it_ends_after_two_lookups_that_find_nobody_new_and_after_sixty_four() {
    let network = Network::of(2000);
    let one = network.closest(&Key::of(b"key"))[0];
    let mut exploration = Exploration::new(prefix("0"), K, Key::of(b"order"));
    let mut lookups = 0;
    while exploration.next().is_some() {
        exploration.found(&[one]);
        lookups += 1;
    }
    assert_eq!(lookups, 1 + MAX_DRY_LOOKUPS);
    // Of lookups that find two each, hundreds would be needed.
    let mut exploration = Exploration::new(KeyPrefix::WHOLE, K, Key::of(b"order"));
    while let Some(target) = exploration.next() {
        exploration.found(&network.closest(&Key::of(&target))[..2]);
    }
    let explored = exploration.explored();
    assert_eq!(explored.lookups, MAX_EXPLORATION_LOOKUPS);
    assert!((32..=128).contains(&explored.peers.len()), "{}", explored.peers.len());
}

#[test]
fn nobody_is_the_end_of_it() {
    let mut exploration = Exploration::new(prefix("01"), K, Key::of(b"order"));
    exploration.found(&[]);
    assert_eq!(exploration.next(), None);
    let explored = exploration.explored();
    assert_eq!((explored.prefix, explored.peers.len(), explored.lookups), (KeyPrefix::WHOLE, 0, 0));
}

#[test]
fn around_a_key_the_closest_that_live_are_found_whoever_is_dead() {
    let network = Network::of(1000);
    let lives = |peer: &PeerId| !Key::of_peer(peer).as_bytes()[31].is_multiple_of(3);
    let mut lookups = 0;
    for n in 0..50_u8 {
        let key = Key::of(&[n]);
        let mut exploration = Exploration::around(&key, K);
        while let Some(target) = exploration.next() {
            let closest = network.closest(&Key::of(&target));
            exploration.answered(closest.iter().filter(|peer| lives(peer)).copied());
            exploration.found(&closest);
        }
        let explored = exploration.explored();
        let nearest = |peers: Vec<PeerId>| {
            let mut peers: Vec<PeerId> = peers.into_iter().filter(lives).collect();
            peers.sort_by_key(|peer| Key::of_peer(peer).distance(&key));
            peers.truncate(K);
            peers
        };
        let found = nearest(explored.peers.into_values().collect());
        assert_eq!(found, nearest(network.peers.values().copied().collect()), "{n}");
        lookups += explored.lookups;
    }
    assert!(lookups < 50 * 6, "{lookups}");
}
