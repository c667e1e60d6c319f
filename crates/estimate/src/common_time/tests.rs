//! Where the time is known.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;

const DAY: f64 = 1440.0;

/// How some are looked at, and when they end.
struct Law {
    /// The times to live, each with its share; the rest ends at any time.
    lives: &'static [(f64, f64)],
    /// The share that is not reached any more from some time on.
    leaving: f64,
    every: f64,
    until: f64,
    /// Whether each is first looked at some part of `every` after the start, of its own.
    is_staggered: bool,
}

const ONE_DAY: Law =
    Law { lives: &[(DAY, 0.85)], leaving: 0.2, every: 30.0, until: 2160.0, is_staggered: true };

fn observe(rng: &mut StdRng, law: &Law, n: u32) -> Vec<Bracketed> {
    let mut one = |cluster| {
        let mut kind = rng.random::<f64>();
        let mut end = rng.random::<f64>() * law.until;
        for (life, share) in law.lives {
            if (0.0..*share).contains(&kind) {
                end = *life;
            }
            kind -= share;
        }
        let leaves =
            if rng.random::<f64>() < law.leaving { rng.random::<f64>() * law.until } else { f64::MAX };
        let first = if law.is_staggered { rng.random::<f64>() * law.every } else { law.every };
        let (mut observed, mut look) = (Bracketed { after: 0.0, by: None, until: 0.0, cluster }, first);
        while look <= law.until.min(leaves) {
            if rng.random::<f64>() > 0.05 {
                if look < end {
                    observed.after = look;
                } else if observed.by.is_none() {
                    observed.by = Some(look);
                }
                observed.until = look;
            }
            look += law.every;
        }
        observed
    };
    (0..n).map(&mut one).collect()
}

/// How often the interval of the time holds it, and that of the share that differs.
fn coverage(histories: u32, n: u32) -> (f64, f64) {
    let (mut times, mut shares) = (0, 0);
    for seed in 0..histories {
        let observed = observe(&mut StdRng::seed_from_u64(u64::from(seed)), &ONE_DAY, n);
        let common = common_time(&observed).unwrap();
        times += u32::from(common.low <= DAY && DAY <= common.high);
        shares += u32::from(common.differing.is_some_and(|share| share.low <= 0.15 && 0.15 <= share.high));
    }
    (f64::from(times) / f64::from(histories), f64::from(shares) / f64::from(histories))
}

#[test]
fn the_interval_holds_the_time_in_95_of_100_cases_whoever_leaves_or_ends_early() {
    let (times, shares) = coverage(1000, 120);
    assert!((0.93..=0.97).contains(&times), "{times}");
    assert!((0.93..=0.97).contains(&shares), "{shares}");
}

/// With a hundred that were looked at every half hour a day is known to a minute or so.
#[test]
fn many_looks_at_different_times_tell_more_than_one() {
    let mut rng = StdRng::seed_from_u64(1);
    let one = common_time(&observe(&mut rng, &ONE_DAY, 120)).unwrap();
    assert!(one.high - one.low < 3.0 && one.after <= one.value && one.value <= one.by, "{one:?}");
    let grid = Law { is_staggered: false, lives: &[(1435.0, 0.85)], ..ONE_DAY };
    let coarse = common_time(&observe(&mut rng, &grid, 120)).unwrap();
    assert_eq!((coarse.after, coarse.by), (1410.0, 1440.0), "{coarse:?}");
    assert!(coarse.low < 1412.0 && coarse.high > 1438.0, "{coarse:?}");
}

/// A look at the very time sees the end already: programs and who plans looks like the same round numbers.
#[test]
fn a_look_that_is_planned_by_the_time_leaves_it_in_the_interval() {
    let law = Law { is_staggered: false, ..ONE_DAY };
    let common = common_time(&observe(&mut StdRng::seed_from_u64(2), &law, 120)).unwrap();
    assert!(common.low < DAY && DAY <= common.high && common.by == DAY, "{common:?}");
    // Of two that were looked at together nobody knows.
    let two: Vec<Bracketed> = common_time_of_few();
    let common = common_time(&two).unwrap();
    assert!(common.low <= 870.0 && 900.0 <= common.high, "{common:?}");
}

/// Ten that are looked at together, of one key.
fn common_time_of_few() -> Vec<Bracketed> {
    vec![Bracketed { after: 870.0, by: Some(900.0), until: 2000.0, cluster: 7 }; 10]
}

#[test]
fn what_has_no_time_in_common_is_not_given_one() {
    assert_eq!(common_time(&[]), Err(NoCommonTime::NothingObserved));
    let mut rng = StdRng::seed_from_u64(4);
    let any = Law { lives: &[], ..ONE_DAY };
    for _ in 0..50 {
        let spread = common_time(&observe(&mut rng, &any, 200));
        assert!(spread == Err(NoCommonTime::Spread), "{spread:?}");
    }
    let kept = Law { lives: &[(2.0 * DAY, 1.0)], ..ONE_DAY };
    assert_eq!(common_time(&observe(&mut rng, &kept, 200)), Err(NoCommonTime::TooFewEnded));
    let exact = [Bracketed { after: 3.0, by: Some(3.0), until: 3.0, cluster: 0 }];
    assert_eq!(common_time(&exact), Err(NoCommonTime::NotATime));
}

/// Two versions under one name.
#[test]
fn each_kind_of_a_mixture_has_its_time() {
    let law = Law { lives: &[(DAY, 0.55), (2.0 * DAY, 0.35)], until: 3600.0, ..ONE_DAY };
    let observed = observe(&mut StdRng::seed_from_u64(5), &law, 400);
    let times = common_times(&observed, 4).unwrap();
    assert_eq!(times.len(), 2, "{times:?}");
    for (time, (life, share)) in times.iter().zip(law.lives) {
        assert!(time.low <= *life && *life <= time.high, "{time:?}");
        let differing = time.differing.unwrap();
        assert!(differing.low <= 1.0 - share && 1.0 - share <= differing.high, "{time:?}");
    }
    let single = observe(&mut StdRng::seed_from_u64(6), &ONE_DAY, 400);
    assert_eq!(common_times(&single, 4).unwrap().len(), 1);
}

/// Ends that hang on another moment than that from which they are counted have their time by that one's clock.
#[test]
fn the_clock_by_which_they_end_together_has_more_evidence() {
    let mut rng = StdRng::seed_from_u64(7);
    let law = Law { lives: &[(15.0, 0.95)], every: 3.0, until: 60.0, ..ONE_DAY };
    let by_right = observe(&mut rng, &law, 100);
    let by_wrong: Vec<Bracketed> = by_right
        .iter()
        .map(|one| {
            let late = rng.random::<f64>() * 8.0;
            Bracketed {
                after: one.after + late,
                by: one.by.map(|by| by + late),
                until: one.until + late,
                ..*one
            }
        })
        .collect();
    let (right, wrong) = (common_time(&by_right).unwrap(), common_time(&by_wrong));
    assert!(
        wrong.is_err() || wrong.is_ok_and(|wrong| wrong.evidence + 20.0 < right.evidence),
        "{right:?}, {wrong:?}"
    );
}
