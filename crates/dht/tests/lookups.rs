//! How good lookups are, by all rules, on small networks whose truth is known. The table is the bench of the same name.

#![expect(clippy::expect_used, reason = "a test may fail")]

#[path = "../benches/lookups/figures.rs"]
mod figures;
#[path = "../benches/lookups/known_network.rs"]
mod known_network;
#[path = "../benches/lookups/networks.rs"]
mod networks;

use figures::Figures;
use kad::{Key, lookup::Rules};
use known_network::{KnownNetwork, nearest, paused};
use networks::{HEALTHY, NETWORKS, REGIONS};

const PEERS: u32 = 2_000;

const LOOKUPS: u64 = 20;

fn figures(network: &KnownNetwork, rules: Rules) -> Figures {
    let runtime = paused();
    let look_up = |number| runtime.block_on(network.look_up(&network.key(number), rules));
    Figures { samples: (0..LOOKUPS).map(look_up).collect() }
}

#[test]
fn the_closest_are_found_where_all_is_well_and_most_of_them_where_it_is_not() {
    for (name, toml) in NETWORKS {
        let network = KnownNetwork::generate(&format!("{toml}{REGIONS}"), PEERS);
        for &(rules, how) in Rules::NAMED {
            let figures = figures(&network, how);
            let ((recall, _), (complete, [low, high])) = (figures.recall(), figures.complete());
            assert!(low <= complete && complete <= high);
            let (least, requests) = match (*name, rules) {
                (HEALTHY, _) => (1.0, 60.0),
                (_, "specification") => (0.97, 250.0),
                _ => (0.6, 150.0),
            };
            assert!(recall >= least, "{name}, {rules}: {recall} of the closest");
            let (mean, _) = figures.mean(|sample| sample.requests as f64);
            assert!(mean <= requests, "{name}, {rules}: {mean} requests");
            let (hops, _) = figures.mean(|sample| f64::from(sample.hops));
            assert!(hops <= 5.0, "{name}, {rules}: {hops} hops");
            let (failed, _) = figures.mean(|sample| sample.failed as f64);
            assert!(failed <= mean, "{name}, {rules}: {failed} failed");
            let (took, _) = figures.mean(|sample| sample.took.as_secs_f64());
            assert!(took <= 60.0, "{name}, {rules}: {took} s");
        }
    }
}

#[test]
fn the_truth_is_what_a_look_at_every_key_says() {
    let mut keys: Vec<(Key, u32)> =
        (0..3_000_u32).map(|number| (Key::of(&number.to_be_bytes()), number)).collect();
    keys.sort_by_key(|(key, _)| *key.as_bytes());
    for size in [0, 7, 20, 300, 3_000] {
        let some = &keys[..size];
        for number in 0..50_u8 {
            let target = Key::of(&[number]);
            let mut all = some.to_vec();
            all.sort_by_key(|(key, _)| key.distance(&target));
            let closest: Vec<u32> = all.into_iter().take(20).map(|(_, number)| number).collect();
            assert_eq!(nearest(some, &target), closest, "{size} {number}");
        }
    }
}
