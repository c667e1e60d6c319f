//! Worlds: determined by their seed, and made of the shares that were asked for.

use super::*;

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "test").expect("a scenario")
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_one_another() {
    let faults = Scenario::named("faults").expect("built in");
    let worlds = [&faults, &faults, &faults.clone().with_seed(20)].map(World::generate);
    let of = |world: &World| {
        let ids: Vec<_> = world.peers().map(|peer| (world.peer_id(peer), world.state(peer))).collect();
        let tables: Vec<_> = world.peers().map(|peer| world.neighbors(peer).to_vec()).collect();
        let addresses: Vec<_> = world.peers().map(|peer| world.addresses(peer)).collect();
        (ids, tables, addresses, world.bootstrap().to_vec(), world.entries.bytes.clone())
    };
    assert_eq!(of(&worlds[0]), of(&worlds[1]));
    assert_ne!(of(&worlds[0]).0, of(&worlds[2]).0);
}

#[test]
fn shares_are_exact_and_small_ones_have_somebody() {
    let world = World::generate(&Scenario::named("faults").expect("built in"));
    let count = |state: State| world.peers().filter(|&peer| world.state(peer) == state).count();
    assert_eq!((count(State::Refusing), count(State::Oversize), count(State::WrongPeerId)), (20, 5, 10));
    assert_eq!(count(State::Departed), 26);
    let small = World::generate(&Scenario::named("faults").expect("built in").with_peers(120));
    for entry in &small.scenario().states {
        assert!(small.peers().any(|peer| small.state(peer) == entry.state), "{}", entry.state);
    }
}

#[test]
fn allotting_loses_nobody() {
    let share = |value: f64| Share::try_from(value).expect("a share");
    let counts = |shares: &[f64], total| {
        let shares: Vec<Share> = shares.iter().map(|&value| share(value)).collect();
        let classes = allot(&shares, total);
        assert_eq!(classes.len(), total as usize);
        (0..=shares.len()).map(|class| classes.iter().filter(|&&c| c == class).count()).collect::<Vec<_>>()
    };
    assert_eq!(counts(&[0.07, 0.05], 100), [7, 5, 88]);
    assert_eq!(counts(&[1.0, 0.0, 0.0], 10), [10, 0, 0, 0]);
    assert_eq!(counts(&[0.34, 0.33, 0.33], 100), [34, 33, 33, 0]);
    assert_eq!(counts(&[0.001], 100), [1, 99]);
    assert_eq!(counts(&[0.5], 1), [1, 0]);
    assert_eq!(counts(&[], 3), [3]);
}

#[test]
fn ids_are_those_of_the_keys_and_found_again() {
    let world = World::generate(&scenario("peers = 50\n[[states]]\nstate = 'wrong_peer_id'\nshare = 0.2"));
    for peer in world.peers() {
        let proven = world.keypair(peer).public().to_peer_id();
        assert_eq!(proven == world.peer_id(peer), world.state(peer) != State::WrongPeerId);
        assert_eq!(world.find(&world.peer_id(peer)), Some(peer));
        assert_eq!(world.key(peer), Key::of_peer(&world.peer_id(peer)));
        assert!(!world.is_fake(&world.peer_id(peer)));
    }
    assert_eq!(world.find(&libp2p_identity::PeerId::random()), None);
}

#[test]
fn every_address_is_loopback_but_those_that_are_meant_not_to_be() {
    let world = World::generate(&Scenario::named("faults").expect("built in"));
    for peer in world.peers() {
        let is_local = |address: &Multiaddr| address.to_string().starts_with("/ip4/127.");
        let local = world.addresses(peer).iter().all(is_local);
        let meant = matches!(world.state(peer), State::PrivateOnly | State::SpecialPurposeOnly);
        assert_eq!(local, !meant, "{:?}", world.addresses(peer));
        assert!(world.former_addresses(peer).iter().all(is_local));
    }
}

#[test]
fn crowds_have_their_size_and_no_address_twice() {
    let world = World::generate(&scenario("peers = 9\n[[states]]\nstate = 'crowded'\nshare = 0.5"));
    let crowded = world.peers().find(|&peer| world.state(peer) != State::Online).expect("one");
    let mut addresses = world.addresses(crowded);
    assert_eq!(addresses.len(), 1000);
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 1000);
}

#[test]
fn bootstrap_peers_are_online() {
    let world = World::generate(&Scenario::named("faults").expect("built in"));
    assert_eq!(world.bootstrap().len(), 5);
    assert!(world.bootstrap().iter().all(|&peer| world.state(peer) == State::Online));
    assert!(world.bootstrap_addresses().iter().all(|address| address.to_string().contains("/p2p/12D3Koo")));
}
