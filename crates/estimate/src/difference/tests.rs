//! Against values that a program computed which is not ours, and against laws whose difference is known.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;
use crate::trials::{PLACEBO, SIX_MP};

/// `logrank_test` of lifelines 0.30.3.
#[test]
fn the_test_is_what_others_compute() {
    for (one, other) in [(SIX_MP, PLACEBO), (PLACEBO, SIX_MP)] {
        let test = log_rank(&one, &other).unwrap();
        assert!((test.chi_squared - 16.792_940_989_216_547).abs() < 1e-9, "{test:?}");
        assert!((test.p / 4.168_809_109_334_511e-5 - 1.0).abs() < 1e-9, "{test:?}");
    }
    assert_eq!(log_rank(&SIX_MP, &[]), None);
}

/// Times of mean `mean`, cut short at 4.
fn sample(rng: &mut StdRng, n: usize, mean: f64) -> Vec<Timed> {
    let times = (0..n).map(|_| -(1.0 - rng.random::<f64>()).ln() * mean);
    times.map(|after| Timed { after: after.min(4.0), is_censored: after > 4.0 }).collect()
}

#[test]
fn samples_of_one_law_differ_in_5_of_100_cases_and_of_two_laws_in_most() {
    let significant = |mean: f64| {
        let is_significant = |seed: &u64| {
            let mut rng = StdRng::seed_from_u64(*seed);
            let (one, other) = (sample(&mut rng, 80, 1.0), sample(&mut rng, 120, mean));
            log_rank(&one, &other).unwrap().p < 0.05
        };
        (0..2000).filter(is_significant).count() as f64 / 2000.0
    };
    let (alike, apart) = (significant(1.0), significant(1.6));
    assert!((0.035..=0.065).contains(&alike) && apart > 0.8, "{alike}, {apart}");
}

#[test]
fn the_interval_of_a_difference_holds_the_truth_in_95_of_100_cases() {
    let truth = 0.5 * 2.0_f64.ln();
    let is_held = |seed: &u64| {
        let mut rng = StdRng::seed_from_u64(*seed);
        let (one, other) = (sample(&mut rng, 80, 1.0), sample(&mut rng, 80, 1.5));
        let found = quantile_difference(&one, &other, 0.5, *seed).unwrap();
        found.low.is_some_and(|low| low <= truth) && found.high.is_some_and(|high| truth <= high)
    };
    let coverage = (0..400).filter(is_held).count() as f64 / 400.0;
    assert!((0.92..=0.98).contains(&coverage), "{coverage}");
}

#[test]
fn a_difference_hangs_on_its_seed_alone_and_has_no_end_where_nothing_bounds_it() {
    let seed = 3;
    assert_eq!(
        quantile_difference(&PLACEBO, &SIX_MP, 0.5, seed),
        quantile_difference(&PLACEBO, &SIX_MP, 0.5, seed)
    );
    let found = quantile_difference(&PLACEBO, &SIX_MP, 0.5, seed).unwrap();
    assert_eq!((found.difference, found.high, found.n), (Some(15.0), None, [21, 21]));
    assert!(found.low.is_some_and(|low| low > 0.0 && low < 15.0), "{found:?}");
    assert_eq!(quantile_difference(&PLACEBO, &[], 0.5, seed), None);
}
