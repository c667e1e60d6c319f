//! Lookups and pings of a network whose truth is known.

use std::{fs, path::Path};

use kad::{Key, PeerId};
use serde_json::Value;

use crate::program::{Ended, Testnet, run};

/// The digest of no content: a CID whose key is known to nobody.
const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

/// The multihash in it.
const MULTIHASH: &str = "1220c3c4733ec8affd06cf9e9ff50ffc6bcd2ec85a6170004bb709669c31de94391a";

fn network(testnet: &Testnet, words: &[&str]) -> Ended {
    let bootstrap = testnet.bootstrap().join(",");
    run(words.iter().copied().chain(["--addresses", "loopback", "--bootstrap", &bootstrap]))
}

/// The peers of a truth file that are online, the closest to a key first.
fn closest(truth: &Path, key: &Key) -> Vec<String> {
    let truth: Value = serde_json::from_str(&fs::read_to_string(truth).expect("a truth")).expect("JSON");
    let peers = truth["peers"].as_array().expect("a list").iter();
    let mut ids: Vec<PeerId> =
        peers.map(|peer| peer["id"].as_str().expect("an id").parse().expect("a peer id")).collect();
    ids.sort_by_key(|id| Key::of_peer(id).distance(key));
    ids.iter().map(PeerId::to_string).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let pair = |index| u8::from_str_radix(&text[index..index + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(pair).collect()
}

#[test]
fn the_closest_peers_are_those_of_the_truth_the_nearest_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let truth = dir.path().join("truth.json");
    let testnet = Testnet::with(&["--peers", "60", "--truth", truth.to_str().expect("UTF-8")]);
    let trace = dir.path().join("trace.ndjson");
    let words = ["lookup", "closest", CID, "--json", "--trace", trace.to_str().expect("UTF-8")];
    let ended = network(&testnet, &words);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let answer = ended.json();
    let rows = answer["closest"].as_array().expect("a list");
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["peer"].as_str()).collect();
    assert_eq!(ids, closest(&truth, &Key::of(&hex(MULTIHASH)))[..20]);
    for row in rows {
        assert_eq!((&row["answered"], row["agent"].is_string()), (&Value::Bool(true), true));
        assert!(!row["addresses"].as_array().expect("a list").is_empty());
    }
    for key in
        ["kind", "key", "found", "hops", "rpcs", "errors", "first_ms", "last_ms", "duration_s", "bytes"]
    {
        assert!(!answer[key].is_null(), "{key}");
    }
    let rpcs = &answer["rpcs"];
    let count = |key: &str| rpcs[key].as_u64().expect("a number");
    assert_eq!(
        count("sent"),
        count("answered") + count("unconfirmed") + count("cancelled") + count("failed")
    );
    let trace = fs::read_to_string(trace).expect("a trace");
    assert_eq!(trace.lines().count() as u64, count("sent") + count("unsent"));
    let answered = |line: &&str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        row["fate"] == "answered" && row["sent_ms"].is_number() && row["peers"].is_number()
    };
    assert_eq!(trace.lines().filter(answered).count() as u64, count("answered"));

    let few = network(&testnet, &["lookup", "closest", MULTIHASH, "--count", "3", "--json"]).json();
    assert_eq!(few["closest"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        few["closest"][0]["peer"], answer["closest"][0]["peer"],
        "every form of a key is the same key"
    );
}

#[test]
fn a_lookup_is_shown_hop_by_hop_and_ends_with_a_plain_answer() {
    let testnet = Testnet::healthy(60);
    let ended = network(&testnet, &["lookup", "providers", CID]);
    assert_eq!(ended.code, 5, "nobody provides it: {ended:?}");
    assert!(ended.stdout.contains("nobody says that it is provided"), "{}", ended.stdout);
    assert!(ended.stderr.starts_with("hop  asked"), "{}", ended.stderr);
    assert!(ended.stderr.lines().skip(1).any(|line| line.contains("(given)") && line.contains("peers")));
    assert!(ended.stderr.lines().all(|line| line.chars().count() <= 80), "{}", ended.stderr);

    let peer = testnet.bootstrap()[0].rsplit('/').next().expect("an id").to_owned();
    let found = network(&testnet, &["lookup", "peer", &peer]);
    assert_eq!(found.code, 0);
    assert!(found.stdout.contains(&format!("{peer} is at")) && found.stdout.contains("/ip4/127."));
}

#[test]
fn what_cannot_be_looked_up_is_2_and_a_network_that_is_silent_is_4() {
    let testnet = Testnet::healthy(20);
    for (words, said) in [
        (&["lookup", "closest", "hello"][..], "neither a CID"),
        (&["lookup", "value", CID], "only /ipns/NAME and /pk/ID have values"),
        (&["lookup", "providers", "/ipns/example.org"], "_dnslink"),
        (&["lookup", "peer", CID], "it names no peer"),
        (&["lookup", "closest", CID, "--until", "first"], "are for providers and values"),
        (&["lookup", "providers", CID, "--until", "count"], "needs --count"),
        (&["lookup", "closest", CID, "--rules", "fast"], "known are go, "),
        (&["ping", "nobody"], "no peer id"),
    ] {
        let ended = network(&testnet, words);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    let nobody =
        format!("/ip4/127.0.0.1/tcp/1/p2p/{}", testnet.bootstrap()[0].rsplit('/').next().expect("an id"));
    let ended = run(["lookup", "closest", CID, "--addresses", "loopback", "--bootstrap", &nobody]);
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("connection_refused"), "{}", ended.stderr);
}

#[test]
fn a_peer_is_looked_at_through_every_address() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("both.toml");
    fs::write(&scenario, "peers = 30\n[transports]\ntcp = 0\nboth = 1\n").expect("written");
    let testnet = Testnet::start(&scenario);
    let address = testnet.bootstrap()[0].to_owned();
    let peer = address.rsplit('/').next().expect("an id").to_owned();
    // By one address: the other is named by the peer itself.
    let ended = network(&testnet, &["ping", &address, "--json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let row = &ended.json()["peers"][0];
    assert_eq!((&row["reachable"], &row["server"]), (&Value::Bool(true), &Value::Bool(true)));
    let addresses = row["addresses"].as_array().expect("a list");
    let mut transports: Vec<&str> = addresses.iter().filter_map(|row| row["transport"].as_str()).collect();
    transports.sort_unstable();
    assert_eq!(transports, ["quic", "tcp"]);
    assert!(addresses.iter().all(|row| row["ping_ms"].is_number() && row["dial_ms"].is_number()));
    // By its id: the network says where it is.
    let by_id = network(&testnet, &["ping", &peer]);
    assert_eq!(by_id.code, 0);
    assert!(by_id.stdout.contains("reachable, a server of this network"), "{}", by_id.stdout);
    // Somebody else there, and nobody there.
    let others = testnet.bootstrap();
    let other = others.iter().filter_map(|other| other.rsplit('/').next()).find(|other| *other != peer);
    let other = other.expect("several peers to begin with").to_owned();
    let wrong = address.replace(&peer, &other);
    let ended = network(&testnet, &["ping", &wrong, "--json"]);
    assert_eq!(ended.code, 5);
    assert_eq!(ended.json()["peers"][0]["addresses"][0]["error"], "peer_id_mismatch");
}
