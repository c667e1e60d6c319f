//! Whom a study leaves alone, and how much it asks.

use std::{collections::BTreeSet, num::NonZeroU32};

use schema::Strategy;

use super::*;
use crate::{FilterLevel, Filters, LookupSet, observer::tests::counted::Counted};

const PROGRAMS: &str = "peers = 150\nseed = 6\n[[agents]]\nname = 'kubo/0.40.0'\nshare = 0.7\n[[agents]]\nname = 'hydra-booster/0.7.4'\nshare = 0.3\n";

/// A study of `stage` to its end, and whom it asked, and when.
async fn counted(stage: &Stage, plan: &HoardPlan) -> (Told, Vec<(PeerId, Instant)>) {
    let fabric = Counted::new(stage.fabric.clone());
    let asked = Arc::clone(&fabric.asked);
    let ((facts, mut told), (now, _)) = (mpsc::channel(64), watch::channel(HoardNow::default()));
    let hoard = Hoard::new(fabric, plan.clone(), stage.node(), stage.clock);
    let outlets = HoardOutlets { facts, now, cancel: CancellationToken::new() };
    let run = tokio::spawn(async move { hoard.run(None, outlets).await });
    let mut all = Told::default();
    while let Some(fact) = told.recv().await {
        all.facts.push(fact);
    }
    run.await.expect("it ends").expect("a summary");
    let asked = asked.lock().expect("nobody panics").clone();
    (all, asked)
}

fn without_hydras(level: FilterLevel, strategy: Strategy) -> HoardPlan {
    let mut plan = plan(2, MINUTE, MINUTE);
    plan.arms = vec![Arm { strategy, ..Arm::usual() }];
    plan.filters = Filters { agents: vec!["hydra".to_owned()], level, ..Filters::default() };
    plan
}

#[tokio::test(start_paused = true)]
async fn who_is_left_out_is_given_no_record_at_either_level() {
    let stage = Stage::of(PROGRAMS);
    let world = stage.fabric.world();
    let hydras: BTreeSet<PeerId> = world
        .peers()
        .filter(|&peer| world.agent(peer).contains("hydra"))
        .map(|peer| world.peer_id(peer))
        .collect();
    let least =
        [(Strategy::Default, 20), (Strategy::OptProv, 8), (Strategy::FullRt, 20), (Strategy::Sweep, 20)];
    for (level, (strategy, least)) in
        FilterLevel::ALL.iter().flat_map(|level| least.map(|strategy| (level, strategy)))
    {
        let (told, _) = stage.whole(&without_hydras(*level, strategy)).await;
        assert_eq!(told.published().count(), 2);
        for published in told.published() {
            let holders: BTreeSet<PeerId> =
                published.watched.holders.iter().map(|holder| holder.peer).collect();
            let case = format!("{} at the {}", strategy.name(), level.name());
            assert!(holders.is_disjoint(&hydras), "{case}: from the first key on");
            assert!(holders.len() >= least, "{case}: others take their places: {}", holders.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn publications_ask_those_who_are_left_out_at_the_result_alone() {
    let stage = Stage::of(PROGRAMS);
    let world = stage.fabric.world();
    let left_out = world.peers().skip(40).take(40).map(|peer| world.peer_id(peer)).collect::<BTreeSet<_>>();
    let mut asked = BTreeMap::new();
    for level in FilterLevel::ALL {
        let mut plan = plan(2, MINUTE, MINUTE);
        plan.lookups =
            LookupSet { closest: true, first: false, count: None, exhaustive: false, ..plan.lookups };
        plan.filters = Filters { peers: left_out.clone(), level: *level, ..Filters::default() };
        let (told, seen) = counted(&stage, &plan).await;
        let holders = told.published().flat_map(|published| published.watched.holders.iter());
        assert!(holders.map(|holder| holder.peer).all(|peer| !left_out.contains(&peer)));
        // Tables are filled before the first key: whoever is there may be in them.
        let first = told.published().map(|published| published.watched.published_at).min().expect("a key");
        let later = seen.iter().filter(|(_, at)| stage.clock.at(*at) >= first);
        asked.insert(level.name(), later.filter(|(peer, _)| left_out.contains(peer)).count());
    }
    assert!(asked["result"] > 0, "{asked:?}");
    assert_eq!(asked["query"], 0, "{asked:?}");
}

/// The most requests in ten seconds.
fn busiest(mut asked: Vec<Instant>) -> usize {
    asked.sort_unstable();
    let within = |from: &Instant| asked.iter().filter(|at| *at >= from && **at < *from + 10 * SECOND).count();
    asked.iter().map(within).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn publishers_and_observers_together_ask_no_more_a_second_than_was_allowed() {
    let stage = Stage::of(HEALTHY);
    let mut plan = plan(6, 30 * SECOND, 2 * MINUTE);
    plan.arms = [Strategy::Default, Strategy::Sweep]
        .map(|strategy| Arm { name: strategy.name().to_owned(), strategy, ..Arm::usual() })
        .into();
    let (_, asked) = counted(&stage, &plan).await;
    let free = busiest(asked.into_iter().map(|(_, at)| at).collect());
    let per_s = 30;
    plan.max_requests_per_s = NonZeroU32::new(per_s);
    let (told, asked) = counted(&stage, &plan).await;
    let paced = busiest(asked.into_iter().map(|(_, at)| at).collect());
    // A request leaves when its dial is done: up to a second after its turn.
    let allowed = per_s as usize * 11;
    assert!(free > 2 * allowed, "without a pace it asks more: {free} in ten seconds");
    assert!(paced <= allowed, "{paced} in ten seconds");
    assert!(told.published().all(|published| published.outcome == Ok(())));
}

#[test]
fn every_publisher_and_observer_is_somebody_of_its_own() {
    let mut plan = plan(1, MINUTE, MINUTE);
    plan.arms = [15, 20, 25, 40].map(Arm::of_k).into();
    plan.observing.observers = 10;
    let stage = Stage::of(HEALTHY);
    let own = stage.hoard(&plan).own_peers();
    let different: BTreeSet<&PeerId> = own.iter().collect();
    assert_eq!((own.len(), different.len()), (14, 14));
    plan.seed += 1;
    let others = stage.hoard(&plan).own_peers();
    assert!(others.iter().all(|peer| !different.contains(peer)), "another study is made by others");
}

#[tokio::test(start_paused = true)]
async fn spans_count_from_the_beginning_of_a_publication_and_not_from_the_end_of_a_round() {
    let stage = Stage::of(HEALTHY);
    let began = stage.now();
    let (told, _) = stage.whole(&plan(3, MINUTE, 3 * MINUTE)).await;
    let mut rounds = 0;
    for published in told.published() {
        let at = published.watched.published_at;
        assert!(at >= began, "by the clock of the run, in UTC");
        for given in &published.given {
            let sent = given.sent_after.expect("it was sent");
            assert!(given.chosen_after <= sent && sent <= published.took, "{given:?}");
        }
        for round in told.rounds().filter(|round| round.key == published.watched.key && round.round > 0) {
            assert_eq!(round.planned_at.since(at), MINUTE * round.round);
            assert!(round.began_at >= round.planned_at && round.ended_at >= round.began_at);
            rounds += 1;
        }
    }
    assert_eq!(rounds, 9);
}
