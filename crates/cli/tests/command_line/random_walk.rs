//! A random walk as its users meet it: what it prints, what is kept of it, and what is refused.

use crate::program::{Testnet, run};

/// How many peers the network has. All of them are well.
const PEERS: u32 = 60;

#[test]
fn a_random_walk_is_told_kept_and_counted_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let testnet = Testnet::healthy(PEERS);
    let bootstrap = testnet.bootstrap().join(",");
    let place = ["crawl", "--addresses", "loopback", "--store", store, "--bootstrap", &bootstrap];
    let walk = ["--strategy", "random-walk", "--for", "3s", "--walkers", "2", "--json"];
    let walked = run(place.into_iter().chain(walk));
    assert_eq!(walked.code, 0, "{}", walked.stderr);
    let summary = walked.json();
    assert_eq!((&summary["strategy"], &summary["state"]), (&"random_walk".into(), &"succeeded".into()));
    assert_eq!((&summary["peers"]["reachable"], &summary["visits"]["first"]), (&PEERS.into(), &PEERS.into()));
    let size = &summary["walk"]["answering"];
    let at = |name: &str| size[name].as_f64().expect("a number");
    assert!(at("low") <= f64::from(PEERS) && at("high") >= f64::from(PEERS), "{size}");
    assert_eq!(testnet.end(), Some(0));

    // What was asked for is kept with it, and its rows come to the same.
    let id = summary["crawl_id"].as_str().expect("an id");
    let kept = run(["runs", id, "--json", "--store", store]).json();
    let parameters = &kept["parameters"];
    assert_eq!((&parameters["strategy"], &parameters["for"]), (&"random_walk".into(), &3.0.into()), "{kept}");
    let recounted = run(["runs", id, "--recount", "--json", "--store", store]);
    assert_eq!(recounted.code, 0, "{}", recounted.stdout);
    let recounted = recounted.json();
    assert_eq!(recounted["recounted"]["walk"], summary["walk"]);
    assert_eq!(
        (&recounted["differences"], &recounted["missing"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    let people = run(["crawls", id, "--store", store]).stdout;
    assert!(people.starts_with("Random walk of") && people.contains("peers that answer"), "{people}");
}

#[test]
fn what_a_walk_cannot_do_is_refused_and_said() {
    let place = ["crawl", "--addresses", "loopback", "--store", "none", "--bootstrap"];
    let nobody = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let walk = ["--strategy", "random-walk"];
    let refused = |options: &[&str], says: &str| {
        let ended = run(place.into_iter().chain([nobody]).chain(options.iter().copied()));
        assert!(
            ended.code == 2 && ended.stderr.contains(says),
            "{options:?}: {} {}",
            ended.code,
            ended.stderr
        );
    };
    refused(&walk, "--for");
    refused(&["--for", "10m"], "--strategy random-walk");
    for option in ["--neighbors", "--all-prefixes", "--whole-tables"] {
        refused(&[&walk[..], &["--for", "10m", option]].concat(), option);
    }
    // Where nobody is to be reached it does not go on for ten minutes.
    let vain = run(place.into_iter().chain([nobody]).chain(walk).chain(["--for", "10m"]));
    assert!(vain.code == 4 && vain.stderr.contains("connection_refused"), "{} {}", vain.code, vain.stderr);
}
