//! A hydra as its users meet it: who its heads are, what survives a restart, what it hands out, and what is wrong with what was
//! asked for.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::Stdio,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, Running, Testnet, kadscope, run};

/// 32 bytes, and how they look in base64.
const SEED: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const TOKEN: &str = "0123456789abcdef0123";

/// On this machine, with nobody, and nothing kept.
const ALONE: [&str; 5] = ["hydra", "--addresses", "loopback", "--bootstrap", "none"];

fn dry(more: &[&str]) -> Ended {
    run(ALONE.iter().chain(&["--dry-run", "--json", "--state", "none"]).chain(more))
}

fn heads(object: &Value) -> Vec<(u64, String)> {
    let heads = object["heads"].as_array().expect("heads");
    let head = |head: &Value| {
        (head["index"].as_u64().expect("an index"), head["peer_id"].as_str().expect("an id").to_owned())
    };
    heads.iter().map(head).collect()
}

/// Asserts that a command line is refused, and why.
fn refused(ended: &Ended, said: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.contains(said), "no `{said}` in {}", ended.stderr);
}

#[test]
fn heads_of_disjoint_indices_in_two_processes_are_those_of_one() {
    let seed = ["-random-seed", SEED];
    let of = |more: &[&str]| heads(&dry(&[&seed[..], more].concat()).json());
    let (even, odd) = (of(&["--indices", "0..40:2"]), of(&["--indices", "1..40:2"]));
    let whole = of(&["-nheads", "40"]);
    let mut both: Vec<_> = odd.iter().chain(&even).cloned().collect();
    both.sort();
    assert_eq!(both, whole);
    assert_eq!(both.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(of(&["-nheads=5", "-id-offset=20"]), whole[20..25]);
    assert_eq!(of(&["--indices", "39,3"]), [whole[3].clone(), whole[39].clone()], "in the order of indices");
    assert_ne!(of(&["--heads", "5", "--choices", "16"]), whole[..5]);
}

#[test]
fn a_dry_run_says_ids_ports_and_addresses() {
    let shown =
        dry(&["-random-seed", SEED, "--heads", "2", "--port", "4001", "--listen", "127.0.0.1+::1"]).json();
    assert_eq!(shown["seed_fingerprint"].as_str().map(str::len), Some(16));
    assert_eq!(
        shown["heads"][1]["addrs"],
        serde_json::json!([
            "/ip4/127.0.0.1/tcp/4002",
            "/ip4/127.0.0.1/udp/4002/quic-v1",
            "/ip6/::1/tcp/4002",
            "/ip6/::1/udp/4002/quic-v1"
        ])
    );
    let dealt = dry(&["--heads", "3", "--port", "1000", "--listen", "127.0.0.1,127.0.0.2"]).json();
    let first = |index: usize| dealt["heads"][index]["addrs"][0].as_str().expect("an address").to_owned();
    assert_eq!(
        [first(0), first(1), first(2)],
        ["/ip4/127.0.0.1/tcp/1000", "/ip4/127.0.0.2/tcp/1001", "/ip4/127.0.0.1/tcp/1002"]
    );
    let text = run(ALONE.iter().chain(&["--dry-run", "-mem", "-random-seed", SEED]));
    assert_eq!(text.code, 0);
    let fingerprint = shown["seed_fingerprint"].as_str().expect("a fingerprint");
    assert!(text.stdout.contains(fingerprint) && text.stdout.contains("belly    memory"), "{}", text.stdout);
}

#[test]
fn a_dry_run_on_the_public_network_sends_nothing_and_writes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = kadscope(["hydra", "--dry-run", "--json", "--heads", "2"]);
    let ended: Ended =
        command.env("HOME", dir.path()).current_dir(dir.path()).output().expect("an end").into();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(heads(&ended.json()).len(), 2);
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

/// However a seed is said: from a file with what orchestrators add, stdin, a variable, the old flag and the old variable.
#[test]
fn the_seed_stands_in_no_output_however_it_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("seed");
    fs::write(&file, format!("{SEED}\r\n\0")).expect("written");
    let words: Vec<_> = ALONE.iter().chain(&["--dry-run", "--state", "none"]).copied().collect();
    let by_stdin = |more: &[&str]| {
        let mut child = kadscope(words.iter().chain(more).chain(&["--seed-file", "-"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("piped").write_all(SEED.as_bytes()).expect("written");
        Ended::from(child.wait_with_output().expect("an end"))
    };
    let by_variable = |name: &str, more: &[&str]| {
        Ended::from(kadscope(words.iter().chain(more)).env(name, SEED).output().expect("an end"))
    };
    let path = file.to_str().expect("UTF-8");
    let mut seen = BTreeSet::new();
    for json in [&["--json"][..], &[]] {
        for ended in [
            run(words.iter().chain(json).chain(&["--seed-file", path])),
            by_stdin(json),
            by_variable("KADSCOPE_HYDRA_SEED", json),
            by_variable("HYDRA_RANDOM_SEED", json),
            run(words.iter().chain(json).chain(&["-random-seed", SEED])),
        ] {
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            let hex = "000102030405060708090a0b0c0d0e0f";
            for output in [&ended.stdout, &ended.stderr] {
                assert!(!output.contains(&SEED[..12]) && !output.contains(hex), "{output}");
            }
            seen.insert(ended.stdout);
        }
    }
    assert_eq!(seen.len(), 2, "all of them are one seed: {seen:?}");
}

#[test]
fn a_seed_that_is_none_is_2_and_not_shown() {
    for (text, said) in [
        ("hunter2hunter2", "is not base64"),
        ("aHVudGVyMg==", "the seed has 7 bytes; it should have 32"),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "is not base64"),
    ] {
        let by_variable = |name: &str| {
            let mut command = kadscope(ALONE.iter().chain(&["--dry-run"]));
            Ended::from(command.env(name, text).output().expect("an end"))
        };
        for ended in [
            dry(&["-random-seed", text]),
            by_variable("KADSCOPE_HYDRA_SEED"),
            by_variable("HYDRA_RANDOM_SEED"),
        ] {
            refused(&ended, said);
            assert!(!ended.stderr.contains(text), "{}", ended.stderr);
        }
    }
    refused(&dry(&["--seed-file", "/nonexistent/seed"]), "cannot read the seed /nonexistent/seed");
}

#[test]
fn what_cannot_be_is_2_and_says_what_to_write() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("CURRENT"), "MANIFEST-000001\n").expect("written");
    let old = dir.path().to_str().expect("UTF-8");
    for (words, said) in [
        (&["--heads", "0"][..], "1..=65535"),
        (&["-nheads=0"], "a hydra has at least one head"),
        (&["-nheads=-1"], "a hydra has at least one head"),
        (&["--indices", "0..0"], "`0..0` is empty"),
        (&["--indices", "1", "--heads", "2"], "cannot be used with"),
        (&["--indices", "99999999"], "is too high"),
        (&["--offset", "9999999", "--heads", "2"], "index 10000000 is too high"),
        (&["--choices", "0"], "write a whole number from 1 to 256"),
        (&["--port", "65535", "--heads", "3"], "would need ports up to 65537"),
        (&["-port-begin=65535", "-nheads=3"], "would need ports up to 65537"),
        (&["--listen", "localhost"], "no IP address and no multiaddress"),
        (&["--announce", "8.8.8.8", "--port", "1"], "nobody in this network would dial"),
        (&["--announce", "127.0.0.1"], "say by --port which they are"),
        (&["--belly", "mysql://x"], "names no belly"),
        (&["-db", old], "holds a LevelDB of hydra-booster, which is not read"),
        (&["--ui", "fancy"], "possible values: logey, gooey, none"),
        (&["--lease", "http://127.0.0.1:1", "--name", "a"], "--lease needs the seed"),
        (&["--lease", "http://127.0.0.1:1", "-random-seed", SEED], "--lease needs --name"),
        (&["--idgen", "ftp://x"], "it begins with http:// or https://"),
        (&["--idgen", "http://127.0.0.1:1"], "--dry-run asks nobody"),
        (&["--idgen", "http://127.0.0.1:1", "--offset", "3"], "--heads says how many"),
        (&["-idgen-addr=http://127.0.0.1:1", "-random-seed", SEED], "should not be set both"),
    ] {
        refused(&dry(words), said);
    }
    let mistyped = run(["hydra", "--dry-run", "--addresses", "loopback", "-bootstrap-peers=nonsense"]);
    refused(&mistyped, "It was said by -bootstrap-peers, which became: --bootstrap");
    let mut command = kadscope(ALONE.iter().chain(&["--idgen", "http://127.0.0.1:1", "--seed-file", "-"]));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(SEED.as_bytes()).expect("written");
    refused(&child.wait_with_output().expect("an end").into(), "--idgen and a seed should not be set both");
}

#[test]
fn the_peers_of_one_network_are_not_dialled_for_another_ones_protocol() {
    let ended = run(["hydra", "--dry-run", "-protocol-prefix", "/mine", "--addresses", "loopback"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("nobody is known of this protocol's network"), "{}", ended.stderr);
    let own = run(["hydra", "--dry-run", "-protocol-prefix", "/ipfs", "--addresses", "loopback"]);
    refused(&own, "none of the bootstrap addresses may be dialled");
}

#[test]
fn what_became_of_an_old_flag_is_said_in_a_line() {
    let ended = dry(&["-enable-relay", "-rcmgr-limits", "limits.json", "-disable-prov-gc=false"]);
    assert_eq!(ended.code, 0);
    let lines: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with('-')).collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    assert!(lines[0].starts_with("-enable-relay: not used"), "{}", lines[0]);
}

/// A hydra that lives, and what it said of itself.
fn living(dir: &Path, more: &[&str]) -> (Running, Value) {
    living_over(dir, &[&["--belly", "memory"], more].concat())
}

/// The same with a belly of its own.
fn living_over(dir: &Path, more: &[&str]) -> (Running, Value) {
    let words = ["hydra", "--addresses", "loopback", "--json", "--metrics-addr", "127.0.0.1:0"];
    let out = dir.join("out.json");
    let mut command = kadscope(words.iter().chain(more));
    command.env("HOME", dir);
    let mut hydra = Running::start_into(&mut command, &out);
    hydra.await_stderr(|line| line.contains("metrics, health"));
    let said = hydra.await_line(&out);
    (hydra, serde_json::from_str(&said).expect("an object"))
}

fn ended(mut hydra: Running) {
    hydra.send(Signal::TERM);
    let ended = hydra.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn ids_ports_and_known_peers_survive_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let testnet = Testnet::healthy(30);
    let bootstrap = testnet.bootstrap().join(",");
    let (mut hydra, first) = living(dir.path(), &["--heads", "3", "--bootstrap", &bootstrap]);
    let url =
        hydra.heard().lines().find_map(|line| line.split("http://").nth(1)).expect("a URL").trim().to_owned();
    while run(["health", &format!("{url}/ready")]).code != 0 {
        std::thread::yield_now();
    }
    hydra.send(Signal::TERM);
    assert_eq!(hydra.wait().code, 0);
    let state = dir.path().join(".local/state/kadscope/hydra");
    let peers: Value =
        serde_json::from_str(&fs::read_to_string(state.join("peers.json")).expect("peers")).expect("JSON");
    assert!(peers.as_array().is_some_and(|peers| !peers.is_empty()), "{peers}");
    let (hydra, second) = living(dir.path(), &["--heads", "3", "--bootstrap", "none"]);
    assert_eq!(first, second, "the same ids at the same ports");
    ended(hydra);
    let (hydra, more) = living(dir.path(), &["--heads", "4", "--bootstrap", "none"]);
    assert_eq!(heads(&more)[..3], heads(&first)[..]);
    ended(hydra);
}

#[test]
fn a_directory_is_one_hydras_and_a_damaged_file_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (hydra, _) = living(dir.path(), &["--bootstrap", "none"]);
    let live = |more: &[&str]| {
        let mut command = kadscope(ALONE.iter().chain(&["--belly", "memory"]).chain(more));
        Ended::from(command.env("HOME", dir.path()).output().expect("an end"))
    };
    refused(&live(&[]), "another hydra uses the state directory");
    ended(hydra);
    let file = dir.path().join(".local/state/kadscope/hydra/heads.json");
    fs::write(&file, "{\"version\":1,\"heads\":[{\"index\":0,\"peer\":\"x").expect("written");
    for more in [&[][..], &["--dry-run"]] {
        refused(&live(more), "heads.json is damaged (line 1, column");
        refused(&live(more), "put a copy of it back");
    }
    let mut command = kadscope(ALONE.iter().chain(&["--belly", "memory"]));
    refused(
        &command.output().expect("an end").into(),
        "there is no home directory to keep the heads' keys in",
    );
}

#[test]
fn ids_are_handed_out_over_the_old_wire_and_come_back_at_the_end() {
    let (dir, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (seed, token) = (dir.path().join("seed"), dir.path().join("token"));
    fs::write(&seed, SEED).expect("written");
    fs::write(&token, TOKEN).expect("written");
    let (seed, token) = (seed.to_str().expect("UTF-8"), token.to_str().expect("UTF-8"));
    let api = ["-httpapi-addr", "127.0.0.1:0", "--api-token-file", token];
    let words = [&["--bootstrap", "none", "--seed-file", seed, "-nheads=2"], &api[..]].concat();
    let (mut server, _) = living(dir.path(), &words);
    let line = server.await_stderr(|line| line.contains("the HTTP API is at"));
    let url = format!("http://{}", line.split("http://").nth(1).expect("a URL").trim());
    let sequence = heads(&dry(&["--seed-file", seed, "--heads", "6"]).json());
    let by_index = |heads: Vec<(u64, String)>| heads.into_iter().map(|(_, id)| id).collect::<Vec<_>>();

    let refused_without =
        kadscope(ALONE.iter().chain(&["-idgen-addr", &url, "--state", "none", "--belly", "memory"]));
    let without = Ended::from({ refused_without }.output().expect("an end"));
    assert!(
        without.code == 4 && without.stderr.contains("refused to hand out a key: status 401"),
        "{without:?}"
    );

    let keys = [
        "--bootstrap",
        "none",
        "--state",
        "none",
        "-nheads=2",
        "-idgen-addr",
        &url,
        "--idgen-token-file",
        token,
    ];
    let lease = [
        &["--bootstrap", "none", "--state", "none", "--heads", "2", "--lease", &url, "--name", "west"][..],
        &["--idgen-token-file", token, "--seed-file", seed],
    ]
    .concat();
    for _ in 0..2 {
        let (client, said) = living(other.path(), &keys);
        assert_eq!(by_index(heads(&said)), by_index(sequence[2..4].to_vec()), "of the server's own sequence");
        let (leased, said) = living(dir.path(), &lease);
        assert_eq!(heads(&said), sequence[4..6], "beside those that are out");
        ended(client);
        ended(leased);
    }
    ended(server);
}

#[test]
fn a_hydra_is_a_run_without_its_secrets() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let store = store.to_str().expect("UTF-8");
    let words =
        ["--bootstrap", "none", "--state", "none", "-random-seed", SEED, "--store", store, "-nheads", "2"];
    let (hydra, _) = living(dir.path(), &words);
    ended(hydra);
    let ended = run(["runs", "latest", "--json", "--store", store]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let shown = ended.json();
    assert!(
        ended.stdout.contains("\"hydra\"") && ended.stdout.contains("\"connections_per_head\""),
        "{shown}"
    );
    assert!(!ended.stdout.contains(&SEED[..12]), "{shown}");
}

const CID: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

/// Where the first head is, with its id.
fn first_head(said: &Value) -> String {
    let head = &said["heads"][0];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    format!("{}/p2p/{}", text(&head["addrs"][0]), text(&head["peer_id"]))
}

/// Who provides the content, by a lookup that begins at the first head.
fn providers(said: &Value) -> Vec<Value> {
    let at = first_head(said);
    let found = run(["lookup", "providers", CID, "--json", "--addresses", "loopback", "--bootstrap", &at]);
    found.json()["found"].as_array().expect("a list").clone()
}

#[test]
fn a_record_survives_that_its_hydra_is_told_to_end_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let belly = dir.path().join("belly.sqlite");
    let words = ["--bootstrap", "none", "--heads", "3", "--belly", belly.to_str().expect("UTF-8")];
    let (hydra, said) = living_over(dir.path(), &words);
    let at = first_head(&said);
    let published = run(["provide", CID, "--json", "--addresses", "loopback", "--bootstrap", &at]);
    assert_eq!(published.code, 0, "{}", published.stderr);
    let provider = published.json()["provider"].clone();
    ended(hydra);
    let (hydra, said) = living_over(dir.path(), &words);
    let found = providers(&said);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["peer"], provider);
    ended(hydra);
}

/// A service of delegated routing that knows one provider, for so many requests.
fn service(requests: usize) -> String {
    const PROVIDER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.expect("a connection");
            let mut head = BufReader::new(stream.try_clone().expect("a socket")).lines();
            let asked = head.next().expect("a line").expect("a line");
            assert!(asked.starts_with("GET /routing/v1/providers/b"), "{asked}");
            for line in head {
                if line.expect("a line").is_empty() {
                    break;
                }
            }
            let body = format!(
                r#"{{"Providers":[{{"Schema":"peer","ID":"{PROVIDER}","Addrs":["/ip4/127.0.0.1/tcp/4001"],"Protocols":["transport-bitswap"]}}]}}"#
            );
            let length = body.len();
            let kind = "application/json";
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).expect("written");
        }
    });
    url
}

#[test]
fn a_service_of_delegated_routing_is_asked_when_the_belly_has_nobody_and_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = service(1);
    let words = ["--bootstrap", "none", "--heads", "2", "--no-prefetch", "-provider-store", &url];
    let (hydra, said) = living(dir.path(), &words);
    for _ in 0..2 {
        let found = providers(&said);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["peer"], "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
    }
    ended(hydra);
}

/// What a listener answers, with the head of it.
fn get(url: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("sent");
    std::io::read_to_string(stream).expect("an answer")
}

#[test]
fn the_api_and_the_metrics_are_where_old_flags_ask_for_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let words = ["--bootstrap", "none", "-nheads=2", "-name=west", "-httpapi-addr", "127.0.0.1:0"];
    let (mut hydra, said) = living(dir.path(), &words);
    let line = hydra.await_stderr(|line| line.contains("the HTTP API is at"));
    let url_in = |line: &str| line.split("http://").nth(1).expect("a URL").trim().to_owned();
    let (api, metrics) = (url_in(&line), url_in(hydra.heard().lines().next().expect("a line")));
    let listed = get(&api, "/heads");
    assert!(listed.starts_with("HTTP/1.0 200 ") && listed.contains("application/x-ndjson"), "{listed}");
    for (_, id) in heads(&said) {
        assert!(listed.contains(&format!("{{\"ID\":\"{id}\",\"Addrs\":[\"/ip4/127.0.0.1/tcp/")), "{listed}");
    }
    // Both show the same of them, and the API is at one of the two alone.
    for url in [&api, &metrics] {
        let shown = get(url, "/metrics");
        assert!(shown.contains("\nhydrabooster_heads{name=\"west\"} 2\n"), "{shown}");
        assert!(
            shown.contains("\nkadscope_hydra_heads 2\n") && shown.contains("\nprocess_open_fds "),
            "{shown}"
        );
    }
    assert!(get(&metrics, "/heads").starts_with("HTTP/1.0 404 "));
    ended(hydra);
}

#[test]
fn a_page_is_a_status_line_where_there_is_no_terminal() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut hydra, _) = living(dir.path(), &["--bootstrap", "none", "-ui-theme=gooey"]);
    let line = hydra.await_stderr(|line| line.starts_with('['));
    assert!(line.starts_with("[NumHeads: 1, Uptime: 5s, MemoryUsage: "), "{line}");
    assert!(!hydra.heard().contains('\x1b'), "{}", hydra.heard());
    ended(hydra);
}
