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
    let [crawl, peers, visits, in_degrees] =
        ["run", "peer", "visit", "in_degree"].map(|name| rows(&read(&out, &format!("{name}.ndjson"))));
    assert_eq!((crawl.len(), peers.len(), in_degrees.len()), (1, 40, 40));
    assert_eq!(fs::read_dir(&out).expect("a directory").count(), 4, "of other kinds there are no rows");
    assert_eq!((&crawl[0]["privacy"], &crawl[0]["peers"]), (&"as-is".into(), &40.into()));
    assert_eq!(crawl[0]["tool"], "crawl");
    assert!(crawl[0]["parameters"]["bootstrap"].is_null() && crawl[0]["parameters"]["seed"].is_u64());
    let visited: BTreeSet<&str> = visits.iter().filter_map(|visit| visit["peer_id"].as_str()).collect();
    let known: BTreeSet<&str> = peers.iter().filter_map(|peer| peer["peer_id"].as_str()).collect();
    assert_eq!(visited, known);
    let classes: BTreeSet<&str> = peers.iter().filter_map(|peer| peer["nat"].as_str()).collect();
    assert_eq!(classes, BTreeSet::from(["private_only", "relayed_only"]));
    let edges: usize = visits.iter().filter_map(|row| row["neighbors"].as_array()).map(Vec::len).sum();
    let stood: u64 = in_degrees.iter().filter_map(|row| row["tables"].as_u64()).sum();
    assert_eq!(stood, edges as u64);
    let named: BTreeSet<&str> = in_degrees.iter().filter_map(|row| row["named_peer_id"].as_str()).collect();
    assert_eq!(named, known);
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
        let of_kind = rows.iter().filter(|row| row["neighbors"].is_array());
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
    let visits = export(&store, &["--privacy", "as-is", "--rows", "visit", "--out", "-"]);
    let visits = rows(&visits.stdout);
    let reached: Vec<&Value> = visits.iter().filter(|visit| visit["reachable"] == true).collect();
    let peer = reached[0]["peer_id"].as_str().expect("an id");
    let place = reached[1]["connected"].as_u64().expect("a position");
    let (other, address) =
        (&reached[1]["peer_id"], &reached[1]["addresses"][usize::try_from(place).expect("small")]["address"]);
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
        (2, &["--out", "-", "--privacy", "as-is", "--format", "csv"], "--rows KIND"),
        (2, &["--out", "-", "--privacy", "as-is", "--rows", "visits"], "possible values: run, peer, visit"),
        (2, &["--out", "-", "--privacy", "as-is", "--without", "colour"], "no kind of rows"),
        (2, &["--out", "-", "--privacy", "as-is", "--tool", "monitor"], "no such run"),
        (2, &["--out", "-", "--privacy", "as-is", "--run", "may"], "`latest`"),
        (3, &["--out", "-", "--privacy", "as-is", "--run", "00000000000000000000000000000000"], "no run"),
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

/// The fields of each line of a table.
fn table(text: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| {
        let (mut fields, mut is_quoted) = (vec![String::new()], false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match (c, is_quoted) {
                ('"', true) if rest.next_if_eq(&'"').is_some() => fields.last_mut().expect("a field").push(c),
                ('"', _) => is_quoted = !is_quoted,
                (',', false) => fields.push(String::new()),
                (c, _) => fields.last_mut().expect("a field").push(c),
            }
        }
        fields
    };
    text.lines().map(fields).collect()
}

/// A CID.
const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

/// Two crawls, a ping and a publication in a store, and all rows of them as they are.
fn ran() -> (TempDir, String, Vec<Value>) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite").to_str().expect("UTF-8").to_owned();
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap().join(",");
    let address = testnet.bootstrap()[0];
    let reach = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--store", &store];
    let commands =
        [&["crawl"][..], &["ping", address], &["provide", CID, "--read-back"], &["crawl", "--neighbors"]];
    for words in commands {
        assert_eq!(run(words.iter().chain(&reach)).code, 0, "{words:?}");
    }
    let all = export(&store, &["--privacy", "as-is", "--out", "-", "--since", "1h"]);
    let all = rows(&all.stdout);
    (dir, store, all)
}

#[test]
fn rows_of_every_kind_and_of_many_runs_are_exported() {
    let (_dir, store, all) = ran();
    let of_kind = |kind: &str| all.iter().filter(|row| row["row"] == kind).count();
    assert_eq!((of_kind("run"), of_kind("visit")), (4, 40));
    for kind in ["peer", "ping", "lookup_request", "record_holder", "in_degree"] {
        assert!(of_kind(kind) > 0, "{kind}");
    }
    for (words, runs) in [
        (&["--tool", "crawl"][..], 2),
        (&["--tool", "crawl", "--run", "latest"], 1),
        (&["--tool", "ping", "--since", "1h"], 1),
        (&[], 1),
    ] {
        let args = [&["--privacy", "as-is", "--out", "-", "--rows", "run"][..], words].concat();
        assert_eq!(rows(&export(&store, &args).stdout).len(), runs, "{words:?}");
    }
    assert_eq!(
        export(&store, &["--privacy", "as-is", "--out", "-", "--until", "1h"]).code,
        2,
        "none is so old"
    );
}

#[test]
fn behind_a_veil_no_kind_of_rows_says_who_or_where_or_what_was_looked_up() {
    let (dir, store, all) = ran();
    let key = dir.path().join("key");
    fs::write(&key, [7; 32]).expect("written");
    let key = key.to_str().expect("UTF-8");
    let hidden =
        export(&store, &["--privacy", "pseudonymised", "--key-file", key, "--out", "-", "--since", "1h"]);
    assert_eq!(rows(&hidden.stdout).len(), all.len());
    let keys: BTreeSet<&str> = all.iter().filter_map(|row| row["key"].as_str()).collect();
    assert!(!keys.is_empty());
    for secret in keys.into_iter().chain(["12D3Koo", "/127.", "127.0", CID]) {
        assert!(!hidden.stdout.contains(secret), "{secret}");
    }
}

/// Whether a field of a table is what the object with the same row says under its heading; lists are not looked at.
fn says_the_same(object: &Value, heading: &str, field: &str) -> bool {
    match &object[heading] {
        Value::Null | Value::Array(_) | Value::Object(_) => true,
        Value::String(text) => text == field,
        other => {
            let text = other.to_string();
            text == field
        }
    }
}

#[test]
fn a_table_of_any_kind_says_what_its_lines_of_json_say() {
    let (dir, store, all) = ran();
    let out = dir.path().join("out");
    let to = format!("{}/", out.display());
    let csv =
        ["--privacy", "as-is", "--since", "1h", "--format", "csv", "--without", "neighbors", "--out", &to];
    assert_eq!(export(&store, &csv).code, 0);
    for kind in ["run", "peer", "visit", "ping", "lookup_request", "record_holder", "in_degree"] {
        let lines = table(&read(&out, &format!("{kind}.csv")));
        let objects: Vec<_> = all.iter().filter(|row| row["row"] == kind).collect();
        assert_eq!(lines.len(), objects.len() + 1, "{kind}");
        for (line, object) in lines[1..].iter().zip(objects) {
            assert_eq!(line.len(), lines[0].len(), "{kind}");
            for (heading, field) in lines[0].iter().zip(line) {
                assert!(says_the_same(object, heading, field), "{kind}.{heading}: {field} {object}");
            }
        }
        assert!(!lines[0].contains(&"neighbors".to_owned()), "{kind}");
    }
    let visits = table(&read(&out, "visit.csv"));
    let place = |heading: &str| visits[0].iter().position(|found| found == heading).expect("a column");
    let addresses: Value = serde_json::from_str(&visits[1][place("addresses")]).expect("JSON");
    assert!(addresses[0]["outcome"].is_string());
    assert!(visits[0].contains(&"connect_error_class".to_owned()));
    // An export is replaced by another, in either format.
    assert_eq!(export(&store, &csv).code, 0);
}
