//! Estimates of the size of networks whose size is known: by exact distances, and by drawn ones with their error.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::time::Duration;

use kadscope_kad::{
    Key,
    message::K,
    size::{ClosestSeen, MAX_AGE, MAX_LOOKUPS, MIN_LOOKUPS, SizeEstimate, SizeEstimator, TooFewLookups},
};

/// Numbers that look random and are always the same (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn key(&mut self) -> Key {
        let mut bytes = [0; 32];
        bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_be_bytes()));
        Key::from_bytes(bytes)
    }
}

const OWN: Key = Key::from_bytes([0; 32]);

/// Keys at i / (N + 1) of the longest distance from the key.
fn exact(key: Key, peers: u128) -> Vec<Key> {
    let at = |rank: u128| {
        let distance = ((rank << 100) / (peers + 1)) << 28;
        let mut bytes = *key.as_bytes();
        bytes.iter_mut().zip(distance.to_be_bytes()).for_each(|(byte, other)| *byte ^= other);
        Key::from_bytes(bytes)
    };
    (1..=K as u128).map(at).collect()
}

/// Those of all that are closest to the key.
fn closest(all: &[Key], key: &Key) -> Vec<Key> {
    let mut near: Vec<(u64, Key)> =
        all.iter().map(|peer| (peer.prefix64() ^ key.prefix64(), *peer)).collect();
    near.select_nth_unstable_by_key(K, |&(distance, _)| distance);
    near.truncate(K);
    near.sort_unstable_by_key(|&(distance, _)| distance);
    near.into_iter().map(|(_, peer)| peer).collect()
}

fn track(estimator: &mut SizeEstimator, key: Key, closest: &[Key], now: Duration) {
    let seen = ClosestSeen { key, closest, answered: closest };
    estimator.track(seen, |_| K, now).expect("20 peers");
}

#[test]
fn exact_distances_give_the_exact_size() {
    // Where no distance of a rank deviates, Go's formula divides 0 by 0.
    for peers in [100, 1_000, 12_345, 1_000_000] {
        let (mut estimator, mut numbers) = (SizeEstimator::new(OWN), Numbers(1));
        for _ in 0..MIN_LOOKUPS {
            let key = numbers.key();
            track(&mut estimator, key, &exact(key, peers), Duration::ZERO);
        }
        let size = estimator.estimate(Duration::ZERO).expect("enough lookups");
        // Go cuts what lies just below.
        let go = u128::try_from(size.go).expect("a size");
        assert!(go == peers || go + 1 == peers, "{peers}: {size:?}");
        let likely = size.named.peers / peers as f64;
        assert!((likely - 1.0).abs() < 0.02, "{peers}: {size:?}");
    }
}

/// Mean and deviation of errors that are shares of the truth.
fn spread(errors: &[f64]) -> (f64, f64) {
    let count = errors.len() as f64;
    let mean = errors.iter().sum::<f64>() / count;
    let squares: f64 = errors.iter().map(|error| (error - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

/// What so many lookups in a drawn network say.
fn drawn(peers: u64, lookups: usize, seed: u64) -> SizeEstimate {
    let mut numbers = Numbers(seed << 20 | peers);
    let all: Vec<Key> = (0..peers).map(|_| numbers.key()).collect();
    let mut estimator = SizeEstimator::new(OWN);
    for _ in 0..lookups {
        let key = numbers.key();
        track(&mut estimator, key, &closest(&all, &key), Duration::ZERO);
    }
    estimator.estimate(Duration::ZERO).expect("enough lookups")
}

#[test]
fn estimates_err_by_as_much_as_is_said_whatever_the_size() {
    for (peers, lookups, runs) in [(100, 20, 100), (1_000, 5, 100), (1_000, 20, 100), (10_000, 20, 40)] {
        let truth = peers as f64;
        let sizes: Vec<SizeEstimate> = (0..runs).map(|seed| drawn(peers, lookups, seed)).collect();
        let go: Vec<f64> = sizes.iter().map(|size| f64::from(size.go) / truth - 1.0).collect();
        let likely: Vec<f64> = sizes.iter().map(|size| size.named.peers / truth - 1.0).collect();
        let holds = sizes.iter().filter(|size| size.named.low <= truth && truth <= size.named.high).count();
        let ((bias, deviation), (own_bias, own_deviation)) = (spread(&go), spread(&likely));
        println!(
            "{peers} peers, {lookups} lookups, {runs} runs: Go {bias:+.3} +- {deviation:.3}, likely {own_bias:+.3} +- \
             {own_deviation:.3}, interval holds in {holds}"
        );
        let expected = 1.0 / ((lookups * K) as f64).sqrt();
        // 1.15 of what the best estimate can do is what Go's was simulated to do; a few standard errors on top.
        assert!(bias.abs() < 0.024 + 3.0 * deviation / (runs as f64).sqrt(), "{peers} {lookups}: {bias}");
        assert!(deviation < 1.5 * expected, "{peers} {lookups}: {deviation}");
        assert!(own_bias.abs() < 4.0 * own_deviation / (runs as f64).sqrt(), "{peers} {lookups}: {own_bias}");
        assert!(own_deviation < 1.3 * expected, "{peers} {lookups}: {own_deviation}");
        assert!(holds as f64 >= 0.88 * runs as f64, "{peers} {lookups}: {holds}");
    }
}

#[test]
fn lookups_count_for_two_hours_and_the_last_150_do() {
    let (mut estimator, mut numbers) = (SizeEstimator::new(OWN), Numbers(2));
    let mut add = |estimator: &mut SizeEstimator, peers, now| {
        let key = numbers.key();
        track(estimator, key, &exact(key, peers), now);
    };
    for have in 0..MIN_LOOKUPS {
        assert_eq!(estimator.estimate(Duration::ZERO), Err(TooFewLookups { have }));
        add(&mut estimator, 1_000, Duration::ZERO);
    }
    let second = Duration::from_secs(1);
    let first = estimator.estimate(second).expect("enough lookups");
    // As long as no lookup is added, what was estimated stays, however old: so it does with Go.
    assert_eq!(estimator.estimate(MAX_AGE + second).map(|size| size.go), Ok(first.go));
    add(&mut estimator, 5_000, MAX_AGE);
    assert_eq!(estimator.estimate(MAX_AGE), Err(TooFewLookups { have: 1 }));
    for _ in 0..2 * MAX_LOOKUPS {
        add(&mut estimator, 2_000, MAX_AGE);
    }
    let last = estimator.estimate(MAX_AGE).expect("enough lookups");
    assert_eq!(last.lookups, MAX_LOOKUPS);
    assert!((1_999..=2_000).contains(&last.go), "{last:?}");
}

#[test]
fn a_lookup_counts_less_for_each_peer_that_its_bucket_lacks() {
    let (mut estimator, mut numbers) = (SizeEstimator::new(OWN), Numbers(3));
    let mut far = || loop {
        let key = numbers.key();
        if OWN.common_prefix_len(&key) == 0 {
            return key;
        }
    };
    for (peers, table, answers) in [(1_000, 20, 5), (100_000, 10, 5)] {
        for _ in 0..answers {
            let key = far();
            let mut closest = exact(key, peers);
            // None of them would stand in the key's bucket: they share its first bit with us.
            if table < K {
                for peer in &mut closest {
                    let mut bytes = *peer.as_bytes();
                    bytes[0] &= 0x7f;
                    *peer = Key::from_bytes(bytes);
                }
            }
            let seen = ClosestSeen { key, closest: &closest, answered: &[] };
            estimator.track(seen, |_| table, Duration::ZERO).expect("20 peers");
        }
    }
    // The second half lies at half of the longest distance and more, and counts 1024 times less.
    let size = estimator.estimate(Duration::ZERO).expect("enough lookups");
    assert!(size.go > 700, "{size:?}");
    assert_eq!(size.answering, None);
}

#[test]
fn a_lookup_of_fewer_peers_says_nothing() {
    let mut estimator = SizeEstimator::new(OWN);
    let key = Numbers(4).key();
    let closest = exact(key, 100);
    for found in [0, K - 1] {
        let seen = ClosestSeen { key, closest: &closest[..found], answered: &[] };
        let refused = estimator.track(seen, |_| K, Duration::ZERO).expect_err("too few");
        assert_eq!(refused.found, found);
    }
}
