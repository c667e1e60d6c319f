//! File systems that take no more or nothing at all.
//!
//! They are mounted in a user and mount namespace of the test's own, which works for root and for everyone where the
//! system allows user namespaces. Where it does not (see `sysctl kernel.unprivileged_userns_clone` and
//! `kernel.apparmor_restrict_unprivileged_userns`), these tests fail.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use kadscope_store::{Error, RunFilter, Store, StoreUrl, Writer};
use schema::{PeerNumber, Row, RunState};

#[path = "suite/conformance.rs"]
#[expect(dead_code, reason = "the suite itself runs elsewhere")]
mod conformance;
#[path = "suite/rows.rs"]
mod rows;

/// Set in a child: the directory to work in.
const CHILD: &str = "KADSCOPE_STORE_TEST_DIRECTORY";

/// Runs `test` again in a process of its own; `script` is a shell script that prepares the directory `$DIR` and then
/// runs `"$@"`.
fn in_child(test: &str, namespace: bool, script: &str) {
    let directory = tempfile::tempdir().unwrap();
    let unshare = ["unshare", "--map-root-user", "--mount"];
    let command: Vec<_> =
        unshare.into_iter().filter(|_| namespace).chain(["sh", "-e", "-c", script, "sh"]).collect();
    let output = Command::new(command[0])
        .args(&command[1..])
        .arg(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("DIR", directory.path())
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "`{command:?}` failed:\n{said}");
}

fn child() -> Option<PathBuf> {
    env::var_os(CHILD).map(PathBuf::from)
}

fn open(path: &Path) -> Result<Store, Error> {
    Store::open(&StoreUrl::Sqlite(path.to_owned())).map(Option::unwrap)
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Sends rows until nobody takes them any more, and returns why.
async fn write_until_it_fails(writer: Writer) -> Error {
    let sender = writer.sender();
    let each = |n| [Row::Peer(PeerNumber(n), rows::peer(n)), Row::Visit(Box::new(rows::visit(n)))];
    for row in (0..1_000_000).flat_map(each) {
        if sender.send(row).await.is_err() {
            break;
        }
    }
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap_err()
}

/// Fills the file system at `directory`; returns the error, when what was kept before has been read back.
fn fill(directory: &Path) -> Error {
    let path = directory.join("full.sqlite");
    let store = open(&path).unwrap();
    let before: Vec<_> = rows::crawl(500, 20, true).collect();
    in_runtime(conformance::keep(&store, &rows::start(1), before.iter().cloned()));
    let writer = store.begin_run(&rows::start(2)).unwrap();
    let error = in_runtime(write_until_it_fails(writer));
    // As the process saw it, and as one that comes later does.
    for store in [store, open(&path).unwrap()] {
        let info = store.run(rows::start(2).id).unwrap();
        assert_eq!(info.state, RunState::Interrupted);
        assert!(info.totals.visits >= 1000, "{:?}", info.totals);
        assert_eq!(
            store.visits(rows::start(2).id).unwrap().map(Result::unwrap).count() as u64,
            info.totals.visits
        );
        assert!(conformance::read(&store, rows::start(1).id) == before);
        store.check().unwrap();
    }
    error
}

#[test]
fn a_full_disk_keeps_what_was_committed() {
    if let Some(directory) = child() {
        let error = fill(&directory);
        assert!(matches!(error, Error::Full { .. }), "{error}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        return;
    }
    let script = r#"mount -t tmpfs -o size=4m none "$DIR"; exec "$@""#;
    in_child("a_full_disk_keeps_what_was_committed", true, script);
}

#[test]
fn a_file_that_may_not_grow_keeps_what_was_committed() {
    if let Some(directory) = child() {
        let error = fill(&directory);
        assert!(matches!(error, Error::Backend { operation: "append rows", .. }), "{error}");
        return;
    }
    let script = r#"trap "" XFSZ; ulimit -f 6000; exec "$@""#;
    in_child("a_file_that_may_not_grow_keeps_what_was_committed", false, script);
}

#[test]
fn a_full_disk_has_no_room_for_a_new_file() {
    if let Some(directory) = child() {
        let error = open(&directory.join("new.sqlite")).err().unwrap();
        assert!(matches!(error, Error::Full { .. }), "{error}");
        return;
    }
    let script = r#"mount -t tmpfs -o size=16k none "$DIR"; head -c 12288 /dev/zero >"$DIR/rest"; exec "$@""#;
    in_child("a_full_disk_has_no_room_for_a_new_file", true, script);
}

#[test]
fn a_store_on_a_read_only_file_system_is_read_and_not_written() {
    if let Some(directory) = child() {
        let path = directory.join("old.sqlite");
        let rows: Vec<_> = rows::crawl(10, 5, true).collect();
        in_runtime(conformance::keep(&open(&path).unwrap(), &rows::start(1), rows.iter().cloned()));
        let remount = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&directory).status().unwrap();
        assert!(remount.success());
        for path in [path.clone(), directory.join("new.sqlite")] {
            let error = open(&path).err().unwrap();
            assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
        let mut store = Store::open_existing(&StoreUrl::Sqlite(path)).unwrap();
        assert!(conformance::read(&store, rows::start(1).id) == rows);
        assert!(matches!(store.begin_run(&rows::start(2)), Err(Error::ReadOnly { .. })));
        assert!(matches!(store.delete_run(rows::start(1).id), Err(Error::ReadOnly { .. })));
        return;
    }
    let script = r#"mount -t tmpfs none "$DIR"; exec "$@""#;
    in_child("a_store_on_a_read_only_file_system_is_read_and_not_written", true, script);
}

/// Somebody writes a store that others see by a mount of their own, which is read-only.
#[test]
fn a_store_that_is_written_elsewhere_is_read_by_its_log() {
    if let Some(directory) = child() {
        let (path, seen) = (directory.join("own/a.sqlite"), directory.join("seen/a.sqlite"));
        let store = open(&path).unwrap();
        in_runtime(conformance::keep(&store, &rows::start(1), rows::crawl(10, 5, true)));
        let writer = store.begin_run(&rows::start(2)).unwrap();
        let reader = Store::open_existing(&StoreUrl::Sqlite(seen.clone())).unwrap();
        let states: Vec<_> =
            reader.runs(&RunFilter::default()).unwrap().into_iter().map(|crawl| crawl.state).collect();
        assert_eq!(states, [RunState::Succeeded, RunState::Running]);
        drop((reader, writer, store));

        // Killed: the log is there, and nobody who could have a part in it.
        let killed = directory.join("own/killed.sqlite");
        let store = open(&path).unwrap();
        in_runtime(conformance::keep(&store, &rows::start(3), rows::crawl(10, 5, true)));
        std::fs::copy(&path, &killed).unwrap();
        std::fs::copy(directory.join("own/a.sqlite-wal"), directory.join("own/killed.sqlite-wal")).unwrap();
        let error =
            Store::open_existing(&StoreUrl::Sqlite(directory.join("seen/killed.sqlite"))).err().unwrap();
        assert!(matches!(error, Error::UnreadableLog { .. }), "{error}");
        return;
    }
    let script = r#"mkdir "$DIR/own" "$DIR/seen"; mount --bind "$DIR/own" "$DIR/seen"
        mount -o remount,bind,ro "$DIR/seen"; exec "$@""#;
    in_child("a_store_that_is_written_elsewhere_is_read_by_its_log", true, script);
}

/// As another user meets it: neither the file nor its directory may be written.
#[test]
fn a_store_of_another_user_is_read() {
    if let Some(directory) = child() {
        let path = directory.join("a.sqlite");
        let error = open(&path).err().unwrap();
        assert!(!matches!(error, Error::NotADatabase { .. } | Error::Damaged { .. }), "{error}");
        let store = Store::open_existing(&StoreUrl::Sqlite(path)).unwrap();
        assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
        return;
    }
    for modes in ["chmod 444 a.sqlite; chmod 555 .", "chmod 555 .", "chmod 444 a.sqlite"] {
        let made = tempfile::tempdir().unwrap();
        let path = made.path().join("a.sqlite");
        in_runtime(conformance::keep(&open(&path).unwrap(), &rows::start(1), rows::crawl(10, 5, true)));
        let drop_rights =
            "setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override,-dac_read_search";
        let from = made.path().display();
        let script = format!(r#"cp "{from}/a.sqlite" "$DIR"; cd "$DIR"; {modes}; exec {drop_rights} "$@""#);
        in_child("a_store_of_another_user_is_read", true, &script);
    }
}
