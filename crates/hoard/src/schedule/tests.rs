//! The schedule against what must hold of any.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Timestamp {
    Timestamp(0).after(SECOND * u32::try_from(seconds).expect("few"))
}

fn offsets(seconds: &[u64]) -> Arc<[Duration]> {
    seconds.iter().map(|&at| Duration::from_secs(at)).collect()
}

#[test]
fn rounds_are_where_they_were_planned_however_late_those_before_began() {
    let mut schedule = Schedule::new(offsets(&[10, 20, 30]), 8);
    assert!(schedule.take_in(1, at(100), 0));
    assert_eq!((schedule.next_at(at(100)), schedule.rounds_left()), (Some(at(110)), 3));
    assert_eq!(schedule.take(at(109)), None);
    let due = schedule.take(at(117)).expect("due");
    assert_eq!((due.round, due.planned, due.is_missed, due.is_last), (1, at(110), false, false));
    assert_eq!(schedule.take(at(125)), None, "a key has one round under way");
    schedule.ended(1);
    assert_eq!(schedule.take(at(125)).map(|due| (due.round, due.planned)), Some((2, at(120))));
    schedule.ended(1);
    assert_eq!(schedule.next_at(at(125)), Some(at(130)));
    assert_eq!(schedule.take(at(130)).map(|due| (due.round, due.is_last)), Some((3, true)));
    schedule.ended(1);
    assert_eq!((schedule.keys(), schedule.next_at(at(200)), schedule.rounds_left()), (0, None, 0));
}

#[test]
fn who_was_away_catches_up_with_nothing_but_what_is_due_last() {
    let mut schedule = Schedule::new(offsets(&[60, 120, 180, 240, 300]), 8);
    schedule.take_in(1, at(0), 0);
    let now = at(250);
    let taken: Vec<_> =
        std::iter::from_fn(|| schedule.take(now)).map(|due| (due.round, due.is_missed)).collect();
    assert_eq!(taken, [(1, true), (2, true), (3, true), (4, false)]);
    schedule.ended(1);
    assert_eq!(schedule.next_at(now), Some(at(300)));
}

#[test]
fn the_last_round_of_a_key_is_kept_unless_it_is_later_than_another_one_would_be() {
    let away_until = |seconds| {
        let mut schedule = Schedule::new(offsets(&[60, 120]), 8);
        schedule.take_in(1, at(0), 1);
        let due = schedule.take(at(seconds)).expect("due");
        assert!(due.is_last);
        due.is_missed
    };
    assert_eq!([120, 179, 180, 900].map(away_until), [false, false, true, true]);
}

#[test]
fn no_more_are_under_way_than_may_be_and_who_waits_too_long_is_missed() {
    let mut schedule = Schedule::new(offsets(&[10, 20]), 2);
    for key in 0..3 {
        schedule.take_in(key, at(0), 0);
    }
    let keys: Vec<_> = std::iter::from_fn(|| schedule.take(at(12))).map(|due| due.key).collect();
    assert_eq!((keys, schedule.under_way()), (vec![0, 1], 2));
    assert_eq!((schedule.next_at(at(12)), schedule.lag(at(12))), (Some(at(20)), 2 * SECOND));
    let missed = schedule.take(at(20)).expect("missed");
    assert_eq!((missed.key, missed.round, missed.is_missed), (2, 1, true));
    schedule.ended(0);
    let next = schedule.take(at(20)).expect("room");
    assert_eq!((next.round, next.is_missed), (2, false));
}

#[test]
fn a_key_that_was_resumed_goes_on_after_what_was_done() {
    let mut schedule = Schedule::new(offsets(&[10, 20, 30]), 8);
    assert!(schedule.take_in(1, at(0), 2));
    assert!(!schedule.take_in(1, at(0), 0), "nobody is watched twice");
    assert!(!schedule.take_in(2, at(0), 3), "nothing is to come");
    assert_eq!(schedule.next_at(at(5)), Some(at(30)));
}

/// What a key takes is counted in its collections: a heap of pairs, and a map from numbers.
#[test]
fn a_hundred_thousand_keys_take_a_hundred_bytes_each() {
    for keys in [10_000_u64, 100_000] {
        let mut schedule = Schedule::new(offsets(&[1800]), 8);
        for key in 0..keys {
            schedule.take_in(key, at(key / 100), 0);
        }
        let heap = schedule.waiting.capacity() * size_of::<Reverse<Waiting>>();
        // A slot of the map has a byte beside it, and seven of eight may be full.
        let map = schedule.keys.capacity() * 8 / 7 * (size_of::<(u64, Scheduled)>() + 1);
        assert!(heap + map <= 100 * usize::try_from(keys).expect("few"), "{keys}: {heap} + {map}");
    }
}

proptest! {
    /// Whatever happens when: each round of each key comes once and in its order, planned where it was, missed only if the next one was due,
    /// those planned first first.
    #[test]
    fn each_round_comes_once_in_order_and_in_time(
        published in proptest::collection::vec(0_u64..300, 1..12),
        gaps in proptest::collection::vec(1_u64..90, 1..8),
        steps in proptest::collection::vec((0_u64..120, 0_u64..100), 1..200),
        at_once in 1_usize..6,
    ) {
        let ages: Vec<u64> = gaps.iter().scan(0, |age, gap| { *age += gap; Some(*age) }).collect();
        let mut schedule = Schedule::new(offsets(&ages), at_once);
        for (key, &published) in (0..).zip(&published) {
            schedule.take_in(key, at(published), 0);
        }
        let (mut now, mut under_way, mut seen) = (0, Vec::new(), BTreeMap::<u64, Vec<u32>>::new());
        // At the end everything ends at once, and time goes on.
        let ending = std::iter::repeat_n((45, 0), 400);
        for (pass, end) in steps.into_iter().chain(ending) {
            now += pass;
            let mut last = Timestamp(0);
            while let Some(due) = schedule.take(at(now)) {
                let key = usize::try_from(due.key).expect("few");
                let age = |round: u32| ages.get(round as usize - 1).map(|age| published[key] + age);
                prop_assert_eq!(Some(due.planned), age(due.round).map(at));
                prop_assert!(due.planned <= at(now));
                if let Some(next) = age(due.round + 1) {
                    prop_assert_eq!(due.is_missed, next <= now);
                }
                prop_assert!(due.planned >= last || seen.contains_key(&due.key), "those planned first first");
                last = due.planned;
                seen.entry(due.key).or_default().push(due.round);
                if !due.is_missed {
                    under_way.push(due.key);
                }
            }
            prop_assert!(schedule.under_way() <= at_once);
            prop_assert_eq!(schedule.under_way(), under_way.len());
            if end < 70 {
                under_way.drain(..).for_each(|key| schedule.ended(key));
            }
        }
        prop_assert_eq!((schedule.keys(), schedule.rounds_left()), (0, 0));
        for (_, rounds) in seen {
            prop_assert_eq!(rounds, (1..=u32::try_from(ages.len()).expect("few")).collect::<Vec<_>>());
        }
    }
}
