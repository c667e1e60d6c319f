//! Each sight of each holder is what is true of it: in a healthy world, among peers with every fault, and for days in a world
//! whose peers forget, drop, restart, move, change their ids and leave.

use std::{collections::BTreeMap, time::Duration};

use kadscope_hoard::RoundParts;
use schema::{
    HoardLookup,
    HolderAnswer::{IdOnly, Malformed, Refused, Reset, TimedOut, Unreached, WithAddresses, WithoutRecord},
    Whereabouts,
};
use testnet::Scenario;

use crate::{
    ground::Ground,
    judging::{Judged, judged},
    watching::{Order, watch},
};

const MINUTE: Duration = Duration::from_secs(60);

fn every(span: Duration, until: Duration) -> Vec<Duration> {
    let rounds = u32::try_from(until.as_nanos() / span.as_nanos()).expect("few");
    (1..=rounds).map(|n| n * span).collect()
}

fn order(keys: u32, rounds: Vec<Duration>) -> Order {
    Order { keys, rounds, lookups: vec![HoardLookup::Closest], parts: RoundParts::All, gap: Duration::ZERO }
}

#[track_caller]
fn assert_right(judged: &Judged) {
    let wrong = &judged.wrong;
    assert!(wrong.is_empty(), "{} of {}: {:#?}", wrong.len(), judged.sights, &wrong[..wrong.len().min(10)]);
}

/// Each of these was said at some time.
fn assert_each<T: Ord + std::fmt::Debug>(said: &BTreeMap<T, usize>, each: &[T]) {
    for one in each {
        assert!(said.contains_key(one), "{one:?} of {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_healthy_world_the_true_closest_are_chosen_and_every_sight_is_right() {
    let ground = Ground::of(&Scenario::named("healthy").expect("built in").with_peers(300));
    let watching = watch(&ground, &order(20, every(3 * MINUTE, 15 * MINUTE))).await;
    for watched in &watching.keys {
        let chosen: Vec<_> = watched.key.holders.iter().map(|holder| holder.peer).collect();
        assert_eq!(chosen, ground.closest(&watched.key.key)[..20]);
        assert_eq!(watched.sent.len(), 20);
        for round in &watched.rounds {
            assert_eq!(round.lookups[0].closest, chosen);
        }
    }
    let judged = judged(&ground, &watching);
    assert_right(&judged);
    assert_eq!((judged.sights, judged.answers[&WithAddresses]), (2_000, 2_000));
    assert_eq!(judged.whereabouts[&Whereabouts::SameAddress], 2_000);
}

#[tokio::test(start_paused = true)]
async fn among_peers_with_every_fault_each_outcome_is_as_the_peer_behaves() {
    let ground = Ground::of(&Scenario::named("faults").expect("built in"));
    let watching = watch(&ground, &order(40, every(3 * MINUTE, 6 * MINUTE))).await;
    let judged = judged(&ground, &watching);
    assert!(
        judged.wrong.is_empty(),
        "{} {:#?}",
        judged.wrong.len(),
        &judged.wrong[..judged.wrong.len().min(10)]
    );
    assert_each(
        &judged.answers,
        &[WithAddresses, WithoutRecord, Refused, Reset, TimedOut, Malformed, Unreached],
    );
    assert_each(&judged.whereabouts, &[Whereabouts::SameAddress, Whereabouts::Gone, Whereabouts::OtherId]);
}

#[tokio::test(start_paused = true)]
async fn for_eighty_hours_every_sight_is_right_of_holders_that_forget_and_drop_and_move_and_go() {
    let ground = Ground::of(&Scenario::named("forgetful").expect("built in"));
    let mut rounds = every(3 * MINUTE, 45 * MINUTE);
    rounds.extend(every(120 * MINUTE, 80 * 60 * MINUTE));
    let watching = watch(&ground, &order(6, rounds)).await;
    let judged = judged(&ground, &watching);
    assert!(
        judged.wrong.is_empty(),
        "{} {:#?}",
        judged.wrong.len(),
        &judged.wrong[..judged.wrong.len().min(10)]
    );
    assert!(judged.unfound * 100 < judged.sights, "{} of {}", judged.unfound, judged.sights);
    assert_each(&judged.answers, &[WithAddresses, IdOnly, WithoutRecord, Unreached]);
    let whereabouts = [Whereabouts::SameAddress, Whereabouts::Moved, Whereabouts::Gone, Whereabouts::OtherId];
    assert_each(&judged.whereabouts, &whereabouts);
}
