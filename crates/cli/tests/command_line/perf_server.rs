//! A server of publications and lookups as its users meet it: asked by HTTP, found in the register, told to end.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Ended, Running, Testnet, kadscope, run};

/// A server in a network of this machine, and where its API is.
pub(crate) struct Server {
    pub(crate) running: Running,
    at: String,
}

impl Server {
    fn start(testnet: &Testnet, more: &[&str]) -> Self {
        let first = testnet.bootstrap()[0].to_owned();
        Self::alone(&[&["--bootstrap", &first], more].concat())
    }

    /// One that is told by these options alone whom it asks. When this returns, it is ready.
    pub(crate) fn alone(more: &[&str]) -> Self {
        let args = [
            "perf",
            "server",
            "--fleet",
            "test",
            "--region",
            "here",
            "--listen",
            "127.0.0.1:0",
            "--addresses",
            "loopback",
            "--startup-delay",
            "100ms",
        ];
        let mut running = Running::start(&mut kadscope(args.iter().chain(more)));
        let said = running.await_stderr(|line| line.contains("the HTTP API is at http://"));
        let at = said.trim().rsplit("http://").next().expect("an address").to_owned();
        while run(["perf", "health", &at]).code != 0 {}
        Self { running, at }
    }

    pub(crate) fn ask(&self, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.at).expect("a connection");
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.at,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head").1).expect(&answer)
    }

    pub(crate) fn end(mut self) -> Ended {
        self.running.send(Signal::TERM);
        self.running.wait()
    }
}

#[test]
fn what_one_server_publishes_another_finds_and_both_stand_in_the_register() {
    let testnet = Testnet::healthy(40);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("perf.sqlite").display().to_string();
    let events = format!("file:{}", directory.path().join("events.ndjson").display());
    let publisher = Server::start(&testnet, &["--store", &path, "--events", &events]);
    let finder = Server::start(&testnet, &["--store", &path, "--connections", "cold"]);
    let provided = publisher.ask("/provide", r#"{"Content":"Z29sZA=="}"#);
    assert_eq!(provided["Measurements"][0]["Error"], "", "{provided}");
    assert_eq!(provided["Operation"]["strategy"], "default");
    let cid = provided["CID"].as_str().expect("a CID");
    let found = finder.ask(&format!("/retrieve/{cid}?id={}", "ab".repeat(16)), "{}");
    assert_eq!(
        (&found["Measurements"][0]["Error"], &found["Operation"]["policy"]),
        (&"".into(), &"cold".into()),
        "{found}"
    );
    assert_eq!(found["Operation"]["id"], "ab".repeat(16));
    assert_ne!(provided["Operation"]["id"], "00".repeat(16), "every operation has a name");
    assert_eq!(finder.end().code, 0);
    assert_eq!(publisher.end().code, 0);
    let store = rusqlite::Connection::open(&path).expect("the store");
    let read = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
    assert_eq!(read("SELECT count(*) FROM server WHERE fleet = 'test' AND offline_since_us IS NOT NULL"), 2);
    let told = std::fs::read_to_string(directory.path().join("events.ndjson")).expect("events");
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["EventType"], &told[0]["Fleet"], &told[0]["Region"]),
        (&"operation".into(), &"test".into(), &"here".into())
    );
}

#[test]
fn what_a_server_did_is_explained_from_its_own_rows_unless_whoever_asked_keeps_it() {
    let testnet = Testnet::healthy(30);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("perf.sqlite").display().to_string();
    let (compat, own) = (Server::start(&testnet, &["--store", &path, "--parsec-compat"]), "cd".repeat(16));
    let other = Server::start(&testnet, &["--store", &path]);
    let provided = compat.ask("/provide", r#"{"Content":"Z29sZA=="}"#);
    assert!(provided.get("Operation").is_none(), "{provided}");
    let cid = provided["CID"].as_str().expect("a CID");
    other.ask(&format!("/retrieve/{cid}?id={own}"), "{}");
    other.ask(&format!("/retrieve/{cid}?id={}&kept=1", "ef".repeat(16)), "{}");
    assert_eq!((compat.end().code, other.end().code), (0, 0));
    let explained = run(["perf", "explain", "--store", &path, "--slowest", "9", "--json"]).json();
    let mut kept = explained["operations"].as_array().expect("operations").clone();
    kept.sort_by_key(|one| one["operation"]["kind"].to_string());
    let kinds: Vec<_> = kept.iter().map(|one| &one["operation"]["kind"]).collect();
    assert_eq!(kinds, ["provide", "retrieve"], "{explained}");
    assert_eq!((&kept[0]["fleet"], &kept[0]["region"]), (&"test".into(), &"here".into()));
    assert!(!kept[0]["operation"]["requests"].as_array().expect("requests").is_empty(), "{explained}");
    assert_eq!(kept[1]["operation"]["id"], own);
    let store = rusqlite::Connection::open(&path).expect("the store");
    let read = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
    assert_eq!(read("SELECT count(*) FROM measurement"), 2);
    let own = "SELECT count(*) FROM measurement WHERE scheduler = 0 AND server > 0";
    assert_eq!(read(own), 2);
}

#[test]
fn with_parsec_compat_it_says_nothing_more_and_finds_its_own_at_home() {
    let testnet = Testnet::healthy(30);
    let server =
        Server::start(&testnet, &["--store", "none", "--parsec-compat", "--metrics-addr", "127.0.0.1:0"]);
    let provided = server.ask("/provide?deadline=x", "{}");
    let keys: Vec<&String> = provided.as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    let cid = provided["CID"].as_str().expect("a CID");
    let found = server.ask(&format!("/retrieve/{cid}"), "null");
    let took = found["Measurements"][0]["Duration"].as_u64().expect("a whole number");
    assert!(took < 1_000_000_000 && found["Measurements"][0]["Error"] == "", "{found}");
    let heard = server.running.heard();
    let at = heard.lines().find_map(|line| line.split_once("readiness are at http://")).expect("metrics").1;
    let mut stream = TcpStream::connect(at.trim()).expect("a connection");
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("asked");
    let shown = std::io::read_to_string(stream).expect("an answer");
    for line in [
        r#"parsec_http_requests_total{scheduler="",method="POST",path="provide"} 1"#,
        r#"kadscope_perf_operation_seconds_count{kind="retrieve",outcome="done"} 1"#,
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert_eq!(server.end().code, 0);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let testnet = Testnet::healthy(20);
    let first = testnet.bootstrap()[0].to_owned();
    let refused = |more: &[&str], said: &str| {
        let args = ["perf", "server", "--fleet", "x", "--addresses", "loopback", "--bootstrap", &first];
        let ended = run(args.iter().chain(more));
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    };
    refused(&["--listen", "0.0.0.0:0"], "--listen-open");
    refused(&["--routing", "fast"], "optprov");
    refused(&["--connections", "hot"], "fresh");
    refused(&["--listen", "127.0.0.1:0", "--ecs-metadata", "["], "ECS");
    refused(&["--listen", "127.0.0.1:0", "--ignore-peers", "/nowhere"], "/nowhere");
    refused(&["--badbits", "x"], "--events");
    let nowhere = ["--listen", "127.0.0.1:0", "--peer-announce", "/ip4/8.8.8.8/tcp/1"];
    refused(&nowhere, "which --peer-announce names");
    let nobody = run(["perf", "health", "[::1]:1", "--timeout", "2s"]);
    assert_eq!(nobody.code, 1, "{}", nobody.stderr);
}
