//! Schedules over virtual days.

use std::collections::BTreeMap;

use super::{super::prefix::tests::prefix, *};

const HOUR: Duration = Duration::from_secs(3600);

fn zeros() -> Key {
    Key::from_bytes([0; 32])
}

fn schedule(all: &[&str]) -> ReprovideSchedule {
    let mut schedule = ReprovideSchedule::new(zeros(), 16 * HOUR, Duration::ZERO);
    for bits in all {
        schedule.add(prefix(bits));
    }
    schedule
}

fn written(prefixes: &[KeyPrefix]) -> Vec<String> {
    prefixes.iter().map(ToString::to_string).collect()
}

#[test]
fn times_are_spread_over_the_cycle_by_the_distance_to_the_order() {
    let at = |bits: &str, order: &Key| reprovide_offset(&prefix(bits), order, 16 * HOUR);
    assert_eq!(at("", &zeros()), Duration::ZERO);
    assert_eq!(
        ["00", "01", "10", "11"].map(|bits| at(bits, &zeros()) / 3600),
        [0, 4, 8, 12].map(Duration::from_secs)
    );
    let order = prefix("10").nearest_key(&zeros());
    assert_eq!(
        ["00", "01", "10", "11"].map(|bits| at(bits, &order) / 3600),
        [8, 12, 0, 4].map(Duration::from_secs)
    );
    assert_eq!(at("0001", &zeros()), HOUR);
    // No finer than 24 bits.
    let long = format!("{}1", "0".repeat(23));
    assert_eq!(at(&format!("{long}11"), &zeros()), at(&long, &zeros()));
    let last = reprovide_offset(&prefix(&"1".repeat(24)), &zeros(), REPROVIDE_INTERVAL);
    assert!(last < REPROVIDE_INTERVAL && last + Duration::from_millis(5) > REPROVIDE_INTERVAL);
}

#[test]
fn over_days_every_region_is_due_once_a_cycle_and_evenly() {
    let order = Key::of(b"own");
    let mut schedule = ReprovideSchedule::new(order, REPROVIDE_INTERVAL, Duration::ZERO);
    let keys: Vec<Key> = (0..5000_u32).map(|n| Key::of(&n.to_be_bytes())).collect();
    schedule.add_keys(&keys, 7);
    assert_eq!((schedule.prefixes().len(), schedule.mean_prefix_len()), (128, Some(7)));
    let (mut last, mut times) = (BTreeMap::new(), 0);
    let mut now = Duration::ZERO;
    while now < 10 * REPROVIDE_INTERVAL {
        now = schedule.next_due().expect("something is planned");
        let due = schedule.due(now);
        assert_eq!(due.len(), 1, "two at {now:?}");
        if let Some(before) = last.insert(due[0], now) {
            assert_eq!(now, before + REPROVIDE_INTERVAL);
        }
        times += 1;
    }
    assert_eq!((last.len(), times), (128, 10 * 128));
}

#[test]
fn who_looks_late_finds_all_that_was_due_once_and_in_order() {
    let mut schedule = schedule(&["00", "01", "10", "11"]);
    assert_eq!(schedule.next_due(), Some(4 * HOUR), "what is due at the very beginning was not waited for");
    assert_eq!(written(&schedule.due(9 * HOUR)), ["01", "10"]);
    assert!(schedule.due(9 * HOUR).is_empty());
    assert_eq!(schedule.next_due(), Some(12 * HOUR));
    assert_eq!(written(&schedule.due(21 * HOUR)), ["11", "00", "01"]);
    // More than a cycle away.
    assert_eq!(written(&schedule.due(100 * HOUR)), ["10", "11", "00", "01"]);
    assert_eq!(schedule.next_due(), Some(104 * HOUR));
    assert_eq!(written(&schedule.due(116 * HOUR)), ["10", "11", "00", "01"], "a whole cycle to the moment");
    assert!(schedule.due(110 * HOUR).is_empty(), "time does not go back");
    assert_eq!(ReprovideSchedule::new(zeros(), HOUR, HOUR).next_due(), None);
}

#[test]
fn what_is_explored_is_planned_by_its_regions() {
    let mut schedule = schedule(&["000", "001", "01", "1"]);
    schedule.failed(prefix("001"));
    schedule.failed(prefix("01"));
    assert!(!schedule.add(prefix("011")) && schedule.add(prefix("00")));
    schedule.explored(&prefix("00"), [prefix("0000"), prefix("0001"), prefix("001")]);
    let planned: Vec<String> = schedule.prefixes().iter().map(|prefix| prefix.to_string()).collect();
    assert_eq!(planned, ["0000", "0001", "001", "01", "1"]);
    assert_eq!((schedule.late(), schedule.next_late()), (1, Some(prefix("01"))));
    schedule.explored(&KeyPrefix::WHOLE, []);
    assert_eq!((schedule.prefixes().len(), schedule.next_due(), schedule.mean_prefix_len()), (0, None, None));
}

#[test]
fn what_is_late_comes_in_the_order_in_which_it_was_noted_and_once() {
    let mut schedule = schedule(&[]);
    for bits in ["10", "000", "01", "001", "10", "101", "00"] {
        schedule.failed(prefix(bits));
    }
    let late: Vec<String> =
        std::iter::from_fn(|| schedule.next_late()).map(|late| late.to_string()).collect();
    // A prefix stands where the first of those stood that lie in it.
    assert_eq!(late, ["10", "00", "01"]);
    schedule.failed(prefix("101"));
    assert_eq!(schedule.late(), 1, "what was taken can be late again");
}

#[test]
fn what_is_late_when_its_time_comes_is_due_and_no_longer_late() {
    let mut schedule = schedule(&["00", "01", "10", "11"]);
    schedule.failed(prefix("01"));
    assert_eq!(written(&schedule.due(5 * HOUR)), ["01"]);
    assert_eq!(schedule.late(), 0);
}

#[test]
fn after_hours_offline_all_that_was_missed_is_made_good() {
    let mut schedule = schedule(&["000", "001", "010", "011", "100", "101", "110", "111"]);
    // Due every two hours; for seven hours, from 3 to 10, nothing can be sent.
    let (mut given, mut now) = (Vec::new(), Duration::ZERO);
    while now < 16 * HOUR {
        now += HOUR / 2;
        let is_away = (3 * HOUR..10 * HOUR).contains(&now);
        for prefix in schedule.due(now) {
            if is_away { schedule.failed(prefix) } else { given.push((now, prefix)) }
        }
        while !is_away && let Some(late) = schedule.next_late() {
            given.push((now, late));
        }
    }
    let caught_up: Vec<String> =
        given.iter().filter(|(at, _)| *at == 10 * HOUR).map(|(_, prefix)| prefix.to_string()).collect();
    assert_eq!(caught_up, ["101", "010", "011", "100"], "what is due now, then what was missed");
    let mut all: Vec<KeyPrefix> = given.into_iter().map(|(_, prefix)| prefix).collect();
    all.sort_unstable();
    assert_eq!(all.len(), 8);
    all.dedup();
    assert_eq!(all.len(), 8);
}
