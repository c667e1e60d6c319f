//! Captures that are made up: what is counted, what is refused, and what the formulas come to.

use super::*;
use crate::Method;

/// Where the peer at a position lies, as ids lie in the key space.
fn place(position: usize) -> u8 {
    let id = u32::try_from(position).expect("a small number").to_be_bytes();
    kad::Key::of(&id).as_bytes()[0]
}

/// So many reachable peers in one table, in two, and so on.
fn captures(counts: &[usize]) -> Vec<Capture> {
    let degrees = counts.iter().zip(1..).flat_map(|(&count, degree)| std::iter::repeat_n(degree, count));
    degrees.map(|in_degree| Capture { in_degree, reached: Some(true), given: false }).collect()
}

const fn evidence(captures: Vec<Capture>, growth: &[u32]) -> Evidence<'_> {
    Evidence { captures, growth, cut_short: false, left_out: false }
}

fn refusal(counts: &[usize], tables: usize) -> Option<NoEstimate> {
    let growth = vec![1; tables];
    evidence(captures(counts), &growth).weigh(place).no_estimate_because
}

fn number(peers: f64) -> usize {
    (1..=5000_u16).take_while(|&number| f64::from(number) <= peers).map(usize::from).last().unwrap_or(0)
}

/// Poisson in-degrees from 1 on of about `peers` peers.
fn poisson(mean: f64, peers: f64) -> Vec<usize> {
    let mut weight = peers * (-mean).exp();
    let mut counts = Vec::new();
    for k in 1..30 {
        weight *= mean / f64::from(k);
        counts.push(number(weight.round()));
    }
    counts
}

#[test]
fn even_captures_are_extrapolated_to_what_they_came_from() {
    for mean in [1.3, 2.0, 3.0, 5.0, 7.0] {
        let growth = vec![1; 4000];
        let weighed = evidence(captures(&poisson(mean, 4000.0)), &growth).weigh(place);
        let estimate = weighed.estimate.expect("an estimate");
        let truth = 4000.0 * (-mean).exp();
        assert!((estimate.missed - truth).abs() < 0.05 * truth + 1.0, "{mean}: {truth}, {estimate:?}");
        assert!(
            estimate.low as f64 <= truth && truth <= estimate.high as f64,
            "{mean}: {truth}, {estimate:?}"
        );
        assert!((estimate.coverage - (1.0 - (-mean).exp())).abs() < 0.01, "{estimate:?}");
        assert_eq!((estimate.method, weighed.no_estimate_because), (Method::ChaoSpread, None));
    }
}

#[test]
fn uneven_captures_widen_the_interval() {
    // Negative binomial: mean 3, shape 2. Chao's bound lies far below the 640 that are missed.
    let (mut weight, mut counts) = (4000.0 * 0.4_f64.powi(2), Vec::new());
    for k in 0..30_u32 {
        weight *= 0.6 * (2.0 + f64::from(k)) / f64::from(k + 1);
        counts.push(number(weight));
    }
    let growth = vec![1; 4000];
    let estimate = evidence(captures(&counts), &growth).weigh(place).estimate.expect("an estimate");
    assert!(estimate.missed < 500.0 && estimate.high > 640, "{estimate:?}");
}

#[test]
fn each_reason_to_refuse_has_its_name() {
    assert_eq!(refusal(&[100, 100, 100, 80, 50], 29), Some(NoEstimate::TooFewTables));
    assert_eq!(refusal(&[3, 0, 100], 400), Some(NoEstimate::NoneTwice));
    assert_eq!(refusal(&[600, 100, 20], 400), Some(NoEstimate::CoverageTooLow));
    assert_eq!(refusal(&[200, 20, 5, 5, 200, 200, 200, 200], 400), Some(NoEstimate::CapturesTooUneven));
    assert_eq!(refusal(&[], 0), Some(NoEstimate::TooFewTables));
    let growth = vec![1; 4000];
    let mut evidence = evidence(captures(&poisson(3.0, 4000.0)), &growth);
    evidence.left_out = true;
    assert_eq!(evidence.weigh(place).no_estimate_because, Some(NoEstimate::PeersLeftOut));
    evidence.cut_short = true;
    assert_eq!(evidence.weigh(place).no_estimate_because, Some(NoEstimate::CutShort));
    (evidence.cut_short, evidence.captures[7].reached) = (false, None);
    assert_eq!(evidence.weigh(place).no_estimate_because, Some(NoEstimate::CutShort));
}

#[test]
fn names_are_those_in_the_json() {
    for reason in NoEstimate::ALL {
        assert_eq!(serde_json::to_value(reason).expect("JSON"), reason.name());
    }
    for method in Method::ALL {
        assert_eq!(serde_json::to_value(method).expect("JSON"), method.name());
    }
}

#[test]
fn nobody_named_once_is_nobody_missed_but_for_chance() {
    let growth = vec![1; 100];
    let estimate =
        evidence(captures(&[0, 0, 0, 0, 100]), &growth).weigh(place).estimate.expect("an estimate");
    assert_eq!(
        (estimate.missed, estimate.low, estimate.high, estimate.method),
        (0.0, 0, 4, Method::NoneOnce)
    );
}

#[test]
fn few_peers_of_small_in_degree_leave_chaos_interval_alone() {
    let growth = vec![1; 300];
    let mut counts = [0; 100];
    (counts[0], counts[1], counts[99]) = (4, 3, 200);
    let estimate = evidence(captures(&counts), &growth).weigh(place).estimate.expect("an estimate");
    assert_eq!((estimate.method, estimate.f1, estimate.f2), (Method::Chao, 4, 3));
    assert!(estimate.missed > 1.0 && estimate.high < 20, "{estimate:?}");
}

#[test]
fn only_reachable_peers_that_were_found_are_captured() {
    let growth = vec![1; 400];
    let mut captures = captures(&[0, 50, 50, 50]);
    for number in 0..850 {
        let given = number % 2 == 0;
        captures.push(Capture { in_degree: 1, reached: Some(given), given });
    }
    let weighed = evidence(captures, &growth).weigh(place);
    let estimate = weighed.estimate.expect("an estimate");
    assert_eq!((estimate.n_peers, estimate.f1, estimate.f2), (150, 0, 50));
    assert_eq!(weighed.in_degree.unreachable, Some(InDegree { peers: 425, median: 1, once_share: 1.0 }));
}

#[test]
fn late_peers_are_counted_by_tables_read() {
    let growth = (1..=200).map(|table| table.min(190) + 5).collect::<Vec<u32>>();
    let mut captures = captures(&[0, 0, 195]);
    captures[0].given = true;
    let weighed = evidence(captures.clone(), &growth).weigh(place);
    // After 180 of 200 tables 185 peers were known, after 198 all 195.
    assert_eq!((weighed.late_share, weighed.late_peers), (Some(10.0 / 195.0), 0));
    let weighed = evidence(captures.clone(), &[195]).weigh(place);
    assert_eq!((weighed.late_share, weighed.late_peers), (Some(194.0 / 195.0), 194));
    assert_eq!(evidence(captures, &[]).weigh(place).late_share, None);
    assert_eq!(evidence(Vec::new(), &[]).weigh(place), Completeness::default());
}
