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

    // Each summary can be shown again, as it was printed.
    let id = limited["crawl_id"].as_str().expect("an id");
    assert_eq!(run(["crawls", id, "--json", "--store", store]).stdout, ended.stdout);
    assert_eq!(run(["crawls", "latest", "--json", "--store", store]).stdout, ended.stdout);
    let first = crawls[0]["crawl_id"].as_str().expect("an id");
    assert_eq!(run(["crawls", first, "--store", store]).stdout, people.stdout);

    let table = run(["crawls", "--store", store]);
    assert_eq!(table.stdout.lines().count(), 3);
    assert!(table.stdout.contains("succeeded") && table.stdout.contains("cancelled"), "{}", table.stdout);

    let asked = run(["crawls", first, "--delete", "--store", store]);
    assert!(asked.code == 2 && asked.stderr.contains("--yes"), "{}", asked.stderr);
    let deleted = run(["crawls", first, "--delete", "--yes", "--store", store]);
    assert!(deleted.code == 0 && deleted.stdout.contains("of mine with"), "{}", deleted.stdout);
    let left = run(["crawls", "--json", "--store", store]).json();
    assert_eq!(left["crawls"].as_array().expect("a list").len(), 1);
    assert_eq!(left["crawls"][0]["crawl_id"], id);
    let gone = run(["crawls", first, "--store", store]);
    assert!(gone.code == 3 && gone.stderr.contains("there is no run"), "{}", gone.stderr);
    assert_eq!(run(["crawls", "--delete", "--store", store]).code, 2, "which one?");
}
