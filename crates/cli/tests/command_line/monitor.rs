//! A network that is monitored: whom it finds, how it is read meanwhile, how it ends, and what is kept of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    program::{Ended, Running, Testnet, kadscope, run},
    signals::hold_for_writing,
    watching::{ask, url},
};

/// How many peers the network has. All of them are well.
pub(crate) const PEERS: u64 = 40;

/// A peer that is not there.
pub(crate) const NOBODY: &str =
    "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

/// A network, and a store for what is seen of it.
pub(crate) struct Lab {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) testnet: Testnet,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let peers = u32::try_from(PEERS).expect("a small number");
        Self { dir: tempfile::tempdir().expect("a directory"), testnet: Testnet::healthy(peers) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("a.sqlite")
    }

    pub(crate) fn store(&self) -> String {
        self.path().to_str().expect("UTF-8").to_owned()
    }

    /// A monitor of it that keeps its rows in that store; it looks again after a second, and is asked at a port of its own.
    pub(crate) fn monitor(&self, store: &str, options: &[&str]) -> Command {
        self.paced("1s", store, options)
    }

    /// The same that looks again after a time.
    pub(crate) fn paced(&self, look_after: &str, store: &str, options: &[&str]) -> Command {
        Self::beginning_at(&self.testnet.bootstrap().join(","), look_after, store, options)
    }

    /// The same that begins with these peers.
    pub(crate) fn beginning_at(bootstrap: &str, look_after: &str, store: &str, options: &[&str]) -> Command {
        let place = ["--addresses", "loopback", "--bootstrap", bootstrap, "--store", store];
        let asked = ["--look-after", look_after, "--metrics-addr", "127.0.0.1:0"];
        kadscope(["monitor"].iter().chain(&place).chain(&asked).chain(options))
    }

    /// One that goes on, and has seen everybody up: with where it is asked.
    fn watching(&self, options: &[&str]) -> (Running, String) {
        let mut monitor = Running::start(&mut self.monitor(&self.store(), options));
        let said = monitor.await_stderr(|line| line.contains("metrics, health and readiness are at"));
        let url = url(&said);
        await_metric(&url, &format!("kadscope_monitor_peers_up {PEERS}"));
        (monitor, url)
    }

    pub(crate) fn runs(&self, options: &[&str]) -> Vec<Value> {
        let store = self.store();
        let listed = run(["runs", "--json", "--store", &store].iter().chain(options)).json();
        listed["runs"].as_array().expect("a list").clone()
    }

    pub(crate) fn end(self) {
        assert!(self.path().exists());
        let checked = run(["store", "check", "--store", &self.store()]);
        assert_eq!(checked.code, 0, "{}", checked.stderr);
        assert_eq!(self.testnet.end(), Some(0));
    }
}

/// Asks until that line is among the metrics, and returns all of them.
pub(crate) fn await_metric(url: &str, line: &str) -> String {
    loop {
        let metrics = ask(&format!("{url}/metrics"));
        if metrics.lines().any(|said| said == line) {
            return metrics;
        }
    }
}

pub(crate) fn finished(mut command: Command) -> Ended {
    command.output().expect("an end").into()
}

#[test]
fn everybody_is_found_looked_at_again_and_kept_and_crawls_are_runs_of_their_own() {
    let lab = Lab::new();
    let ended = finished(lab.monitor(&lab.store(), &["--json", "--crawl-every", "2s", "--for", "8s"]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.json();
    let count = |name: &str| summary[name].as_u64().expect(name);
    assert_eq!((&summary["end"], count("known"), count("up")), (&"done".into(), PEERS, PEERS), "{summary}");
    assert_eq!((count("began"), count("ended"), count("gaps")), (PEERS, 0, 0), "{summary}");
    let looks = summary["looks"]["up"].as_u64().expect("a number");
    assert!(looks > PEERS && count("crawls") >= 2, "{summary}");

    let monitors = lab.runs(&["--tool", "monitor"]);
    assert_eq!((monitors.len(), &monitors[0]["state"]), (1, &"succeeded".into()), "{monitors:?}");
    assert_eq!(monitors[0]["run_id"], summary["run"]);
    let crawls = run(["crawls", "--json", "--store", &lab.store()]).json();
    let crawls = crawls["crawls"].as_array().expect("a list");
    let whole = crawls.iter().filter(|crawl| crawl["state"] == "succeeded");
    assert_eq!(whole.clone().count() as u64, count("crawls"), "{crawls:?}");
    assert!(whole.clone().all(|crawl| crawl["visits"].as_u64() == Some(PEERS)), "{crawls:?}");
    lab.end();
}

#[test]
fn it_is_ready_once_somebody_was_seen_up_and_tells_how_it_stands() {
    let lab = Lab::new();
    let (mut monitor, url) = lab.watching(&["--crawl-every", "1h"]);
    assert_eq!(run(["health", &format!("{url}/ready")]).stdout, "ready\n");
    let metrics = await_metric(&url, "kadscope_monitor_crawls_total 1");
    for expected in [
        &format!("kadscope_monitor_peers_known {PEERS}"),
        "kadscope_monitor_peers_doubtful 0",
        &format!("kadscope_monitor_sessions_total{{what=\"began\"}} {PEERS}"),
        "kadscope_monitor_crawl_visits_total{says=\"down\"} 0",
        "kadscope_monitor_looks_total{says=\"up\"} ",
        "kadscope_monitor_gaps_total 0",
        "kadscope_monitor_interval_stretch_ratio 1",
        "kadscope_store_rows_total{of=\"visits\"} ",
        "kadscope_held_limit{what=\"rows_waiting\"} ",
    ] {
        assert!(metrics.contains(&format!("\n{expected}")), "{expected}: {metrics}");
    }

    monitor.send(Signal::INT);
    let ended = monitor.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let first = ended.stdout.lines().next().expect("a summary");
    assert!(first.starts_with("monitored for ") && first.contains(": stopped (run "), "{first}");
    assert!(ended.stdout.contains(&format!("{PEERS} of {PEERS} peers up, 0 in doubt")), "{}", ended.stdout);
    assert_eq!(run(["health", &url]).code, 1, "nobody is there any more");
    assert_eq!(lab.runs(&["--tool", "monitor"])[0]["state"], "cancelled");
    lab.end();
}

/// A fifth of the peers are not there any more, and others answer at their addresses.
#[test]
fn others_who_answer_where_a_peer_was_are_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("others.toml");
    let text = "seed = 5\npeers = 40\n\n[[states]]\nstate = \"wrong_peer_id\"\nshare = 0.2\n";
    std::fs::write(&scenario, text).expect("written");
    let lab = Lab { dir, testnet: Testnet::start(&scenario) };
    let options = ["--json", "--looks-per-s", "1000", "--crawl-every", "1h", "--for", "8s"];
    let ended = finished(lab.paced("200ms", "none", &options));
    let summary = ended.json();
    let looks = &summary["looks"];
    assert_eq!((&summary["up"], &looks["unclear"]), (&32.into(), &0.into()), "{summary}");
    assert!(summary["met_others"].as_u64() > Some(0), "{summary}");
    assert_eq!(summary["met_others"], looks["down"], "{summary}");
    assert_eq!(lab.testnet.end(), Some(0));
}

/// Nobody answers where it is to begin, so that no crawl finds anybody.
#[test]
fn it_is_not_ready_before_that_and_ends_at_once_when_it_is_told_to() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    let bootstrap = NOBODY.replace("/tcp/1/", &format!("/tcp/{port}/"));
    let words =
        ["monitor", "--json", "--addresses", "loopback", "--bootstrap", &bootstrap, "--store", "none"];
    let asked = ["--dial-timeout", "1h", "--metrics-addr", "127.0.0.1:0"];
    let mut monitor = Running::start(&mut kadscope(words.iter().chain(&asked)));
    let url = url(&monitor.await_stderr(|line| line.contains("metrics, health and readiness are at")));
    await_metric(&url, "kadscope_monitor_crawl_under_way 1");
    let ready = run(["health", &format!("{url}/ready")]);
    assert_eq!((ready.code, ready.stdout.as_str()), (1, "not well (503): no peer was seen up yet\n"));
    monitor.send(Signal::TERM);
    let ended = monitor.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!(
        (&summary["end"], &summary["up"], &summary["crawls"]),
        (&"stopped".into(), &0.into(), &0.into())
    );
}

#[test]
fn a_signal_that_comes_before_anything_has_begun_is_heard() {
    let lab = Lab::new();
    let mut monitor = Running::start(&mut lab.monitor("none", &[]));
    monitor.await_hearing();
    monitor.send(Signal::TERM);
    let ended = monitor.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert_eq!(lab.testnet.end(), Some(0));
}

#[test]
fn nothing_is_written_where_nothing_is_to_be_kept() {
    let lab = Lab::new();
    let mut command = lab.monitor("none", &["--json", "--for", "3s"]);
    command.current_dir(lab.dir.path());
    let ended = finished(command);
    assert_eq!((ended.code, &ended.json()["up"]), (0, &PEERS.into()), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(lab.dir.path()).expect("a directory").count(), 0);
    assert_eq!(lab.testnet.end(), Some(0));
}

#[test]
fn an_option_that_is_wrong_is_2_and_names_what_is_possible() {
    for (option, value, said) in [
        ("--online", "sometimes", "handshake"),
        ("--looks-per-s", "0", "1..=10000"),
        ("--crawl-every", "often", "--crawl-every"),
        ("--look-after", "soon", "--look-after"),
        ("--for", "ever", "--for"),
        ("--store", "mysql://x", "supported: `sqlite:PATH`"),
    ] {
        let ended = run(["monitor", "--addresses", "loopback", "--bootstrap", NOBODY, option, value]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{option}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{option}: {}", ended.stderr);
    }
}

/// Another program is in the middle of a transaction while the monitor is to end.
#[test]
fn what_waits_for_a_store_that_somebody_holds_is_kept_once_it_is_let_go() {
    let lab = Lab::new();
    let (mut monitor, url) = lab.watching(&["--json", "--crawl-every", "1h"]);
    await_metric(&url, "kadscope_monitor_crawls_total 1");
    let held = hold_for_writing(Path::new(&lab.path()));
    monitor.send(Signal::TERM);
    monitor.await_stderr(|line| line.contains("Ctrl-C again ends at once"));
    drop(held);
    let ended = monitor.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let looks = ended.json()["looks"].clone();
    let looks: u64 = ["up", "down", "unclear"].iter().filter_map(|says| looks[says].as_u64()).sum();
    let monitors = lab.runs(&["--tool", "monitor"]);
    // Every look is a row, and so is every session that began, and what is known of the day of each peer.
    let rows = looks + 2 * PEERS;
    assert_eq!((&monitors[0]["state"], &monitors[0]["rows"]), (&"cancelled".into(), &rows.into()));
    lab.end();
}

/// Whoever holds the store does not let go: it is ended in its time nevertheless, and the store is whole.
#[test]
fn a_store_that_is_not_let_go_does_not_keep_it() {
    let lab = Lab::new();
    let (mut monitor, url) = lab.watching(&["--json", "--crawl-every", "1h", "--stop-timeout", "2s"]);
    await_metric(&url, "kadscope_monitor_crawls_total 1");
    let held = hold_for_writing(Path::new(&lab.path()));
    monitor.send(Signal::TERM);
    let ended = monitor.wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("it has not ended within 2 s, and is ended now"), "{}", ended.stderr);
    drop(held);
    assert_eq!(lab.runs(&["--tool", "monitor"])[0]["state"], "interrupted");
    lab.end();
}
