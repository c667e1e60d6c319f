//! Against values that programs computed which are not ours, and against laws that are known.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;
use crate::{
    Survival, Timed,
    trials::{COSMESIS, SIX_MP},
};

fn between(after: f64, by: Option<f64>, cluster: u32) -> Bracketed {
    Bracketed { after, by, until: by.unwrap_or(after), cluster }
}

fn cosmesis() -> Vec<Bracketed> {
    (0..).zip(COSMESIS).map(|(cluster, (after, by))| between(after, by, cluster)).collect()
}

/// Masses by stretch: `lifelines.fitters.npmle.npmle(left + 0.5, right, tol=1e-14, max_iter=100000)` of lifelines 0.30.3 (whose ends
/// both count, as months are whole); the same to four digits in M. P. Fay and P. A. Shaw, J. Stat. Softw. 36 (2) (2010), by R's `interval`.
const OF_COSMESIS: [(f64, f64, f64); 8] = [
    (4.0, 5.0, 0.046_346_773_992_894_14),
    (6.0, 7.0, 0.033_363_370_934_642_1),
    (7.0, 8.0, 0.088_667_368_062_708_32),
    (11.0, 12.0, 0.070_752_921_792_364_21),
    (24.0, 25.0, 0.092_645_836_585_012_85),
    (33.0, 34.0, 0.081_785_764_902_549_16),
    (38.0, 40.0, 0.120_879_827_353_736_94),
    (46.0, 48.0, 0.465_558_136_375_989_2),
];

#[test]
fn the_weights_are_what_others_compute() {
    let survival = BracketedSurvival::of(&cosmesis(), 1).unwrap();
    assert_eq!((survival.n, survival.censored, survival.clusters), (46, 25, 46));
    assert!(survival.shortfall <= 46.0 * SHORTFALL, "{}", survival.shortfall);
    let mut before = 1.0;
    let mut steps = survival.steps.iter().filter(|step| {
        let mass = before - step.share.going_on;
        before = step.share.going_on;
        mass > 1e-4
    });
    let mut left = 1.0;
    for (after, by, mass) in OF_COSMESIS {
        left -= mass;
        let step = steps.next().unwrap();
        assert_eq!((step.after, step.by), (after, by));
        assert!((step.share.going_on - left).abs() < 1e-4, "{step:?}: not {left}");
        assert!(step.share.low <= step.share.going_on && step.share.going_on <= step.share.high, "{step:?}");
    }
    assert_eq!(steps.next(), None);
    // Where between 38 and 40 months the half is reached nothing says.
    let median = survival.quantile(0.5);
    assert_eq!((median.after, median.by), (Some(38.0), Some(40.0)));
    assert!((survival.at(39.0).going_on - f64::midpoint(0.586_437_963_5, 0.465_558_136_4)).abs() < 1e-3);
}

#[test]
fn where_ends_are_seen_themselves_it_is_the_product_limit() {
    let exact: Vec<Bracketed> = (0..)
        .zip(SIX_MP)
        .map(|(cluster, timed)| between(timed.after, (!timed.is_censored).then_some(timed.after), cluster))
        .collect();
    let (ours, known) = (BracketedSurvival::of(&exact, 1).unwrap(), Survival::of(SIX_MP).unwrap());
    for step in &known.steps {
        let share = ours.at(step.at);
        assert!((share.going_on - step.going_on).abs() < 1e-6, "{step:?} is not {share:?}");
    }
}

#[test]
fn what_cannot_be_observed_has_its_reason() {
    assert_eq!(BracketedSurvival::of(&[], 1), Err(NoSurvival::NothingObserved));
    for (after, by) in [(f64::NAN, None), (3.0, Some(2.0)), (0.0, Some(f64::INFINITY))] {
        let one = Bracketed { after, by, until: 10.0, cluster: 0 };
        assert_eq!(BracketedSurvival::of(&[one], 1), Err(NoSurvival::NotATime), "{after}, {by:?}");
    }
    let none_ended: Vec<Bracketed> = (0..20).map(|cluster| between(5.0, None, cluster)).collect();
    let survival = BracketedSurvival::of(&none_ended, 1).unwrap();
    assert_eq!((survival.steps.len(), survival.last, survival.quantile(0.5).value), (0, 5.0, None));
    // Of twenty of which none ended up to five in a hundred and more may.
    assert!(survival.at(4.0).going_on >= 1.0 && survival.at(4.0).low < 0.85);
}

/// However many looks there are, and wherever: the bound says so, and it is not the most turns that ended it.
#[test]
fn it_is_as_likely_as_it_gets_for_thousands_with_looks_of_their_own() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut one = |cluster| {
        let end = -(1.0 - rng.random::<f64>()).ln();
        let mut after = 0.0;
        loop {
            let next = after + 0.05 + rng.random::<f64>();
            if next > 4.0 {
                break between(after, None, cluster);
            }
            if end <= next {
                break between(after, Some(next), cluster);
            }
            after = next;
        }
    };
    let observed: Vec<Bracketed> = (0..1500).map(&mut one).collect();
    let atoms = Atoms::of(&observed);
    let (pairs, of_each) = paired(&atoms, &observed);
    let mut likelihood = Likelihood::new(pairs, atoms.list.len());
    let mut weights = vec![0.0; likelihood.pairs()];
    for pair in of_each {
        weights[pair] += 1.0;
    }
    let fit = likelihood.maximum(&weights, None, SHORTFALL);
    assert!(fit.shortfall <= 1500.0 * SHORTFALL, "{}", fit.shortfall);
    let ended: f64 = atoms
        .list
        .iter()
        .zip(&fit.masses)
        .map(|(atom, mass)| if atom.by.is_some_and(|by| by <= 1.0) { *mass } else { 0.0 })
        .sum();
    assert!((ended - 0.632).abs() < 0.06, "{ended}");
}

/// Exponential times of mean 1, looked at every quarter, a tenth of the looks missed, some leave.
fn looked_at(rng: &mut StdRng, n: u32, per_cluster: u32) -> Vec<Bracketed> {
    let mut all = Vec::new();
    for cluster in 0..n / per_cluster {
        // Those of one cluster leave together.
        let leaves = -3.0 * (1.0 - rng.random::<f64>()).ln();
        for _ in 0..per_cluster {
            let end = -(1.0 - rng.random::<f64>()).ln();
            let looks = (1..=12).map(|look| f64::from(look) / 4.0);
            let looks: Vec<f64> = looks.filter(|look| *look < leaves && rng.random::<f64>() > 0.1).collect();
            let after = looks.iter().copied().filter(|look| *look < end).fold(0.0, f64::max);
            let by = looks.iter().copied().find(|look| *look >= end);
            all.push(Bracketed { after, by, until: looks.last().copied().unwrap_or(0.0), cluster });
        }
    }
    all
}

type Interval = (Option<f64>, Option<f64>);

/// How often each interval holds its truth, of 100 histories of so many.
fn coverage<const N: usize>(
    n: u32,
    truths: [f64; N],
    intervals: impl Fn(Vec<Bracketed>) -> [Interval; N],
) -> [u32; N] {
    let mut held = [0; N];
    for seed in 0..100 {
        let intervals = intervals(looked_at(&mut StdRng::seed_from_u64(seed), n, 3));
        for (held, ((low, high), truth)) in held.iter_mut().zip(intervals.into_iter().zip(truths)) {
            let holds = low.is_some_and(|low| low <= truth) && high.is_none_or(|high| truth <= high);
            *held += u32::from(holds);
        }
    }
    held
}

/// What an interval that holds the truth in 95 of 100 cases holds it in but for once in 300 tests.
const FEWEST: u32 = 88;

#[test]
fn intervals_hold_the_truth_in_95_of_100_cases() {
    for n in [90, 1500] {
        let truths = [(-1.0_f64).exp(), (-2.0_f64).exp(), 2.0_f64.ln()];
        let held = coverage(n, truths, |observed| {
            let survival = BracketedSurvival::of(&observed, 5).unwrap();
            let (one, two, median) = (survival.at(1.0), survival.at(2.0), survival.quantile(0.5));
            [(Some(one.low), Some(one.high)), (Some(two.low), Some(two.high)), (median.low, median.high)]
        });
        assert!(held.iter().all(|held| *held >= FEWEST), "{n}: {held:?}");
    }
}

/// Who takes the look that saw the end for the end, or the middle between two, is wrong: the test above would say so.
#[test]
fn who_takes_looks_for_ends_misses_the_truth() {
    let of = |when: fn(&Bracketed) -> f64| {
        coverage(1500, [2.0_f64.ln()], |observed| {
            let timed = observed.iter().map(|one| Timed { after: when(one), is_censored: one.by.is_none() });
            let median = Survival::of(timed).unwrap().quantile(0.5);
            [(median.low, median.high)]
        })
    };
    let wrong = [
        of(|one| one.by.unwrap_or(one.after)),
        of(|one| one.by.map_or(one.after, |by| f64::midpoint(one.after, by))),
    ];
    assert!(wrong.iter().all(|[held]| *held < FEWEST), "{wrong:?}");
}
