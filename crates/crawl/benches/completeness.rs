//! How wrong the estimate of missed peers is, on networks whose truth is known: the table of
//! `docs/methodology/completeness.md`.
//!
//! `cargo bench -p kadscope-crawl --bench completeness [-- NETWORKS [WORD IN THE SETTING]]`; 200 networks a setting
//! take about 15 minutes.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "completeness/settings.rs"]
mod settings;
#[path = "completeness/sweep.rs"]
mod sweep;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    settings::SETTINGS,
    sweep::{Setting, Sweep},
};

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let networks = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(200);
    let word = args.next().unwrap_or_default();
    let wanted: Vec<&Setting> = SETTINGS.iter().filter(|setting| setting.what.contains(&word)).collect();
    println!("{networks} networks a setting.\n");
    println!(
        "| setting | refused | true recall | mean error | interval covers | lies too low | too high | mean width |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for line in in_parallel(&wanted, |setting| line(setting, &Sweep::of(setting, networks))) {
        println!("{line}");
    }
}

/// One line of the table. Errors and widths are in per cent of all online peers.
fn line(setting: &Setting, sweep: &Sweep) -> String {
    let refused: u32 = sweep.refusals.values().sum();
    let why: Vec<String> = sweep.refusals.iter().map(|(name, count)| format!("{count} `{name}`")).collect();
    let refused = if refused == 0 { "0".to_owned() } else { why.join(", ") };
    let what = setting.what;
    let n = sweep.answered();
    if n == 0 {
        let recall = 100.0 * mean(&sweep.refused_recalls);
        return format!("| {what} | {refused} | ({recall:.0} %) | - | - | - | - | - |");
    }
    let share = |count: u32| 100.0 * f64::from(count) / n as f64;
    let too_low = u32::try_from(n).unwrap_or(0) - sweep.covered - sweep.above_truth;
    format!(
        "| {what} | {refused} | {:.1} % | {:+.2} % | {:.1} % | {:.1} % | {:.1} % | {:.1} % |",
        100.0 * mean(&sweep.recalls),
        100.0 * mean(&sweep.errors),
        share(sweep.covered),
        share(too_low),
        share(sweep.above_truth),
        100.0 * mean(&sweep.widths),
    )
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// What `work` makes of each item, in this order, on all cores.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, cores) = (AtomicUsize::new(0), std::thread::available_parallelism().map_or(1, usize::from));
    let take_turns = || {
        let turns = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        turns.map_while(|index| Some((index, work(items.get(index)?)))).collect::<Vec<_>>()
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(take_turns)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
