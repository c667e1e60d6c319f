//! Who prunes, copies or backs a store up is killed in the middle of it: the store is whole, and half of a copy is not taken for a
//! whole one.
//!
//! A trigger that never ends keeps the process within a transaction, so that it is killed where the test says.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{fs, path::Path, process::Child, time::Duration};

use kadscope_store::{Error, Limits, RunInfo, Store, StoreUrl};
use rusqlite::Connection;
use schema::RunState;

use self::child::{child, in_runtime, spawn};

#[path = "suite/child.rs"]
mod child;
#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

/// Visits of each of the two runs.
const VISITS: u32 = 2000;

/// Visits that are pruned in one transaction: 16 batches.
const STEP: u64 = 800;

fn open(path: &Path) -> Store {
    let limits = Limits { batch_rows: 50, ..Limits::default() };
    Store::open_with(&StoreUrl::Sqlite(path.to_owned()), limits).unwrap().unwrap()
}

/// A store with two runs.
fn fill(path: &Path) {
    let store = open(path);
    for run in [1, 2] {
        in_runtime(conformance::keep(&store, &rows::start(run), rows::crawl(VISITS, 20, true)));
    }
}

fn first(store: &Store) -> RunInfo {
    store.run(rows::start(1).id).unwrap()
}

/// Keeps whoever does `what` to the row with the number `id` within its transaction.
fn hold(path: &Path, what: &str, id: u64) {
    let row = if what.contains("INSERT") { "new" } else { "old" };
    let sql = format!(
        "CREATE TRIGGER held BEFORE {what} WHEN {row}.id = {id} BEGIN
            SELECT count(*) FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n FROM n) SELECT n FROM n);
         END"
    );
    Connection::open(path).unwrap().execute_batch(&sql).unwrap();
}

fn release(path: &Path) {
    Connection::open(path).unwrap().execute_batch("DROP TRIGGER held").unwrap();
}

fn count(path: &Path, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    Connection::open(path).unwrap().query_row(&sql, (), |row| row.get(0)).unwrap()
}

/// Kills a process as soon as `is_there` holds of what it has committed.
fn kill_when(child: &mut Child, mut is_there: impl FnMut() -> bool) {
    while !is_there() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

/// A moment after all visits of both runs.
fn later() -> schema::Timestamp {
    rows::start(1).started_at.after(Duration::from_secs(365 * 86_400))
}

#[test]
fn a_killed_prune_leaves_a_whole_store_and_is_done_by_the_next() {
    const TEST: &str = "a_killed_prune_leaves_a_whole_store_and_is_done_by_the_next";
    if let Some((_, path)) = child() {
        open(&path).prune(later()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    fill(&path);
    let peers = first(&open(&path)).totals.peers;
    // In the second step; then, after all visits are gone, while what nothing refers to goes.
    for (what, id, left) in
        [("DELETE ON visit", STEP + 100, u64::from(VISITS) - STEP), ("DELETE ON address", 3000, 0)]
    {
        hold(&path, what, id);
        let mut child = spawn(TEST, &path, 1);
        let store = open(&path);
        kill_when(&mut child, || first(&store).totals.visits == left);
        release(&path);
        store.check().unwrap();
        let totals = first(&store).totals;
        assert_eq!((totals.visits, totals.pruned), (left, u64::from(VISITS) - left));
        let visits: Vec<_> = store.visits(rows::start(1).id).unwrap().map(Result::unwrap).collect();
        assert_eq!(visits.len() as u64, left);
        let gone = usize::try_from(u64::from(VISITS) - left).unwrap();
        let edges: usize = visits.iter().filter_map(|visit| visit.neighbors.as_ref()).map(Vec::len).sum();
        assert_eq!(totals.edges, edges as u64);
        assert!(visits.into_iter().eq(sent().skip(gone)), "those left are whole");
    }
    let mut store = open(&path);
    assert!(count(&path, "address") > 0, "it was killed before these went");
    store.prune(later()).unwrap();
    for table in ["visit", "fates", "endpoint", "description"] {
        assert_eq!(count(&path, table), 0, "{table}");
    }
    let run = first(&store);
    assert_eq!((run.totals.peers, run.end), (peers, Some(rows::end(RunState::Succeeded))));
    store.check().unwrap();
}

/// The visits of a run, as they were sent.
fn sent() -> impl Iterator<Item = schema::Visit> {
    rows::crawl(VISITS, 20, true).filter_map(|row| match row {
        schema::Row::Visit(visit) => Some(*visit),
        _ => None,
    })
}

#[test]
fn a_killed_copy_is_no_whole_run_and_can_be_made_again() {
    const TEST: &str = "a_killed_copy_is_no_whole_run_and_can_be_made_again";
    let copy_of = |path: &Path| path.with_file_name("copy.sqlite");
    if let Some((_, path)) = child() {
        in_runtime(open(&path).copy_run(rows::start(1).id, &open(&copy_of(&path)))).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    fill(&path);
    let (from, mut to) = (open(&path), open(&copy_of(&path)));
    // A copy writes 1,000 rows in a transaction.
    hold(&copy_of(&path), "INSERT ON visit", 1500);
    let mut child = spawn(TEST, &path, 1);
    kill_when(&mut child, || to.run(rows::start(1).id).is_ok_and(|run| run.totals.visits == 1000));
    release(&copy_of(&path));
    to.check().unwrap();
    let half = first(&to);
    assert_eq!((half.state, half.end, half.totals.visits), (RunState::Interrupted, None, 1000));
    let compared = from.compare_run(rows::start(1).id, &to).unwrap_err();
    assert!(matches!(compared, Error::Different { .. }), "{compared}");
    let again = in_runtime(from.copy_run(rows::start(1).id, &to)).unwrap_err();
    assert!(matches!(again, Error::RunExists { .. }), "{again}");
    to.delete_run(rows::start(1).id).unwrap();
    in_runtime(from.copy_run(rows::start(1).id, &to)).unwrap();
    from.compare_run(rows::start(1).id, &to).unwrap();
}

#[test]
fn a_killed_backup_leaves_no_file_under_its_name_and_the_next_one_is_whole() {
    const TEST: &str = "a_killed_backup_leaves_no_file_under_its_name_and_the_next_one_is_whole";
    let backup_of = |path: &Path| path.with_file_name("backup.sqlite");
    if let Some((_, path)) = child() {
        open(&path).back_up(&backup_of(&path)).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    fill(&path);
    let (backup, part) = (backup_of(&path), directory.path().join("backup.sqlite.partial"));
    let mut child = spawn(TEST, &path, 1);
    kill_when(&mut child, || part.exists());
    let store = open(&path);
    if !backup.exists() {
        assert!(part.exists(), "it was killed before its end");
        // Part of what a killed one wrote, whatever it came to.
        fs::write(&part, [7; 5000]).unwrap();
        store.back_up(&backup).unwrap();
    }
    let copied = open(&backup);
    copied.check().unwrap();
    for run in [1, 2] {
        store.compare_run(rows::start(run).id, &copied).unwrap();
    }
    assert!(!part.exists());
    store.check().unwrap();
}
