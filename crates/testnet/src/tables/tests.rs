//! Tables: everyone in the right bucket, buckets full where they can be, and the closest really the closest.

use kad::{Key, preimage::target_at};

use super::*;
use crate::{Scenario, State, World};

fn world(text: &str) -> World {
    World::generate(&Scenario::parse(text, "test").expect("a scenario"))
}

fn buckets(world: &World, peer: u32) -> Vec<Vec<u32>> {
    let ends = world.tables.bucket_ends(peer);
    (0..ends.len()).map(|bucket| world.neighbors(peer)[bounds(ends, bucket..bucket + 1)].to_vec()).collect()
}

#[test]
fn each_bucket_is_drawn_from_its_prefix_and_full_if_the_population_allows() {
    let world = world("peers = 2000");
    for peer in world.peers().step_by(37) {
        let own = world.key(peer);
        let length = |other: u32| own.common_prefix_len(&world.key(other)) as usize;
        for (depth, bucket) in buckets(&world, peer).into_iter().enumerate() {
            let population = world.peers().filter(|&other| other != peer && length(other) == depth).count();
            assert_eq!(bucket.len(), population.min(20));
            assert!(bucket.iter().all(|&other| length(other) == depth));
        }
        let mut all = world.neighbors(peer).to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), world.neighbors(peer).len());
        assert!(!all.contains(&peer));
    }
}

#[test]
fn draws_are_spread_over_the_whole_population() {
    let world = world("peers = 400");
    let mut seen = vec![0; 400];
    for peer in world.peers() {
        for &other in world.neighbors(peer) {
            seen[other as usize] += 1;
        }
    }
    let (least, most) = (seen.iter().min().expect("some"), seen.iter().max().expect("some"));
    assert!(*least > 40 && *most < 200, "in-degrees from {least} to {most}");
}

#[test]
fn the_closest_are_those_that_sorting_the_whole_table_finds() {
    let world = world("peers = 1500\n[tables]\nholes = 0.3");
    for peer in world.peers().step_by(101) {
        for length in 0..=15 {
            let target = Key::of(&target_at(&world.key(peer), length).expect("a target"));
            let mut by_distance = world.neighbors(peer).to_vec();
            by_distance.sort_by_key(|&other| world.key(other).distance(&target));
            by_distance.truncate(20);
            let found = world.tables.closest(&world.prefixes, peer, target.prefix64(), 20);
            assert_eq!(found, by_distance);
        }
    }
}

#[test]
fn damage_is_as_great_as_was_asked_for() {
    let whole = world("peers = 3000");
    let holed = world("peers = 3000\n[tables]\nholes = 0.25");
    let stale = world("peers = 3000\n[tables]\nstale = 0.2");
    let entries = |world: &World| world.peers().map(|peer| world.neighbors(peer).len()).sum::<usize>() as f64;
    assert!((entries(&holed) / entries(&whole) - 0.75).abs() < 0.01);
    let all = stale.peers().flat_map(|peer| stale.neighbors(peer));
    let departed = all.filter(|&&other| stale.state(other) == State::Departed).count();
    assert!((departed as f64 / entries(&stale) - 0.2).abs() < 0.02, "{departed} of {}", entries(&stale));
}

#[test]
fn who_never_answers_has_no_table_and_one_peer_alone_has_an_empty_one() {
    let world = world("peers = 20\n[[states]]\nstate = 'refusing'\nshare = 0.5");
    for peer in world.peers() {
        assert_eq!(world.neighbors(peer).is_empty(), world.state(peer) == State::Refusing);
    }
    let alone = self::world("peers = 1\nbootstrap = 1");
    assert!(alone.neighbors(0).is_empty());
}

#[test]
fn damage_lies_where_it_was_asked_for() {
    let poor = world("peers = 2000\n[tables]\npoor = { share = 0.25, bits = 2, holes = 1.0 }");
    let mut empty = [0; 4];
    for peer in poor.peers().filter(|&peer| poor.neighbors(peer).is_empty()) {
        empty[usize::from(poor.key(peer).as_bytes()[0] >> 6)] += 1;
    }
    empty.sort_unstable();
    assert!(empty[..3] == [0; 3] && empty[3] > 400, "one place of four: {empty:?}");

    let shy = world("peers = 2000\n[tables]\nshy = { share = 0.1, holes = 1.0 }");
    let mut named = vec![false; shy.len()];
    shy.peers().flat_map(|peer| shy.neighbors(peer)).for_each(|&other| named[other as usize] = true);
    assert_eq!(named.iter().filter(|named| !**named).count(), 200);
}

#[test]
fn copied_buckets_are_alike() {
    let first = |world: &World| {
        let (near, far) = world.peers().partition::<Vec<_>, _>(|&peer| world.key(peer).as_bytes()[0] < 0x80);
        assert!(near.len() > 20 && far.len() > 20);
        near.into_iter()
            .map(|peer| buckets(world, peer)[0].clone())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(first(&world("peers = 500\n[tables]\ncopied = 1.0")), 1);
    assert!(first(&world("peers = 500\n[tables]\ncopied = 0.5")) > 50);
}
