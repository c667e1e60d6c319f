//! A disk that is full in the middle of a crawl.
//!
//! It is mounted in a user and mount namespace of the test's own, which works for root and for everyone where the system
//! allows user namespaces. Where it does not, this test fails.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::program::{SlowCrawl, run};

/// Set in a child: the directory where the small disk is.
const CHILD: &str = "KADSCOPE_CLI_TEST_DIRECTORY";

/// Runs a test of this module again with a small disk, in a process of its own.
fn with_small_disk(test: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let script = r#"mount -t tmpfs -o size=4m none "$DIR"; exec "$@""#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-e", "-c", script, "sh"])
        .arg(env::current_exe().expect("this program"))
        .args([&format!("full_disk::{test}"), "--exact", "--nocapture"])
        .env("DIR", directory.path())
        .env(CHILD, directory.path())
        .output()
        .expect("it starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Takes all the room that is left on the disk of a directory.
fn fill(directory: &Path) -> PathBuf {
    let path = directory.join("rest");
    let full = fs::write(&path, vec![1; 4 << 20]).expect_err("more than there is room for");
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    path
}

/// The first crawl of a store, as `crawls` lists it.
fn listed(store: &str) -> serde_json::Value {
    run(["crawls", "--json", "--store", store]).json()["crawls"][0].take()
}

#[test]
fn a_crawl_says_so_by_3_and_keeps_what_was_committed() {
    let Some(directory) = env::var_os(CHILD).map(PathBuf::from) else {
        return with_small_disk("a_crawl_says_so_by_3_and_keeps_what_was_committed");
    };
    let store = directory.join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(&directory, store);
    while listed(store)["visits"] != 42 {}
    let rest = fill(&directory);
    // What is still in hand has to be written now.
    crawl.send(Signal::INT);
    let ended = crawl.wait();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("error: the crawl could not be kept: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("a.sqlite: could not "), "{}", ended.stderr);
    assert!(ended.stderr.contains("the disk is full; what was written before is kept"), "{}", ended.stderr);

    let summary = ended.json();
    assert_eq!((&summary["state"], &summary["kept_visits"]), (&"interrupted".into(), &42.into()));

    fs::remove_file(rest).expect("removed");
    let kept = listed(store);
    assert_eq!((&kept["state"], &kept["visits"]), (&"interrupted".into(), &42.into()));
    let exported = run(["export", "--privacy", "as-is", "--out", "-", "--store", store]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    assert_eq!(testnet.end(), Some(0));
}
