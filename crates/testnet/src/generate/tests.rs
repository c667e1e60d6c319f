//! Worlds: determined by their seed, and made of the shares that were asked for.

use super::*;
use crate::ground::{Internet, Location, RangePurpose};

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

#[test]
fn keys_are_of_the_types_that_were_asked_for() {
    let text = "peers = 100\n[keys]\ned25519 = 0.4\nrsa = 0.2\nsecp256k1 = 0.2\necdsa = 0.2";
    let world = World::generate(&scenario(text));
    let count = |key: KeyType| world.peers().filter(|&peer| world.key_type(peer) == key).count();
    assert_eq!(KeyType::ALL.iter().copied().map(count).collect::<Vec<_>>(), [40, 20, 20, 20]);
    for peer in world.peers() {
        let public = world.keypair(peer).public();
        assert_eq!(public.to_peer_id(), world.peer_id(peer));
        assert_eq!(public.encode_protobuf(), world.identify(peer).public_key);
        assert_eq!(world.find(&world.peer_id(peer)), Some(peer));
    }
}

/// A world of 2,000 peers on public addresses, with all that these can be.
fn public_world() -> World {
    World::generate_public(&scenario(
        "peers = 2000\nseed = 4\n[addresses]\nip4 = 0.5\nip6 = 0.2\ndual = 0.3\nshared = 0.3\nper_ip = 3\nnamed = 0.1\n\
         [transports]\ntcp = 0.5\nall = 0.5\n\
         [[regions]]\nname = 'eu'\nshare = 0.5\ncontinents = ['EU']\nrtt_ms = { eu = 20, asia = 200 }\n\
         [[regions]]\nname = 'asia'\nshare = 0.5\ncontinents = ['AS']\nrtt_ms = { asia = 80 }\n\
         [[states]]\nstate = 'unroutable'\nshare = 0.05\n[[states]]\nstate = 'stale_address'\nshare = 0.05",
    ))
}

#[test]
fn public_places_are_where_their_region_is_and_nobody_has_anothers() {
    let world = public_world();
    let mut taken = std::collections::HashMap::new();
    for peer in world.peers() {
        let location = world.location(peer);
        let continent = if world.region(peer) == Some("eu") { "EU" } else { "AS" };
        assert!(location.slot < 3);
        for ip in location.ips() {
            let range = Internet::get().of(ip).expect("a range of the internet");
            assert_eq!((range.continent.as_str(), range.purpose), (continent, RangePurpose::Peers));
            assert_eq!(taken.insert((ip, location.slot), peer), None, "{ip} {}", location.slot);
            assert_eq!(world.ground.find(ip, location.slot, |_| true), Some(peer));
        }
    }
    let count =
        |test: &dyn Fn(Location) -> bool| world.peers().filter(|&peer| test(world.location(peer))).count();
    let near = |count: usize, share: f64| (count as f64 / 2000.0 - share).abs() < 0.04;
    assert!(near(count(&|location| location.ip6.is_none()), 0.5));
    assert!(world.ground.has_v6() && !World::generate_public(&scenario("peers = 9")).ground.has_v6());
    assert!(near(count(&|location| location.ip4.is_some() && location.ip6.is_some()), 0.3));
    assert!(near(count(&|location| location.named), 0.1));
    assert!(near(count(&|location| location.slot > 0), 0.2));
}

#[test]
fn who_speaks_secure_websocket_in_public_has_a_name_for_it() {
    let world = public_world();
    let names: std::collections::HashMap<_, _> = world.named_hosts().collect();
    let mut seen = [0; 2];
    for peer in world.peers() {
        let text: Vec<String> = world.addresses(peer).iter().map(ToString::to_string).collect();
        let name = format!("peer-{peer}.world.test");
        let secure: Vec<&String> =
            text.iter().filter(|address| address.ends_with("/ws") && address.contains("/tls/")).collect();
        assert_eq!(secure.is_empty(), world.certified_name(peer).is_none(), "{text:?}");
        for address in secure {
            let by_name = address.contains(&format!("/{name}/tcp/")) && address.ends_with("/tls/ws");
            let by_ip = address.ends_with(&format!("/tls/sni/{name}/ws"));
            assert!(by_name != by_ip, "{address}");
            seen[usize::from(by_ip)] += 1;
            if world.state(peer) != State::Unroutable {
                let ips: Vec<_> = world.location(peer).ips().collect();
                assert_eq!(names.get(&name), Some(&ips), "{address}");
            }
        }
    }
    assert!(seen[0] > 50 && seen[1] > 500, "{seen:?}");
    // On loopback nobody asks for names.
    let on_loopback = World::generate(&scenario("peers = 9\ntransports = { wss = 1 }"));
    assert!(on_loopback.peers().all(|peer| on_loopback.certified_name(peer).is_none()));
}

#[test]
fn every_public_address_is_routed_but_those_that_are_meant_not_to_be() {
    let world = public_world();
    for peer in world.peers() {
        let addresses = world.addresses(peer);
        assert!(!addresses.is_empty());
        for address in addresses.iter().chain(&world.former_addresses(peer)) {
            let resolved = world.resolve(address).unwrap_or_else(|| address.clone());
            let target = kad::policy::Addresses::Public.socket(&resolved).expect("public");
            let is_unrouted = world.ground.is_unrouted(target.addr().ip());
            assert_eq!(is_unrouted, world.state(peer) == State::Unroutable, "{address}");
        }
    }
    assert!(world.named_hosts().count() > 100);
}
