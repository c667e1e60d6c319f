//! A database that goes away, in the middle of a batch or at the end.

use std::time::Duration;

use kadscope_store::{Error, Limits, Store};
use schema::{
    Measurement, MeasurementRequest, OperationKind, OperationOutcome, PeerNumber, RequestPurpose, Row,
    RunState,
};

use crate::{LIMITS, conformance, rows, server::Server};

fn read(store: &Store, n: u8) -> Vec<Row> {
    conformance::read(store, rows::start(n).id)
}

/// The server is killed again and again while rows come; in the end each is there once.
#[tokio::test]
async fn a_server_that_is_killed_in_a_batch_costs_no_row_and_doubles_none() {
    let server = Server::start();
    let url = server.url(&server.database());
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    let all: Vec<_> = rows::crawl(4000, 20, true).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    let sender = writer.sender();
    let rows = all.clone();
    let sent = tokio::spawn(async move {
        for row in rows {
            sender.send(row).await.unwrap();
        }
    });
    for visits in [1, 900, 2500] {
        progress.wait_for(|totals| totals.visits >= visits).await.unwrap();
        server.kill();
        server.run(&[]);
    }
    sent.await.unwrap();
    let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert_eq!((totals.peers, totals.visits, totals.edges), (4000, 4000, 80_000));
    let store = Store::open(&url).unwrap().unwrap();
    assert!(read(&store, 1) == all);
    store.check().unwrap();
    assert_eq!(server.spills().read_dir().map_or(0, Iterator::count), 0);
}

/// The server is killed at moments that a seed chooses, again and again, and never has long to take anything.
#[tokio::test]
async fn a_server_that_restarts_all_the_time_has_each_row_once() {
    const VISITS: u32 = 3000;
    const SEED: u64 = 20_261_127;
    let server = Server::start();
    let url = server.url(&server.database());
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    // Peers and visits in turn: each batch has both, and values that are new.
    let (peers, visits): (Vec<_>, Vec<_>) =
        rows::crawl(VISITS, 20, true).partition(|row| matches!(row, Row::Peer(..)));
    let all: Vec<_> = peers.iter().chain(&visits).cloned().collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    let sender = writer.sender();
    let sent = tokio::spawn(async move {
        for row in peers.into_iter().zip(visits).flat_map(|(peer, visit)| [peer, visit]) {
            sender.send(row).await.unwrap();
        }
    });
    let mut moments: Vec<_> =
        (0..10).map(|n| rows::scramble(SEED + n) % u64::from(VISITS * 9 / 10)).collect();
    moments.sort_unstable();
    for (n, visits) in moments.into_iter().enumerate() {
        progress.wait_for(|totals| totals.visits >= visits).await.unwrap();
        // Somewhere within the next batch.
        let wait = rows::scramble(SEED ^ n as u64) % 40;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        server.kill();
        server.run(&[]);
    }
    sent.await.unwrap();
    let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert_eq!((totals.peers, totals.visits, totals.edges), (3000, 3000, 60_000));
    assert!(read(&Store::open(&url).unwrap().unwrap(), 1) == all);
    store.check().unwrap();
    assert_eq!(server.spills().read_dir().map_or(0, Iterator::count), 0);
}

/// Every attempt of a scheduler is a row, and so is each request in it: the server is killed in the middle, and they are what they
/// were when they were made, in their order.
#[tokio::test]
async fn a_server_that_is_killed_costs_no_measurement_and_doubles_none() {
    const ATTEMPTS: u32 = 1500;
    let server = Server::start();
    let url = server.url(&server.database());
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    let (measurements, requests): (Vec<_>, Vec<_>) = (0..ATTEMPTS).map(attempt).unzip();
    let peers = (0..3).map(|n| Row::Peer(PeerNumber(n), rows::peer(n)));
    let pairs = measurements.iter().zip(&requests);
    let all: Vec<Row> = peers.chain(pairs.flat_map(|(m, r)| [m.clone().into(), r.clone().into()])).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    let sender = writer.sender();
    let sent = tokio::spawn(async move {
        for row in all {
            sender.send(row).await.unwrap();
        }
    });
    for rows in [1, 700, 2000] {
        progress.wait_for(|totals| totals.rows >= rows).await.unwrap();
        server.kill();
        server.run(&[]);
    }
    sent.await.unwrap();
    let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert_eq!(totals.rows, u64::from(2 * ATTEMPTS));
    let (store, id) = (Store::open(&url).unwrap().unwrap(), rows::start(1).id);
    assert!(store.rows::<Measurement>(id).unwrap().map(Result::unwrap).eq(measurements));
    assert!(store.rows::<MeasurementRequest>(id).unwrap().map(Result::unwrap).eq(requests));
    store.check().unwrap();
}

/// The attempt number `n` and a request in it.
fn attempt(n: u32) -> (Measurement, MeasurementRequest) {
    let (peer, name) = (PeerNumber(n % 3), (u128::from(n) << 64).to_be_bytes());
    let at = rows::start(1).started_at.after(Duration::from_millis(n.into()));
    let failed = n.is_multiple_of(7);
    let measurement = Measurement {
        cid: format!("cid {n}"),
        failure: failed.then(|| format!("no answer\0 {}", n % 5)),
        outcome: if failed { OperationOutcome::Unreachable } else { OperationOutcome::Done },
        culprit: failed.then_some(PeerNumber(2)),
        took: Duration::from_micros(u64::from(n) * 1000),
        ..Measurement::planned(peer, name, OperationKind::ALL[n as usize % 4], at)
    };
    let request = MeasurementRequest {
        agent: Some(format!("kubo/0.{}.0/", n % 40)),
        ..MeasurementRequest::begun(peer, name, RequestPurpose::Give, at)
    };
    (measurement, request)
}

/// The connection breaks just after a batch was committed, before anybody hears of it: the batch is sent again and not taken.
#[tokio::test]
async fn a_batch_whose_commit_nobody_heard_of_is_taken_once() {
    let server = Server::start();
    let database = server.database();
    let url = server.url(&database);
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    // The connection of whoever commits a second batch is ended within the commit; what it did then counts or it does not.
    let all: Vec<_> = rows::crawl(1000, 5, true).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let (sending, ending) = (conformance::send(&writer, all.iter().cloned()), async {
        for _ in 0..40 {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'kadscope' AND query LIKE '%COMMIT%' AND pid <> pg_backend_pid()";
            server.sql(&database, sql);
            tokio::task::yield_now().await;
        }
    });
    tokio::join!(sending, ending);
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert!(read(&store, 1) == all);
    store.check().unwrap();
}

/// More rows come than memory holds while the server is away: they wait in a file, which is gone in the end.
#[tokio::test]
async fn rows_wait_in_a_file_while_the_database_is_away() {
    let server = Server::start();
    let url = server.url(&server.database());
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    let all: Vec<_> = rows::crawl(12_000, 2, true).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    server.kill();
    conformance::send(&writer, all.iter().cloned()).await;
    let files: Vec<_> = server.spills().read_dir().unwrap().collect();
    assert_eq!(files.len(), 1);
    server.run(&[]);
    let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert_eq!((totals.peers, totals.visits), (12_000, 12_000));
    assert!(read(&Store::open(&url).unwrap().unwrap(), 1) == all);
    assert_eq!(server.spills().read_dir().unwrap().count(), 0);
}

/// Whoever is told to end while the database is away does not wait for it: what memory holds is left in a file.
#[tokio::test]
async fn who_is_in_a_hurry_leaves_what_waits_in_a_file() {
    let server = Server::start();
    let url = server.url(&server.database());
    let limits = Limits { outage: Duration::from_secs(3600), ..LIMITS() };
    let store = Store::open_with(&url, limits).unwrap().unwrap();
    let all: Vec<_> = rows::crawl(100, 5, true).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    server.kill();
    conformance::send(&writer, all.iter().cloned()).await;
    let ended = writer.finish_before(rows::end(RunState::Cancelled), std::future::ready(()));
    let Err(Error::Away { left: Some(left), .. }) = ended.await else { panic!("it is away") };
    assert!(left.is_file());
    server.run(&[]);
    let store = Store::open_with(&url, limits).unwrap().unwrap();
    conformance::keep(&store, &rows::start(2), rows::crawl(3, 2, true)).await;
    assert!(read(&store, 1) == all);
    assert_eq!(store.run(rows::start(1).id).unwrap().state, RunState::Cancelled);
}

/// The database does not come back: what it does not have is left in a file, and the next run brings it, with the end.
#[tokio::test]
async fn what_was_left_in_a_file_is_brought_by_the_next_run() {
    let server = Server::start();
    let url = server.url(&server.database());
    let limits = Limits { outage: Duration::from_millis(200), ..LIMITS() };
    let store = Store::open_with(&url, limits).unwrap().unwrap();
    let all: Vec<_> = rows::crawl(500, 5, true).collect();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let mut progress = writer.progress();
    conformance::send(&writer, all[..600].iter().cloned()).await;
    progress.wait_for(|totals| totals.visits == 100).await.unwrap();
    server.kill();
    conformance::send(&writer, all[600..].iter().cloned()).await;
    let error = writer.finish(rows::end(RunState::Succeeded)).await.unwrap_err();
    let Error::Away { left: Some(left), .. } = &error else { panic!("{error}") };
    assert!(left.is_file());
    server.run(&[]);

    let store = Store::open_with(&url, limits).unwrap().unwrap();
    assert_eq!(store.run(rows::start(1).id).unwrap().state, RunState::Interrupted);
    conformance::keep(&store, &rows::start(2), rows::crawl(3, 2, true)).await;
    assert!(read(&store, 1) == all);
    let info = store.run(rows::start(1).id).unwrap();
    assert_eq!((info.state, info.end), (RunState::Succeeded, Some(rows::end(RunState::Succeeded))));
    assert!(!left.exists());
    store.check().unwrap();
}
