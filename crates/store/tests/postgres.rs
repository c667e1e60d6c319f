//! The suite of every store, on PostgreSQL, and what only a database has.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

#[path = "postgres/access.rs"]
mod access;
#[path = "suite/arbitrary.rs"]
mod arbitrary;
#[path = "suite/conformance.rs"]
mod conformance;
#[path = "postgres/disk.rs"]
mod disk;
#[path = "postgres/outages.rs"]
mod outages;
#[path = "suite/rows.rs"]
mod rows;
#[path = "suite/server.rs"]
mod server;
#[path = "postgres/sql.rs"]
mod sql;
#[path = "postgres/together.rs"]
mod together;

use std::{cell::Cell, sync::Arc, time::Duration};

use kadscope_store::{Limits, Store};
use proptest::prelude::*;
use server::Server;

const LIMITS: fn() -> Limits =
    || Limits { batch_rows: 100, batch_time: Duration::from_millis(20), ..Limits::default() };

/// An empty database, and a way to open the store in it.
fn place() -> (Arc<Server>, impl Fn() -> Store) {
    let server = Server::shared();
    let url = server.url(&server.database());
    (server, move || Store::open_with(&url, LIMITS()).unwrap().unwrap())
}

macro_rules! on_postgres {
    ($($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (_server, open) = place();
            conformance::$name(&open).await;
            open().check().unwrap();
        }
    )+};
}

on_postgres! {
    crawls_are_read_back
    states_are_told_apart
    rows_come_as_they_are_sent
    senders_learn_of_the_end
    crawls_go_on_side_by_side
    crawls_are_known_by_their_ids
    what_is_cut_is_cut_as_documented
    every_kind_of_rows_is_read_back
    what_is_no_visit_outlives_visits
    each_address_comes_once_until_its_place_is_said
    columns_are_those_of_the_rows
    a_peer_is_known_over_all_runs
}

#[test]
fn any_visit_is_read_back() {
    let (_server, open) = place();
    let (store, crawl) = (open(), Cell::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    proptest!(ProptestConfig::with_cases(64), |(visits in arbitrary::visits(conformance::PEERS))| {
        crawl.set(crawl.get() + 1);
        let mut start = rows::start(1);
        start.id.0[8..].copy_from_slice(&u64::to_be_bytes(crawl.get()));
        runtime.block_on(conformance::any_visit_is_read_back(&store, &start, visits));
    });
    store.check().unwrap();
}

/// There and back: each run is the same in all three, and a run that is there is not copied again.
#[tokio::test]
async fn runs_are_copied_between_both_kinds_of_stores() {
    let (_server, open) = place();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let url = kadscope_store::StoreUrl::Sqlite(directory.path().join(name));
        Store::open(&url).unwrap().unwrap()
    };
    let (from, database, back) = (file("from.sqlite"), open(), file("back.sqlite"));
    conformance::keep(&from, &rows::start(1), rows::crawl(1500, 20, true)).await;
    // One that was interrupted, and keeps no neighbors.
    let writer = from.begin_run(&rows::start(2)).unwrap();
    conformance::send(&writer, rows::crawl(30, 5, false)).await;
    drop(writer);
    for id in [1, 2].map(|n| rows::start(n).id) {
        let copied = from.copy_run(id, &database).await.unwrap();
        assert_eq!(copied, from.run(id).unwrap().totals);
        from.compare_run(id, &database).unwrap();
        database.copy_run(id, &back).await.unwrap();
        from.compare_run(id, &back).unwrap();
        assert!(from.copy_run(id, &database).await.is_err());
    }
    database.check().unwrap();
    conformance::keep(&database, &rows::start(3), rows::crawl(10, 5, true)).await;
    conformance::keep(&back, &rows::start(3), rows::crawl(10, 6, true)).await;
    let different = database.compare_run(rows::start(3).id, &back).unwrap_err();
    assert!(different.to_string().contains("its start, its end or how many rows"), "{different}");
}

/// Each column there and back.
#[tokio::test]
async fn a_copy_is_the_same_in_every_column() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let url = kadscope_store::StoreUrl::Sqlite(directory.path().join(name));
        Store::open_with(&url, LIMITS()).unwrap().unwrap()
    };
    let (_server, open) = place();
    conformance::a_copy_is_the_same_in_every_column(&mut file("from.sqlite"), &open()).await;
    open().check().unwrap();
    let (_server, open) = place();
    let to = file("to.sqlite");
    conformance::a_copy_is_the_same_in_every_column(&mut open(), &to).await;
    to.check().unwrap();
}

/// A program that goes takes its lock with it; a run that is deleted leaves nothing that only it referred to.
#[tokio::test]
async fn a_deleted_run_leaves_nothing_behind() {
    let server = Server::shared();
    let database = server.database();
    let mut store = Store::open_with(&server.url(&database), LIMITS()).unwrap().unwrap();
    conformance::keep(&store, &rows::start(1), rows::crawl(100, 5, true)).await;
    conformance::keep(&store, &rows::start(2), rows::crawl(40, 5, true)).await;
    let writer = store.begin_run(&rows::start(3)).unwrap();
    let refused = store.delete_run(rows::start(3).id);
    assert!(matches!(refused, Err(kadscope_store::Error::Running { .. })), "{refused:?}");
    store.delete_run(rows::start(1).id).unwrap();
    writer.finish(rows::end(schema::RunState::Succeeded)).await.unwrap();
    let peers = || server.sql(&database, "SELECT count(*) FROM kadscope.peer");
    assert_eq!(peers(), "100", "they may be used by the run that is under way");
    store.delete_run(rows::start(3).id).unwrap();
    assert_eq!(peers(), "40");
    store.delete_run(rows::start(2).id).unwrap();
    for table in ["peer", "run_peer", "run", "address", "agent", "protocol_set", "failure", "visit"] {
        assert_eq!(server.sql(&database, &format!("SELECT count(*) FROM kadscope.{table}")), "0", "{table}");
    }
    store.check().unwrap();
}

/// Old visits go in steps while others write, a month of which none is left goes whole, and what is left is whole.
#[tokio::test]
async fn what_is_pruned_is_counted_and_its_room_given_back_while_others_write() {
    let server = Server::shared();
    let database = server.database();
    let mut store = Store::open_with(&server.url(&database), LIMITS()).unwrap().unwrap();
    conformance::keep(&store, &rows::start(1), rows::crawl(3000, 5, true)).await;
    let later = |mut row: schema::Row| {
        if let schema::Row::Visit(visit) = &mut row {
            for time in [&mut visit.met.started_at, &mut visit.met.ended_at] {
                *time = time.after(Duration::from_secs(40 * 86_400));
            }
        }
        row
    };
    let last: Vec<_> = rows::crawl(50, 5, true).map(later).collect();
    let writer = store.begin_run(&rows::start(2)).unwrap();
    let mut progress = writer.progress();
    conformance::send(&writer, last[..75].iter().cloned()).await;
    progress.wait_for(|totals| totals.visits == 25).await.unwrap();
    let pruned = store.prune(rows::start(1).started_at.after(Duration::from_secs(35 * 86_400))).unwrap();
    assert_eq!(pruned.visits, 3000);
    assert!(pruned.bytes > 1_000_000, "{pruned:?}");
    conformance::send(&writer, last[75..].iter().cloned()).await;
    writer.finish(rows::end(schema::RunState::Succeeded)).await.unwrap();

    let old = store.run(rows::start(1).id).unwrap();
    assert_eq!(
        (old.totals.peers, old.totals.visits, old.totals.edges, old.totals.pruned),
        (3000, 0, 0, 3000)
    );
    assert_eq!(old.end, Some(rows::end(schema::RunState::Succeeded)));
    assert_eq!(store.peers(rows::start(1).id).unwrap().len(), 3000);
    assert!(conformance::read(&store, rows::start(2).id) == last);
    // Rows of the month that has gone may come again: from a file, or from another store.
    conformance::keep(&store, &rows::start(3), rows::crawl(10, 5, true)).await;
    assert!(conformance::read(&store, rows::start(3).id) == rows::crawl(10, 5, true).collect::<Vec<_>>());
    store.check().unwrap();
}
