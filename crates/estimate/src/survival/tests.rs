//! Against values that a program computed which is not ours, and against laws whose quantiles are known.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;
use crate::trials::{PLACEBO, SIX_MP};

fn ended(times: &[f64]) -> Survival {
    Survival::of(times.iter().map(|&after| Timed { after, is_censored: false })).unwrap()
}

/// `KaplanMeierFitter().fit(weeks, relapsed)` of lifelines 0.30.3: time, at risk, share, and the ends of its interval.
const OF_SIX_MP: [(f64, u64, f64, f64, f64); 7] = [
    (6.0, 21, 0.857_142_857_142_857, 0.619_717_955_265_983_8, 0.951_551_747_646_996_9),
    (7.0, 17, 0.806_722_689_075_629_9, 0.563_146_564_622_233_3, 0.922_809_019_202_880_2),
    (10.0, 15, 0.752_941_176_470_587_8, 0.503_199_510_799_955_4, 0.889_361_835_169_265_1),
    (13.0, 12, 0.690_196_078_431_372_2, 0.431_610_222_486_183_9, 0.849_065_963_349_450_5),
    (16.0, 11, 0.627_450_980_392_156_6, 0.367_510_855_987_501_94, 0.804_912_189_471_841_1),
    (22.0, 7, 0.537_815_126_050_419_9, 0.267_778_936_767_134_93, 0.746_790_717_635_394_3),
    (23.0, 6, 0.448_179_271_708_683_27, 0.188_052_005_959_232_33, 0.680_142_628_495_241_2),
];

#[test]
fn the_curve_and_its_intervals_are_what_others_compute() {
    let survival = Survival::of(SIX_MP).unwrap();
    assert_eq!((survival.n, survival.censored, survival.steps.len()), (21, 12, 7));
    for (step, (at, at_risk, going_on, low, high)) in survival.steps.iter().zip(OF_SIX_MP) {
        assert_eq!((step.at, step.at_risk), (at, at_risk));
        for (ours, theirs) in [(step.going_on, going_on), (step.low, low), (step.high.unwrap(), high)] {
            assert!((ours - theirs).abs() < 1e-9, "{step:?}: {ours} is not {theirs}");
        }
    }
    assert_eq!(survival.step_at(5.9), None);
    assert!((survival.going_on(12.9) - OF_SIX_MP[2].2).abs() < 1e-9);
}

/// `qth_survival_times` of lifelines 0.30.3, of the curve and of its intervals.
#[test]
fn quantiles_and_their_intervals_are_what_others_compute() {
    let expected = [
        (SIX_MP, 0.25, Some(13.0), Some(6.0), Some(22.0)),
        (SIX_MP, 0.5, Some(23.0), Some(13.0), None),
        (SIX_MP, 0.75, None, Some(23.0), None),
        (PLACEBO, 0.25, Some(4.0), Some(1.0), Some(5.0)),
        (PLACEBO, 0.5, Some(8.0), Some(4.0), Some(11.0)),
        (PLACEBO, 0.75, Some(12.0), Some(8.0), Some(22.0)),
    ];
    for (sample, share, value, low, high) in expected {
        let quantile = Survival::of(sample).unwrap().quantile(share);
        assert_eq!((quantile.value, quantile.low, quantile.high), (value, low, high), "{share}");
    }
}

#[test]
fn without_anyone_cut_short_it_is_the_distribution() {
    let survival = ended(&[4.0, 1.0, 3.0, 2.0]);
    assert_eq!(survival.steps.iter().map(|step| step.going_on).collect::<Vec<_>>(), [0.75, 0.5, 0.25, 0.0]);
    assert_eq!(survival.quantile(0.5).value, Some(2.0));
    // Nothing that was seen says that it cannot take longer.
    assert_eq!((survival.quantile(1.0).value, survival.quantile(1.0).high), (Some(4.0), None));
}

#[test]
fn what_cannot_be_observed_has_its_reason() {
    assert_eq!(Survival::of([]), Err(NoSurvival::NothingObserved));
    for after in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Survival::of([Timed { after, is_censored: false }]), Err(NoSurvival::NotATime));
    }
    let all_cut = Survival::of([Timed { after: 3.0, is_censored: true }; 5]).unwrap();
    assert_eq!((all_cut.quantile(0.1).value, all_cut.steps.len(), all_cut.last), (None, 0, 3.0));
    assert_eq!(all_cut.box_statistics(5).q1, None);
}

#[test]
fn boxes_have_quartiles_whiskers_and_what_is_beyond() {
    let times: Vec<f64> = (1..=20).map(f64::from).chain([60.0, 70.0, 80.0, 90.0]).collect();
    let plot = ended(&times).box_statistics(3);
    assert_eq!((plot.q1, plot.median, plot.q3), (Some(6.0), Some(12.0), Some(18.0)));
    assert_eq!((plot.low, plot.high), (Some(1.0), Some(20.0)));
    assert_eq!((plot.outliers, plot.outliers_left_out), (vec![60.0, 70.0, 90.0], 1));
    let cut = times.iter().map(|&after| Timed { after: after.min(10.0), is_censored: after > 10.0 });
    let plot = Survival::of(cut).unwrap().box_statistics(3);
    assert_eq!((plot.q1, plot.median, plot.q3, plot.high), (Some(6.0), None, None, None));
}

#[test]
fn a_thinned_curve_is_near_the_whole_one() {
    let survival = ended(&(0..5000).map(|index| f64::from(index).sqrt()).collect::<Vec<_>>());
    let kept = survival.thinned(200);
    assert!(
        kept.len() <= 202 && kept.first() == survival.steps.first() && kept.last() == survival.steps.last()
    );
    assert!(kept.windows(2).all(|pair| pair[0].going_on - pair[1].going_on < 0.006));
}

/// How often the interval of a quantile holds the truth, over so many histories.
fn coverage(histories: u32, share: f64, truth: f64, observe: impl Fn(&mut StdRng) -> Vec<Timed>) -> f64 {
    let held = (0..histories).filter(|seed| {
        let sample = observe(&mut StdRng::seed_from_u64(u64::from(*seed)));
        let quantile = Survival::of(sample).unwrap().quantile(share);
        quantile.low.is_some_and(|low| low <= truth) && quantile.high.is_none_or(|high| truth <= high)
    });
    held.count() as f64 / f64::from(histories)
}

/// Exponential times of mean 1, cut short at a deadline.
fn exponential(rng: &mut StdRng, n: usize, mut deadline: impl FnMut(&mut StdRng) -> f64) -> Vec<Timed> {
    let mut one = || {
        let (after, until) = (-(1.0 - rng.random::<f64>()).ln(), deadline(rng));
        Timed { after: after.min(until), is_censored: after > until }
    };
    (0..n).map(|_| one()).collect()
}

#[test]
fn the_interval_of_a_quantile_holds_the_truth_in_95_of_100_cases() {
    let (p50, p90, p99) = (2.0_f64.ln(), 10.0_f64.ln(), 100.0_f64.ln());
    let late = |_: &mut StdRng| 4.0;
    // Cut short at any time, as who is watched for part of the time only: a third of all.
    let any = |rng: &mut StdRng| rng.random::<f64>() * 3.0;
    let cases = [
        ("the median of 60", coverage(2000, 0.5, p50, |rng| exponential(rng, 60, late))),
        ("the median of 200, a third cut short", coverage(2000, 0.5, p50, |rng| exponential(rng, 200, any))),
        ("p90 of 300", coverage(2000, 0.9, p90, |rng| exponential(rng, 300, late))),
        ("p90 of 300, a third cut short", coverage(2000, 0.9, p90, |rng| exponential(rng, 300, any))),
        ("p99 of 2,000", coverage(1000, 0.99, p99, |rng| exponential(rng, 2000, |_| 6.0))),
    ];
    for (case, coverage) in cases {
        assert!((0.93..=0.97).contains(&coverage), "{case}: {coverage}");
    }
}

/// Who leaves out those that were cut short, or takes them as ended, is wrong: the test above would say so.
#[test]
fn who_does_not_respect_what_was_cut_short_misses_the_truth() {
    let any = |rng: &mut StdRng| rng.random::<f64>() * 3.0;
    let dropped = coverage(500, 0.5, 2.0_f64.ln(), |rng| {
        exponential(rng, 200, any).into_iter().filter(|timed| !timed.is_censored).collect()
    });
    let ended = coverage(500, 0.5, 2.0_f64.ln(), |rng| {
        exponential(rng, 200, any).into_iter().map(|timed| Timed { is_censored: false, ..timed }).collect()
    });
    assert!(dropped < 0.5 && ended < 0.8, "{dropped}, {ended}");
}
