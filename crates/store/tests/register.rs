//! The suite of every register, in memory and on SQLite, and processes that share a file.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

#[path = "suite/child.rs"]
mod child;
#[path = "suite/register.rs"]
mod register;
#[path = "suite/rows.rs"]
#[expect(dead_code, reason = "runs have rows elsewhere")]
mod rows;

use std::{collections::BTreeSet, path::Path, time::Duration};

use kadscope_store::{Error, LeaseOutcome, Register, RegisterConfig, StoreUrl};
use tempfile::TempDir;

use self::{
    child::{child, in_runtime, spawn},
    register::{at, scheduler, server},
};

async fn open(path: &Path) -> Register {
    Register::open(&StoreUrl::Sqlite(path.to_owned()), RegisterConfig::default()).await.unwrap()
}

/// A file that two have open.
async fn place() -> (TempDir, Register, Register) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("register ü.sqlite");
    let (one, other) = (open(&path).await, open(&path).await);
    (directory, one, other)
}

macro_rules! on_both {
    ($($name:ident)+) => {
        mod memory { $(
            #[tokio::test]
            async fn $name() {
                crate::register::$name(&kadscope_store::Register::memory()).await;
            }
        )+ }
        mod sqlite { $(
            #[tokio::test]
            async fn $name() {
                let (_directory, register, _other) = crate::place().await;
                crate::register::$name(&register).await;
            }
        )+ }
    };
}

macro_rules! from_both_sides {
    ($($name:ident)+) => {
        mod shared_memory { $(
            #[tokio::test]
            async fn $name() {
                let register = kadscope_store::Register::memory();
                crate::register::$name(&register, &register.clone()).await;
            }
        )+ }
        mod shared_file { $(
            #[tokio::test]
            async fn $name() {
                let (_directory, register, other) = crate::place().await;
                crate::register::$name(&register, &other).await;
            }
        )+ }
    };
}

on_both! {
    a_server_is_alive_as_long_as_it_says_so
    a_server_that_begins_anew_takes_the_place_of_its_earlier_entry
    a_server_that_was_never_entered_is_named
    many_enter_at_once
    a_holder_that_was_away_does_not_come_back_as_the_holder
}

from_both_sides! {
    what_a_server_says_of_itself_is_read_back
    schedulers_are_told_apart
    a_lease_has_one_holder_whose_number_grows
    of_many_that_ask_at_once_one_has_the_lease
}

/// Three processes enter servers, and ask for one lease, in one file.
#[test]
fn processes_share_a_file() {
    if let Some((number, path)) = child() {
        return in_runtime(async {
            let register = open(&path).await;
            for n in 0..20 {
                let entry = server(u32::from(number) * 100 + n, "a");
                let id = register.enter_server(&entry).await.unwrap();
                register.heartbeat(id, at(100)).await.unwrap();
            }
            register.enter_scheduler(&scheduler()).await.unwrap();
            let holder = number.to_string();
            if let LeaseOutcome::Held { .. } =
                register.lease("round", &holder, at(3600), at(0)).await.unwrap()
            {
                println!("has the lease");
            }
        });
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shared.sqlite");
    let children: Vec<_> = (1..=3).map(|n| spawn("processes_share_a_file", &path, n)).collect();
    let mut holders = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        holders += said.matches("has the lease").count();
    }
    assert_eq!(holders, 1);
    in_runtime(async {
        let servers = open(&path).await.servers(&register::fleets(&["a"]), at(100)).await.unwrap();
        let peers: BTreeSet<_> = servers.iter().map(|server| server.entry.peer).collect();
        assert_eq!((servers.len(), peers.len()), (60, 60));
        assert!(servers.is_sorted_by_key(|server| server.id));
    });
}

/// Who waits for a file that somebody else holds is told so within its patience, and holds up nobody meanwhile.
#[tokio::test]
async fn a_file_that_somebody_holds_is_named_in_time_and_holds_up_no_thread() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("held.sqlite");
    let config = RegisterConfig { patience: Duration::from_millis(300), ..RegisterConfig::default() };
    let register = Register::open(&StoreUrl::Sqlite(path.clone()), config).await.unwrap();
    let id = register.enter_server(&server(1, "a")).await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut ticks = 0;
    let mut beat = std::pin::pin!(register.heartbeat(id, at(1)));
    let beaten = loop {
        tokio::select! {
            beaten = &mut beat => break beaten,
            () = tokio::time::sleep(Duration::from_millis(10)) => ticks += 1,
        }
    };
    assert!(matches!(beaten, Err(Error::Locked { .. })), "{beaten:?}");
    assert!(ticks >= 3, "the runtime went on meanwhile: {ticks}");
    other.execute_batch("ROLLBACK").unwrap();
    register.heartbeat(id, at(2)).await.unwrap();
}

#[tokio::test]
async fn a_register_is_where_rows_are_kept_and_parsecs_tables_are_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(directory.path().join("both.sqlite"));
    drop(kadscope_store::Store::open(&url).unwrap());
    let register = Register::open(&url, RegisterConfig::default()).await.unwrap();
    register.enter_server(&server(1, "a")).await.unwrap();
    kadscope_store::Store::open_existing(&url).unwrap().check().unwrap();
    for url in [url, StoreUrl::None] {
        let config = RegisterConfig { parsec_tables: true, ..RegisterConfig::default() };
        let refused = Register::open(&url, config).await.unwrap_err();
        assert!(matches!(refused, Error::ParsecTables { .. }), "{refused}");
    }
    Register::open(&StoreUrl::None, RegisterConfig::default()).await.unwrap();
}
