//! Rows for others: complete, at each level of privacy, without those who opted out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read as _,
    path::Path,
    process::Stdio,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, Testnet, kadscope, run};

/// Peers of every kind: some refuse, some have private or relayed addresses only.
const SCENARIO: &str = "seed = 5\npeers = 40\n\n[[states]]\nstate = \"refusing\"\nshare = 0.1\n\n\
    [[states]]\nstate = \"relayed_only\"\nshare = 0.1\n\n[[states]]\nstate = \"private_only\"\nshare = 0.1\n";

/// A crawl in a store.
fn crawled() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("lab.scenario.toml");
    fs::write(&scenario, SCENARIO).expect("written");
    let testnet = Testnet::start(&scenario);
    let store = dir.path().join("a.sqlite").to_str().expect("UTF-8").to_owned();
    let bootstrap = testnet.bootstrap().join(",");
    let args =
        ["crawl", "--addresses", "loopback", "--neighbors", "--store", &store, "--bootstrap", &bootstrap];
    assert_eq!(run(args).code, 0);
    (dir, store)
}

fn export(store: &str, args: &[&str]) -> Ended {
    run(["export", "--store", store].iter().chain(args))
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).expect("a file")
}

#[test]
fn everything_is_exported_as_it_is() {
    let (dir, store) = crawled();
    let out = dir.path().join("out");
    let ended = export(&store, &["--privacy", "as-is", "--out", &format!("{}/", out.display())]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    let [crawl, peers, visits, neighbors] =
        ["crawl", "peers", "visits", "neighbors"].map(|name| rows(&read(&out, &format!("{name}.ndjson"))));
    assert_eq!((crawl.len(), peers.len()), (1, 40));
    assert_eq!((&crawl[0]["privacy"], &crawl[0]["peers"]), (&"as-is".into(), &40.into()));
    assert!(crawl[0]["parameters"]["bootstrap"].is_null() && crawl[0]["parameters"]["seed"].is_u64());
    let visited: BTreeSet<&str> = visits.iter().filter_map(|visit| visit["peer_id"].as_str()).collect();
    let known: BTreeSet<&str> = peers.iter().filter_map(|peer| peer["peer_id"].as_str()).collect();
    assert_eq!(visited, known);
    let classes: BTreeSet<&str> = peers.iter().filter_map(|peer| peer["nat"].as_str()).collect();
    assert_eq!(classes, BTreeSet::from(["private_only", "relayed_only"]));
    let edges: usize = neighbors.iter().map(|row| row["neighbors"].as_array().expect("a list").len()).sum();
    let listed = run(["crawls", "--json", "--store", &store]).json();
    assert_eq!(listed["crawls"][0]["edges_kept"], edges);
    let reachable = peers.iter().filter(|peer| peer["reachable"] == true).count();
    assert_eq!(listed["crawls"][0]["reachable"], reachable);
}

/// Every text in a row, at any depth.
fn texts<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, all)),
        _ => {}
    }
}

#[test]
fn no_identifier_of_the_crawl_is_left_behind_a_veil() {
    let (dir, store) = crawled();
    let open = export(&store, &["--privacy", "as-is", "--out", "-"]);
    let mut peers = BTreeSet::new();
    let mut ips = BTreeSet::new();
    for row in rows(&open.stdout) {
        let mut all = Vec::new();
        texts(&row, &mut all);
        for text in all {
            let parts: Vec<&str> = text.split('/').collect();
            peers
                .extend(parts.iter().filter(|part| part.starts_with("12D3Koo")).map(|&peer| peer.to_owned()));
            ips.extend(parts.windows(2).filter(|pair| pair[0] == "ip4").map(|pair| pair[1].to_owned()));
        }
    }
    assert!(peers.len() >= 40 && ips.len() >= 36, "{} {}", peers.len(), ips.len());

    let key = dir.path().join("key");
    fs::write(&key, [7; 32]).expect("written");
    let key = key.to_str().expect("UTF-8");
    let hidden = export(&store, &["--privacy", "pseudonymised", "--key-file", key, "--out", "-"]);
    assert_eq!(hidden.code, 0, "{}", hidden.stderr);
    let found = |text: &str, secret: &String| text.contains(secret.as_str());
    assert!(!peers.iter().chain(&ips).any(|secret| found(&hidden.stdout, secret)));
    let is_port = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    assert!(!hidden.stdout.split("/tcp/").skip(1).any(is_port), "no ports");
    let again = export(&store, &["--privacy", "pseudonymised", "--key-file", key, "--out", "-"]);
    assert_eq!(hidden.stdout, again.stdout, "the same key, the same pseudonyms");

    // Pseudonyms join as the ids do.
    let degrees = |rows: &[Value]| {
        let of_kind = rows.iter().filter(|row| row["row"] == "neighbors");
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for name in of_kind.flat_map(|row| row["neighbors"].as_array().expect("a list")) {
            *count.entry(name.to_string()).or_default() += 1;
        }
        let mut counts: Vec<usize> = count.into_values().collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!(degrees(&rows(&open.stdout)), degrees(&rows(&hidden.stdout)));

    let without = export(&store, &["--privacy", "without-ips", "--out", "-"]);
    assert!(!ips.iter().any(|secret| found(&without.stdout, secret)));
    assert!(without.stdout.contains("\"/ip4/tcp\"") && without.stdout.contains("12D3Koo"));
}

#[test]
fn who_opted_out_since_is_not_in_any_row() {
    let (dir, store) = crawled();
    let visits = export(&store, &["--privacy", "as-is", "--what", "visits", "--out", "-"]);
    let visits = rows(&visits.stdout);
    let reached: Vec<&Value> = visits.iter().filter(|visit| visit["reachable"] == true).collect();
    let peer = reached[0]["peer_id"].as_str().expect("an id");
    let (other, address) = (&reached[1]["peer_id"], &reached[1]["connection"]["address"]);
    let other = other.as_str().expect("an id");
    let ip = address.as_str().and_then(|address| address.split('/').nth(2)).expect("an IP address");
    let list = dir.path().join("list.txt");
    fs::write(&list, format!("{peer}\n{ip}\n")).expect("written");
    let list = list.to_str().expect("UTF-8");
    let ended = export(&store, &["--privacy", "as-is", "--out", "-", "--opt-out", list]);
    for secret in [peer, other, &format!("/ip4/{ip}/")] {
        assert!(!ended.stdout.contains(secret), "{secret}");
    }
    assert!(ended.stderr.contains("2 peers were left out"), "{}", ended.stderr);
    assert_eq!(rows(&ended.stdout)[0]["peers_left_out"], 2);
}

#[test]
fn what_cannot_be_exported_is_said() {
    let (dir, store) = crawled();
    let short = dir.path().join("short");
    fs::write(&short, "guess me").expect("written");
    let short = short.to_str().expect("UTF-8");
    for (code, args, text) in [
        (2, &["--out", "-"][..], "--privacy"),
        (2, &["--out", "-", "--privacy", "pseudonymised"], "--key-file"),
        (2, &["--out", "-", "--privacy", "pseudonymised", "--key-file", short], "8 bytes"),
        (2, &["--out", "-", "--privacy", "pseudonymised", "--key-file", "/nonexistent"], "openssl rand"),
        (2, &["--out", "/nonexistent/a", "--privacy", "as-is"], "cannot write to /nonexistent/a"),
        (2, &["--out", "-", "--privacy", "as-is", "--crawl", "may"], "`latest`"),
        (3, &["--out", "-", "--privacy", "as-is", "--crawl", "00000000000000000000000000000000"], "no run"),
    ] {
        let ended = export(&store, args);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{args:?}");
        assert!(ended.stderr.contains(text), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn who_stops_reading_an_export_gets_no_error() {
    let (_dir, store) = crawled();
    let mut command = kadscope(["export", "--store", &store, "--privacy", "as-is", "--out", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut first = [0; 1];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("a byte");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
}
