//! A register that is away: rounds go on with the servers that were known, and nothing is lost.

use std::time::Duration;

use kadscope_perf::OperationKind;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::world::{MINUTE, World, config};

#[tokio::test(start_paused = true)]
async fn ten_minutes_without_the_register_cost_no_round_and_no_server() {
    let world = World::of(&[("a", 3)]).await;
    let stop = CancellationToken::new();
    let running = world.begin(config(&["a"]), &stop);
    sleep(5 * MINUTE + Duration::from_secs(30)).await;
    world.register.set_away(true);
    sleep(10 * MINUTE).await;
    world.register.set_away(false);
    sleep(5 * MINUTE).await;
    stop.cancel();
    let done = running.await.unwrap();
    assert_eq!(done.now.rounds.ended, 21);
    assert_eq!(done.now.rounds.cut_off + done.now.rounds.skipped + done.now.rounds.alone, 0);
    let retrievals = done.attempts.iter().filter(|attempt| attempt.kind == OperationKind::Retrieve).count();
    assert_eq!(retrievals, 2 * 21, "everybody was asked in every round");
    assert!(!done.now.register_is_away);
}

#[tokio::test(start_paused = true)]
async fn a_register_that_is_away_at_first_is_waited_for() {
    let world = World::of(&[("a", 2)]).await;
    world.register.set_away(true);
    let stop = CancellationToken::new();
    let running = world.begin(config(&["a"]), &stop);
    sleep(3 * MINUTE).await;
    world.register.set_away(false);
    sleep(3 * MINUTE).await;
    stop.cancel();
    let done = running.await.unwrap();
    assert!((2..=3).contains(&done.now.rounds.ended), "{:?}", done.now);
}
