//! Our rule of sessions with our schedule beside Nebula's, where the truth is known: peers that come and go by laws for two weeks.
//!
//! `cargo bench -p kadscope-monitor --bench calibration [-- PEERS]`, 10,000 without. A line for each law and rule, and the figure of what
//! more dials and fewer would change (`docs/methodology/sessions-cost.svg`), of a tenth of the peers. It fails where ours is not closer to
//! the truth with fewer dials.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "calibration/figured.rs"]
mod figured;
#[path = "calibration/ground.rs"]
mod ground;
#[path = "calibration/judged.rs"]
mod judged;
#[path = "calibration/laws.rs"]
mod laws;
#[path = "calibration/rules.rs"]
mod rules;
#[path = "calibration/watched.rs"]
mod watched;

use std::{path::Path, process::ExitCode};

use figured::{FACTORS, Traded};
use judged::Judgement;
use laws::{JUDGED, Law, TUNING};

/// By what the lives are drawn that were judged; constants were tuned on others.
const JUDGED_SEED: u64 = 3;
const TUNING_SEED: u64 = 1;

fn main() -> ExitCode {
    let peers = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    println!(
        "| law | rule | distance | by its own lengths | bias of the mean | missed | false ends | delay (s) | dials | dials a peer and hour |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut is_better = true;
    for law in &TUNING {
        beside(law, peers / 10, TUNING_SEED);
    }
    for law in &JUDGED {
        is_better &= beside(law, peers, JUDGED_SEED);
    }
    let traded: Vec<Traded> = JUDGED.iter().map(|law| traded(law, peers / 10)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methodology/sessions-cost.svg");
    if let Err(error) = std::fs::write(&path, figured::figure(&traded).svg()) {
        println!("{}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    if is_better { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether ours is closer to the truth than Nebula's with fewer dials; both have a line.
fn beside(law: &Law, peers: u32, seed: u64) -> bool {
    let lives = laws::lives(law, peers, seed);
    let (ours, nebula) = (judged::ours(law, &lives, 1.0), judged::nebula(law, &lives));
    line(law.name, "ours", &ours);
    line(law.name, "Nebula's", &nebula);
    ours.is_better_than(&nebula)
}

/// What comes of a law with more dials and fewer.
fn traded(law: &Law, peers: u32) -> Traded {
    let lives = laws::lives(law, peers, JUDGED_SEED);
    let of = |judgement: Judgement| (judgement.dials_per_hour, judgement.distance);
    Traded {
        law: law.name,
        ours: FACTORS.iter().map(|factor| of(judged::ours(law, &lives, *factor))).collect(),
        nebula: of(judged::nebula(law, &lives)),
    }
}

fn line(law: &str, rule: &str, judgement: &Judgement) {
    let Judgement { distance, own_distance, bias, missed, false_ends, delay, dials, dials_per_hour } =
        judgement;
    println!(
        "| {law} | {rule} | {distance:.3} | {own_distance:.3} | {:+.1} % | {:.1} % | {:.1} % | {delay:.0} | {dials} | {dials_per_hour:.2} |",
        100.0 * bias,
        100.0 * missed,
        100.0 * false_ends,
    );
}
