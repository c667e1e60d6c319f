//! Studies that nobody disturbs.

use std::collections::BTreeSet;

use schema::HolderAnswer;

use super::*;
use crate::Preset;

#[tokio::test(start_paused = true)]
async fn every_key_is_published_read_back_and_looked_at_when_it_was_to_be() {
    let (stage, plan) = (Stage::of(HEALTHY), plan(6, 3 * MINUTE, 10 * MINUTE));
    let (told, summary) = stage.whole(&plan).await;
    let summary = summary.expect("a summary");
    assert_eq!((summary.end, summary.keys, summary.failed_keys), (HoardEnd::Done, 6, 0));
    assert_eq!((summary.whole_rounds, summary.missed_rounds), (18, 0));
    assert_whole(&told, 6, 3);
    for published in told.published() {
        assert_eq!((published.outcome, published.watched.holders.len()), (Ok(()), 20));
        assert!(published.given.iter().all(|given| given.failure.is_none()));
    }
    let published_at: BTreeMap<_, _> =
        told.published().map(|it| (it.watched.key.clone(), it.watched.published_at)).collect();
    for round in told.rounds() {
        assert_eq!(
            (round.end, round.sights.len()),
            (RoundEnd::Whole, if round.round == 0 { 40 } else { 20 })
        );
        assert!(round.sights.iter().all(|sight| sight.said.answer == HolderAnswer::WithAddresses));
        if round.round > 0 {
            assert_eq!(round.planned_at, published_at[&round.key].after(3 * MINUTE * round.round));
            assert!(round.lag() < SECOND, "{:?}", round.lag());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_publishes_leaves_after_its_last_publication_and_never_looks() {
    let (stage, plan) = (Stage::of(HEALTHY), plan(3, MINUTE, 2 * MINUTE));
    let (told, _) = stage.whole(&plan).await;
    let providers: BTreeSet<PeerId> = told.published().map(|published| published.watched.provider).collect();
    let left: Vec<_> = told.left().collect();
    assert_eq!(left.iter().map(|(peer, _)| *peer).collect::<BTreeSet<_>>(), providers);
    assert_eq!((providers.len(), left.len()), (1, 1));
    let last = told.published().map(|it| it.watched.published_at.after(it.took)).max().expect("some");
    assert!(left[0].1 >= last && left[0].1.since(last) < 2 * SECOND);
    let observers = (0..2).filter_map(|number| observer_keypair(plan.seed, number));
    assert!(observers.into_iter().all(|keypair| !providers.contains(&keypair.public().to_peer_id())));
    // No record is published again: of each key there is one publication.
    assert_eq!(told.published().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn presets_go_to_their_end_by_their_own_times() {
    for preset in Preset::ALL {
        let mut plan = preset.plan();
        plan.keys = KeySource::Random { count: Some(1) };
        plan.observing.observers = 1;
        // 36 and 80 hours in one: the schedule is what is tested.
        plan.lookups = crate::LookupSet { closest: false, count: None, ..plan.lookups };
        let rounds = plan.rounds.len();
        let stage = Stage::of("peers = 60\nseed = 3");
        let (told, summary) = stage.whole(&plan).await;
        let summary = summary.expect("a summary");
        assert_eq!((summary.end, summary.missed_rounds), (HoardEnd::Done, 0), "{preset}");
        let keys = plan.arms.len();
        assert_whole(&told, keys, u32::try_from(rounds).expect("few"));
        assert!(summary.ended_at.since(START) >= plan.rounds.last(), "{preset}");
        let ks: BTreeSet<u16> = told.published().map(|published| published.k).collect();
        assert_eq!(ks.len(), keys, "{preset}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_study_without_an_end_goes_on_and_each_key_is_watched_for_its_time() {
    let stage = Stage::of(HEALTHY);
    let mut plan = plan(1, MINUTE, 2 * MINUTE);
    plan.keys = KeySource::Random { count: None };
    plan.pace.gap = 30 * SECOND;
    let under_way = stage.begin(&plan, None, 64);
    let (cancel, mut under_way) = (under_way.cancel.clone(), under_way);
    let stop = async {
        tokio::time::sleep(20 * MINUTE).await;
        cancel.cancel();
    };
    let (told, ()) = tokio::join!(under_way.told(), stop);
    let summary = under_way.run.await.expect("it ends").expect("a summary");
    assert_eq!(summary.end, HoardEnd::Stopped);
    assert!((38..=41).contains(&told.published().count()), "{}", told.published().count());
    let shown = under_way.now.borrow().clone();
    assert!(
        (4..=6).contains(&shown.watched),
        "keys that were watched for their time are forgotten: {shown:?}"
    );
    assert_eq!((shown.all_keys, shown.eta), (None, None));
    let whole = told.by_key().into_values().filter(|rounds| rounds.len() == 3).count();
    assert!(whole >= 34, "{whole}");
}

#[tokio::test(start_paused = true)]
async fn what_it_looks_like_is_shown_while_it_goes_on() {
    let (stage, plan) = (Stage::of(HEALTHY), plan(4, MINUTE, 10 * MINUTE));
    let mut under_way = stage.begin(&plan, None, 64);
    let mut shown = under_way.now.clone();
    let look = async {
        tokio::time::sleep(5 * MINUTE + 30 * SECOND).await;
        shown.borrow_and_update().clone()
    };
    let (_, shown) = tokio::join!(under_way.told(), look);
    assert!(shown.is_ready);
    assert_eq!((shown.keys, shown.all_keys, shown.watched, shown.all_rounds), (4, Some(4), 4, Some(40)));
    assert!((17..=20).contains(&shown.rounds_of(RoundEnd::Whole)), "{shown:?}");
    assert_eq!((shown.reached(), shown.keeping(), shown.with_addresses()), (80, 80, 80));
    let eta = shown.eta.expect("an end");
    assert!((4 * MINUTE..=5 * MINUTE).contains(&eta), "{eta:?}");
}
