//! Rounds that arrive by a law of their own, whatever becomes of those before: what waits is counted, and what is shed is kept.

use std::time::Duration;

use kadscope_perf::{ArrivalLaw, CallAttempt, CallFailureClass, OperationKind, RoundPace};
use schema::Timestamp;

use crate::{
    manners::Manner,
    world::{World, config},
};

const SECOND: Duration = Duration::from_secs(1);

fn provides(attempts: &[CallAttempt]) -> Vec<&CallAttempt> {
    let mut provides: Vec<_> =
        attempts.iter().filter(|attempt| attempt.kind == OperationKind::Provide).collect();
    provides.sort_by_key(|attempt| attempt.round);
    provides
}

fn after(attempt: &CallAttempt, origin: Timestamp) -> Duration {
    attempt.planned_at.since(origin)
}

/// Servers that publish within two seconds, and a round each second.
async fn overloaded(law: ArrivalLaw, backlog: usize) -> (Vec<CallAttempt>, kadscope_perf::SchedulerNow) {
    let world = World::of(&[("a", 2)]).await;
    for port in [7000, 7001] {
        world.servers.be(port, Manner::Well(1900));
    }
    let mut config = config(&["a"]);
    config.probes.retrievals = 0;
    config.pace = RoundPace { law, gap: SECOND, at_once: 1, backlog, rounds: Some(20) };
    let done = world.run(config, 120 * SECOND).await;
    (done.attempts, done.now)
}

#[tokio::test(start_paused = true)]
async fn what_waits_counts_from_its_planned_moment_beside_how_long_it_took() {
    let (attempts, now) = overloaded(ArrivalLaw::Fixed, 64).await;
    let provides = provides(&attempts);
    assert_eq!(provides.len(), 20);
    let origin = provides[0].planned_at;
    for (at, attempt) in (0..).zip(&provides) {
        assert_eq!(after(attempt, origin), at * SECOND, "planned as if nothing had happened");
        assert_eq!(attempt.service(), Duration::from_millis(1900));
        assert_eq!(attempt.waited(), at * Duration::from_millis(900));
        assert_eq!(attempt.since_planned(), attempt.waited() + attempt.service());
    }
    assert_eq!((now.rounds.begun, now.rounds.late, now.rounds.shed, now.rounds.skipped), (20, 19, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_to_wait_is_shed_and_kept_as_a_row() {
    let (attempts, now) = overloaded(ArrivalLaw::Fixed, 2).await;
    let provides = provides(&attempts);
    assert_eq!(provides.len(), 20, "of every moment there is one");
    let is_shed = |attempt: &&&CallAttempt| {
        attempt.result.as_ref().is_err_and(|failure| failure.class() == CallFailureClass::Shed)
    };
    let shed: Vec<_> = provides.iter().filter(is_shed).collect();
    assert_eq!(shed.len() as u64, now.rounds.shed);
    assert!((5..12).contains(&shed.len()), "{}", shed.len());
    assert!(shed.iter().all(|attempt| attempt.asked_at.is_none() && !attempt.is_censored()));
    assert!(provides.iter().all(|attempt| attempt.waited() < 4 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn rounds_that_come_as_users_do_are_the_same_whatever_becomes_of_them() {
    let moments = |attempts: &[CallAttempt]| {
        let provides = provides(attempts);
        provides.iter().map(|attempt| after(attempt, provides[0].planned_at)).collect::<Vec<_>>()
    };
    let (waiting, _) = overloaded(ArrivalLaw::Poisson, 64).await;
    let (shed, _) = overloaded(ArrivalLaw::Poisson, 0).await;
    assert_eq!(moments(&waiting), moments(&shed));
    assert!(moments(&waiting).windows(2).any(|two| two[1] > two[0] + SECOND));
    assert!(moments(&waiting).windows(2).any(|two| two[1] < two[0] + SECOND / 2));
}

#[tokio::test(start_paused = true)]
async fn rounds_may_be_under_way_beside_each_other() {
    let world = World::of(&[("a", 3)]).await;
    let mut config = config(&["a"]);
    config.pace =
        RoundPace { law: ArrivalLaw::Fixed, gap: SECOND / 4, at_once: 8, backlog: 0, rounds: Some(100) };
    let done = world.run(config, 60 * SECOND).await;
    assert_eq!((done.now.rounds.ended, done.now.rounds.shed, done.now.rounds.late), (100, 0, 0));
    assert!(done.attempts.iter().filter(|a| a.kind == OperationKind::Provide).all(|a| a.waited().is_zero()));
}
