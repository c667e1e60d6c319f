//! The queue beside a list that is searched through, who waits behind whom, how much it holds, and what comes after a stop.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A moment by its second.
const fn at(second: i64) -> Timestamp {
    Timestamp(1_795_000_000_000_000 + second * 1_000_000)
}

const PLENTY: DueLimits = DueLimits {
    peers: 1_000,
    looks_per_s: 1e6,
    up_at_once: 1_000,
    doubtful_at_once: 1_000,
    down_at_once: 1_000,
};

fn queue(limits: DueLimits) -> DueQueue {
    DueQueue::new(limits)
}

/// Takes all that it has at a moment.
fn all(queue: &mut DueQueue, now: Timestamp) -> Vec<DuePeer> {
    std::iter::from_fn(|| queue.take(now)).collect()
}

/// One thing that is done to a queue; those that hang on the time are so many seconds after the one before.
#[derive(Debug, Clone)]
enum Step {
    Plan(u32, i64, usize),
    Forget(u32),
    Take(i64),
    Spread(i64, u64),
    Ended(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u32..40, 0_i64..500, 0_usize..3).prop_map(|(peer, at, lane)| Step::Plan(peer, at, lane)),
        1 => (0_u32..40).prop_map(Step::Forget),
        3 => (1_i64..20).prop_map(Step::Take),
        1 => (1_i64..20, 0_u64..300).prop_map(|(later, over)| Step::Spread(later, over)),
        2 => (0_usize..3).prop_map(Step::Ended),
    ];
    proptest::collection::vec(step, 1..300)
}

/// The same by a list of all that wait.
#[derive(Debug, Default)]
struct Naive {
    waiting: BTreeMap<u32, (Timestamp, LookLane)>,
    under_way: [u32; 3],
}

impl Naive {
    const AT_ONCE: u32 = 5;

    fn take(&mut self, now: Timestamp) -> Option<DuePeer> {
        let may = |lane: LookLane| self.under_way[lane as usize] < Self::AT_ONCE;
        let due = self.waiting.iter().filter(|(_, (at, lane))| *at <= now && may(*lane));
        let (lane, planned, peer) = due.map(|(peer, (at, lane))| (*lane, *at, *peer)).min()?;
        self.waiting.remove(&peer);
        self.under_way[lane as usize] += 1;
        Some(DuePeer { peer, planned, lane })
    }

    fn spread(&mut self, now: Timestamp, over: u64) {
        for lane in LANES {
            let mut late: Vec<_> =
                self.waiting.iter_mut().filter(|(_, (at, of))| *of == lane && *at < now).collect();
            late.sort_by_key(|(peer, (at, _))| (*at, **peer));
            let count = late.len() as u64;
            for (index, (_, (at, _))) in (0..).zip(late) {
                *at = now.after(Duration::from_micros(over * 1_000_000 * index / count));
            }
        }
    }
}

proptest! {
    #[test]
    fn it_says_what_a_list_says_that_is_searched_through(steps in steps()) {
        let at_once = Naive::AT_ONCE;
        let limits = DueLimits {
            up_at_once: at_once, doubtful_at_once: at_once, down_at_once: at_once, ..PLENTY
        };
        let (mut queue, mut naive, mut now) = (queue(limits), Naive::default(), at(0));
        for step in steps {
            if let Step::Take(later) | Step::Spread(later, _) = step {
                now = Timestamp(now.0 + later * 1_000_000);
            }
            match step {
                Step::Plan(peer, second, lane) => {
                    queue.plan(peer, at(second), SECOND, LANES[lane]).unwrap();
                    naive.waiting.insert(peer, (at(second), LANES[lane]));
                }
                Step::Forget(peer) => {
                    prop_assert_eq!(queue.forget(peer), naive.waiting.remove(&peer).is_some());
                }
                Step::Take(_) => prop_assert_eq!(queue.take(now), naive.take(now)),
                Step::Spread(_, over) => {
                    queue.spread(now, Duration::from_secs(over));
                    naive.spread(now, over);
                }
                Step::Ended(lane) => {
                    queue.ended(LANES[lane]);
                    naive.under_way[lane] = naive.under_way[lane].saturating_sub(1);
                }
            }
            prop_assert!((queue.wanted_per_s() - naive.waiting.len() as f64).abs() < 1e-6);
            let held: usize = LANES.map(|lane| queue.waiting(lane)).iter().sum();
            prop_assert_eq!(held, naive.waiting.len());
        }
    }
}

#[test]
fn a_hundred_thousand_peers_take_24_bytes_each_at_most_whatever_lane_they_are_in() {
    let peers = 100_000;
    let mut queue = queue(DueLimits { peers, ..PLENTY });
    let most = 24 * peers as usize;
    for lane in [LookLane::Up, LookLane::Doubtful, LookLane::Down, LookLane::Up] {
        for peer in 0..peers {
            queue.plan(peer, at(i64::from(peer * 7919 % peers)), 900 * SECOND, lane).unwrap();
            assert!(queue.bytes() <= most, "{} bytes after {peer} in {lane:?}", queue.bytes());
        }
    }
    assert_eq!(queue.waiting(LookLane::Up), 100_000);
    assert_eq!(queue.plan(peers, at(0), SECOND, LookLane::Up), Err(NoPlace { peer: peers, bound: peers }));
}

#[test]
fn who_is_up_never_waits_behind_who_is_down() {
    let limits = DueLimits { looks_per_s: 10.0, down_at_once: 4, doubtful_at_once: 4, ..PLENTY };
    let mut queue = queue(limits);
    for peer in 0..500 {
        let lane = if peer % 2 == 0 { LookLane::Down } else { LookLane::Doubtful };
        queue.plan(peer, at(0), 60 * SECOND, lane).unwrap();
    }
    // Nobody of these answers: their looks never end.
    for second in 0..60 {
        all(&mut queue, at(second));
    }
    assert_eq!((queue.under_way(LookLane::Down), queue.under_way(LookLane::Doubtful)), (4, 4));
    for second in 60..160 {
        let peer = 500 + u32::try_from(second).unwrap();
        queue.plan(peer, at(second), 60 * SECOND, LookLane::Up).unwrap();
        let planned = at(second);
        assert_eq!(queue.take(at(second)), Some(DuePeer { peer, planned, lane: LookLane::Up }));
    }
}

#[test]
fn no_second_has_more_looks_than_may_be() {
    let mut queue = queue(DueLimits { looks_per_s: 20.0, ..PLENTY });
    for peer in 0..1_000 {
        queue.plan(peer, at(0), SECOND, LookLane::Up).unwrap();
    }
    let mut taken = 0;
    for millis in 0..10_000 {
        let now = at(0).after(Duration::from_millis(millis));
        taken += all(&mut queue, now).len() as u64;
        // One at the very start, and what the slack makes up for.
        assert!(taken <= 3 + millis / 50, "{taken} after {millis} ms");
    }
    assert!((198..=203).contains(&taken), "{taken}");
}

#[test]
fn what_is_due_next_is_told_beforehand() {
    let mut queue = queue(DueLimits { looks_per_s: 0.1, down_at_once: 1, ..PLENTY });
    assert_eq!(queue.next_at(), None);
    queue.plan(1, at(5), SECOND, LookLane::Down).unwrap();
    queue.plan(2, at(6), SECOND, LookLane::Down).unwrap();
    assert_eq!(queue.next_at(), Some(at(5)));
    assert_eq!(all(&mut queue, at(5)).len(), 1);
    // The only look that may be under way at those who are down.
    assert_eq!(queue.next_at(), None);
    queue.ended(LookLane::Down);
    let next = queue.next_at().unwrap();
    assert!(next > at(14) && next <= at(15), "{next}");
    assert_eq!(all(&mut queue, next).len(), 1);
}

#[test]
fn after_a_stop_there_is_no_burst() {
    let mut queue = queue(PLENTY);
    for peer in 0..1_000 {
        queue.plan(peer, at(i64::from(peer)), 900 * SECOND, LookLane::Up).unwrap();
    }
    let (woken, over) = (at(86_400), 600 * SECOND);
    queue.spread(woken, over);
    let mut order = Vec::new();
    for second in 0..600 {
        let now = woken.after(SECOND * second);
        let taken = all(&mut queue, now);
        assert!(taken.len() <= 2, "{} at {second} s", taken.len());
        order.extend(taken.iter().map(|due| due.peer));
    }
    order.extend(all(&mut queue, woken.after(over)).iter().map(|due| due.peer));
    assert_eq!(order, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn intervals_stretch_by_what_is_wanted_beyond_the_budget() {
    let mut queue = queue(DueLimits { looks_per_s: 2.0, ..PLENTY });
    for peer in 0..900 {
        queue.plan(peer, at(0), 900 * SECOND, LookLane::Up).unwrap();
    }
    assert!((queue.stretch() - 1.0).abs() < 1e-9);
    for peer in 0..900 {
        queue.plan(peer, at(0), 150 * SECOND, LookLane::Down).unwrap();
    }
    assert!((queue.stretch() - 3.0).abs() < 1e-3, "{}", queue.stretch());
}

#[test]
fn a_clock_that_was_set_back_stops_nobody() {
    let mut queue = queue(DueLimits { looks_per_s: 1.0, ..PLENTY });
    queue.plan(1, at(0), SECOND, LookLane::Up).unwrap();
    assert!(queue.take(at(100_000)).is_some());
    queue.plan(2, at(0), SECOND, LookLane::Up).unwrap();
    assert!(queue.take(at(10)).is_some());
}
