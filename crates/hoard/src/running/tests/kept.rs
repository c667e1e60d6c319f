//! Whoever keeps what is told is away, or gone; and a study that is stopped.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_ten_minutes_costs_the_rounds_of_that_time_and_no_burst_follows() {
    let plan = plan(20, MINUTE, 20 * MINUTE);
    let stage = Stage::of(HEALTHY);
    let mut under_way = stage.begin(&plan, None, 4);
    let mut told = Told::default();
    // Everything is published, and some rounds were made.
    let until = Instant::now() + 3 * MINUTE;
    while let Ok(Some(fact)) = tokio::time::timeout_at(until, under_way.facts.recv()).await {
        told.facts.push(fact);
    }
    tokio::time::sleep(10 * MINUTE).await;
    let back = stage.now();
    told = told.and(under_way.told().await);
    let summary = under_way.run.await.expect("it ends").expect("a summary");
    assert_whole(&told, 20, 20);
    assert_eq!(summary.whole_rounds + summary.missed_rounds, 400);
    assert!((150..=200).contains(&summary.missed_rounds), "{}", summary.missed_rounds);
    // Of each key one round at most is made in the minute after: the one that is due, not those that were.
    let mut made: BTreeMap<_, u32> = BTreeMap::new();
    for round in told.rounds().filter(|round| round.end != RoundEnd::Missed) {
        if round.began_at >= back && round.began_at.since(back) < 50 * SECOND {
            *made.entry(round.key.clone()).or_default() += 1;
        }
    }
    assert!(made.values().all(|&made| made <= 2), "{made:?}");
    assert!(told.rounds().all(|round| round.end == RoundEnd::Missed || round.lag() <= MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_study_that_is_stopped_in_any_phase_tells_what_it_did_and_leaves() {
    let plan = plan(4, 20 * SECOND, 60 * SECOND);
    for tenths in [0, 1, 4, 20, 35, 90, 200, 401] {
        let stage = Stage::of(HEALTHY);
        let mut under_way = stage.begin(&plan, None, 64);
        let cancel = under_way.cancel.clone();
        let stop = async {
            tokio::time::sleep(SECOND * tenths / 10).await;
            cancel.cancel();
            stage.now()
        };
        let (told, stopped_at) = tokio::join!(under_way.told(), stop);
        let summary = under_way.run.await.expect("it ends").expect("a summary");
        assert_eq!(summary.end, HoardEnd::Stopped, "at {tenths}");
        assert!(summary.ended_at.since(stopped_at) < 30 * SECOND, "at {tenths}");
        // Every key that was told has its readings or says that they were given up.
        assert!(told.by_key().values().all(|rounds| rounds.first().is_some_and(|(round, _)| *round == 0)));
        let later = told.rounds().filter(|round| round.began_at > stopped_at && round.round > 0).count();
        assert_eq!(later, 0, "at {tenths}");
        // Another run goes on with it.
        let mut next = stage.begin(&plan, Some(told.resumed()), 64);
        let rest = next.told().await;
        next.run.await.expect("it ends").expect("a summary");
        assert_whole(&told.and(rest), 4, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_study_that_nobody_keeps_any_more_ends() {
    let stage = Stage::of(HEALTHY);
    let under_way = stage.begin(&plan(4, 20 * SECOND, 60 * SECOND), None, 4);
    drop(under_way.facts);
    let summary = under_way.run.await.expect("it ends").expect("a summary");
    assert_eq!(summary.end, HoardEnd::NotKept);
}

/// CID Hoarder's workers left timers and queues behind, and its dispatcher went on after it had been told to end.
#[tokio::test(start_paused = true)]
async fn a_study_that_is_over_leaves_no_task_behind_however_it_ended() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for stopped_after in [None, Some(SECOND), Some(30 * SECOND), Some(90 * SECOND)] {
        let stage = Stage::of(HEALTHY);
        let mut under_way = stage.begin(&plan(3, MINUTE, 3 * MINUTE), None, 64);
        if let Some(after) = stopped_after {
            let cancel = under_way.cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                cancel.cancel();
            });
        }
        under_way.told().await;
        under_way.run.await.expect("it ends").expect("a summary");
        drop(stage);
        tokio::time::sleep(SECOND).await;
        assert_eq!(tasks(), before, "stopped after {stopped_after:?}");
    }
}
