//! A study that is killed at any moment goes on as if it had not been.

use super::*;

/// Kills a study after these times, one after the other, and each time goes on with it so much later; the last run goes to its end.
async fn killed(stage: &Stage, plan: &HoardPlan, after: &[Duration], away: Duration) -> Told {
    let mut told = Told::default();
    for &time in after {
        let resumed = (!told.facts.is_empty()).then(|| told.resumed());
        let later = stage.begin(plan, resumed, 64).killed_after(time).await;
        told = told.and(later);
        tokio::time::sleep(away).await;
    }
    let resumed = (!told.facts.is_empty()).then(|| told.resumed());
    let mut last = stage.begin(plan, resumed, 64);
    let rest = last.told().await;
    last.run.await.expect("it ends").expect("a summary");
    told.and(rest)
}

#[tokio::test(start_paused = true)]
async fn no_round_is_lost_or_doubled_and_the_schedule_is_kept_wherever_it_is_killed() {
    let plan = plan(4, 20 * SECOND, 80 * SECOND);
    // While it joins, while it publishes, while it reads back, between rounds and in one.
    for tenths in [1, 5, 12, 25, 40, 61, 83, 120, 200, 203, 260, 417, 800] {
        let stage = Stage::of(HEALTHY);
        let told = killed(&stage, &plan, &[SECOND * tenths / 10], SECOND).await;
        assert_whole(&told, 4, 4);
        let published_at: BTreeMap<_, _> =
            told.published().map(|it| (it.watched.key.clone(), it.watched.published_at)).collect();
        for round in told.rounds().filter(|round| round.round > 0) {
            assert_eq!(round.planned_at, published_at[&round.key].after(20 * SECOND * round.round));
            assert!(
                round.end == RoundEnd::Missed || round.lag() < 15 * SECOND,
                "killed at {tenths}: {round:?}"
            );
        }
        assert_eq!(told.published().count(), 4, "killed at {tenths}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_study_that_is_killed_again_and_again_comes_to_its_end() {
    let plan = plan(6, 30 * SECOND, 150 * SECOND);
    let stage = Stage::of(HEALTHY);
    let told = killed(&stage, &plan, &[4, 9, 7, 11, 30, 21].map(Duration::from_secs), 2 * SECOND).await;
    assert_whole(&told, 6, 5);
}

#[tokio::test(start_paused = true)]
async fn rounds_whose_time_passed_while_it_was_away_are_missed_and_said_to_be() {
    let plan = plan(2, MINUTE, 8 * MINUTE);
    let stage = Stage::of(HEALTHY);
    let told = killed(&stage, &plan, &[90 * SECOND], 4 * MINUTE).await;
    assert_whole(&told, 2, 8);
    for rounds in told.by_key().into_values() {
        let missed: Vec<u32> =
            rounds.iter().filter(|(_, end)| *end == RoundEnd::Missed).map(|(round, _)| *round).collect();
        assert_eq!(missed, [2, 3, 4], "what was due last is done late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_whose_process_died_has_left_by_then_and_comes_back_as_who_it_was() {
    let mut plan = plan(3, MINUTE, 3 * MINUTE);
    plan.arms[0].end = PublisherEnd::Connected;
    plan.pace.gap = 20 * SECOND;
    let stage = Stage::of(HEALTHY);
    let told = killed(&stage, &plan, &[25 * SECOND], 5 * SECOND).await;
    let providers: BTreeSet<PeerId> = told.published().map(|published| published.watched.provider).collect();
    assert_eq!(providers.len(), 1, "its key is that of the seed");
    let left: Vec<_> = told.left().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].1.since(START) <= 25 * SECOND, "it was there until something was seen last");
    let last = told.rounds().map(|round| round.ended_at).max().expect("rounds");
    assert!(left[1].1 >= last, "then it stayed to the end");
}
