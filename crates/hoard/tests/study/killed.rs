//! A study whose rows stop coming in the middle: what is kept is whole, and nothing of it is lost in silence.

use kadscope_hoard::{Study, StudyDetail};
use schema::{HoardSight, PeerNumber, Row, RunState};

use crate::{
    made::{self, Size},
    open,
};

const SIZE: Size = Size { keys: 5, rounds: 6, holders: 4, requests: 5 };

/// The second defect of CID Hoarder: one statement that the database refused took a whole batch of others with it, and nobody was told.
#[tokio::test]
async fn a_row_that_is_refused_ends_the_run_aloud_and_leaves_what_was_kept_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let start = made::start(1, None);
    let writer = store.begin_run(&start).unwrap();
    let sender = writer.sender();
    // Nobody introduced this peer.
    let bad: Row = HoardSight { peer: PeerNumber(made::PEERS + 1), ..made::seen(0, 6, 1) }.into();
    for row in made::study(SIZE).chain([bad]) {
        sender.send(row).await.unwrap();
    }
    drop(sender);
    writer.finish(made::end()).await.unwrap_err();
    let study = Study::read(&store, start.id, StudyDetail::Responses).unwrap();
    assert_ne!(study.runs[0].state, RunState::Succeeded);
    let rounds = study.keys.iter().flat_map(|key| &key.rounds).count();
    assert!(rounds >= 30, "at most the batch in hand is missing: {rounds} of 35 rounds");
    for key in &study.keys {
        for round in &key.rounds {
            assert_eq!(round.lookups.len(), 3);
            assert!(round.lookups.iter().all(|lookup| lookup.responses.len() == 5));
            let sights = key.holders.iter().flat_map(|holder| &holder.sights);
            assert_eq!(sights.filter(|sight| sight.round == round.round).count(), 4, "rounds are whole");
        }
    }
}

/// The third: the last batch was lost whenever a study ended.
#[tokio::test]
async fn what_was_sent_last_is_kept_when_a_study_ends() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let start = made::start(1, None);
    crate::keep(&store, &start, made::study(SIZE)).await;
    let study = Study::read(&store, start.id, StudyDetail::Sights).unwrap();
    assert!(study.keys.iter().all(|key| key.rounds.len() == 7));
    assert!(study.passed_over.is_nothing());
}

/// Rows end anywhere, as where a kill cut the last batch off: the rounds that are read are those that were done, and are whole.
#[tokio::test]
async fn wherever_rows_end_the_rounds_that_are_read_are_whole() {
    let size = Size { keys: 2, rounds: 2, holders: 2, requests: 2 };
    let rows: Vec<Row> = made::study(size).collect();
    let introduced = rows.iter().filter(|row| matches!(row, Row::Peer(..))).count();
    for kept in (introduced..=rows.len()).step_by(3) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("a.sqlite"));
        let start = made::start(1, None);
        crate::keep(&store, &start, rows[..kept].iter().cloned()).await;
        let study = Study::read(&store, start.id, StudyDetail::Responses).unwrap();
        let done = rows[..kept].iter().filter(|row| matches!(row, Row::HoardRound(_))).count();
        let read: Vec<_> = study.keys.iter().flat_map(|key| &key.rounds).collect();
        assert_eq!(read.len(), done);
        assert!(read.iter().all(|round| round.lookups.len() == 3));
        assert!(read.iter().flat_map(|round| &round.lookups).all(|lookup| lookup.responses.len() == 2));
        let sights = study.keys.iter().flat_map(|key| &key.holders).map(|holder| holder.sights.len());
        assert_eq!(sights.sum::<usize>(), done * 2);
    }
}
