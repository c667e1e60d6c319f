//! How good lookups are on networks whose truth is known, by rules, in virtual time: the table of `docs/benchmarks.md`.
//!
//! `cargo bench -p kadscope-dht --bench lookups [-- LOOKUPS [PEERS [WORD IN THE NETWORK]]]`; by default 1,000 lookups by each
//! rules in each network of 100,000 peers, and four times as many in the healthy one.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "lookups/figures.rs"]
mod figures;
#[path = "lookups/known_network.rs"]
mod known_network;
#[path = "lookups/networks.rs"]
mod networks;

use std::time::Duration;

use figures::Figures;
use kad::lookup::Rules;
use known_network::{KnownNetwork, paused};
use networks::{HEALTHY, NETWORKS, REGIONS};

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let lookups = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(1_000);
    let peers = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(100_000);
    let word = args.next().unwrap_or_default();
    println!(
        "{peers} peers; each mean with its standard error, each share of lookups with its interval of 95 %.\n"
    );
    println!("| network | rules | n | found of 20 | all 20 | hops | requests | failed | s | 95 % within s |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (name, toml) in NETWORKS.iter().filter(|(name, _)| name.contains(&word)) {
        let network = KnownNetwork::generate(&format!("{toml}{REGIONS}"), peers);
        // That it fails in fewer than one of a thousand cases cannot be seen in a thousand.
        let lookups = if *name == HEALTHY { 4 * lookups } else { lookups };
        for (rules, figures) in measure(&network, lookups) {
            println!("| {name} | `{rules}` | {lookups} | {} |", cells(&figures));
        }
    }
}

/// As many lookups by each rules, of the same keys.
fn measure(network: &KnownNetwork, lookups: u64) -> Vec<(&'static str, Figures)> {
    let mut all: Vec<_> =
        Rules::NAMED.iter().map(|&(name, rules)| (name, rules, Figures::default())).collect();
    let runtime = paused();
    for number in 0..lookups {
        let key = network.key(number);
        for (_, rules, figures) in &mut all {
            figures.samples.push(runtime.block_on(network.look_up(&key, *rules)));
        }
    }
    all.into_iter().map(|(name, _, figures)| (name, figures)).collect()
}

/// All figures, as cells of a table.
fn cells(figures: &Figures) -> String {
    let percent = |(mean, error): (f64, f64)| format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * error);
    let number = |(mean, error): (f64, f64)| format!("{mean:.2} ± {error:.2}");
    let (share, [low, high]) = figures.complete();
    let (share, low, high) = (100.0 * share, 100.0 * low, 100.0 * high);
    [
        percent(figures.recall()),
        format!("{share:.2} % ({low:.2} to {high:.2})"),
        number(figures.mean(|sample| f64::from(sample.hops))),
        number(figures.mean(|sample| sample.requests as f64)),
        number(figures.mean(|sample| sample.failed as f64)),
        number(figures.mean(|sample| sample.took.as_secs_f64())),
        format!("{:.1}", slow_s(figures)),
    ]
    .join(" | ")
}

/// How long 95 of a hundred lookups took at most, in seconds.
fn slow_s(figures: &Figures) -> f64 {
    let mut took: Vec<Duration> = figures.samples.iter().map(|sample| sample.took).collect();
    took.sort_unstable();
    took.get((took.len() * 95).div_ceil(100).saturating_sub(1)).map_or(0.0, Duration::as_secs_f64)
}
