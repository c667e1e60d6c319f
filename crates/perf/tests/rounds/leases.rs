//! Several schedulers on one register: they never measure the same servers at once.

use std::time::Duration;

use kadscope_perf::{CallAttempt, OperationKind, SchedulerConfig};
use schema::{RunId, Timestamp};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::world::{Done, MINUTE, World, config, just_before};

fn numbered(number: u8, fleets: &[&str]) -> SchedulerConfig {
    SchedulerConfig { run: RunId([number; 16]), seed: number.into(), ..config(fleets) }
}

/// When a scheduler asked anybody first and when it was last answered.
fn spans(done: &Done) -> Vec<(Timestamp, Timestamp)> {
    let asked = |attempt: &CallAttempt| Some((attempt.asked_at?, attempt.ended_at));
    done.attempts.iter().filter_map(asked).collect()
}

/// Whether two of them were at it at the same moment.
fn interfere(one: &Done, other: &Done) -> bool {
    let all = spans(other);
    spans(one).iter().any(|a| all.iter().any(|b| a.0 < b.1 && b.0 < a.1))
}

fn publications(done: &Done) -> usize {
    done.attempts.iter().filter(|attempt| attempt.kind == OperationKind::Provide).count()
}

#[tokio::test(start_paused = true)]
async fn of_four_on_the_same_fleets_one_measures_and_another_takes_over_when_it_is_told_to_end() {
    let world = World::of(&[("a", 2), ("b", 2)]).await;
    let stops: Vec<_> = (0..4).map(|_| CancellationToken::new()).collect();
    let all: Vec<_> =
        (1..).zip(&stops).map(|(n, stop)| world.begin(numbered(n, &["a", "b"]), stop)).collect();
    let mut done = Vec::new();
    for (stop, running) in stops.iter().zip(all) {
        sleep(10 * MINUTE).await;
        stop.cancel();
        done.push(running.await.unwrap());
    }
    let counts: Vec<_> = done.iter().map(publications).collect();
    assert!(counts[0] >= 10, "one a minute from the first moment on: {counts:?}");
    assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 4, "each had its time: {counts:?}");
    assert!(counts.iter().sum::<usize>() >= 39, "hardly a minute was lost: {counts:?}");
    for (at, one) in done.iter().enumerate() {
        assert!(done[..at].iter().all(|other| !interfere(one, other)));
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_holder_is_killed_another_takes_over_once_its_lease_has_run_out() {
    let world = World::of(&[("a", 3)]).await;
    let stop = CancellationToken::new();
    let killed = world.begin(numbered(1, &["a"]), &stop);
    sleep(Duration::from_secs(1)).await;
    let waiting = world.begin(numbered(2, &["a"]), &stop);
    sleep(5 * MINUTE).await;
    killed.abort();
    sleep(5 * MINUTE).await;
    stop.cancel();
    let done = waiting.await.unwrap();
    // Within the lease and what whoever takes over waits.
    assert!((3..=4).contains(&publications(&done)), "{}", publications(&done));
}

#[tokio::test(start_paused = true)]
async fn schedulers_of_other_fleets_measure_beside_each_other() {
    let world = World::of(&[("a", 2), ("b", 2)]).await;
    let stop = CancellationToken::new();
    let all = [world.begin(numbered(1, &["a"]), &stop), world.begin(numbered(2, &["b"]), &stop)];
    sleep(just_before(10)).await;
    stop.cancel();
    for done in all {
        assert_eq!(publications(&done.await.unwrap()), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn schedulers_with_a_fleet_in_common_never_measure_at_once() {
    let world = World::of(&[("a", 2), ("b", 2), ("c", 2)]).await;
    let stops = [CancellationToken::new(), CancellationToken::new()];
    let first = world.begin(numbered(1, &["a", "b"]), &stops[0]);
    sleep(Duration::from_secs(1)).await;
    let second = world.begin(numbered(2, &["c", "b"]), &stops[1]);
    sleep(10 * MINUTE).await;
    stops[0].cancel();
    let first = first.await.unwrap();
    sleep(10 * MINUTE).await;
    stops[1].cancel();
    let second = second.await.unwrap();
    assert!(publications(&first) >= 10 && publications(&second) >= 9);
    assert!(!interfere(&first, &second));
}
