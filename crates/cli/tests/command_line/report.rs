//! Reports on a network that another process runs, of crawls alone, and what is refused.

use std::fs;

use crate::program::{Testnet, run};

/// Sixty peers, a third of them down, whose agent tries to be more than text on a page.
const SCENARIO: &str = r#"
seed = 11
peers = 60

[[agents]]
name = "kubo/0.40.0/<script>alert(1)</script>"
share = 0.5

[[agents]]
name = "kubo/0.39.0/"
share = 0.5

[[states]]
state = "refusing"
share = 0.3333
"#;

#[test]
fn a_report_of_crawls_alone_says_what_is_true() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("sixty.toml");
    fs::write(&scenario, SCENARIO).expect("written");
    let place = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (store, out) = (place("a.sqlite"), place("out"));
    let testnet = Testnet::start(&scenario);
    let bootstrap = testnet.bootstrap().join(",");
    for _ in 0..2 {
        let crawl = ["crawl", "--addresses", "loopback", "--store", &store, "--bootstrap", &bootstrap];
        let ended = run(crawl);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    assert_eq!(testnet.end(), Some(0));

    let ended = run(["report", "--store", &store, "--out", &out, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = ended.json();
    assert_eq!(told["headline"]["monitors"], 0);
    let headline = &told["headline"];
    assert_eq!(
        (&headline["crawls"], &headline["peers"], &headline["seen_up"]),
        (&2.into(), &60.into(), &40.into())
    );
    let class = |name: &str| {
        let partition = told["classes"]["partition"].as_array().expect("a list");
        partition.iter().find(|one| one["class"] == name).expect("a class")["share"]["hits"].clone()
    };
    assert_eq!((class("online"), class("offline"), class("left")), (40.into(), 20.into(), 0.into()));
    assert_eq!(told["crawls"][1]["failures"], serde_json::json!([["connection_refused", 20]]));
    let file = |name: &str| fs::read_to_string(dir.path().join("out").join(name)).expect("a file");
    assert!(!file("index.html").contains("<script>alert") && file("README.md").contains("In numbers"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&file("report.json")).expect("JSON"), told);
    assert!(file("figures/crawl-overview.svg").starts_with("<svg"));

    // A week of long ago is a page that says so, in the place of the report that stood there.
    let long_ago = ["--from", "2020-01-01", "--to", "2020-01-08"];
    let ended = run(["report", "--store", &store, "--out", &out].into_iter().chain(long_ago));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(file("index.html").contains("Nobody looked at the network"));

    for (wrong, says) in [
        (&["--network", "another"][..], "there is: ipfs"),
        (&["--from", "2026-11-23"], "--to"),
        (&["--from", "2026-11-23", "--to", "2026-11-23"], "--from has to be before --to"),
        (&["--from", "yesterday", "--to", "2026-11-23"], "is no time"),
        (&["--period", "fortnight"], "day, week, month, all"),
        (&["--privacy", "pseudonymised"], "--key-file"),
    ] {
        let ended = run(["report", "--store", &store, "--out", &out].iter().chain(wrong));
        assert!(ended.code == 2 && ended.stderr.contains(says), "{wrong:?}: {}", ended.stderr);
    }
    fs::write(dir.path().join("out").join("thesis.tex"), "mine").expect("written");
    let ended = run(["report", "--store", &store, "--out", &out]);
    assert!(ended.code == 2 && ended.stderr.contains("thesis.tex"), "{}", ended.stderr);
    let missing = place("missing.sqlite");
    let ended = run(["report", "--store", &missing, "--out", &place("new")]);
    assert!(ended.code != 0 && ended.stderr.contains("there is no such file"), "{}", ended.stderr);
    assert!(!dir.path().join("new").exists(), "nothing was begun");
}
