//! How many keys have a head near them: of the keys of a network, the share that has a head among its twenty closest servers.
//!
//! `cargo bench -p kadscope-hydra --bench coverage` prints it for fleets of several sizes among 14,200 other servers, whose keys are drawn
//! evenly as those of honest servers are. Nothing is measured: the same numbers come each time.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

use std::collections::BTreeSet;

use kad::{Key, message::K};
use kadscope_hydra::{Choices, HeadSeed, HeadSequence};

/// Servers of others: about as many as the public network had in 2023.
const OTHERS: u32 = 14_200;

/// Keys that are looked at.
const KEYS: u32 = 1_500;

/// 32 zeros, as a seed is written.
const SEED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn main() {
    println!("| heads | choices 2 | choices 16 |\n|---|---|---|");
    for heads in [700, 1_000, 1_500] {
        let [two, sixteen] = [2, 16].map(|choices| share(&fleet(heads, choices)) * 100.0);
        println!("| {heads} | {two:.1} % | {sixteen:.1} % |");
    }
}

/// The keys of so many heads of one seed.
fn fleet(heads: u64, choices: u32) -> BTreeSet<Key> {
    let seed = HeadSeed::parse(SEED).expect("a seed");
    let mut sequence = HeadSequence::new(seed, Choices::new(choices).expect("a number of choices"));
    (0..heads).map(|index| Key::of_peer(&sequence.identity(index).expect("a head").peer_id())).collect()
}

fn share(heads: &BTreeSet<Key>) -> f64 {
    let others = (0..OTHERS).map(|number| Key::of(format!("server {number}").as_bytes()));
    let mut servers: Vec<Key> = others.chain(heads.iter().copied()).collect();
    let mut has_head = |number: &u32| {
        let target = Key::of(format!("key {number}").as_bytes());
        let (nearer, last, _) = servers.select_nth_unstable_by_key(K - 1, |key| key.distance(&target));
        nearer.iter().chain([&*last]).any(|key| heads.contains(key))
    };
    let covered = (0..KEYS).filter(&mut has_head).count();
    covered as f64 / f64::from(KEYS)
}
