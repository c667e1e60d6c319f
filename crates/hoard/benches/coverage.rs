//! How often the intervals of what is said of holders' lives, and of what changes would save, hold the truth: of each estimand so many studies are drawn from a law that is
//! known, each by a seed of its own, and what is estimated of it is compared with that law.
//!
//! `cargo bench -p kadscope-hoard --bench coverage [-- SEEDS] [lives|savings]`, a thousand of both without. A line for each estimand: the truth, the share of
//! intervals that hold it with its own 95 % interval, how wide they are and how far the estimate is from the truth in the mean. Below, the
//! same of estimators that are wrong on purpose. It fails where an interval of ours holds the truth in less than 93 % or more than 97 %, or
//! where a wrong one does not.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "coverage/estimands.rs"]
mod estimands;
#[path = "coverage/laws.rs"]
mod laws;
#[path = "coverage/retrievals.rs"]
mod retrievals;
#[path = "coverage/tally.rs"]
mod tally;

use std::process::ExitCode;

use tally::Tally;

/// What an interval of 95 % has to hold the truth in.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.93..=0.97;

/// What there is to be estimated.
const PARTS: [&str; 2] = ["lives", "savings"];

fn main() -> ExitCode {
    let said: Vec<String> = std::env::args().skip(1).collect();
    let seeds = said.iter().find_map(|arg| arg.parse().ok()).unwrap_or(1000);
    let is_meant = |name: &str| !said.iter().any(|arg| PARTS.contains(&&**arg) && arg != name);
    let [lives, savings] = PARTS.map(is_meant);
    println!("| estimand | truth | studies | hold the truth | of these, 95 % interval | width | bias |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    // Each has its line, whatever those before it say.
    let mut is_right = true;
    for case in estimands::OURS.iter().filter(|_| lives) {
        is_right &= all(&case.tallies(seeds), |held| BOUNDS.contains(&held));
    }
    for case in retrievals::OURS.iter().filter(|_| savings) {
        is_right &= all(&case.tallies(seeds), |held| BOUNDS.contains(&held));
    }
    println!("\nWrong on purpose:\n");
    for case in estimands::WRONG.iter().filter(|_| lives) {
        is_right &= all(&case.tallies(seeds), |held| !BOUNDS.contains(&held));
    }
    for case in retrievals::WRONG.iter().filter(|_| savings) {
        is_right &= all(&case.tallies(seeds), |held| !BOUNDS.contains(&held));
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all estimands of a case are as they should be; each has a line.
fn all(tallies: &[Tally], is_so: impl Fn(f64) -> bool) -> bool {
    for tally in tallies {
        let (Tally { name, truth, n, width, bias, .. }, share) = (tally, tally.share());
        let studies = *n as f64;
        let half = 1.96 * (share * (1.0 - share) / studies).sqrt();
        let mark = if is_so(share) { "" } else { " (!)" };
        println!(
            "| {name} | {truth:.4} | {n} | {:.1} %{mark} | {:.1}-{:.1} % | {:.4} | {:+.4} |",
            100.0 * share,
            100.0 * (share - half),
            100.0 * (share + half).min(1.0),
            width / studies,
            bias / studies
        );
    }
    tallies.iter().all(|tally| is_so(tally.share()))
}
