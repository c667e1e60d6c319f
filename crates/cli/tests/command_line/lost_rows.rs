//! Where rows are lost, the text, the JSON, the exit code and the store say the same.

use std::fs;

use rustix::process::Signal;

use crate::program::{SlowCrawl, run};

#[test]
fn a_store_that_is_removed_during_a_crawl_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.sqlite");
    let store = path.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(dir.path(), store);
    fs::remove_file(&path).expect("removed");
    crawl.send(Signal::INT);
    let ended = crawl.wait();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("the file was removed or replaced meanwhile"), "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["state"], &summary["kept_visits"]), (&"interrupted".into(), &0.into()));
    assert!(!path.exists());
    assert_eq!(testnet.end(), Some(0));
}

#[test]
fn a_store_that_takes_the_place_of_another_is_left_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.sqlite");
    let store = path.to_str().expect("UTF-8");
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start(dir.path(), store);
    let other = dir.path().join("b.sqlite");
    let made = run([
        "crawl",
        "--addresses",
        "loopback",
        "--json",
        "--limit",
        "5",
        "--store",
        other.to_str().expect("UTF-8"),
        "--bootstrap",
        testnet.bootstrap()[0],
    ])
    .json();
    assert_eq!((&made["state"], &made["kept_visits"]), (&"cancelled".into(), &5.into()));
    fs::rename(&other, &path).expect("renamed");
    for beside in ["a.sqlite-wal", "a.sqlite-shm"] {
        fs::remove_file(dir.path().join(beside)).expect("removed");
    }
    crawl.send(Signal::INT);
    let ended = crawl.wait();
    assert_eq!((ended.code, &ended.json()["state"]), (3, &"interrupted".into()), "{}", ended.stderr);
    let listed = run(["crawls", "--json", "--store", store]).json();
    let crawls = listed["crawls"].as_array().expect("a list");
    assert_eq!((crawls.len(), &crawls[0]["crawl_id"]), (1, &made["crawl_id"]));
}
