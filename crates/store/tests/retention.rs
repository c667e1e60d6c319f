//! What a visit costs that says nothing new, what is pruned and what is left, and copies of a store that is written.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{fs, path::Path, time::Duration};

use kadscope_store::{Error, Limits, RunFilter, Store, StoreUrl};
use schema::{PeerNumber, Row, RunState, Timestamp, Tool, Visit, VisitKind};

#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

/// Peers that are visited again and again.
const PEERS: u32 = 1000;

fn open(path: &Path) -> Store {
    Store::open(&StoreUrl::Sqlite(path.to_owned())).unwrap().unwrap()
}

/// A visit of a monitor which finds what every visit found; only times and bytes differ. One peer in ten refuses.
fn again(peer: u32, round: u64) -> Visit {
    let mut visit = Visit::begun(PeerNumber(peer), VisitKind::Scheduled, Timestamp(0));
    visit.met = rows::visit(peer).met;
    let start = rows::start(1).started_at.after(Duration::from_secs(60 * round));
    visit.met.started_at = start.after(Duration::from_micros(u64::from(peer) * 59_999));
    visit.met.ended_at = visit.met.started_at.after(Duration::from_micros(150_000 + round));
    visit.met.sent_bytes = 1_000 + round;
    if let Some(rtt) = visit.met.connection.as_mut().and_then(|connection| connection.rtt.as_mut()) {
        rtt.time += Duration::from_micros(round);
    }
    visit
}

fn rounds(rounds: std::ops::Range<u64>) -> impl Iterator<Item = Row> {
    rounds.flat_map(|round| (0..PEERS).map(move |peer| again(peer, round).into()))
}

#[tokio::test]
async fn a_visit_that_says_nothing_new_costs_little() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("monitor.sqlite");
    let peers = || (0..PEERS).map(|n| Row::Peer(PeerNumber(n), rows::peer(n)));
    let mut start = rows::start(1);
    start.tool = Tool::Monitor;
    let store = open(&path);
    conformance::keep(&store, &start, peers().chain(rounds(0..1))).await;
    drop(store);
    let before = fs::metadata(&path).unwrap().len();
    let mut start = rows::start(2);
    start.tool = Tool::Monitor;
    let store = open(&path);
    conformance::keep(&store, &start, peers().chain(rounds(1..101))).await;
    drop(store);
    let grown = fs::metadata(&path).unwrap().len() - before;
    let visits = 100 * u64::from(PEERS);
    println!("{} bytes a visit", grown.div_ceil(visits));
    assert!(grown <= 120 * visits, "{} bytes a visit", grown.div_ceil(visits));
}

#[tokio::test]
async fn what_is_pruned_is_counted_and_its_room_given_back_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let mut store = open(&path);
    for n in [1, 2] {
        conformance::keep(&store, &rows::start(n), rows::crawl(3000, 20, true)).await;
    }
    let writer = store.begin_run(&rows::start(3)).unwrap();
    let last: Vec<_> = rows::crawl(50, 5, true).map(later).collect();
    let (before, after) = last.split_at(75);
    let mut progress = writer.progress();
    conformance::send(&writer, before.iter().cloned()).await;
    progress.wait_for(|totals| totals.visits == 25).await.unwrap();
    let cut = rows::start(1).started_at.after(Duration::from_secs(500_000));
    let pruned = store.prune(cut).unwrap();
    assert_eq!(pruned.visits, 6000);
    assert!(pruned.bytes > 1_000_000, "{pruned:?}");
    conformance::send(&writer, after.iter().cloned()).await;
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();

    // Of a pruned run stay its row with the summary, its peers, and how many visits there were.
    let old = store.run(rows::start(1).id).unwrap();
    assert_eq!(
        (old.totals.peers, old.totals.visits, old.totals.edges, old.totals.pruned),
        (3000, 0, 0, 3000)
    );
    assert_eq!(old.end, Some(rows::end(RunState::Succeeded)));
    assert_eq!(store.peers(rows::start(1).id).unwrap().len(), 3000);
    assert_eq!(store.visits(rows::start(1).id).unwrap().count(), 0);
    // What is left is whole, and can be counted as before.
    assert!(conformance::read(&store, rows::start(3).id) == last);
    let new = store.run(rows::start(3).id).unwrap().totals;
    assert_eq!((new.visits, new.pruned), (50, 0));
    store.check().unwrap();
}

/// The same row ten days later.
fn later(mut row: Row) -> Row {
    if let Row::Visit(visit) = &mut row {
        for time in [&mut visit.met.started_at, &mut visit.met.ended_at] {
            *time = time.after(Duration::from_secs(864_000));
        }
    }
    row
}

#[tokio::test]
async fn a_store_is_copied_as_it_is_at_one_moment() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("a.sqlite"), directory.path().join("copy.sqlite"));
    let store = open(&path);
    conformance::keep(&store, &rows::start(1), rows::crawl(300, 20, true)).await;
    let writer = store.begin_run(&rows::start(2)).unwrap();
    store.back_up(&copy).unwrap();
    assert!(matches!(store.back_up(&copy), Err(Error::Io { .. })), "nothing is written over");
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    let copied = open(&copy);
    let states: Vec<_> = copied.runs(&RunFilter::default()).unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Succeeded, RunState::Interrupted]);
    assert!(conformance::read(&copied, rows::start(1).id) == conformance::read(&store, rows::start(1).id));
    copied.check().unwrap();
}

#[tokio::test]
async fn of_two_that_delete_at_once_one_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let mut store = open(&path);
    conformance::keep(&store, &rows::start(1), rows::crawl(3, 2, true)).await;
    let lock = directory.path().join("a.sqlite-delete.lock");
    let other = fs::File::create(&lock).unwrap();
    other.lock().unwrap();
    for error in [store.prune(Timestamp(0)).unwrap_err(), store.delete_run(rows::start(1).id).unwrap_err()] {
        assert!(matches!(error, Error::Deleting { .. }), "{error}");
    }
    // What a killed process left keeps nobody out.
    drop(other);
    store.delete_run(rows::start(1).id).unwrap();
    assert!(!lock.exists());
}

/// What is counted from visits is of those that are left, and can be counted again of them; all else is as it was.
#[tokio::test]
async fn what_is_left_of_a_run_that_is_pruned_in_part_can_be_counted_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let limits = Limits { batch_rows: 100, ..Limits::default() };
    let mut store = Store::open_with(&StoreUrl::Sqlite(path), limits).unwrap().unwrap();
    let id = rows::start(1).id;
    let sent: Vec<_> = rows::crawl(3000, 20, true).collect();
    conformance::keep(&store, &rows::start(1), sent.iter().cloned()).await;
    let before = store.run(id).unwrap();
    // The visits begin 611 us after each other: those of ten batches are older, and one is in part.
    let cut = rows::visit(1050).met.started_at;
    assert_eq!(store.prune(cut).unwrap().visits, 1000, "whole batches alone");
    let after = store.run(id).unwrap();
    assert_eq!((&after.start, &after.end), (&before.start, &before.end));
    assert_eq!((after.totals.visits, after.totals.pruned), (2000, 1000));
    assert_eq!(after.totals.visits + after.totals.pruned, before.totals.visits);
    assert_eq!(after.totals.peers, before.totals.peers);
    let left: Vec<_> = store.visits(id).unwrap().map(|visit| Row::from(visit.unwrap())).collect();
    assert!(left == sent[4000..], "each is whole, with its addresses, agent and neighbors");
    let edges: usize = store.neighbors(id).unwrap().map(|of| of.unwrap().1.len()).sum();
    assert_eq!(after.totals.edges, edges as u64);
    assert_eq!(store.prune(cut).unwrap().visits, 0, "once is enough");
    assert_eq!(store.run(id).unwrap(), after);
}
