//! From when on something is findable: known of each server between which two of its looks.

use std::time::Duration;

use kadscope_perf::{ConnectionPolicy, OperationKind, OperationOutcome};

use crate::{
    manners::{Manner, What},
    world::{MINUTE, World, config, just_before},
};

#[tokio::test(start_paused = true)]
async fn the_truth_lies_between_two_looks_of_every_server() {
    let world = World::of(&[("a", 4)]).await;
    for port in 7000..7004 {
        // Findable from the sixth second on.
        world.servers.be(port, Manner::Well(12_000));
    }
    let mut config = config(&["a"]);
    config.probes.findable_every = 2;
    let done = world.run(config, just_before(10)).await;
    let of_kind = |kind| done.attempts.iter().filter(move |attempt| attempt.kind == kind);
    assert_eq!(of_kind(OperationKind::Findable).count(), 5 * 3, "every other round");
    assert_eq!(of_kind(OperationKind::Retrieve).count(), 5 * 3);
    for attempt in of_kind(OperationKind::Findable) {
        let truth = Duration::from_secs(6);
        let (more_than, took) = (attempt.more_than().unwrap(), attempt.took());
        assert!(more_than < truth && truth <= took, "{more_than:?} {took:?}");
        // A look lasts 1.2 s, and 0.5 s are between two.
        assert!(took <= more_than + Duration::from_secs(3), "{more_than:?} {took:?}");
        assert!(!attempt.is_censored() && attempt.outcome() == OperationOutcome::Done);
        assert!(attempt.polls.len() >= 4 && attempt.round % 2 == 1);
        assert_ne!(attempt.publisher.as_ref().unwrap().id, attempt.server.id);
    }
    let looks = world.servers.asked().into_iter().filter(|asked| asked.what == What::Retrieve);
    let policies: Vec<_> = looks.map(|asked| asked.terms.unwrap().connections).collect();
    assert!(policies.contains(&Some(ConnectionPolicy::Cold)) && policies.contains(&None));
}

#[tokio::test(start_paused = true)]
async fn what_never_becomes_findable_is_longer_than_it_was_looked_for() {
    let world = World::of(&[("a", 2)]).await;
    for port in [7000, 7001] {
        world.servers.be(port, Manner::Fails);
    }
    let mut config = config(&["a"]);
    config.probes.findable_every = 1;
    config.pace.rounds = Some(1);
    let done = world.run(config, 3 * MINUTE).await;
    let attempt = done.attempts.iter().find(|attempt| attempt.kind == OperationKind::Findable).unwrap();
    // Who looks fails, too: that says nothing of when it is findable.
    assert!(attempt.is_censored() && attempt.more_than().is_none(), "{attempt:?}");
    assert!(attempt.took() >= Duration::from_secs(29), "{:?}", attempt.took());
}

#[tokio::test(start_paused = true)]
async fn of_what_was_never_published_nothing_is_said() {
    let world = World::of(&[("a", 2)]).await;
    for port in [7000, 7001] {
        world.servers.be(port, Manner::Unready);
    }
    let mut config = config(&["a"]);
    config.probes.findable_every = 1;
    config.pace.rounds = Some(1);
    let done = world.run(config, MINUTE).await;
    assert_eq!(done.attempts.len(), 1);
    assert_eq!(done.now.not_asked, 1);
}
