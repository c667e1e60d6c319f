//! How often the intervals of what is said of holders' lives hold the truth: of each estimand so many studies are drawn from a law that is
//! known, each by a seed of its own, and what is estimated of it is compared with that law.
//!
//! `cargo bench -p kadscope-hoard --bench coverage [-- SEEDS]`, a thousand without. A line for each estimand: the truth, the share of
//! intervals that hold it with its own 95 % interval, how wide they are and how far the estimate is from the truth in the mean. Below, the
//! same of estimators that are wrong on purpose. It fails where an interval of ours holds the truth in less than 93 % or more than 97 %, or
//! where a wrong one does not.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "coverage/estimands.rs"]
mod estimands;
#[path = "coverage/laws.rs"]
mod laws;

use std::process::ExitCode;

use estimands::{Case, OURS, Tally, WRONG};

/// What an interval of 95 % has to hold the truth in.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.93..=0.97;

fn main() -> ExitCode {
    let seeds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1000);
    println!("| estimand | truth | studies | hold the truth | of these, 95 % interval | width | bias |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    // Each has its line, whatever those before it say.
    let mut is_right = true;
    for case in OURS {
        is_right &= all(case, seeds, |held| BOUNDS.contains(&held));
    }
    println!("\nWrong on purpose:\n");
    for case in WRONG {
        is_right &= all(case, seeds, |held| !BOUNDS.contains(&held));
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all estimands of a case are as they should be; each has a line.
fn all(case: &Case, seeds: u64, is_so: impl Fn(f64) -> bool) -> bool {
    let tallies = case.tallies(seeds);
    for Tally { name, truth, n, held, width, bias } in &tallies {
        let (studies, share) = (*n as f64, *held as f64 / *n as f64);
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
    tallies.iter().all(|tally| is_so(tally.held as f64 / tally.n as f64))
}
