//! A crawl of a testnet that another process runs, and the list of what is in the store.

use std::fs;

use crate::program::{Testnet, run};

/// Fifty peers, some of which run an agent whose name tries to clear the terminal.
const SCENARIO: &str = r#"
seed = 5
peers = 50

[[agents]]
name = "evil\u001b[2J\u009b2J\n"
share = 0.2

[[agents]]
name = "good/1.0"
share = 0.8

[[states]]
state = "refusing"
share = 0.1
"#;

#[test]
fn a_testnet_is_crawled_kept_and_listed() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("evil.toml");
    fs::write(&scenario, SCENARIO).expect("written");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let testnet = Testnet::start(&scenario);
    let bootstrap = testnet.bootstrap().join(",");
    let crawl = ["crawl", "--addresses", "loopback", "--store", store, "--bootstrap", &bootstrap];

    let people = run(crawl.into_iter().chain(["--network-name", "mine", "--vantage", "here"]));
    assert_eq!(people.code, 0, "{}", people.stderr);
    assert!(!people.stdout.contains(['\x1b', '\u{9b}']), "{}", people.stdout);
    assert!(
        people.stdout.contains(r"evil\u{1b}[2J\u{9b}2J\n") && people.stdout.contains("connection_refused")
    );

    let ended = run(crawl.into_iter().chain(["--json", "--limit", "10"]));
    assert!(!ended.stdout.contains('\u{9b}'));
    let limited = ended.json();
    assert_eq!((ended.code, &limited["state"]), (0, &"cancelled".into()));
    assert_eq!(testnet.end(), Some(0));

    let listed = run(["crawls", "--json", "--store", store]).json();
    let crawls = listed["crawls"].as_array().expect("a list");
    assert_eq!(crawls.len(), 2);
    assert_eq!((&crawls[0]["network"], &crawls[0]["state"]), (&"mine".into(), &"succeeded".into()));
    assert_eq!((&crawls[0]["peers"], &crawls[0]["reachable"]), (&50.into(), &45.into()));
    assert!(crawls[0]["vantage"].as_str().expect("a string").ends_with(": here"));
    assert!(crawls[0]["edges"].as_u64() > Some(500) && crawls[0]["edges_kept"] == 0);
    assert_eq!((&crawls[1]["state"], &crawls[1]["visits"]), (&"cancelled".into(), &10.into()));

    let table = run(["crawls", "--store", store]);
    assert_eq!(table.stdout.lines().count(), 3);
    assert!(table.stdout.contains("succeeded") && table.stdout.contains("cancelled"), "{}", table.stdout);
}
