//! What the schedule owes whom: to the new, the doubtful, the down and those that never were up.

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp(1_795_000_000_000_000);

/// A peer that has been up for so long.
fn up(age: Duration) -> ScheduleFacts {
    let looked = START.after(age);
    ScheduleFacts {
        is_up: true,
        is_doubtful: false,
        up_since: Some(START),
        last_up: Some(looked),
        down_since: None,
        last_looked: looked,
        sessions: 1,
        failures: 0,
    }
}

/// One that has been down for so long, after it was up.
fn down(age: Duration) -> ScheduleFacts {
    ScheduleFacts {
        is_up: false,
        up_since: None,
        last_up: Some(START),
        down_since: Some(START),
        failures: 3,
        ..up(age)
    }
}

/// One that looks have failed at so often, and never found up.
fn never(failures: u32) -> ScheduleFacts {
    ScheduleFacts { last_up: None, sessions: 0, failures, ..down(HOUR) }
}

/// One that is doubtful after so many failures.
fn doubtful(failures: u32) -> ScheduleFacts {
    ScheduleFacts { is_doubtful: true, down_since: Some(START), failures, ..up(HOUR) }
}

#[test]
fn the_interval_grows_as_the_root_of_the_age() {
    let rules = ScheduleRules { longest_up: Duration::MAX, ..ScheduleRules::default() };
    let newest = rules.newest.as_secs_f64();
    for (age, factor) in [(0, 1.0), (1, 2_f64.sqrt()), (3, 2.0), (8, 3.0), (99, 10.0)] {
        let interval = rules.interval(&up(rules.settling * age)).as_secs_f64();
        assert!((interval - newest * factor).abs() < 1e-6, "{age}: {interval}");
    }
}

#[test]
fn the_new_are_looked_at_more_often_than_the_settled_and_these_than_the_gone() {
    let rules = ScheduleRules::default();
    let order =
        [doubtful(1), up(Duration::ZERO), up(2 * HOUR), up(24 * HOUR), down(20 * HOUR), never(3), never(9)];
    for pair in order.windows(2) {
        assert!(rules.interval(&pair[0]) < rules.interval(&pair[1]), "{pair:?}");
    }
}

#[test]
fn a_failure_is_looked_at_again_at_once_and_later_ones_after_twice_as_long() {
    let rules = ScheduleRules::default();
    let rules = ScheduleRules { longest_confirming: rules.confirming * 5, ..rules };
    let of = |failures| rules.interval(&doubtful(failures));
    assert_eq!((of(1), of(2), of(3)), (rules.confirming, rules.confirming * 2, rules.confirming * 4));
    assert_eq!(of(u32::MAX), rules.longest_confirming);
}

#[test]
fn every_interval_has_a_bound_however_long_it_has_been() {
    let rules = ScheduleRules::default();
    let ages = 10_000 * HOUR;
    assert_eq!(rules.interval(&up(ages)), rules.longest_up);
    assert_eq!(rules.interval(&down(ages)), rules.longest_down);
    assert_eq!(rules.interval(&never(u32::MAX)), rules.longest_never_up);
}

#[test]
fn one_factor_stretches_all_intervals() {
    let rules = ScheduleRules::default();
    for facts in [up(HOUR), down(HOUR), doubtful(2), never(3)] {
        let plain = next_look(&facts, &rules, 0.5).since(facts.last_looked);
        let stretched = next_look(&facts, &rules.stretched(3.0), 0.5).since(facts.last_looked);
        assert!(stretched.abs_diff(plain * 3) < Duration::from_millis(1), "{facts:?}");
    }
    for no_factor in [f64::NAN, f64::INFINITY, 0.1, -1.0] {
        assert!((rules.stretched(no_factor).stretch - 1.0).abs() < f64::EPSILON);
    }
}

proptest! {
    #[test]
    fn chance_moves_a_look_by_its_share_alone(age in 0_u64..1_000_000, jitter in 0.0..1.0) {
        let (rules, facts) = (ScheduleRules::default(), up(Duration::from_secs(age)));
        let wait = next_look(&facts, &rules, jitter).since(facts.last_looked).as_secs_f64();
        let interval = rules.interval(&facts).as_secs_f64();
        prop_assert!((wait / interval - 1.0).abs() <= rules.jitter + 1e-6);
    }

    #[test]
    fn nothing_that_is_known_of_a_peer_makes_it_due_before_its_last_look(
        times in [any::<i64>(); 4],
        counts in [any::<u32>(); 2],
        kind in (any::<bool>(), any::<bool>()),
        chance in any::<f64>(),
    ) {
        let [since, last, down, looked] = times.map(Timestamp);
        let facts = ScheduleFacts {
            is_up: kind.0,
            is_doubtful: kind.1,
            up_since: Some(since),
            last_up: Some(last),
            down_since: Some(down),
            last_looked: looked,
            sessions: counts[0],
            failures: counts[1],
        };
        prop_assert!(next_look(&facts, &ScheduleRules::default().stretched(chance), chance) >= looked);
    }
}

#[test]
fn a_faster_network_is_looked_at_faster_in_proportion() {
    let usual = ScheduleRules::default();
    let faster = usual.paced(usual.newest / 60);
    for (facts, slow) in [up(HOUR), up(100 * HOUR)].map(|facts| (facts, usual.interval(&facts))) {
        // At a sixtieth of the age the interval is a sixtieth.
        let age = facts.last_looked.since(START) / 60;
        let fast = faster.interval(&up(age));
        assert!((fast * 60).abs_diff(slow) < SECOND, "{fast:?} {slow:?}");
    }
}
