//! What every store does, whatever keeps its rows. A test of a backend calls these with a way to open a store of its
//! own that was empty before the first call.

use std::time::Duration;

use kadscope_store::{Error, RunFilter, Store, Totals, Writer};
use schema::{Encounter, PeerNumber, Row, RunId, RunStart, RunState, Visit};

use crate::rows;

/// Appends rows as one crawl and ends it.
pub(crate) async fn keep(store: &Store, start: &RunStart, rows: impl Iterator<Item = Row>) -> Totals {
    let writer = store.begin_run(start).unwrap();
    send(&writer, rows).await;
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap()
}

/// Sends rows to a writer.
pub(crate) async fn send(writer: &Writer, rows: impl Iterator<Item = Row>) {
    let sender = writer.sender();
    for row in rows {
        sender.send(row).await.unwrap();
    }
}

/// The rows of a crawl as they are read back, peers first.
pub(crate) fn read(store: &Store, id: RunId) -> Vec<Row> {
    let peers = store.peers(id).unwrap();
    let visits = store.visits(id).unwrap().map(|visit| Row::Visit(Box::new(visit.unwrap())));
    peers.iter().map(|(number, peer)| Row::Peer(number, peer)).chain(visits).collect()
}

/// What was written is read back, by another opening of the store too.
pub(crate) async fn crawls_are_read_back(open: &dyn Fn() -> Store) {
    let store = open();
    assert_eq!(store.runs(&RunFilter::default()).unwrap(), []);
    for (n, neighbors) in [(1, true), (2, false)] {
        let rows: Vec<_> = rows::crawl(1500, 20, neighbors).collect();
        let totals = keep(&store, &rows::start(n), rows.iter().cloned()).await;
        let edges = if neighbors { 1500 * 20 } else { 0 };
        assert_eq!(totals, Totals { peers: 1500, rows: 1500, visits: 1500, edges });

        let store = open();
        assert!(read(&store, rows::start(n).id) == rows, "crawl {n}");
        let info = store.run(rows::start(n).id).unwrap();
        assert_eq!((&info.start, info.totals), (&rows::start(n), totals));
        assert_eq!((info.state, info.end), (RunState::Succeeded, Some(rows::end(RunState::Succeeded))));
        neighbors_are_those_of_the_visits(&store, rows::start(n).id);
    }
    let ids: Vec<_> =
        store.runs(&RunFilter::default()).unwrap().into_iter().map(|crawl| crawl.start.id).collect();
    assert_eq!(ids, [rows::start(1).id, rows::start(2).id], "in the order of their start");
}

/// Reading neighbors alone shows the same as reading visits.
pub(crate) fn neighbors_are_those_of_the_visits(store: &Store, id: RunId) {
    let of_visits = store.visits(id).unwrap().filter_map(|visit| {
        let visit = visit.unwrap();
        visit.neighbors.map(|neighbors| (visit.peer, neighbors))
    });
    assert!(store.neighbors(id).unwrap().map(Result::unwrap).eq(of_visits));
}

/// Every end that a crawl can have is told apart.
pub(crate) async fn states_are_told_apart(open: &dyn Fn() -> Store) {
    let store = open();
    let state = |n| open().run(rows::start(n).id).unwrap().state;
    for (n, end) in [(1, RunState::Succeeded), (2, RunState::Cancelled), (3, RunState::Failed)] {
        let writer = store.begin_run(&rows::start(n)).unwrap();
        assert_eq!(state(n), RunState::Running);
        writer.finish(rows::end(end)).await.unwrap();
        assert_eq!(state(n), end);
    }
    let writer = store.begin_run(&rows::start(4)).unwrap();
    let other = store.begin_run(&rows::start(5)).unwrap();
    assert_eq!((state(4), state(5)), (RunState::Running, RunState::Running));
    send(&writer, rows::crawl(10, 5, true)).await;
    drop(writer);
    assert_eq!((state(4), state(5)), (RunState::Interrupted, RunState::Running));
    assert_eq!(read(&store, rows::start(4).id).len(), 20, "what was sent before the drop is kept");
    assert_eq!(store.run(rows::start(4).id).unwrap().end, None);
    other.finish(rows::end(RunState::Succeeded)).await.unwrap();
}

/// Rows come into the store while the crawl goes on, after the time of a batch at the latest.
pub(crate) async fn rows_come_as_they_are_sent(open: &dyn Fn() -> Store) {
    let (store, id) = (open(), rows::start(1).id);
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    assert_eq!(*progress.borrow_and_update(), Totals::default());
    let mut visits = store.visits(id).unwrap();
    send(&writer, rows::crawl(1, 1, true)).await;
    progress.wait_for(|totals| totals.visits == 1).await.unwrap();
    assert_eq!(store.run(id).unwrap().totals.visits, 1);
    assert!(visits.next().is_some(), "a reader that was there before sees it");
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert!(progress.changed().await.is_err(), "it closes at the end");
}

/// A sender that outlives the writer learns that nobody listens.
pub(crate) async fn senders_learn_of_the_end(open: &dyn Fn() -> Store) {
    let writer = open().begin_run(&rows::start(1)).unwrap();
    let sender = writer.sender();
    let flood = tokio::spawn(async move {
        let mut sent = 0;
        while sender.send(Row::Peer(PeerNumber(sent), rows::peer(sent))).await.is_ok() {
            sent += 1;
        }
        u64::from(sent)
    });
    let mut progress = writer.progress();
    progress.wait_for(|totals| totals.peers > 3000).await.unwrap();
    let totals = writer.finish(rows::end(RunState::Cancelled)).await.unwrap();
    assert_eq!(totals.peers, flood.await.unwrap(), "all that was taken is kept");
}

/// Two crawls, or more, go into one store at a time.
pub(crate) async fn crawls_go_on_side_by_side(open: &dyn Fn() -> Store) {
    let store = open();
    let [one, two] = [1, 2].map(|n| store.begin_run(&rows::start(n)).unwrap());
    let all: Vec<_> = rows::crawl(2000, 10, true).collect();
    tokio::join!(send(&one, all.iter().cloned()), send(&two, all.iter().cloned()));
    let end = rows::end(RunState::Succeeded);
    let (first, second) = tokio::join!(one.finish(end.clone()), two.finish(end));
    assert_eq!(first.unwrap(), second.unwrap());
    for n in [1, 2] {
        assert!(read(&store, rows::start(n).id) == all, "crawl {n}");
    }
}

/// What is not there, or there twice, is refused by name.
pub(crate) async fn crawls_are_known_by_their_ids(open: &dyn Fn() -> Store) {
    let (store, start) = (open(), rows::start(1));
    assert!(matches!(store.run(start.id), Err(Error::UnknownRun { id, .. }) if id == start.id));
    assert!(matches!(store.peers(start.id), Err(Error::UnknownRun { .. })));
    assert!(matches!(store.visits(start.id).err(), Some(Error::UnknownRun { .. })));
    assert!(matches!(store.neighbors(start.id).err(), Some(Error::UnknownRun { .. })));
    keep(&store, &start, rows::crawl(3, 2, true)).await;
    assert!(matches!(store.begin_run(&start), Err(Error::RunExists { id, .. }) if id == start.id));
    assert_eq!(store.run(start.id).unwrap().state, RunState::Succeeded, "the one that is there is untouched");
    let writer = store.begin_run(&rows::start(2)).unwrap();
    assert!(matches!(store.begin_run(&rows::start(2)), Err(Error::RunExists { .. })));
    assert_eq!(store.run(rows::start(2).id).unwrap().state, RunState::Running);
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();

    let peers = store.peers(start.id).unwrap();
    assert_eq!((peers.len(), peers.is_empty()), (3, false));
    assert_eq!(peers.get(PeerNumber(2)), Some(rows::peer(2)));
    assert_eq!(peers.get(PeerNumber(3)), None);
}

/// Durations are kept in whole microseconds, counts and durations up to 2^63 - 1; neighbors are kept as a set.
pub(crate) async fn what_is_cut_is_cut_as_documented(open: &dyn Fn() -> Store) {
    let (store, start) = (open(), rows::start(1));
    let written = Visit {
        crawl_duration: Some(Duration::MAX),
        neighbors: Some([3, 1, 2, 1].map(PeerNumber).to_vec()),
        met: Encounter {
            dial_duration: Some(Duration::new(1, 999)),
            sent_bytes: u64::MAX,
            ..rows::visit(0).met
        },
        ..rows::visit(0)
    };
    let read_back = Visit {
        crawl_duration: Some(Duration::from_micros(i64::MAX.cast_unsigned())),
        neighbors: Some([1, 2, 3].map(PeerNumber).to_vec()),
        met: Encounter {
            dial_duration: Some(Duration::from_secs(1)),
            sent_bytes: i64::MAX.cast_unsigned(),
            ..rows::visit(0).met
        },
        ..rows::visit(0)
    };
    let introduced = Row::Peer(PeerNumber(0), rows::peer(0));
    let totals = keep(&store, &start, [introduced.clone(), written.into()].into_iter()).await;
    assert_eq!(totals.edges, 3);
    assert_eq!(read(&store, start.id), [introduced, read_back.into()]);
}

/// Rows of any shape are read back equal.
pub(crate) async fn any_visit_is_read_back(store: &Store, start: &RunStart, visits: Vec<Visit>) {
    let rows: Vec<_> = (0..PEERS)
        .map(|n| Row::Peer(PeerNumber(n), rows::peer(n)))
        .chain(visits.into_iter().map(|visit| Row::Visit(Box::new(visit))))
        .collect();
    keep(store, start, rows.iter().cloned()).await;
    assert_eq!(read(store, start.id), rows);
}

/// The peers of which [`any_visit_is_read_back`] speaks.
pub(crate) const PEERS: u32 = 5;
