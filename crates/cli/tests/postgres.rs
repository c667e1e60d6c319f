//! The program with a PostgreSQL database, on a real server.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

extern crate store as kadscope_store;

#[path = "programs/go_server.rs"]
#[expect(dead_code, reason = "nobody hangs here")]
mod go_server;
#[path = "postgres/hydra.rs"]
mod hydra;
#[path = "../../store/tests/suite/rows.rs"]
mod rows;
#[path = "postgres/scheduler.rs"]
mod scheduler;
#[path = "../../store/tests/suite/server.rs"]
#[expect(dead_code, reason = "not all of it is used here")]
mod server;

use std::process::Command;

use serde_json::Value;
use store::{Store, StoreUrl};

/// Runs the program with the password in its environment; what it prints is one line of JSON.
fn kadscope(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_kadscope"))
        .args(args)
        .env_clear()
        .env("PGPASSWORD", server::PASSWORD)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// From a file into a database and back into another file: the same runs, and nothing is copied twice.
#[test]
fn runs_are_copied_in_both_directions() {
    let server = server::Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (from, back) = (path("from.sqlite"), path("back.sqlite"));
    let store = Store::open(&StoreUrl::Sqlite(from.clone().into())).unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (run, peers) in [(1, 300), (2, 40)] {
        let writer = store.begin_run(&rows::start(run)).unwrap();
        runtime.block_on(async {
            for row in rows::crawl(peers, 5, run == 1) {
                writer.sender().send(row).await.unwrap();
            }
            writer.finish(rows::end(schema::RunState::Succeeded)).await.unwrap();
        });
    }
    drop(store);
    let database = format!("postgres://postgres@127.0.0.1:{}/{}", server.socket().1, server.database());
    for (from, to) in [(&from, &database), (&database, &back)] {
        let copied = kadscope(&["store", "copy", from, to, "--json"]);
        let rows: Vec<_> =
            copied["runs"].as_array().unwrap().iter().map(|run| run["rows"].as_u64()).collect();
        assert_eq!(rows, [Some(300), Some(40)], "{copied}");
        assert_eq!(copied["present"], serde_json::json!([]));
    }
    let again = kadscope(&["store", "copy", &back, &database, "--json"]);
    assert_eq!((again["runs"].as_array().unwrap().len(), again["present"].as_array().unwrap().len()), (0, 2));
    let listed = |store: &str| kadscope(&["runs", "--store", store, "--json"])["runs"].clone();
    assert_eq!(listed(&from), listed(&database));
    assert_eq!(listed(&from), listed(&back));
    for store in [&database, &back] {
        kadscope(&["store", "check", "--store", store, "--json"]);
    }
}
