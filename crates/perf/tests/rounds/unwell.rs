//! Servers that are not ready, hang, fail or are gone: they shift nobody and stop nothing, and what came of them is kept.

use std::{collections::BTreeMap, time::Duration};

use kadscope_perf::{CallAttempt, OperationKind, OperationOutcome, ProbeTerms};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    manners::{Manner, What},
    world::{MINUTE, World, config, just_before},
};

/// How many attempts of a kind there are of each server, by outcome.
fn counts(attempts: &[CallAttempt], kind: OperationKind) -> BTreeMap<(u16, OperationOutcome), usize> {
    let mut counts = BTreeMap::new();
    for attempt in attempts.iter().filter(|attempt| attempt.kind == kind) {
        *counts.entry((attempt.server.entry.http.port(), attempt.outcome())).or_default() += 1;
    }
    counts
}

/// The seconds at which rounds began, counted from the first.
fn moments(attempts: &[CallAttempt]) -> Vec<u64> {
    let mut planned: Vec<_> = attempts.iter().map(|attempt| attempt.planned_at).collect();
    planned.sort();
    planned.dedup();
    planned.iter().map(|at| at.since(planned[0]).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_unready_server_among_three_is_measured_as_itself_and_shifts_nobody() {
    let world = World::of(&[("a", 3)]).await;
    world.servers.be(7001, Manner::Unready);
    let done = world.run(config(&["a"]), just_before(30)).await;
    let provides = counts(&done.attempts, OperationKind::Provide);
    let expected = [
        ((7000, OperationOutcome::Done), 10),
        ((7001, OperationOutcome::Unready), 10),
        ((7002, OperationOutcome::Done), 10),
    ];
    assert_eq!(provides, expected.into());
    let retrievals = counts(&done.attempts, OperationKind::Retrieve);
    let expected = [
        ((7000, OperationOutcome::Done), 10),
        ((7001, OperationOutcome::Unready), 20),
        ((7002, OperationOutcome::Done), 10),
    ];
    assert_eq!(retrievals, expected.into());
    assert_eq!(moments(&done.attempts), (0..30).map(|at| at * 60).collect::<Vec<_>>());
    assert!(world.servers.asked().iter().all(|asked| asked.port != 7001 || asked.what == What::Ready));
}

#[tokio::test(start_paused = true)]
async fn turns_are_as_fair_whoever_is_gone_hangs_or_fails() {
    let world = World::of(&[("a", 5)]).await;
    for (port, manner) in
        [(7000, Manner::Gone), (7001, Manner::Hangs), (7002, Manner::HangsAtReadiness), (7003, Manner::Fails)]
    {
        world.servers.be(port, manner);
    }
    let done = world.run(config(&["a"]), just_before(50)).await;
    let provides = counts(&done.attempts, OperationKind::Provide);
    let expected = [
        ((7000, OperationOutcome::Unreachable), 10),
        ((7001, OperationOutcome::TimedOut), 10),
        ((7002, OperationOutcome::TimedOut), 10),
        ((7003, OperationOutcome::Failed), 10),
        ((7004, OperationOutcome::Done), 10),
    ];
    // The last ones may be cut off by the end.
    let all: usize = provides.values().sum();
    assert_eq!(all, 50);
    for (of, count) in expected {
        assert!(provides[&of] >= count - 1, "{provides:?}");
    }
    assert_eq!(moments(&done.attempts), (0..50).map(|at| at * 60).collect::<Vec<_>>());
    assert_eq!(done.now.rounds.skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_hung_publication_ends_at_its_deadline_and_is_kept_as_longer_than_that() {
    let world = World::of(&[("a", 2)]).await;
    world.servers.be(7000, Manner::Hangs);
    let done = world.run(config(&["a"]), 20 * MINUTE).await;
    let hung: Vec<_> = done
        .attempts
        .iter()
        .filter(|attempt| {
            attempt.kind == OperationKind::Provide && attempt.outcome() == OperationOutcome::TimedOut
        })
        .collect();
    assert!(!hung.is_empty());
    for attempt in hung {
        assert!(attempt.is_censored());
        assert_eq!(attempt.took(), Duration::from_secs(185), "3 minutes at the server, and the way");
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_round_at_a_time_what_a_hung_one_costs_is_skipped_and_counted_and_the_rest_are_on_time() {
    let world = World::of(&[("a", 2)]).await;
    world.servers.be(7000, Manner::Hangs);
    let mut config = config(&["a"]);
    config.pace.at_once = 1;
    let done = world.run(config, just_before(40)).await;
    let rounds = done.now.rounds;
    assert!(rounds.skipped > 0 && rounds.begun + rounds.skipped == 40, "{rounds:?}");
    assert!(moments(&done.attempts).iter().all(|at| at % 60 == 0), "{:?}", moments(&done.attempts));
    let provides = counts(&done.attempts, OperationKind::Provide);
    let of = |port| provides.iter().filter(|((at, _), _)| *at == port).map(|(_, count)| count).sum::<usize>();
    assert!(of(7000).abs_diff(of(7001)) <= 1, "{provides:?}");
}

#[tokio::test(start_paused = true)]
async fn told_to_end_it_ends_within_its_bound_whoever_hangs_and_keeps_what_was_asked() {
    for manner in [Manner::Hangs, Manner::HangsAtReadiness] {
        let world = World::of(&[("a", 3)]).await;
        for port in 7000..7003 {
            world.servers.be(port, manner);
        }
        let stop = CancellationToken::new();
        let done = world.begin(config(&["a"]), &stop);
        sleep(Duration::from_secs(2)).await;
        stop.cancel();
        let told = Instant::now();
        let done = done.await.unwrap();
        assert!(told.elapsed() <= Duration::from_secs(20), "{:?}", told.elapsed());
        let provides: Vec<_> =
            done.attempts.iter().filter(|attempt| attempt.kind == OperationKind::Provide).collect();
        assert_eq!(provides.len(), 1);
        assert_eq!(done.now.rounds.begun, 1);
        if manner == Manner::Hangs {
            assert_eq!(provides[0].outcome(), OperationOutcome::Cancelled);
            assert!(provides[0].is_censored() && provides[0].took() > Duration::from_secs(20));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn told_to_end_a_round_that_can_end_does() {
    let world = World::of(&[("a", 3)]).await;
    let done = world.run(config(&["a"]), Duration::from_millis(500)).await;
    assert_eq!(counts(&done.attempts, OperationKind::Provide).len(), 1);
    assert_eq!(done.attempts[0].outcome(), OperationOutcome::Done);
    // Who had not been asked by then is not asked any more.
    assert!(done.attempts.iter().all(|attempt| attempt.kind == OperationKind::Provide));
    assert_eq!((done.now.rounds.ended, done.now.rounds.cut_off), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_kept_and_counted_and_retrievals_know_their_publication() {
    let world = World::of(&[("a", 2), ("b", 2)]).await;
    world.servers.be(7000, Manner::Fails);
    world.servers.be(7001, Manner::Gone);
    let mut config = config(&["a", "b"]);
    config.probes = ProbeTerms { retrievals: 2, negatives: 1, retrieves_failed: true, ..config.probes };
    let done = world.run(config, just_before(40)).await;
    assert_eq!(done.attempts.len(), 40 * (1 + 3 * 3));
    let counted: u64 = done.now.attempts.iter().map(|count| count.count).sum();
    assert_eq!(counted, 400, "{:?}", done.now.attempts);
    assert_eq!(done.now.not_asked, 0);
    for attempt in done.attempts.iter().filter(|attempt| attempt.kind == OperationKind::Retrieve) {
        let is_its = |other: &&CallAttempt| Some(other.id) == attempt.publication;
        let publication = done.attempts.iter().find(is_its).unwrap();
        assert_eq!(publication.round, attempt.round);
        assert_eq!(publication.key, attempt.key);
        let publisher = attempt.publisher.as_ref().unwrap();
        assert_eq!(publisher.id, publication.server.id);
        assert_eq!(publisher.entry.region, publication.server.entry.region);
        assert_ne!(attempt.server.id, publisher.id);
    }
    let negatives = counts(&done.attempts, OperationKind::Negative);
    assert_eq!(negatives[&(7003, OperationOutcome::NotFound)], 30);
    let mut ids: Vec<_> = done.attempts.iter().map(|attempt| attempt.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 400, "each has a name of its own");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_looked_for_since_nothing_was_published_is_counted() {
    let world = World::of(&[("a", 3)]).await;
    world.servers.be(7000, Manner::Fails);
    let done = world.run(config(&["a"]), just_before(30)).await;
    assert_eq!(done.now.not_asked, 20);
    let asked = |at: u16, retrieved: u64| (at, retrieved);
    let retrievals = counts(&done.attempts, OperationKind::Retrieve);
    let of = |port| retrievals.iter().filter(|((at, _), _)| *at == port).map(|(_, n)| *n as u64).sum::<u64>();
    assert_eq!([asked(7000, of(7000)), asked(7001, of(7001))], [(7000, 20), (7001, 10)]);
}

#[tokio::test(start_paused = true)]
async fn servers_are_told_deadlines_that_are_shorter_than_they_are_waited_for() {
    let world = World::of(&[("a", 2)]).await;
    world.run(config(&["a"]), MINUTE / 2).await;
    let terms: Vec<_> = world.servers.asked().into_iter().filter_map(|asked| asked.terms).collect();
    assert_eq!(terms.len(), 2);
    assert_eq!(terms[0].deadline, Duration::from_secs(180));
    assert!(terms.iter().all(|terms| terms.patience() > terms.deadline));
}
