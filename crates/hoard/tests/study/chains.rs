//! Runs that continue one another are one study.

use kadscope_hoard::{PassedOver, Study, StudyDetail};
use schema::{HoardRound, HoardSight, HolderAnswer, RoundEnd, Row, RunId};

use crate::{
    keep,
    made::{self, Size},
    open,
};

const SIZE: Size = Size { keys: 2, rounds: 3, holders: 2, requests: 3 };

fn first() -> RunId {
    made::start(1, None).id
}

/// Everything up to a round, and something of it that the kill cut off.
fn until_killed() -> impl Iterator<Item = Row> {
    let whole = made::study(Size { rounds: 1, ..SIZE });
    // The third key was given out, and its row never came.
    let cut = (1..=2).map(|rank| made::held(2, rank).into());
    let lost = HoardSight { answer: HolderAnswer::WithoutRecord, ..made::seen(0, 2, 1) };
    whole.chain(cut).chain([lost.into()])
}

/// What whoever resumes does: the third key, and what was not done of the rounds.
fn resumed() -> impl Iterator<Item = Row> {
    let again = made::published(2, 2).into_iter().chain(made::round(2, 0, SIZE));
    let rounds = (2..=3).flat_map(|round| (0..3).flat_map(move |n| made::round(n, round, SIZE)));
    made::introduced().chain(again).chain(rounds)
}

#[tokio::test]
async fn a_study_that_was_killed_and_resumed_has_each_round_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let second = made::start(2, Some(first()));
    keep(&store, &made::start(1, None), until_killed()).await;
    keep(&store, &second, resumed()).await;
    for run in [first(), second.id] {
        let study = Study::read(&store, run, StudyDetail::Responses).unwrap();
        assert_eq!(study.runs.iter().map(|run| run.start.id).collect::<Vec<_>>(), [first(), second.id]);
        assert_eq!(study.passed_over, PassedOver { cut_publications: 1, ..PassedOver::default() });
        assert_eq!(study.keys.len(), 3);
        for key in &study.keys[..2] {
            assert_eq!(key.rounds.iter().map(|round| round.round).collect::<Vec<_>>(), [0, 1, 2, 3]);
            assert!(
                key.rounds.iter().flat_map(|round| &round.lookups).all(|lookup| lookup.responses.len() == 3)
            );
            assert!(key.holders.iter().all(|holder| holder.sights.len() == 4));
        }
        let sight = study.keys[0].holders[0].sights[2];
        assert_eq!(
            (sight.round, sight.answer),
            (2, made::seen(0, 2, 1).answer),
            "of the round that was done"
        );
    }
}

#[tokio::test]
async fn what_two_runs_did_is_taken_once_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let second = made::start(2, Some(first()));
    keep(&store, &made::start(1, None), made::study(Size { rounds: 1, ..SIZE })).await;
    keep(&store, &second, made::study(SIZE)).await;
    let study = Study::read(&store, second.id, StudyDetail::Responses).unwrap();
    assert_eq!((study.passed_over.repeated_keys, study.passed_over.repeated_rounds), (2, 2 * 2));
    for key in &study.keys {
        assert_eq!((key.holders.len(), key.rounds.len()), (2, 4));
        assert!(key.holders.iter().all(|holder| holder.sights.len() == 4));
        assert!(key.rounds.iter().all(|round| round.lookups.len() == 3));
    }
}

#[tokio::test]
async fn a_round_that_was_given_up_is_that_of_who_did_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let second = made::start(2, Some(first()));
    let unasked = HoardSight { answer: HolderAnswer::Unasked, ..made::seen(0, 1, 1) };
    let stopped = HoardRound { ..made::done(0, 1, RoundEnd::Stopped) };
    let rows = made::introduced().chain(made::published(0, 2)).chain([unasked.into(), stopped.into()]);
    keep(&store, &made::start(1, None), rows).await;
    keep(&store, &second, made::introduced().chain(made::round(0, 1, SIZE))).await;
    let study = Study::read(&store, first(), StudyDetail::Sights).unwrap();
    let key = &study.keys[0];
    assert_eq!((key.rounds.len(), key.rounds[0].end), (1, RoundEnd::Whole));
    let answers: Vec<_> = key.holders[0].sights.iter().map(|sight| sight.answer).collect();
    assert_eq!(answers, [made::seen(0, 1, 1).answer]);
}

#[tokio::test]
async fn a_run_that_was_deleted_is_said_to_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(&directory.path().join("a.sqlite"));
    let (second, third) = (made::start(2, Some(first())), made::start(3, Some(made::start(2, None).id)));
    keep(&store, &made::start(1, None), []).await;
    keep(&store, &second, made::study(Size { rounds: 1, ..SIZE })).await;
    keep(&store, &third, made::introduced().chain(made::round(0, 2, SIZE))).await;
    store.delete_run(first()).unwrap();
    let study = Study::read(&store, third.id, StudyDetail::Sights).unwrap();
    assert_eq!((study.runs.len(), study.passed_over.missing_runs), (2, 1));
    assert_eq!(study.keys[0].rounds.len(), 3);
}
