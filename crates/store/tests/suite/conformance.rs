//! What every store does, whatever keeps its rows. A test of a backend calls these with a way to open a store of its
//! own that was empty before the first call.

mod hoarded;
mod measured;
mod monitored;
mod placed;

use std::time::Duration;

use kad::{
    failure::{Failure, FailureClass, Phase},
    lookup::{LookupKind, RpcFate, Termination},
};
use kadscope_store::{ColumnValues, Error, PeerHistory, RunFilter, Scan, Store, Totals, Writer};
use schema::{
    AddressPlace, ClockStep, CrawlWalk, Encounter, HoardDial, HoardHolder, HoardKey, HoardProvider,
    HoardPublisher, HoardRound, HoardSight, HoardWalk, LookupRequest, Measurement, MeasurementRequest,
    ObserverGap, PeerDay, PeerInDegree, PeerNumber, PeerSession, Ping, RecordHolder, Row, RowType as _,
    RunId, RunStart, RunState, StepCause, TABLES, Timestamp, Visit,
};

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

/// A run is the same in another store when it was copied: also what is computed, and when each row was created, though some of
/// it was pruned.
pub(crate) async fn a_copy_is_the_same_in_every_column(from: &mut Store, to: &Store) {
    let id = rows::start(1).id;
    // Peers and visits in turn, so that visits are created in many moments.
    let (peers, visits): (Vec<_>, Vec<_>) =
        rows::crawl(1200, 5, true).partition(|row| matches!(row, Row::Peer(..)));
    let mixed: Vec<_> = peers.into_iter().zip(visits).flat_map(|(peer, visit)| [peer, visit]).collect();
    let writer = from.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    for (sent, part) in mixed.chunks(400).enumerate() {
        send(&writer, part.iter().cloned()).await;
        progress.wait_for(|totals| totals.visits == 200 * (sent as u64 + 1)).await.unwrap();
    }
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    let pruned = from.prune(rows::visit(700).met.started_at).unwrap().visits;
    assert!((600..=700).contains(&pruned), "{pruned}");
    let copied = from.copy_run(id, to).await.unwrap();
    assert_eq!((copied, copied.pruned), (from.run(id).unwrap().totals, pruned));
    from.compare_run(id, to).unwrap();
    // Rows of every kind, too.
    let (other, peers) = (rows::start(2), (0..3).map(|n| Row::Peer(PeerNumber(n), rows::peer(n))));
    keep(from, &other, peers.chain(of_every_kind())).await;
    assert_eq!(from.copy_run(other.id, to).await.unwrap(), from.run(other.id).unwrap().totals);
    from.compare_run(other.id, to).unwrap();
    let [sent, copied] = [&*from, to].map(|store| hoarded_and_monitored(store, other.id));
    assert!(sent == copied && !sent.is_empty());
    let moments = |store: &Store| {
        let scan = Scan { runs: RunFilter::default(), table: &Visit::TABLE, columns: &["created_at"] };
        let columns = store.scan(&scan).unwrap().flat_map(|batch| batch.unwrap().columns);
        let times = columns.flat_map(|column| match column {
            ColumnValues::Times(times) => times,
            _ => Vec::new(),
        });
        times.collect::<Vec<_>>()
    };
    assert!(moments(from) == moments(to));
    let distinct: std::collections::BTreeSet<_> = moments(to).into_iter().collect();
    assert!(distinct.len() >= 3, "{distinct:?}");
}

/// What was written is read back, by another opening of the store too.
pub(crate) async fn crawls_are_read_back(open: &dyn Fn() -> Store) {
    let store = open();
    assert_eq!(store.runs(&RunFilter::default()).unwrap(), []);
    for (n, neighbors) in [(1, true), (2, false)] {
        let rows: Vec<_> = rows::crawl(1500, 20, neighbors).collect();
        let totals = keep(&store, &rows::start(n), rows.iter().cloned()).await;
        let edges = if neighbors { 1500 * 20 } else { 0 };
        assert_eq!(totals, Totals { peers: 1500, rows: 1500, visits: 1500, edges, pruned: 0 });

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

/// What is kept beside visits is read back as it was.
pub(crate) async fn every_kind_of_rows_is_read_back(open: &dyn Fn() -> Store) {
    let store = open();
    let peers = (0..3).map(|n| Row::Peer(PeerNumber(n), rows::peer(n)));
    let sent: Vec<Row> = peers.chain(of_every_kind()).collect();
    let totals = keep(&store, &rows::start(1), sent.iter().cloned()).await;
    assert_eq!((totals.rows, totals.visits), (sent.len() as u64 - 3, 1));
    let id = rows::start(1).id;
    let store = open();
    let mut read: Vec<Row> = store.rows::<Visit>(id).unwrap().map(|row| row.unwrap().into()).collect();
    read.extend(store.rows::<Ping>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<LookupRequest>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<RecordHolder>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<PeerInDegree>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<ClockStep>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<Measurement>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<MeasurementRequest>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(hoarded_and_monitored(&store, id));
    read.extend(store.rows::<AddressPlace>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<CrawlWalk>(id).unwrap().map(|row| row.unwrap().into()));
    assert_eq!(read, sent[3..]);
    let tables: std::collections::BTreeSet<_> = read.iter().map(|row| row.table().unwrap().name).collect();
    assert_eq!(tables.len(), TABLES.len(), "none is forgotten");
}

fn hoarded_and_monitored(store: &Store, id: RunId) -> Vec<Row> {
    let mut read: Vec<Row> = store.rows::<HoardKey>(id).unwrap().map(|row| row.unwrap().into()).collect();
    read.extend(store.rows::<HoardPublisher>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardHolder>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardSight>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardRound>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardWalk>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardProvider>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<HoardDial>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<PeerSession>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<PeerDay>(id).unwrap().map(|row| row.unwrap().into()));
    read.extend(store.rows::<ObserverGap>(id).unwrap().map(|row| row.unwrap().into()));
    read
}

/// Sessions, days and gaps stay whole when the visits go from which they were computed, and so does a study, with the addresses and programs that
/// its rows share with visits.
pub(crate) async fn what_is_no_visit_outlives_visits(open: &dyn Fn() -> Store) {
    let mut store = open();
    let mut computed: Vec<Row> = hoarded::hoarded(rows::start(1).started_at);
    computed.extend(monitored::monitored(rows::start(1).started_at));
    keep(&store, &rows::start(1), rows::crawl(50, 5, true).chain(computed.iter().cloned())).await;
    let pruned = store.prune(rows::start(1).started_at.after(Duration::from_secs(500_000))).unwrap();
    assert_eq!(pruned.visits, 50);
    let id = rows::start(1).id;
    let store = open();
    assert_eq!(store.visits(id).unwrap().count(), 0);
    assert_eq!(hoarded_and_monitored(&store, id), computed);
    store.check().unwrap();
}

/// The addresses of a store come once, and those whose place is known can be left out.
pub(crate) async fn each_address_comes_once_until_its_place_is_said(open: &dyn Fn() -> Store) {
    placed::each_address_comes_once_until_its_place_is_said(open).await;
}

/// Columns of many runs say what the rows say, in batches, and only what is asked for.
pub(crate) async fn columns_are_those_of_the_rows(open: &dyn Fn() -> Store) {
    let store = open();
    for n in [1, 2, 3] {
        keep(&store, &rows::start(n), rows::crawl(700, 5, n == 2)).await;
    }
    let columns =
        ["run_id", "peer_id", "started_at", "reachable", "connect_error_class", "agent", "neighbor_count"];
    let middle = RunFilter { until: Some(rows::start(3).started_at), ..RunFilter::default() };
    let scan = Scan { runs: middle, table: &Visit::TABLE, columns: &columns };
    let mut expected = Vec::new();
    for n in [1, 2] {
        let id = rows::start(n).id;
        expected.extend(store.visits(id).unwrap().map(|visit| (id, visit.unwrap())));
    }
    let mut seen = 0;
    for batch in store.scan(&scan).unwrap() {
        let batch = batch.unwrap();
        let [
            ColumnValues::Runs(runs),
            ColumnValues::Peers(peers),
            ColumnValues::Times(times),
            ColumnValues::Numbers(reachable),
            ColumnValues::Texts(errors),
            ColumnValues::Texts(agents),
            ColumnValues::Numbers(neighbors),
        ] = batch.columns.as_slice()
        else {
            // Its rows stay unseen, which is noticed below.
            continue;
        };
        for row in 0..batch.rows {
            let (id, visit) = &expected[seen];
            assert_eq!((runs[row], store.peer_id(peers[row]).unwrap()), (*id, rows::peer(visit.peer.0)));
            assert_eq!(times[row], Some(visit.met.started_at));
            assert_eq!(reachable[row], Some(i64::from(visit.is_reachable())));
            let class = visit.met.connect_error.as_ref().map(|failure| failure.class.name());
            assert_eq!(
                (errors[row].as_deref(), agents[row].as_deref()),
                (class, visit.met.agent_version.as_deref())
            );
            assert_eq!(neighbors[row], visit.neighbors.as_ref().map(|of| i64::try_from(of.len()).unwrap()));
            seen += 1;
        }
    }
    assert_eq!(seen, expected.len());
    let unknown = Scan { columns: &["shoe_size"], ..scan };
    assert!(matches!(store.scan(&unknown).err(), Some(Error::UnknownColumn { .. })));
}

/// Everything about a peer is found over all runs and kinds of rows.
pub(crate) async fn a_peer_is_known_over_all_runs(open: &dyn Fn() -> Store) {
    let store = open();
    for n in [1, 2] {
        keep(&store, &rows::start(n), rows::crawl(20, 5, false)).await;
    }
    let peers = (0..3).map(|n| Row::Peer(PeerNumber(n), rows::peer(n)));
    keep(&store, &rows::start(3), peers.chain(of_every_kind())).await;
    let history = store.peer_history(&rows::peer(1)).unwrap();
    let known: Vec<_> = history.known.iter().map(|rows| (rows.run, rows.table, rows.rows)).collect();
    let [first, second, third] = [1, 2, 3].map(|n| rows::start(n).id);
    assert_eq!(
        known,
        [
            (third, "visit", 1),
            (third, "ping", 1),
            (third, "lookup_request", 1),
            (third, "record_holder", 1),
            (third, "measurement", 2),
            (third, "measurement_request", 1),
            (third, "hoard_holder", 2),
            (third, "hoard_sight", 2),
            (third, "session", 2),
            (third, "peer_day", 1),
            (second, "visit", 1),
            (first, "visit", 1),
        ]
    );
    assert_eq!(history.visits.len(), 3);
    assert_eq!(history.visits[1], rows::visit(1));
    assert_eq!(store.peer_history(&rows::peer(999)).unwrap(), PeerHistory::default());
}

/// A walk of a crawl.
fn walk(began_at: Timestamp) -> CrawlWalk {
    CrawlWalk {
        key: vec![0x12, 0x20, 7],
        began_at,
        took: Duration::from_micros(5),
        ending: Termination::Completed,
        asked: 3,
        answered: 2,
        dialled: 1,
        nearest: vec![PeerNumber(0), PeerNumber(1), PeerNumber(2)],
        closest: vec![PeerNumber(0), PeerNumber(2)],
    }
}

/// A row of every kind about the peer 1; the peers 0 to 2 are introduced before it.
fn of_every_kind() -> Vec<Row> {
    let (peer, started_at) = (PeerNumber(1), rows::start(1).started_at);
    let failure = || Some(Failure::with_detail(Phase::Request, FailureClass::Other, "no such thing"));
    let mut met = rows::visit(1).met;
    met.addresses.truncate(1);
    let observed = met.addresses.first().map(|visited| visited.address.clone());
    let ping = Ping {
        peer,
        met,
        observed_addr: observed,
        ping: Some(Duration::from_micros(77)),
        ping_error: None,
        named: None,
        request_error: failure(),
    };
    let request = LookupRequest {
        peer,
        kind: LookupKind::Providers,
        key: vec![0x12, 0x20, 7],
        lookup_started_at: started_at,
        heard_by: Some(PeerNumber(2)),
        heard_after: Duration::from_micros(5),
        hop: 3,
        common_prefix_len: 11,
        asked_after: Duration::from_micros(6),
        sent_after: Some(Duration::from_micros(7)),
        ended_after: None,
        fate: RpcFate::Failed,
        failure: failure(),
        closer: 20,
        closer_with_addresses: 19,
        providers: 2,
        providers_with_addresses: 1,
        has_value: true,
    };
    let holder = RecordHolder {
        peer,
        key: vec![0x12, 0x20, 8],
        given_at: started_at,
        provider: PeerNumber(0),
        send_error: None,
        has_record: Some(true),
        with_addresses: Some(false),
        read_error: failure(),
    };
    let in_degree = PeerInDegree { named: PeerNumber(2), tables: 1, heard_after: 1, given: false };
    let (noticed_at, minute) = (started_at, started_at.after(Duration::from_secs(60)));
    let wall = started_at.after(Duration::from_secs(3600));
    let step = ClockStep { noticed_at, expected: minute, wall, cause: StepCause::Suspended };
    let mut all: Vec<Row> = vec![
        rows::visit(1).into(),
        ping.into(),
        request.into(),
        holder.into(),
        in_degree.into(),
        step.into(),
    ];
    all.extend(measured::measured(started_at));
    all.extend([hoarded::hoarded(started_at), monitored::monitored(started_at), placed::placed()].concat());
    all.push(walk(started_at).into());
    all
}
