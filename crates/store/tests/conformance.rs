//! The suite of every store, on SQLite.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{cell::Cell, time::Duration};

use kadscope_store::{Limits, Store, StoreUrl};
use proptest::prelude::*;
use tempfile::TempDir;

#[path = "suite/arbitrary.rs"]
mod arbitrary;
#[path = "suite/conformance.rs"]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

/// An empty place, and a way to open the store in it.
fn place() -> (TempDir, impl Fn() -> Store) {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(directory.path().join("a store ü?#%.sqlite"));
    let limits = Limits { batch_rows: 100, batch_time: Duration::from_millis(20), ..Limits::default() };
    (directory, move || Store::open_with(&url, limits).unwrap().unwrap())
}

macro_rules! on_sqlite {
    ($($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (_directory, open) = place();
            conformance::$name(&open).await;
        }
    )+};
}

on_sqlite! {
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

#[tokio::test]
async fn a_copy_is_the_same_in_every_column() {
    let ((_here, from), (_there, to)) = (place(), place());
    conformance::a_copy_is_the_same_in_every_column(&mut from(), &to()).await;
    to().check().unwrap();
}

#[test]
fn any_visit_is_read_back() {
    let (_directory, open) = place();
    let (store, crawl) = (open(), Cell::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    proptest!(ProptestConfig::with_cases(128), |(visits in arbitrary::visits(conformance::PEERS))| {
        crawl.set(crawl.get() + 1);
        let mut start = rows::start(1);
        start.id.0[8..].copy_from_slice(&u64::to_be_bytes(crawl.get()));
        runtime.block_on(conformance::any_visit_is_read_back(&store, &start, visits));
    });
}
