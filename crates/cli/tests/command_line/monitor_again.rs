//! A monitor that is started again on its store: killed in the middle, begun with peers that are down, after a prune; and two on one store.

use std::{collections::BTreeMap, path::Path};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    monitor::{Lab, NOBODY, PEERS, await_metric, finished},
    program::{Running, Testnet, run},
    watching::{ask, url},
};

/// What `kadscope sessions` says of the store.
fn sessions(lab: &Lab, options: &[&str]) -> Value {
    let store = lab.store();
    run(["sessions", "--json", "--store", &store].iter().chain(options)).json()
}

/// Every session by its peer and its first look, with its state.
fn kept(lab: &Lab) -> BTreeMap<(String, String), String> {
    let listed = sessions(lab, &[]);
    let listed = listed["sessions"].as_array().expect("a list").clone();
    let text = |session: &Value, name: &str| session[name].as_str().expect(name).to_owned();
    let all: BTreeMap<_, _> = listed
        .iter()
        .map(|one| ((text(one, "peer"), text(one, "first_successful_dial")), text(one, "state")))
        .collect();
    assert_eq!(all.len(), listed.len(), "a session is listed once");
    all
}

/// Sessions are what follows from the visits; how many they are, and how many cannot be compared.
fn checked(lab: &Lab) -> (u64, u64) {
    let store = lab.store();
    let ended = run(["sessions", "--check", "--json", "--store", &store]);
    let scopes = ended.json()["checked"].as_array().expect("a list").clone();
    let counts = &scopes[0];
    assert_eq!((ended.code, scopes.len(), &counts["differing"]), (0, 1, &0.into()), "{}", ended.stdout);
    (counts["equal"].as_u64().expect("a number"), counts["pruned"].as_u64().expect("a number"))
}

/// The causes of the gaps that are kept, run by run.
fn gaps(lab: &Lab) -> Vec<String> {
    let store = lab.store();
    let exported = run([
        "export",
        "--rows",
        "observer_gap",
        "--store",
        &store,
        "--tool",
        "monitor",
        "--privacy",
        "as-is",
        "--out",
        "-",
    ]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let lines = exported.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.map(|gap| gap["cause"].as_str().expect("a cause").to_owned()).collect()
}

/// One that goes on until that many peers are up, with where it is asked.
fn watching(lab: &Lab, bootstrap: &str, up: u64) -> (Running, String) {
    let mut command = Lab::beginning_at(bootstrap, "1s", &lab.store(), &["--json", "--crawl-every", "1s"]);
    let mut monitor = Running::start(&mut command);
    let url = url(&monitor.await_stderr(|line| line.contains("metrics, health and readiness are at")));
    await_metric(&url, &format!("kadscope_monitor_peers_up {up}"));
    (monitor, url)
}

/// Asks until so many looks found their peer up.
fn await_looks(url: &str, looks: u64) {
    let count =
        |line: &str| line.strip_prefix("kadscope_monitor_looks_total{says=\"up\"} ")?.parse::<u64>().ok();
    while ask(&format!("{url}/metrics")).lines().find_map(count) < Some(looks) {}
}

#[test]
fn whoever_is_killed_is_gone_on_with_though_nobody_is_there_to_begin_with() {
    let lab = Lab::new();
    let bootstrap = lab.testnet.bootstrap().join(",");
    let (mut monitor, url) = watching(&lab, &bootstrap, PEERS);
    await_metric(&url, "kadscope_monitor_crawls_total 3");
    monitor.send(Signal::KILL);
    assert_eq!(monitor.code_unread(), None);
    let before = kept(&lab);
    for kill in 1..=2 {
        // How everybody stands is known at once, and nobody has to be found.
        let (mut monitor, url) = watching(&lab, NOBODY, PEERS);
        await_looks(&url, PEERS * kill);
        monitor.send(Signal::KILL);
        assert_eq!(monitor.code_unread(), None);
    }
    let ended = finished(Lab::beginning_at(NOBODY, "1s", &lab.store(), &["--json", "--for", "4s"]));
    let summary = ended.json();
    assert_eq!((&summary["up"], &summary["began"], &summary["ended"]), (&PEERS.into(), &0.into(), &0.into()));
    assert!(summary["crawls"].as_u64() > Some(0), "{summary}");
    let after = kept(&lab);
    assert_eq!(after.len() as u64, PEERS, "none is lost, split or doubled");
    assert!(before.keys().all(|known| after.contains_key(known)), "{before:?} {after:?}");
    assert_eq!(checked(&lab), (PEERS, 0));
    assert_eq!(gaps(&lab), ["not_running"; 3]);
    lab.end();
}

#[test]
fn sessions_follow_from_the_visits_though_peers_come_and_go_and_the_monitor_is_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("life.toml");
    let life = "[life]\nspeed = 600.0\nlearn_s = 120.0\nforget_s = 600.0\n\n[[life.classes]]\nname = \"home\"\nshare = 0.8\n\
                up = { law = \"exponential\", median_s = 3000 }\ndown = { law = \"exponential\", median_s = 2000 }\n";
    std::fs::write(&scenario, format!("seed = 7\npeers = 40\n\n{life}")).expect("written");
    let lab = Lab { dir, testnet: Testnet::start(&scenario) };
    let options = ["--json", "--crawl-every", "2s", "--dial-timeout", "1s", "--for", "5s"];
    for _ in 0..3 {
        let mut monitor = Running::start(&mut lab.paced("500ms", &lab.store(), &options));
        let url = url(&monitor.await_stderr(|line| line.contains("metrics, health and readiness are at")));
        await_metric(&url, "kadscope_monitor_crawls_total 2");
        monitor.send(Signal::KILL);
        assert_eq!(monitor.code_unread(), None);
    }
    assert_eq!(finished(lab.paced("500ms", &lab.store(), &options)).code, 0);
    let all = kept(&lab);
    assert!(all.values().any(|state| state == "closed") && all.len() > 40, "{all:?}");
    assert_eq!(checked(&lab), (all.len() as u64, 0));
    lab.end();
}

#[test]
fn after_a_prune_no_session_is_split_and_uptime_is_what_it_was() {
    let lab = Lab::new();
    let bootstrap = lab.testnet.bootstrap().join(",");
    for _ in 0..2 {
        let options = ["--json", "--crawl-every", "1h", "--for", "4s"];
        assert_eq!(finished(Lab::beginning_at(&bootstrap, "1s", &lab.store(), &options)).code, 0);
    }
    let (before, uptime) = (kept(&lab), sessions(&lab, &["--uptime", "year"]));
    let years = uptime["uptimes"].as_array().expect("a list");
    assert_eq!(years.len() as u64, PEERS);
    let up_s = |year: &Value| year["up_s"].as_f64().expect("a number");
    // Two runs of four seconds, and nothing of the time between.
    assert!(years.iter().all(|year| (0.5..8.5).contains(&up_s(year)) && year["down_s"] == 0.0), "{uptime}");
    assert_eq!(run(["store", "prune", "--keep-visits", "1ms", "--store", &lab.store()]).code, 0);
    assert_eq!(sessions(&lab, &["--uptime", "year"]), uptime);
    let options = ["--json", "--crawl-every", "1h", "--for", "4s"];
    let ended = finished(Lab::beginning_at(&bootstrap, "1s", &lab.store(), &options));
    let summary = ended.json();
    assert_eq!((&summary["up"], &summary["began"]), (&PEERS.into(), &0.into()), "{summary}");
    assert_eq!(kept(&lab), before);
    assert_eq!(checked(&lab), (0, PEERS));
    lab.end();
}

#[test]
fn a_second_monitor_is_refused_unless_both_are_vantage_points_of_their_own() {
    let lab = Lab::new();
    let bootstrap = lab.testnet.bootstrap().join(",");
    let (mut monitor, _) = watching(&lab, &bootstrap, PEERS);
    let place = ["--for", "3s", "--json"];
    let refused = finished(lab.monitor(&lab.store(), &place));
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("is monitored in this store already"), "{}", refused.stderr);
    let apart =
        |vantage| lab.monitor(&lab.store(), &["--for", "4s", "--json", "--apart", "--vantage", vantage]);
    let both = ["east", "west"].map(|vantage| Running::start(&mut apart(vantage)));
    for monitor in both {
        let ended = monitor.wait();
        assert_eq!((ended.code, &ended.json()["began"]), (0, &PEERS.into()), "{}", ended.stderr);
    }
    monitor.send(Signal::TERM);
    monitor.wait();
    let store = lab.store();
    let ended = run(["sessions", "--check", "--json", "--store", &store]);
    let scopes = ended.json()["checked"].as_array().expect("a list").clone();
    let equal: Vec<_> = scopes.iter().map(|scope| scope["equal"].as_u64()).collect();
    assert_eq!((ended.code, equal), (0, vec![Some(PEERS); 3]), "{}", ended.stdout);
    lab.end();
}

#[test]
fn sessions_that_do_not_follow_from_the_visits_are_named() {
    let lab = Lab::new();
    assert_eq!(finished(lab.monitor(&lab.store(), &["--json", "--for", "3s"])).code, 0);
    let none = run(["sessions", "--check", "--network", "no-such", "--store", &lab.store()]);
    assert_eq!(
        (none.code, none.stderr.contains("no monitor has seen such a network")),
        (2, true),
        "{}",
        none.stderr
    );
    spoil(Path::new(&lab.store()));
    let ended = run(["sessions", "--check", "--store", &lab.store()]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stdout.contains("1 differ") && ended.stdout.contains("began_by"), "{}", ended.stdout);
    lab.end();
}

/// One session is said to have been known a second later.
fn spoil(store: &Path) {
    let change =
        "UPDATE session SET began_by_us = began_by_us + 1000000 WHERE id = (SELECT MIN(id) FROM session)";
    let changed = rusqlite::Connection::open(store).expect("a store").execute(change, []).expect("changed");
    assert_eq!(changed, 1);
}
