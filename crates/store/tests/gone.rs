//! Stores that are removed or replaced while they are open, and crawls that are taken out of them.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{fs, path::Path, time::Duration};

use kad::{
    Address, Multiaddr,
    failure::{Failure, FailureClass, Phase},
    network::AddressOutcome,
};
use kadscope_store::{Error, Limits, RunFilter, Store, StoreUrl};
use rusqlite::Connection;
use schema::{AddressVisit, Row, RunState};

#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

fn open(path: &Path) -> Store {
    let limits = Limits { batch_time: Duration::from_millis(10), ..Limits::default() };
    Store::open_with(&StoreUrl::Sqlite(path.to_owned()), limits).unwrap().unwrap()
}

#[tokio::test]
async fn a_store_that_was_removed_is_noticed_at_the_end_at_the_latest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let store = open(&path);
    let writer = store.begin_run(&rows::start(1)).unwrap();
    fs::remove_file(&path).unwrap();
    let error = writer.finish(rows::end(RunState::Succeeded)).await.unwrap_err();
    assert!(matches!(error, Error::Gone { operation: "end the run", .. }), "{error}");
}

#[tokio::test]
async fn a_store_in_the_place_of_ours_is_neither_written_nor_does_it_lose_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let (path, log) = (directory.path().join("a.sqlite"), directory.path().join("a.sqlite-wal"));
    let store = open(&path);
    let writer = store.begin_run(&rows::start(1)).unwrap();
    fs::rename(&path, directory.path().join("old.sqlite")).unwrap();
    fs::rename(&log, directory.path().join("old.sqlite-wal")).unwrap();
    drop(fs::remove_file(directory.path().join("a.sqlite-shm")));
    let other = open(&path);
    conformance::keep(&other, &rows::start(2), rows::crawl(20, 5, true)).await;
    assert!(fs::metadata(&log).unwrap().len() > 0, "the other store is in use");

    let sender = writer.sender();
    sender.send(Row::Peer(schema::PeerNumber(0), rows::peer(0))).await.unwrap();
    sender.closed().await;
    let error = writer.finish(rows::end(RunState::Succeeded)).await.unwrap_err();
    assert!(matches!(error, Error::Gone { operation: "append rows", .. }), "{error}");
    drop(store);
    assert!(fs::metadata(&log).unwrap().len() > 0, "the log is the other store's");
    let kept: Vec<_> =
        open(&path).runs(&RunFilter::default()).unwrap().into_iter().map(|crawl| crawl.start.id).collect();
    assert_eq!(kept, [rows::start(2).id]);
}

/// Rows whose peers have a name each, which led to an address that nothing else names, and to a failure of its own.
fn with_names(peers: u32) -> impl Iterator<Item = Row> {
    let address = |text: String| Address::from(text.parse::<Multiaddr>().unwrap());
    let visited = move |text, outcome| AddressVisit {
        address: address(text),
        started_after: None,
        took: None,
        outcome,
        resolved: Vec::new(),
    };
    rows::crawl(peers, 5, true).map(move |mut row| {
        if let Row::Visit(visit) = &mut row {
            let n = visit.peer.0;
            let refused =
                Failure::with_detail(Phase::Connect, FailureClass::Other, &format!("{n} is not there"));
            let led_to =
                visited(format!("/ip4/10.0.{}.{}/tcp/1", n / 256, n % 256), AddressOutcome::Failed(refused));
            let name = visited(format!("/dns4/host-{n}.test/tcp/1"), AddressOutcome::NotTried);
            visit.met.addresses.push(AddressVisit { resolved: vec![led_to], ..name });
        }
        row
    })
}

#[tokio::test]
async fn a_deleted_crawl_leaves_nothing_and_the_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let mut store = open(&path);
    // The first hears of 300 peers, the second of the first 100 of them.
    let second: Vec<_> = with_names(100).collect();
    conformance::keep(&store, &rows::start(1), with_names(300)).await;
    conformance::keep(&store, &rows::start(2), second.iter().cloned()).await;
    store.delete_run(rows::start(1).id).unwrap();
    assert!(matches!(store.run(rows::start(1).id), Err(Error::UnknownRun { .. })));
    assert!(conformance::read(&store, rows::start(2).id) == second);
    store.check().unwrap();
    let count =
        |sql: &str| -> i64 { Connection::open(&path).unwrap().query_row(sql, (), |r| r.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM peer"), 100);
    // Six addresses of its own for each peer, one that all have, and one that is none.
    assert_eq!(count("SELECT count(*) FROM address"), 100 * 6 + 2);
    assert_eq!(count("SELECT count(*) FROM visit_address_view WHERE place IS NOT NULL"), 100);
    assert_eq!(count("SELECT count(*) FROM failure WHERE detail IS NOT NULL"), 100);

    // What only the deleted crawl knew is not to be found in the file, not in its free pages either.
    store.delete_run(rows::start(2).id).unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    for known in [rows::peer(250).to_string(), "/ip4/10.0.0.250/".to_owned(), "250 is not there".to_owned()] {
        assert!(!bytes.windows(known.len()).any(|window| window == known.as_bytes()), "{known}");
    }
    assert!(matches!(open(&path).delete_run(rows::start(1).id), Err(Error::UnknownRun { .. })));
}

/// A crawl whose visits dialled a name each, which led to an address that no other crawl knows.
fn crawl_by_name(crawl: u8) -> Vec<Row> {
    let refused = format!("crawl {crawl}");
    let refused = Failure::with_detail(Phase::Connect, FailureClass::ConnectionRefused, &refused);
    let tried = |address: String, outcome| AddressVisit {
        address: address.parse::<Multiaddr>().unwrap().into(),
        started_after: Some(Duration::from_millis(1)),
        took: Some(Duration::from_millis(2)),
        outcome,
        resolved: Vec::new(),
    };
    let mut rows: Vec<_> = rows::crawl(30, 5, true).collect();
    for row in &mut rows {
        if let Row::Visit(visit) = row {
            let peer = visit.peer.0;
            let led_to = AddressOutcome::Failed(refused.clone());
            let led_to = tried(format!("/ip4/10.0.{crawl}.{peer}/tcp/1"), led_to);
            let name = tried(format!("/dns4/peer-{peer}.test/tcp/1"), AddressOutcome::NotTried);
            visit.met.addresses.push(AddressVisit { resolved: vec![led_to], ..name });
        }
    }
    rows
}

#[tokio::test]
async fn where_names_led_to_goes_with_the_crawl_that_knows_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let mut store = open(&path);
    let crawls = [1, 2].map(crawl_by_name);
    for (n, rows) in (1..).zip(&crawls) {
        conformance::keep(&store, &rows::start(n), rows.iter().cloned()).await;
    }
    let count =
        |sql: &str| -> i64 { Connection::open(&path).unwrap().query_row(sql, (), |r| r.get(0)).unwrap() };
    let led_to = "SELECT count(*) FROM visit_address_view WHERE place IS NOT NULL";
    let visits = count(led_to) / 2;
    store.delete_run(rows::start(1).id).unwrap();
    assert!(conformance::read(&store, rows::start(2).id) == crawls[1], "the other one is as it was");
    assert_eq!(count(led_to), visits);
    assert_eq!(count("SELECT count(*) FROM failure WHERE detail = 'crawl 1'"), 0);
    assert_eq!(count("SELECT count(*) FROM address WHERE multiaddr LIKE '/ip4/10.0.1.%'"), 0);
    store.check().unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert_eq!((holds(b"/ip4/10.0.1.7/tcp/1"), holds(b"/ip4/10.0.2.7/tcp/1")), (false, true));
}

#[tokio::test]
async fn a_run_is_deleted_while_another_goes_on_that_knows_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let mut store = open(&path);
    conformance::keep(&store, &rows::start(1), rows::crawl(30, 5, true)).await;
    let writer = store.begin_run(&rows::start(2)).unwrap();
    let error = store.delete_run(rows::start(2).id).unwrap_err();
    assert!(matches!(error, Error::Running { id, .. } if id == rows::start(2).id), "{error}");

    // The writer has seen the peers, addresses and agents of the first run before they go with it.
    let rows: Vec<_> = rows::crawl(30, 5, true).collect();
    let (before, after) = rows.split_at(45);
    let mut progress = writer.progress();
    conformance::send(&writer, before.iter().cloned()).await;
    progress.wait_for(|totals| totals.visits == 15).await.unwrap();
    store.delete_run(rows::start(1).id).unwrap();
    conformance::send(&writer, after.iter().cloned()).await;
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    assert!(
        conformance::read(&store, rows::start(2).id) == rows,
        "whole, though others were deleted meanwhile"
    );
    store.check().unwrap();
    store.delete_run(rows::start(2).id).unwrap();
    assert_eq!(store.runs(&RunFilter::default()).unwrap(), []);
}
