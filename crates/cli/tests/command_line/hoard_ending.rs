//! Studies seen from outside: when they are ready, what a signal leaves of them in each phase, and what a store costs that is held by
//! somebody else for a while.

use std::{collections::BTreeSet, net::TcpListener, path::Path, time::Duration};

use rustix::process::Signal;
use schema::RoundEnd;
use tokio::time::Instant;

use crate::{
    hoard::{Field, SHORT, until},
    program::{Running, kadscope, run},
    signals::hold_for_writing,
    watching::{ask, url},
};

/// The id of a peer that is nowhere.
const NOBODY: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

/// A study that is asked at a port of its own, and where.
fn watched(field: &Field, more: &[&str]) -> (Running, String) {
    let args = field.args(&[more, &["--metrics-addr", "127.0.0.1:0"]].concat());
    let mut study = Running::start(&mut kadscope(args));
    let url = url(&study.await_stderr(|line| line.contains("metrics, health and readiness are at")));
    (study, url)
}

fn state(field: &Field) -> serde_json::Value {
    run(["runs", "--json", "--store", &field.store()]).json()["runs"][0]["state"].take()
}

fn assert_sound(field: &Field) {
    let checked = run(["store", "check", "--store", &field.store()]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}

/// The peer to begin with takes connections and never says a word: nobody knows the network yet.
#[test]
fn a_study_that_is_stopped_before_its_first_publication_has_done_nothing() {
    let field = Field::new();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let begin = format!("/ip4/127.0.0.1/tcp/{port}/p2p/{NOBODY}");
    let store = field.store();
    let place =
        ["hoard", "run", "--json", "--addresses", "loopback", "--bootstrap", &begin, "--store", &store];
    let more = ["--metrics-addr", "127.0.0.1:0", "--for", "6s"];
    let mut study = Running::start(&mut kadscope(place.iter().chain(SHORT).chain(&more)));
    let url = url(&study.await_stderr(|line| line.contains("metrics, health and readiness are at")));
    let (_held, _) = silent.accept().expect("somebody who begins with it");
    assert_eq!(run(["health", &url]).stdout, "ok\n");
    let not_yet = run(["health", &format!("{url}/ready")]);
    assert_eq!(not_yet.code, 1, "{not_yet:?}");
    assert!(not_yet.stdout.contains("publishers and observers do not stand yet"), "{}", not_yet.stdout);

    until("the run stands", || Path::new(&store).exists() && state(&field) == "running");
    study.send(Signal::TERM);
    let ended = study.wait();
    assert_eq!((ended.code, &ended.json()["end"]), (130, &"stopped".into()), "{}", ended.stderr);
    assert_eq!(ended.json()["keys"], 0);
    let kept = field.kept();
    assert_eq!((kept.keys.len(), kept.holders.len(), kept.rounds.len()), (0, 0, 0));
    assert_eq!(state(&field), "cancelled");
    assert_sound(&field);
}

#[test]
fn a_study_is_ready_once_its_peers_stand_and_says_how_its_rounds_and_holders_are() {
    let field = Field::new();
    let (mut study, url) = watched(&field, &[SHORT, &["--for", "1m"]].concat());
    until("it is ready", || run(["health", &format!("{url}/ready")]).stdout == "ready\n");
    let is_said = |line: &str| ask(&format!("{url}/metrics")).lines().any(|said| said == line);
    until("all keys are published", || is_said("kadscope_hoard_keys 3"));
    let holders = "kadscope_hoard_holders{whereabouts=\"same_address\",answer=\"with_addresses\"} 60";
    until("all holders are as they are", || is_said(holders));
    until("rounds are whole", || !is_said("kadscope_hoard_rounds_total{end=\"whole\"} 0"));
    let metrics = ask(&format!("{url}/metrics"));
    for expected in [
        "kadscope_hoard_keys_failed 0",
        "kadscope_hoard_keys_watched 3",
        "kadscope_held_limit{what=\"facts_waiting\"} 256",
        "kadscope_held{what=\"rows_waiting\"} ",
        "kadscope_store_rows_total{of=\"other_rows\"} ",
    ] {
        assert!(metrics.contains(&format!("\n{expected}")), "{expected}: {metrics}");
    }
    study.send(Signal::TERM);
    assert_eq!(study.wait().code, 130);
    assert_eq!(run(["health", &url]).code, 1, "nobody is there any more");
}

#[test]
fn a_study_that_is_stopped_between_its_rounds_has_nothing_in_pieces() {
    let field = Field::new();
    let seldom =
        ["--cids", "3", "--publish-every", "200ms", "--every", "1h", "--for", "2h", "--observers", "2"];
    let mut study = Running::start(&mut kadscope(field.args(&seldom)));
    // What holders say right after the publication, and 10 s later.
    until("all readings are kept", || Path::new(&field.store()).exists() && field.kept().rounds.len() == 3);
    study.send(Signal::TERM);
    let ended = study.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["end"], &summary["stopped_rounds"]), (&"stopped".into(), &0.into()), "{summary}");
    let kept = field.kept();
    assert_eq!((kept.keys.len(), kept.holders.len(), kept.rounds.len()), (3, 60, 3));
    assert!(kept.rounds.iter().all(|round| (round.round, round.end) == (0, RoundEnd::Whole)));
    assert_eq!(state(&field), "cancelled");
    assert_sound(&field);
}

/// Somebody holds the file for as long as ten rounds of each key take: rows and facts wait, and all of them are kept afterwards.
#[test]
fn a_store_that_is_held_for_a_while_costs_no_round_and_none_is_kept_twice() {
    const HELD: Duration = Duration::from_secs(10);
    let field = Field::new();
    let (study, url) = watched(&field, &[SHORT, &["--for", "16s"]].concat());
    until("a round is kept", || {
        Path::new(&field.store()).exists() && field.kept().rounds.iter().any(|round| round.round > 0)
    });
    let (held, since) = (hold_for_writing(Path::new(&field.store())), Instant::now());
    // Read by another process: whoever closes the file gives up what it holds of it.
    let rows = || run(["runs", "--json", "--store", &field.store()]).json()["runs"][0]["rows"].take();
    let before = rows();
    let waits = || {
        let metrics = ask(&format!("{url}/metrics"));
        let waiting =
            metrics.lines().find_map(|line| line.strip_prefix("kadscope_held{what=\"rows_waiting\"} "));
        waiting.is_some_and(|count| count.parse::<f64>().expect("a number") > 0.0)
    };
    until("rows wait", waits);
    until("it was held so long", || since.elapsed() >= HELD);
    assert_eq!(rows(), before, "nothing is kept meanwhile");
    drop(held);
    let ended = study.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (kept, summary) = (field.kept(), ended.json());
    let times = kept.times();
    assert_eq!(times.len(), 3 * 17, "no round of a key is lost: {times:?}");
    assert!(times.values().all(|&times| times == 1), "and none is doubled: {times:?}");
    let missed: BTreeSet<_> = kept
        .rounds
        .iter()
        .filter(|round| round.end == RoundEnd::Missed)
        .map(|round| (&round.key, round.round))
        .collect();
    assert_eq!(summary["missed_rounds"], missed.len() as u64, "what it says is what is kept: {summary}");
    assert_sound(&field);
}
