//! Signals in every phase of every command: each ends in the time that it has, by a code that is documented, and leaves a store
//! that is whole.

use std::{
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    program::{Running, SlowCrawl, Testnet, kadscope, run},
    signals::hold_for_writing,
    watching::ask,
};

const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

/// Less than a store is waited for that somebody else holds: who ends within it did not wait for that.
const PROMPT: Duration = Duration::from_secs(25);

/// A directory, and the path of a store in it.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    (dir, store)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[track_caller]
fn assert_whole(store: &Path) {
    let checked = run(["store", "check", "--store", text(store)]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}

/// A peer that takes connections and says nothing, so that whoever begins with it waits for an hour.
struct SilentPeer {
    _listener: TcpListener,
    address: String,
}

impl SilentPeer {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("an address").port();
        let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
        Self { _listener: listener, address: format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}") }
    }
}

/// Each command that asks peers, with what it needs to do so.
const ASKING: [&[&str]; 4] = [
    &["crawl"],
    &["lookup", "closest", CID],
    &["provide", CID],
    &["ping", "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"],
];

/// A command that keeps its rows in a store and begins with such a peer, once it hears signals.
fn asking(command: &[&str], bootstrap: &str, store: &Path) -> Running {
    let options = ["--addresses", "loopback", "--dial-timeout", "1h", "--bootstrap", bootstrap];
    let words = command.iter().copied().chain(options).chain(["--store", text(store)]);
    let mut running = Running::start(&mut kadscope(words));
    running.await_hearing();
    running
}

#[test]
fn who_still_waits_for_the_first_peer_ends_at_once_and_the_run_is_cancelled() {
    let silent = SilentPeer::new();
    for command in ASKING {
        for signal in [Signal::TERM, Signal::HUP] {
            let (_dir, store) = place();
            let mut running = asking(command, &silent.address, &store);
            // The run stands in the store once it has begun.
            let state = || {
                let listed = run(["runs", "--json", "--store", text(&store)]);
                serde_json::from_str::<serde_json::Value>(&listed.stdout)
                    .map(|listed| listed["runs"][0]["state"].clone())
                    .unwrap_or_default()
            };
            while state() != "running" {}
            let told = Instant::now();
            running.send(signal);
            let ended = running.wait();
            assert_eq!(ended.code, 130, "{command:?}: {}", ended.stderr);
            assert!(told.elapsed() < PROMPT, "{command:?}: {:?}", told.elapsed());
            assert_eq!(state(), "cancelled", "{command:?}");
            assert_whole(&store);
        }
    }
}

/// A store in which another program is in the middle of a transaction.
fn held_store(store: &Path) -> Connection {
    let made = run([
        "crawl",
        "--addresses",
        "loopback",
        "--store",
        text(store),
        "--bootstrap",
        &SilentPeer::new().address,
    ]);
    assert_eq!(made.code, 4, "{}", made.stderr);
    let other = Connection::open(store).expect("open");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    other
}

#[test]
fn who_waits_for_a_store_to_begin_ends_at_once_and_has_begun_nothing() {
    let silent = SilentPeer::new();
    for command in ASKING {
        let (_dir, store) = place();
        let held = held_store(&store);
        let mut running = asking(command, &silent.address, &store);
        let told = Instant::now();
        running.send(Signal::TERM);
        let ended = running.wait();
        assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{command:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("stopped before it began"), "{command:?}: {}", ended.stderr);
        assert!(told.elapsed() < PROMPT, "{command:?}: {:?}", told.elapsed());
        drop(held);
        let listed = run(["runs", "--json", "--store", text(&store)]).json();
        assert_eq!(listed["runs"].as_array().map(Vec::len), Some(1), "{command:?}: {listed}");
        assert_whole(&store);
    }
}

#[test]
fn what_waits_for_a_store_to_end_is_kept_when_it_is_let_go_and_is_asked_until_then() {
    let (dir, store) = place();
    let notify = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&notify).expect("bound");
    systemd.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let heard = || {
        let mut said = [0; 64];
        let length = systemd.recv(&mut said).expect("something is said");
        String::from_utf8_lossy(&said[..length]).into_owned()
    };
    let until = |what: &str| (0..1000).find(|_| heard() == what).expect(what);
    let variables = [
        ("NOTIFY_SOCKET", text(&notify)),
        ("WATCHDOG_USEC", "100000"),
        ("KADSCOPE_METRICS_ADDR", "127.0.0.1:0"),
    ];
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start_with(dir.path(), text(&store), &variables);
    until("READY=1");
    let said = crawl.heard().lines().find(|line| line.contains("http://")).expect("it is said first");
    let url = said.split_whitespace().last().expect("a URL").to_owned();
    let held = hold_for_writing(&store);
    crawl.send(Signal::TERM);
    until("STOPPING=1");
    until("WATCHDOG=1");
    let ready = run(["health", &format!("{url}/ready")]);
    assert_eq!((ready.code, ready.stdout.as_str()), (1, "not well (503): it is ending\n"));
    assert_eq!(run(["health", &url]).code, 0, "it lives");
    drop(held);
    let ended = crawl.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["state"], &summary["kept_visits"]), (&"cancelled".into(), &42.into()));
    assert_whole(&store);
    assert_eq!(testnet.end(), Some(0));
}

#[test]
fn what_has_not_ended_in_its_time_is_ended_and_the_store_is_whole() {
    let (dir, store) = place();
    let variables = [("KADSCOPE_STOP_TIMEOUT", "500ms")];
    let SlowCrawl { testnet, mut crawl } = SlowCrawl::start_with(dir.path(), text(&store), &variables);
    let held = hold_for_writing(&store);
    let told = Instant::now();
    crawl.send(Signal::TERM);
    let ended = crawl.wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("it has not ended within 0.5 s, and is ended now"), "{}", ended.stderr);
    assert!((Duration::from_millis(500)..PROMPT).contains(&told.elapsed()), "{:?}", told.elapsed());
    drop(held);
    let listed = run(["crawls", "--json", "--store", text(&store)]).json();
    assert_eq!(listed["crawls"][0]["state"], "interrupted");
    assert_whole(&store);
    assert_eq!(testnet.end(), Some(0));
}

/// Whoever reads its stdout has stopped reading without closing it.
#[test]
fn who_cannot_say_what_it_found_is_ended_as_well() {
    let words = ["testnet", "--peers", "3000", "--truth", "-"];
    // Two of the same kind could be taken for one.
    for (timeout, signals) in [("500ms", &[Signal::TERM][..]), ("1h", &[Signal::INT, Signal::TERM])] {
        let mut testnet = Running::start(kadscope(words).env("KADSCOPE_STOP_TIMEOUT", timeout));
        testnet.await_stderr(|line| line.contains("Ctrl-C ends the network"));
        testnet.await_full_stdout();
        for signal in signals {
            testnet.send(*signal);
        }
        assert_eq!(testnet.code_unread(), Some(130), "{timeout}");
    }
}

#[test]
fn nobody_has_to_read_what_is_printed() {
    let (_dir, store) = place();
    let testnet = Testnet::healthy(30);
    let bootstrap = testnet.bootstrap().join(",");
    for command in ASKING {
        let options = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--store", text(&store)];
        let mut running = Running::start(&mut kadscope(command.iter().copied().chain(options)));
        running.close_stdout();
        let ended = running.wait();
        // The peer of the ping is in nobody's table.
        let expected = if command[0] == "ping" { 5 } else { 0 };
        assert_eq!(ended.code, expected, "{command:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("error"), "{command:?}: {}", ended.stderr);
    }
    let listed = run(["runs", "--json", "--store", text(&store)]).json();
    let states: Vec<_> =
        listed["runs"].as_array().expect("a list").iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["succeeded"; 4]);
    assert_whole(&store);
}

#[test]
fn a_provider_is_ready_while_it_serves_and_ends_when_it_is_told() {
    let (_dir, store) = place();
    let testnet = Testnet::healthy(30);
    let bootstrap = testnet.bootstrap().join(",");
    let options = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--store", text(&store)];
    let watched = ["--metrics-addr", "127.0.0.1:0"];
    let words = ["provide", CID, "--serve-for", "1h"].into_iter().chain(options).chain(watched);
    let mut provider = Running::start(&mut kadscope(words));
    let said = provider.await_stderr(|line| line.contains("http://"));
    let url = said.split_whitespace().last().expect("a URL").to_owned();
    while run(["health", &format!("{url}/ready")]).code != 0 {}
    let metrics = ask(&format!("{url}/metrics"));
    for line in [
        "kadscope_provide_keys{state=\"provided\"} 1",
        "kadscope_held_limit{what=\"connections_open\"} 256",
        "kadscope_store_rows_total{of=\"visits\"} 0",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
    provider.send(Signal::TERM);
    let ended = provider.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let listed = run(["runs", "--json", "--store", text(&store)]).json();
    assert_eq!(listed["runs"][0]["state"], "succeeded", "all was published");
    assert_whole(&store);
}
