//! A disk that is full in the middle of a crawl or a study.
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

use crate::{
    hoard::{Kept, SHORT, until},
    program::{Running, SlowCrawl, Testnet, kadscope, run},
};

/// Set in a child: the directory where the small disk is.
const CHILD: &str = "KADSCOPE_CLI_TEST_DIRECTORY";

/// Runs a test of this module again with a small disk of so many MiB, in a process of its own.
fn with_small_disk(test: &str, mib: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let script = format!(r#"mount -t tmpfs -o size={mib}m none "$DIR"; exec "$@""#);
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-e", "-c", &script, "sh"])
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

/// Takes all the room that is left on the disk of a directory, which has so many MiB.
fn fill(directory: &Path, mib: usize) -> PathBuf {
    let path = directory.join("rest");
    let full = fs::write(&path, vec![1; mib << 20]).expect_err("more than there is room for");
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
        return with_small_disk("a_crawl_says_so_by_3_and_keeps_what_was_committed", 4);
    };
    let store = directory.join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(&directory, store);
    while listed(store)["visits"] != 42 {}
    let rest = fill(&directory, 4);
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

#[test]
fn a_study_says_so_by_3_and_goes_on_once_there_is_room() {
    let Some(directory) = env::var_os(CHILD).map(PathBuf::from) else {
        return with_small_disk("a_study_says_so_by_3_and_goes_on_once_there_is_room", 16);
    };
    let (testnet, path) = (Testnet::healthy(40), directory.join("a.sqlite"));
    let store = path.to_str().expect("UTF-8");
    let place = [
        "hoard",
        "run",
        "--json",
        "--addresses",
        "loopback",
        "--bootstrap",
        testnet.bootstrap()[0],
        "--store",
        store,
    ];
    let study = Running::start(&mut kadscope(place.iter().chain(SHORT).chain(&["--for", "8s"])));
    until("a round is kept", || {
        path.exists() && Kept::read(&path).rounds.iter().any(|round| round.round > 0)
    });
    let rest = fill(&directory, 16);
    let ended = study.wait();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("the disk is full; what was written before is kept"), "{}", ended.stderr);

    fs::remove_file(rest).expect("removed");
    let runs = || run(["runs", "--json", "--store", store]).json()["runs"].clone();
    assert_eq!(runs()[0]["state"], "interrupted");
    let ended = run(place.iter().chain(&["--resume", "latest"]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kept = Kept::read(&path);
    let times = kept.times();
    assert_eq!((kept.keys.len(), times.len()), (3, 3 * 9), "no key and no round is lost: {times:?}");
    assert!(times.values().all(|&times| times == 1), "and none is doubled: {times:?}");
    assert_eq!(testnet.end(), Some(0));
}
