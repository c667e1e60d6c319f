//! Other processes: killed while they write, and writing at the same time.
//!
//! Such a process is this test program itself, run for the one test that starts it.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]
#![expect(clippy::print_stdout, reason = "a child tells its parent what it did")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Child,
    time::Duration,
};

use kadscope_store::{Error, Limits, RunFilter, Store, StoreUrl};
use schema::{Row, RunState};

use self::child::{child, in_runtime, spawn};

#[path = "suite/child.rs"]
mod child;
#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

fn open(path: &Path) -> Store {
    let limits = Limits { batch_rows: 50, batch_time: Duration::from_millis(20), ..Limits::default() };
    Store::open_with(&StoreUrl::Sqlite(path.to_owned()), limits).unwrap().unwrap()
}

/// The rows of a crawl that never ends.
fn endless() -> impl Iterator<Item = Row> {
    (0..).flat_map(|n| {
        let mut visit = rows::visit(n);
        visit.neighbors = Some((0..n.min(197)).map(schema::PeerNumber).collect());
        [Row::Peer(visit.peer, rows::peer(n)), Row::Visit(Box::new(visit))]
    })
}

/// Writes for ever, and prints what is committed.
async fn write_for_ever(crawl: u8, path: &Path) {
    let writer = open(path).begin_run(&rows::start(crawl)).unwrap();
    let mut progress = writer.progress();
    tokio::spawn(async move {
        while progress.changed().await.is_ok() {
            println!("committed {}", progress.borrow_and_update().visits);
        }
    });
    conformance::send(&writer, endless()).await;
}

/// The numbers that a child printed after `committed`.
fn committed(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("committed ")?.parse().ok())
}

#[test]
fn a_killed_process_leaves_all_that_it_committed() {
    if let Some((crawl, path)) = child() {
        return in_runtime(write_for_ever(crawl, &path));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("killed.sqlite");
    // Not at the same point each time, and into a file that was left by a kill before.
    for (crawl, enough) in [(1, 1), (2, 700), (3, 2600)] {
        let mut child = spawn("a_killed_process_leaves_all_that_it_committed", &path, crawl);
        let mut committed = committed(&mut child);
        let seen = committed.find(|&visits| visits >= enough).unwrap();
        assert_eq!(open(&path).run(rows::start(crawl).id).unwrap().state, RunState::Running);
        child.kill().unwrap();
        let last = committed.last().unwrap_or(seen);
        assert!(!child.wait().unwrap().success());

        let store = open(&path);
        let info = store.run(rows::start(crawl).id).unwrap();
        assert_eq!((info.state, info.end), (RunState::Interrupted, None));
        assert!(info.totals.visits >= last, "{last} were committed, and {:?} are there", info.totals);
        whole_batches(&store, crawl, info.totals.visits);
        store.check().unwrap();
    }
    // Whoever comes next removes what the killed ones left beside the file.
    let writer = open(&path).begin_run(&rows::start(4)).unwrap();
    in_runtime(writer.finish(rows::end(RunState::Succeeded))).unwrap();
    let states: Vec<_> =
        open(&path).runs(&RunFilter::default()).unwrap().into_iter().map(|crawl| crawl.state).collect();
    assert_eq!(states[..3], [RunState::Interrupted; 3]);
    let names: Vec<_> =
        directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["killed.sqlite"]);
}

/// What is there is what was sent first, without a gap, and the counts are those of the rows.
fn whole_batches(store: &Store, crawl: u8, visits: u64) {
    let id = rows::start(crawl).id;
    let read: Vec<_> = store.visits(id).unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len() as u64, visits);
    let sent = endless().filter_map(|row| match row {
        Row::Visit(visit) => Some(*visit),
        _ => None,
    });
    assert!(sent.take(read.len()).eq(read.iter().cloned()));
    let totals = store.run(id).unwrap().totals;
    let edges: usize = read.iter().filter_map(|visit| visit.neighbors.as_ref()).map(Vec::len).sum();
    assert_eq!(totals.edges, edges as u64);
    assert_eq!(totals.peers, store.peers(id).unwrap().len() as u64);
}

#[test]
fn several_processes_write_one_file() {
    if let Some((crawl, path)) = child() {
        let store = open(&path);
        in_runtime(conformance::keep(&store, &rows::start(crawl), rows::crawl(800, 30, true)));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shared.sqlite");
    let children: Vec<_> =
        (1..=3).map(|crawl| spawn("several_processes_write_one_file", &path, crawl)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let (store, sent) = (open(&path), rows::crawl(800, 30, true).collect::<Vec<_>>());
    let crawls = store.runs(&RunFilter::default()).unwrap();
    assert_eq!(crawls.len(), 3);
    for crawl in crawls {
        assert_eq!(crawl.state, RunState::Succeeded);
        assert!(conformance::read(&store, crawl.start.id) == sent);
    }
}

#[test]
fn opening_a_file_again_does_not_drop_the_locks_of_this_process() {
    if let Some((_, path)) = child() {
        open(&path).runs(&RunFilter::default()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("twice.sqlite");
    let store = open(&path);
    in_runtime(conformance::keep(&store, &rows::start(1), rows::crawl(50, 10, true)));
    drop(open(&path));
    // A process that believed itself the last one would fold the log into the file and remove it.
    let other = spawn("opening_a_file_again_does_not_drop_the_locks_of_this_process", &path, 1);
    assert!(other.wait_with_output().unwrap().status.success());
    assert!(directory.path().join("twice.sqlite-wal").exists());
    in_runtime(conformance::keep(&store, &rows::start(2), rows::crawl(50, 10, true)));
    assert_eq!(open(&path).runs(&RunFilter::default()).unwrap().len(), 2);
}

/// Of two that delete at once one waits its turn; who begins and writes meanwhile is in nobody's way.
#[test]
fn processes_delete_while_others_begin_runs_and_write() {
    const TEST: &str = "processes_delete_while_others_begin_runs_and_write";
    if let Some((run, path)) = child() {
        let mut store = open(&path);
        while let Err(error) = store.delete_run(rows::start(run).id) {
            assert!(matches!(error, Error::Deleting { .. }), "{error}");
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deleted.sqlite");
    let store = open(&path);
    for run in 1..=4 {
        in_runtime(conformance::keep(&store, &rows::start(run), rows::crawl(600, 30, true)));
    }
    let children: Vec<_> = (1..=3).map(|run| spawn(TEST, &path, run)).collect();
    // The same peers, addresses and agents as those that go.
    for run in 5..=8 {
        in_runtime(conformance::keep(&store, &rows::start(run), rows::crawl(300, 30, true)));
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    store.check().unwrap();
    let left: Vec<_> = store.runs(&RunFilter::default()).unwrap().iter().map(|run| run.start.id).collect();
    assert_eq!(left, [4, 5, 6, 7, 8].map(|run| rows::start(run).id));
    for (run, peers) in [(4, 600), (5, 300), (6, 300), (7, 300), (8, 300)] {
        assert!(
            conformance::read(&store, rows::start(run).id)
                == rows::crawl(peers, 30, true).collect::<Vec<_>>()
        );
    }
    let locks = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    assert!(locks.into_iter().all(|name| !name.to_string_lossy().ends_with(".lock")));
}
