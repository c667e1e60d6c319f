//! Networks by name and from files.

use std::fs;

use serde_json::Value;

use crate::program::{Testnet, run};

#[test]
fn the_presets_are_listed_with_where_they_are_from() {
    let ended = run(["networks"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for part in ["ipfs (amino)", "6 bootstrap peers", "/ipfs/kad/1.0.0", "ipfs/boxo", "read on 2026-11-21"] {
        assert!(ended.stdout.contains(part), "no `{part}` in {}", ended.stdout);
    }
    let listed = run(["networks", "--json"]).json();
    let networks = listed["networks"].as_array().expect("a list");
    assert!(networks.len() >= 16);
    assert!(networks.iter().all(|network| network["bootstrap_peers"].as_u64() > Some(0)));
}

#[test]
fn a_preset_can_be_saved_edited_and_checked() {
    let dir = tempfile::tempdir().expect("a directory");
    let shown = run(["networks", "amino"]);
    assert!(shown.code == 0 && shown.stdout.starts_with("# Kubo's defaults."), "{}", shown.stdout);
    let file = dir.path().join("mine.toml");
    let path = file.to_str().expect("UTF-8");
    fs::write(&file, shown.stdout.replace("\"ipfs\"", "\"mine\"")).expect("written");
    let verdict = run(["networks", path]);
    assert_eq!((verdict.code, verdict.stderr.as_str()), (0, ""));
    assert!(verdict.stdout.contains("is right: `kadscope crawl --network` takes it"), "{}", verdict.stdout);
    assert!(verdict.stdout.contains("mine (amino)  6 bootstrap peers"), "{}", verdict.stdout);
    let mine = run(["networks", path, "--json"]).json();
    assert_eq!((&mine["name"], &mine["bootstrap_peers"]), (&Value::from("mine"), &Value::from(6)));
}

#[test]
fn a_wrong_file_is_2_and_the_line_is_shown() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("wrong.toml");
    fs::write(&file, "name = \"lab\"\nprotocol = \"/lab/kad\"\n").expect("written");
    for args in [&["crawl", "--store", "none", "--addresses", "loopback", "--network"][..], &["networks"]] {
        let ended = run(args.iter().copied().chain([file.to_str().expect("UTF-8")]));
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
        let error = ended.stderr.replace(dir.path().to_str().expect("UTF-8"), "DIR");
        insta::assert_snapshot!("unknown_key", error);
    }
    fs::write(
        &file,
        "name = \"lab\"\nprotocols = [\"/lab/kad\"]\nbootstrap = [\n  \"/ip4/127.0.0.1/tcp/1\",\n]\n",
    )
    .expect("written");
    let ended = run(["crawl", "--addresses", "loopback", "--network", file.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.stderr.replace(dir.path().to_str().expect("UTF-8"), "DIR"));
    let unknown = run(["crawl", "--addresses", "loopback", "--network", "nowhere"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("known are ipfs, filecoin"), "{}", unknown.stderr);
}

#[test]
fn what_a_crawl_would_refuse_is_refused_here() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("own.toml");
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let text = format!(
        "name = \"own\"\nprotocols = [\"/own\"]\nbootstrap = [\"/ip4/127.0.0.1/tcp/1/p2p/{peer}\"]\n"
    );
    fs::write(&file, text).expect("written");
    let path = file.to_str().expect("UTF-8");
    let [checked, crawled] = [run(["networks", path]), run(["crawl", "--store", "none", "--network", path])];
    assert_eq!((checked.code, checked.stderr), (2, crawled.stderr.replace(CONTACT, "")));
}

/// What a crawl of public addresses says as well.
const CONTACT: &str =
    "who sees this crawl cannot ask anybody about it; --contact EMAIL|URL tells them whom to ask\n";

/// Peers that speak the second name only are found all the same.
#[test]
fn a_network_of_ones_own_is_crawled_from_its_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let testnet = Testnet::healthy(40);
    let file = dir.path().join("lab.toml");
    fs::write(&file, testnet.network_file("[\"/lab/kad\", \"/ipfs/kad/1.0.0\"]")).expect("written");
    let args = ["crawl", "--json", "--store", "none", "--network", file.to_str().expect("UTF-8")];
    let crawled = run(args).json();
    assert_eq!((&crawled["network"], &crawled["state"]), (&Value::from("lab"), &Value::from("succeeded")));
    assert_eq!((&crawled["peers"]["crawled"], &crawled["requests"]["failed"]), (&40.into(), &0.into()));

    let other = run(args.into_iter().chain(["--protocol", "/other/kad", "--network-name", "renamed"])).json();
    assert_eq!((&other["network"], &other["peers"]["crawled"]), (&Value::from("renamed"), &Value::from(0)));
}
