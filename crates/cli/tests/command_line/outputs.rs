//! Files that a command writes never replace what it reads, nor what other programs wrote.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::program::{Testnet, run};

/// A store with one crawl.
fn crawled() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("kadscope.sqlite").to_str().expect("UTF-8").to_owned();
    let testnet = Testnet::healthy(20);
    let bootstrap = testnet.bootstrap().join(",");
    let ended = run(["crawl", "--addresses", "loopback", "--store", &store, "--bootstrap", &bootstrap]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    (dir, store)
}

fn path(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).to_str().expect("UTF-8").to_owned()
}

/// Asserts that a run is refused, and that a file stays as it was.
fn refused(args: &[&str], file: &str, text: &str) {
    let before = fs::read(file).ok();
    let ended = run(args);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{args:?}: {}", ended.stderr);
    assert!(ended.stderr.contains(text), "{args:?}: {}", ended.stderr);
    assert!(fs::read(file).ok() == before, "{args:?}: {file} was touched");
}

#[test]
fn an_export_replaces_neither_its_store_nor_its_key_nor_its_lists() {
    let (dir, store) = crawled();
    let [key, list, link, flags] = ["key", "list.txt", "soft", "export.flags"].map(|name| path(&dir, name));
    fs::write(&key, [7; 32]).expect("written");
    fs::write(&list, "192.0.2.1\n").expect("written");
    fs::write(&flags, "--privacy as-is\n").expect("written");
    std::os::unix::fs::symlink(&store, &link).expect("linked");
    let export = ["export", "--store", &store, "--out"];
    let with = |out: &str, rest: &[&str]| -> Vec<String> {
        export.iter().copied().chain([out]).chain(rest.iter().copied()).map(str::to_owned).collect()
    };
    let hidden = ["--privacy", "pseudonymised", "--key-file", &key];
    let at = format!("@{flags}");
    for (out, rest, text) in [
        (&store, &["--privacy", "as-is"][..], "that file is the store"),
        (&link, &["--privacy", "as-is", "--force"], "that file is the store"),
        (&format!("{store}-wal"), &["--privacy", "as-is"], "that file is the store"),
        (&key, &hidden, "that file is the key"),
        (&list, &["--privacy", "as-is", "--force", "--opt-out", &list], "that file is an opt-out list"),
        (&flags, &[&at, "--force"], "that file is a flags file"),
    ] {
        let args = with(out, rest);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        refused(&args, if out.ends_with("-wal") { &store } else { out }, text);
    }
    assert_eq!(run(["crawls", "--json", "--store", &store]).json()["crawls"][0]["peers"], 20);
}

#[test]
fn an_export_replaces_an_export_and_other_files_by_force() {
    let (dir, store) = crawled();
    let out = path(&dir, "letter.txt");
    let export = ["export", "--privacy", "as-is", "--store", &store, "--out", &out];
    fs::write(&out, "Dear reader").expect("written");
    refused(&export, &out, "--force replaces it");
    assert_eq!(run(export.into_iter().chain(["--force"])).code, 0);
    assert_eq!(run(export).code, 0, "it is an export now");
    assert!(fs::read_to_string(&out).expect("readable").starts_with("{\"row\":\"run\""));
}

#[test]
fn a_testnet_writes_its_truth_and_events_over_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let [scenario, file, note] = ["small.toml", "both.json", "note.txt"].map(|name| path(&dir, name));
    fs::write(&scenario, "peers = 20\n").expect("written");
    fs::write(&note, "buy milk").expect("written");
    let testnet = ["testnet", "--scenario", &scenario, "--until-eof"];
    let with =
        |rest: &[&str]| -> Vec<String> { testnet.iter().chain(rest).map(|&arg| arg.to_owned()).collect() };
    for (rest, touched, text) in [
        (&["--truth", &scenario][..], &scenario, "that file is the scenario"),
        (&["--events", &scenario, "--force"], &scenario, "that file is the scenario"),
        (&["--truth", &file, "--events", &file], &note, "that file is the truth"),
        (&["--truth", &note], &note, "--force replaces it"),
        (&["--events", &note], &note, "--force replaces it"),
    ] {
        let args = with(rest);
        refused(&args.iter().map(String::as_str).collect::<Vec<_>>(), touched, text);
    }
    let args = with(&["--truth", &note, "--force"]);
    assert_eq!(run(&args).code, 0);
    assert_eq!(run(with(&["--truth", &note])).code, 0, "it is a truth file now");
}

#[test]
fn the_truth_can_be_printed_behind_the_addresses() {
    let ended = run(["testnet", "--peers", "20", "--until-eof", "--truth", "-"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("/ip4/127."), "{}", lines[0]);
    let truth: serde_json::Value = serde_json::from_str(lines.last().expect("a line")).expect("JSON");
    assert_eq!(truth["peers"].as_array().map(Vec::len), Some(20));
    assert!(!Path::new("-").exists());
}

#[test]
fn a_crawl_makes_no_store_of_a_file_that_it_reads() {
    let dir = tempfile::tempdir().expect("a directory");
    let list = path(&dir, "nobody.db");
    fs::write(&list, "").expect("written");
    let args = [
        "crawl",
        "--addresses",
        "loopback",
        "--bootstrap",
        "/ip4/127.0.0.1/tcp/9/p2p/\
        12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        "--opt-out",
        &list,
        "--store",
        &list,
    ];
    refused(&args, &list, "that file is an opt-out list");
}
