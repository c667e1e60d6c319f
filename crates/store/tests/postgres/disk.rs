//! A server whose disk is full, and then has room again.
//!
//! The disk is a small file system in a mount namespace of the test's own. A server does not run as root: where this process is
//! root's that is another user, which a namespace of users would not know; where it is not, it is root within a namespace as long
//! as it mounts, and itself again behind that.

#![cfg(target_os = "linux")]

use std::{env, fs, os::unix::fs::chown, path::PathBuf, process::Command};

use kadscope_store::Store;
use rustix::process::{getegid, geteuid};
use schema::RunState;

use crate::{LIMITS, conformance, rows, server::Server};

/// Set in a child: the directory that the small file system is mounted on.
const CHILD: &str = "KADSCOPE_STORE_TEST_DIRECTORY";

const TEST: &str = "disk::rows_wait_while_the_disk_of_the_server_is_full";

/// Who runs the server where this process is root's.
const NOBODY: u32 = 65534;

#[test]
fn rows_wait_while_the_disk_of_the_server_is_full() {
    if let Some(directory) = env::var_os(CHILD) {
        return fill(&PathBuf::from(directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o size=48m none "$DIR"; exec "$@""#;
    let is_root = geteuid().is_root();
    let namespace: &[&str] = if is_root { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let mut command = Command::new("unshare");
    command.args(namespace).args(["sh", "-e", "-c", mount, "sh"]);
    if !is_root {
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        command.args(["unshare", "--user"]);
        command.args([format!("--map-user={user}"), format!("--map-group={group}")]);
    }
    let output = command
        .arg(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env("DIR", directory.path())
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The database lies on the small file system, the rest of the server elsewhere.
fn fill(directory: &std::path::Path) {
    let server = Server::start();
    if geteuid().is_root() {
        chown(directory, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    server.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", directory.display()));
    server.sql("postgres", "CREATE DATABASE small TABLESPACE small");
    let store = Store::open_with(&server.url("small"), LIMITS()).unwrap().unwrap();
    // What is in the way: some megabytes are left.
    let rest = directory.join("rest");
    fs::write(&rest, vec![0; 38 * 1024 * 1024]).unwrap();
    let all: Vec<_> = rows::crawl(14_000, 20, true).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let writer = store.begin_run(&rows::start(1)).unwrap();
        // More than memory holds: when all of it is taken, part of it is in a file.
        conformance::send(&writer, all.iter().cloned()).await;
        let in_file = server.spills().read_dir().unwrap().count();
        assert_eq!(in_file, 1, "{:?}", writer.progress().borrow());
        assert!(writer.progress().borrow().visits < 14_000);
        fs::remove_file(&rest).unwrap();
        let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
        assert_eq!((totals.peers, totals.visits, totals.edges), (14_000, 14_000, 280_000));
    });
    assert_eq!(server.spills().read_dir().unwrap().count(), 0);
    assert!(conformance::read(&store, rows::start(1).id) == all);
    store.check().unwrap();
}
