//! Runs of several tools in one store: listed, asked for a peer, deleted; and what is done with the store whole.

use serde_json::Value;

use crate::program::{Testnet, run};

/// A CID.
const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().expect("a list")
}

#[test]
fn runs_of_any_tool_are_kept_listed_and_asked_for_a_peer() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (store, copy) = (path("a.sqlite"), path("copy.sqlite"));
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap().join(",");
    let address = testnet.bootstrap()[0];
    let peer = address.rsplit('/').next().expect("a peer");
    let reach = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--store", &store];
    for words in
        [&["crawl"][..], &["ping", address], &["provide", CID, "--read-back"], &["lookup", "closest", CID]]
    {
        let ended = run(words.iter().chain(&reach));
        assert_eq!(ended.code, 0, "{words:?}: {}", ended.stderr);
    }
    let nothing = run(["ping", address].iter().chain(&reach[..4]));
    assert_eq!(nothing.code, 0, "without --store nothing is kept: {}", nothing.stderr);

    let runs = |words: &[&str]| run(["runs", "--store", &store, "--json"].iter().chain(words));
    let all = runs(&[]).json();
    let tools: Vec<_> = list(&all, "runs").iter().map(|run| run["tool"].as_str()).collect();
    assert_eq!(tools, ["crawl", "ping", "provide", "lookup"].map(Some));
    assert!(list(&all, "runs").iter().all(|run| run["state"] == "succeeded"), "{all}");
    for (words, count) in [
        (["--tool", "ping"], 1),
        (["--tool", "monitor"], 0),
        (["--network", "nowhere"], 0),
        (["--since", "1h"], 4),
    ] {
        assert_eq!(list(&runs(&words).json(), "runs").len(), count, "{words:?}");
    }
    let shown = runs(&["latest", "--tool", "ping"]).json();
    assert_eq!(shown["parameters"]["peers"], Value::from(vec![address]));
    assert_eq!(shown["summary"]["peers"][0]["peer"], peer);
    let looked = runs(&["latest"]).json();
    assert_eq!(
        (&looked["parameters"]["kind"], &looked["parameters"]["rules"]),
        (&"closest".into(), &"go".into())
    );
    assert_eq!(looked["summary"]["kind"], "closest");
    assert!(looked["rows"].as_u64() > Some(0), "{looked}");
    let ping = shown["run_id"].as_str().expect("an id");

    let known = runs(&["--peer", peer]).json();
    let kinds: Vec<_> = list(&known, "known").iter().map(|of| of["kind"].as_str()).collect();
    for kind in ["visit", "ping", "lookup_request", "record_holder"] {
        assert!(kinds.contains(&Some(kind)), "{kind}: {known}");
    }
    assert_eq!(known["visits"][0]["reachable"], true);
    let nobody = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    assert_eq!(runs(&["--peer", nobody]).code, 5);

    let kept = |words: &[&str]| run(["store"].iter().chain(words).chain(&["--store", &store, "--json"]));
    assert_eq!(kept(&["check"]).json()["sound"], true);
    assert_eq!(kept(&["prune", "--keep-visits", "1h"]).json()["pruned_visits"], 0);
    assert_eq!(kept(&["backup", &copy]).code, 0);
    assert_eq!(kept(&["backup", &copy]).code, 3, "nothing is written over");
    let deleted = runs(&[ping, "--delete", "--yes"]);
    assert_eq!((deleted.code, &deleted.json()["deleted"]), (0, &ping.into()));
    assert_eq!(list(&runs(&[]).json(), "runs").len(), 3);
    let copied = run(["runs", "--store", &copy]);
    assert!(copied.code == 0 && copied.stdout.contains(ping), "{}", copied.stdout);
}

#[test]
fn a_summary_is_recounted_from_rows_and_a_damaged_one_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite").to_str().expect("UTF-8").to_owned();
    let testnet = Testnet::healthy(40);
    let bootstrap = testnet.bootstrap().join(",");
    let reach = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--store", &store];
    for words in [&["crawl", "--neighbors"][..], &["crawl"], &["ping", testnet.bootstrap()[0]]] {
        assert_eq!(run(words.iter().chain(&reach)).code, 0);
    }
    let recount = |words: &[&str]| run(["runs", "--recount", "--store", &store].iter().chain(words));
    assert_eq!(recount(&["latest"]).code, 2, "a ping has no such summary");
    let crawls = run(["crawls", "--store", &store, "--json"]).json();
    for crawl in list(&crawls, "crawls") {
        let id = crawl["crawl_id"].as_str().expect("an id");
        let said = recount(&[id, "--json"]);
        assert_eq!((said.code, list(&said.json(), "differences").len()), (0, 0), "{}", said.stdout);
        let summary = run(["crawls", id, "--store", &store, "--json"]).json();
        let rows = &said.json()["recounted"];
        assert!(summary["completeness"]["estimate"].is_object(), "{summary}");
        for field in ["completeness", "peers", "edges", "agents", "rtt_ms"] {
            assert_eq!(rows[field], summary[field], "{field}");
        }
    }
    let db = rusqlite::Connection::open(&store).expect("opened");
    let spoil =
        "UPDATE run SET summary = json_set(summary, '$.completeness.late_peers', 7, '$.peers.crawled', 1)
        WHERE id = (SELECT min(id) FROM run)";
    assert_eq!(db.execute(spoil, ()).expect("spoilt"), 1);
    let id = crawls["crawls"][0]["crawl_id"].as_str().expect("an id");
    let said = recount(&[id]);
    assert_eq!(said.code, 3);
    for name in ["completeness.late_peers", "peers.crawled"] {
        assert!(said.stdout.contains(name), "{}", said.stdout);
    }
    drop(db);
    // All visits are older than a moment: what they said cannot be recounted, the edges can.
    assert_eq!(run(["store", "prune", "--keep-visits", "1ms", "--store", &store]).code, 0);
    let said = recount(&[id, "--json"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    let said = said.json();
    let missing: Vec<_> = list(&said, "missing").iter().filter_map(Value::as_str).collect();
    assert!(missing.contains(&"completeness") && !missing.contains(&"edges"), "{missing:?}");
    assert_eq!(said["recounted"]["edges"], crawls["crawls"][0]["edges"]);
}
