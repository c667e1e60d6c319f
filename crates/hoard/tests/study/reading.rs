//! What is read is what was kept.

use std::time::Duration;

use kad::failure::{Failure, FailureClass, Phase};
use kadscope_hoard::{
    PassedOver, Study, StudyDetail, StudyError,
    savings::{SavingsTerms, StudySavings},
};
use schema::{
    HoardKey, HoardLookup, HoardProvider, HoardPublisher, HoardSight, HolderAnswer, PeerNumber, Row,
    RunStart, Tool, Whereabouts,
};

use crate::{
    keep,
    made::{self, Size},
    open,
};

const SIZE: Size = Size { keys: 3, rounds: 4, holders: 20, requests: 10 };

async fn read(start: &RunStart, rows: impl IntoIterator<Item = Row>, detail: StudyDetail) -> Study {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    keep(&store, start, rows).await;
    Study::read(&store, start.id, detail).unwrap()
}

#[tokio::test]
async fn a_study_is_read_as_it_was_kept() {
    let study = read(&made::start(1, None), made::study(SIZE), StudyDetail::Responses).await;
    assert_eq!(study.passed_over, PassedOver::default());
    assert_eq!((study.runs.len(), study.arms.len(), study.keys.len()), (1, 1, 3));
    assert_eq!(&*study.arms[0].name, "k of 20");
    for (n, key) in (0..).zip(&study.keys) {
        assert_eq!((&key.key, key.published_at), (&made::key(n), made::published_at(n)));
        assert_eq!((key.provider, key.position, key.took), (made::peer(0), n, Duration::from_secs(3)));
        let ranks: Vec<_> = key.holders.iter().map(|holder| holder.rank).collect();
        assert_eq!(ranks, (1..=20).collect::<Vec<_>>());
        let rounds: Vec<_> = key.rounds.iter().map(|round| round.round).collect();
        assert_eq!(rounds, [0, 1, 2, 3, 4]);
        let round = key.round(3).unwrap();
        assert_eq!((round.planned_after, round.lag()), (made::due(3), Duration::from_millis(3)));
        for (rank, holder) in (1..).zip(&key.holders) {
            assert_eq!(study.peer(holder.peer), Some(&made::peer(made::holder(n, rank).0)));
            assert_eq!(holder.sights.len(), 5);
            let (sight, row) = (holder.sights[2], made::seen(n, 2, rank));
            let saw = (sight.round, sight.after(), sight.answer, sight.whereabouts);
            assert_eq!(saw, (row.round, row.after, row.answer, row.whereabouts));
            assert_eq!(sight.first_failure, row.first_dial_error.map(|error| error.class));
            assert_eq!(sight.answer_took.map(Duration::from), row.answer_took);
            let agent = sight.agent.and_then(|agent| study.agent(agent.agent()));
            assert_eq!(agent.map(ToString::to_string), row.agent);
        }
    }
}

#[tokio::test]
async fn the_closest_are_read_in_the_order_of_their_distance() {
    let study = read(&made::start(1, None), made::study(SIZE), StudyDetail::Sights).await;
    let key = &study.keys[0];
    let lookup = key.rounds[0].lookup(HoardLookup::Closest).unwrap();
    let target = kad::Key::of(&key.key);
    let distance = |peer: &_| kad::Key::of_peer(study.peer(*peer).unwrap()).distance(&target);
    assert_eq!(lookup.closest.len(), 20);
    assert!(lookup.closest.is_sorted_by_key(distance));
    assert!(lookup.responses.is_empty(), "they were not asked for");
    let next = key.rounds[1].lookup(HoardLookup::Closest).unwrap();
    assert!(std::sync::Arc::ptr_eq(&lookup.closest, &next.closest), "what stays the same is in memory once");
}

#[tokio::test]
async fn responses_come_with_the_lookup_that_they_belong_to() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let (start, other) = (made::start(1, None), PeerNumber(2999));
    let mut rows: Vec<_> = made::study(SIZE).collect();
    // In the last lookup of the last round an answer names somebody else, too.
    let (last, began_at) =
        (SIZE.keys - 1, made::began(SIZE.keys - 1, SIZE.rounds).after(Duration::from_secs(2)));
    let responder = made::asked(last, (HoardLookup::Count, began_at), 0).peer;
    let named = |peer, addresses| HoardProvider {
        peer,
        key: made::key(last),
        arm: 0,
        round: SIZE.rounds,
        lookup: HoardLookup::Count,
        responder,
        answered_after: Duration::from_millis(90),
        addresses,
        listed: Vec::new(),
    };
    rows.extend([named(PeerNumber(0), 3), named(other, 0)].map(Row::from));
    keep(&store, &start, rows).await;
    let study = Study::read(&store, start.id, StudyDetail::Responses).unwrap();
    for round in study.keys.iter().flat_map(|key| &key.rounds) {
        assert_eq!(round.lookups.len(), 3);
        for lookup in &round.lookups {
            assert_eq!(lookup.responses.len(), 10);
            assert!(lookup.responses.is_sorted_by_key(|response| response.asked_after));
        }
    }
    let round = study.keys[0].round(1).unwrap();
    let found = |lookup| {
        let answers = round.lookup(lookup).unwrap().responses.iter();
        let named = answers.map(|response| response.providers.iter().map(|named| named.addresses).collect());
        named.collect::<Vec<Vec<u32>>>()
    };
    assert!(found(HoardLookup::Closest).iter().all(Vec::is_empty));
    assert_eq!(found(HoardLookup::Count).concat(), [1, 0], "the key's own provider, as the counts say");
    let last = study.keys.last().unwrap().rounds.last().unwrap().lookups.last().unwrap();
    let named: Vec<_> = last.responses[0].providers.iter().map(|named| named.addresses).collect();
    assert_eq!(named, [3, 0], "by the rows that say more than the counts");
    assert_eq!(study.peer(last.responses[0].providers[1].peer), Some(&made::peer(other.0)));
}

#[tokio::test]
async fn lookups_of_several_arms_that_began_at_one_moment_have_their_own_requests() {
    let start = made::start(1, None);
    let size = Size { keys: 1, rounds: 1, holders: 3, requests: 4 };
    let in_arm = |arm: u16, row: Row| match row {
        Row::HoardKey(row) => Row::from(HoardKey { arm, ..*row }),
        Row::HoardHolder(row) => Row::from(schema::HoardHolder { arm, ..*row }),
        Row::HoardSight(row) => Row::from(HoardSight { arm, ..*row }),
        Row::HoardWalk(row) => Row::from(schema::HoardWalk { arm, ..*row }),
        Row::HoardRound(row) => Row::from(schema::HoardRound { arm, ..*row }),
        row => row,
    };
    let peers = made::introduced();
    let arms = (0..2).flat_map(|arm| {
        let made =
            made::published(0, 3).into_iter().chain(made::round(0, 0, size)).chain(made::round(0, 1, size));
        made.map(move |row| in_arm(arm, row))
    });
    let study = read(&start, peers.chain(arms), StudyDetail::Responses).await;
    assert_eq!((study.arms.len(), study.keys.len()), (2, 2));
    let lookups = study.keys.iter().flat_map(|key| &key.rounds).flat_map(|round| &round.lookups);
    let counts: Vec<_> = lookups.map(|lookup| lookup.responses.len()).collect();
    // Rows of one arm and those of the other do not stand beside each other here, so each request is found alone.
    assert_eq!(counts.iter().sum::<usize>(), 2 * 2 * 3 * 4, "{counts:?}");
}

/// The ninth defect of CID Hoarder: who could not be given a record stayed a holder like all others.
#[tokio::test]
async fn a_record_that_was_never_given_is_told_from_one_that_was_lost() {
    let refused = Failure::new(Phase::Request, FailureClass::StreamReset);
    let never = schema::HoardHolder { sent_after: None, send_error: Some(refused), ..made::held(0, 1) };
    let (lost, unknown) = (made::held(0, 2), schema::HoardHolder { sent_after: None, ..made::held(0, 3) });
    let without = |rank| HoardSight { answer: HolderAnswer::WithoutRecord, ..made::seen(0, 1, rank) };
    let rows = made::introduced()
        .chain([never, lost, unknown].map(Row::from))
        .chain([made::closing(0, 3).into()])
        .chain([without(1), without(2), without(3)].map(Row::from))
        .chain([made::done(0, 1, schema::RoundEnd::Whole).into()]);
    let study = read(&made::start(1, None), rows, StudyDetail::Sights).await;
    let holders = &study.keys[0].holders;
    assert_eq!(
        holders.iter().map(kadscope_hoard::StudyHolder::was_given).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(holders[0].send_failure, Some(FailureClass::StreamReset));
    assert_eq!((holders[2].sent, holders[2].send_failure), (None, None), "nobody knows");
    assert!(holders.iter().all(|holder| holder.sights[0].answer == HolderAnswer::WithoutRecord));
}

/// The sixteenth: what a peer was first seen with stayed for ever.
#[tokio::test]
async fn what_a_peer_calls_its_program_is_kept_with_each_sight() {
    let sights = [(1, "kubo/0.40.0/"), (2, "kubo/0.41.0/"), (3, "kubo/0.41.0/")]
        .map(|(round, agent)| HoardSight { agent: Some(agent.to_owned()), ..made::seen(0, round, 1) });
    let moved = HoardSight { whereabouts: Whereabouts::Moved, agent: None, ..made::seen(0, 4, 1) };
    let rounds = (1..=4).map(|round| made::done(0, round, schema::RoundEnd::Whole).into());
    let rows = made::introduced()
        .chain(made::published(0, 1))
        .chain(sights.map(Row::from))
        .chain([moved.into()])
        .chain(rounds);
    let study = read(&made::start(1, None), rows, StudyDetail::Sights).await;
    let holder = &study.keys[0].holders[0];
    let agents = holder.sights.iter().map(|sight| Some(&**study.agent(sight.agent?.agent())?));
    assert_eq!(
        agents.collect::<Vec<_>>(),
        [Some("kubo/0.40.0/"), Some("kubo/0.41.0/"), Some("kubo/0.41.0/"), None]
    );
    assert_eq!(
        holder.agent.as_deref(),
        Some(made::agent(made::holder(0, 1), 0).as_str()),
        "when it was chosen"
    );
    assert_eq!(holder.sights[3].whereabouts, Whereabouts::Moved);
}

/// The seventeenth: one database was one study.
#[tokio::test]
async fn several_studies_are_in_one_store_and_apart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let sizes = [(1, 2), (2, 3)];
    for (run, keys) in sizes {
        keep(&store, &made::start(run, None), made::study(Size { keys, ..SIZE })).await;
    }
    for (run, keys) in sizes {
        let study = Study::read(&store, made::start(run, None).id, StudyDetail::Sights).unwrap();
        assert_eq!((study.runs.len(), study.keys.len()), (1, usize::try_from(keys).unwrap()));
        assert!(study.passed_over.is_nothing());
    }
}

#[tokio::test]
async fn a_publisher_that_left_is_said_of_its_keys_from_when_it_left() {
    let closed_at = made::published_at(2);
    let left = HoardPublisher { peer: PeerNumber(0), arm: 0, closed_at };
    let other = HoardPublisher { arm: 1, closed_at: made::published_at(0), ..left.clone() };
    let rows = made::introduced()
        .chain((0..4).flat_map(|n| made::published(n, 2)))
        .chain([left, other].map(Row::from));
    let study = read(&made::start(1, None), rows, StudyDetail::Sights).await;
    let closed: Vec<_> = study.keys.iter().map(|key| key.closed_after).collect();
    let millis = |millis| Some(Duration::from_millis(millis));
    assert_eq!(closed, [millis(1000), millis(500), millis(0), None], "the last was published later");
}

#[tokio::test]
async fn rows_that_do_not_fit_together_are_passed_over_and_counted() {
    let stranger = HoardSight { peer: PeerNumber(2998), ..made::seen(0, 1, 1) };
    let before = schema::HoardRound {
        began_at: made::BEGAN,
        planned_at: made::BEGAN,
        ..made::done(1, 1, schema::RoundEnd::Whole)
    };
    let rows = made::introduced()
        .chain((0..2).flat_map(|n| made::published(n, 2)))
        .chain([made::held(7, 1).into()])
        .chain([
            stranger.into(),
            made::seen(0, 1, 1).into(),
            made::done(0, 1, schema::RoundEnd::Whole).into(),
        ])
        .chain([made::seen(0, 2, 1).into()])
        .chain([made::seen(9, 1, 1).into()])
        .chain([before.into()]);
    let study = read(&made::start(1, None), rows, StudyDetail::Sights).await;
    let passed_over = PassedOver {
        cut_publications: 1,
        cut_rounds: 1,
        unknown_keys: 1,
        unknown_holders: 1,
        before_publication: 1,
        ..PassedOver::default()
    };
    assert_eq!(study.passed_over, passed_over);
    assert_eq!((study.keys.len(), study.keys[0].holders[0].sights.len()), (2, 1));
}

#[tokio::test]
async fn a_run_of_another_tool_is_no_study() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let start = RunStart { tool: Tool::Crawl, ..made::start(1, None) };
    keep(&store, &start, []).await;
    let refused = Study::read(&store, start.id, StudyDetail::Sights);
    let Err(StudyError::NotAStudy { tool: Tool::Crawl, .. }) = refused else { panic!("{refused:?}") };
    let unknown = Study::read(&store, made::start(2, None).id, StudyDetail::Sights);
    assert!(matches!(unknown, Err(StudyError::Store(store::Error::UnknownRun { .. }))), "{unknown:?}");
}

/// What is read one lookup at a time, without sights in memory, says the same as all of it in memory.
#[tokio::test]
async fn what_changes_would_save_is_the_same_by_one_lookup_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.sqlite"));
    let (whole, bare) = (made::start(1, None), made::start(2, None));
    keep(&store, &whole, made::study(SIZE)).await;
    let without = made::study(SIZE).filter(|row| !matches!(row, Row::LookupRequest(_)));
    keep(&store, &bare, without).await;
    let in_memory = Study::read(&store, whole.id, StudyDetail::Responses).unwrap();
    let of_all = StudySavings::of(&in_memory, SavingsTerms::default()).section();
    let lean = Study::read(&store, whole.id, StudyDetail::Lookups).unwrap();
    assert!(lean.keys.iter().all(|key| key.holders.is_empty() && key.rounds.len() == 5));
    let one_by_one = StudySavings::read(&lean, &store, SavingsTerms::default()).unwrap().section();
    assert_eq!(one_by_one, of_all);
    assert_eq!((of_all.retrievals, of_all.keys, of_all.without_requests), (15, 3, 0));

    let lean = Study::read(&store, bare.id, StudyDetail::Lookups).unwrap();
    let nothing = StudySavings::read(&lean, &store, SavingsTerms::default()).unwrap().section();
    assert_eq!((nothing.retrievals, nothing.without_requests), (0, 15));
    let other_arm = SavingsTerms { arm: Some(1), ..SavingsTerms::default() };
    let nothing = StudySavings::of(&in_memory, other_arm).section();
    assert_eq!((nothing.retrievals, nothing.without_requests), (0, 0));
}
