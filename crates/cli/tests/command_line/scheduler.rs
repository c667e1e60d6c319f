//! A scheduler over servers that answer as those of Go do: what it prints and keeps, how it ends, and who measures where several would.

use std::{path::PathBuf, thread, time::Duration};

use rustix::process::Signal;
use schema::{Measurement, OperationKind, OperationOutcome, Timestamp};
use serde_json::Value;
use store::{Register, RegisterConfig, RunFilter, Store, StoreUrl};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    go_server::GoServer,
    program::{Running, kadscope, run},
};

/// Servers that are registered in a store.
struct Fleet {
    _directory: TempDir,
    path: PathBuf,
    servers: Vec<GoServer>,
}

impl Fleet {
    fn of(count: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.sqlite");
        let servers: Vec<_> = (0..count).map(|_| GoServer::start()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let url = StoreUrl::Sqlite(path.clone());
            let register = Register::open(&url, RegisterConfig::default()).await.expect("a register");
            for server in &servers {
                let id = register.enter_server(&server.entry()).await.expect("entered");
                // They live as long as any test.
                register.heartbeat(id, Timestamp(i64::MAX / 2)).await.expect("alive");
            }
        });
        Self { _directory: directory, path, servers }
    }

    fn url(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    fn scheduler(&self, more: &[&str]) -> Vec<String> {
        let args = ["perf", "scheduler", "--fleets", "default", "--store", self.url()];
        args.iter().chain(more).map(|&arg| arg.to_owned()).collect()
    }

    fn publications(&self) -> usize {
        self.servers.iter().map(GoServer::publications).sum()
    }

    /// What is kept, of each run apart.
    fn kept(&self) -> Vec<Vec<Measurement>> {
        let store = Store::open_existing(&StoreUrl::Sqlite(self.path.clone())).expect("a store");
        let runs = store.runs(&RunFilter::default()).expect("runs");
        let rows = |id| store.rows::<Measurement>(id).expect("rows").map(|row| row.expect("a row")).collect();
        runs.iter().map(|run| rows(run.start.id)).collect()
    }
}

/// How often a summary has an outcome of a kind.
fn count(summary: &Value, kind: &str, outcome: &str) -> u64 {
    let counts = summary["attempts"].as_array().expect("a list");
    let is_it = |count: &&Value| count["kind"] == kind && count["outcome"] == outcome;
    counts.iter().find(is_it).map_or(0, |count| count["count"].as_u64().expect("a number"))
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::yield_now();
    }
}

#[test]
fn what_cannot_be_asked_is_2_and_says_what_to_do() {
    let ended = run(["perf", "scheduler"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--fleets: say whose servers are to be measured"), "{}", ended.stderr);
    let ended = run(["perf", "scheduler", "--fleets", "a", "--store", "none"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    let ended = run(["perf", "scheduler", "--fleets", "a", "--dry-run", "--store", "/nowhere/a.sqlite"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("kadscope perf server --fleet a"), "{}", ended.stderr);
}

#[test]
fn rounds_are_planned_without_asking_anybody() {
    let fleet = Fleet::of(3);
    let planned =
        |seed: &str| run(fleet.scheduler(&["--dry-run", "--json", "--rounds", "6", "--seed", seed])).json();
    let plan = planned("7");
    let rounds = plan["rounds"].as_array().expect("a list");
    assert_eq!((rounds.len(), &plan["servers"]), (6, &3.into()));
    assert_eq!(planned("7"), plan);
    assert_ne!(planned("8")["rounds"], plan["rounds"]);
    let text = run(fleet.scheduler(&["--dry-run", "--seed", "7"])).stdout;
    assert!(text.contains("publishes, looked for by 127.0.0.1:") && text.ends_with("seed 7\n"), "{text}");
    assert_eq!(fleet.publications(), 0);
}

#[test]
fn parsecs_variable_says_whose_servers_they_are() {
    let fleet = Fleet::of(2);
    let mut command = kadscope(["perf", "scheduler", "--store", fleet.url(), "--dry-run", "--json"]);
    let output = command.env("PARSEC_SCHEDULER_FLEETS", "other,default").output().expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_attempt_of_every_round_is_kept() {
    let fleet = Fleet::of(3);
    let args = ["--rounds", "4", "--interval", "50ms", "--probes", "2", "--negatives", "1", "--json"];
    let ended = run(fleet.scheduler(&args));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!((&summary["rounds"]["ended"], fleet.publications()), (&4.into(), 4));
    assert_eq!((count(&summary, "provide", "done"), count(&summary, "retrieve", "done")), (4, 16));
    // Those servers find whatever they are asked for.
    assert_eq!(count(&summary, "negative", "done"), 8);
    let kept = fleet.kept().remove(0);
    assert_eq!(kept.len(), 4 + 16 + 8);
    let of_kind = |kind| kept.iter().filter(move |row| row.kind == kind);
    assert_eq!(of_kind(OperationKind::Retrieve).count(), 16);
    assert!(
        of_kind(OperationKind::Retrieve).all(|row| row.publisher.is_some() && row.table_size == Some(59))
    );
    assert!(of_kind(OperationKind::Provide).all(|row| row.took == Duration::from_micros(5166)));
}

#[test]
fn without_servers_it_says_how_to_start_some_and_ends_when_it_is_told_to() {
    let fleet = Fleet::of(0);
    let mut scheduler = Running::start(&mut kadscope(fleet.scheduler(&[])));
    scheduler.await_stderr(|line| line.contains("kadscope perf server --fleet default"));
    scheduler.send(Signal::TERM);
    let ended = scheduler.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("0 rounds begun, 0 ended"), "{}", ended.stdout);
}

#[test]
fn told_to_end_while_a_server_hangs_it_does_and_keeps_what_it_knows() {
    let fleet = Fleet::of(2);
    for server in &fleet.servers {
        server.hang();
    }
    let mut scheduler = Running::start(&mut kadscope(fleet.scheduler(&["--stop-timeout", "4s", "--json"])));
    until("a publication", || fleet.publications() == 1);
    let told = Instant::now();
    scheduler.send(Signal::TERM);
    let ended = scheduler.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    assert_eq!(count(&ended.json(), "provide", "cancelled"), 1);
    let kept = fleet.kept().remove(0);
    assert_eq!((kept.len(), kept[0].outcome, kept[0].is_censored), (1, OperationOutcome::Cancelled, true));
    assert!(kept[0].took >= Duration::from_secs(1), "{:?}", kept[0].took);
}

#[test]
fn of_four_processes_one_measures_and_when_it_is_killed_another_one_takes_over() {
    let fleet = Fleet::of(2);
    let start = |_| Running::start(&mut kadscope(fleet.scheduler(&["--interval", "100ms", "--lease", "2s"])));
    let mut all: Vec<_> = (0..1).map(start).collect();
    until("the first one measures", || fleet.publications() >= 3);
    all.extend((1..4).map(start));
    for waiting in &mut all[1..] {
        waiting.await_stderr(|line| line.contains("measures these fleets; waiting"));
    }
    let mut killed = all.remove(0);
    killed.send(Signal::KILL);
    drop(killed);
    let before = fleet.publications();
    until("another one measures", || fleet.publications() >= before + 10);
    for scheduler in &mut all {
        scheduler.send(Signal::TERM);
    }
    for scheduler in all {
        assert_eq!(scheduler.wait().code, 0);
    }
    let spans: Vec<_> = fleet.kept().iter().filter_map(|rows| span(rows)).collect();
    assert!(spans.len() >= 2, "{spans:?}");
    for (at, (from, to)) in spans.iter().enumerate() {
        let is_apart = |(begin, end): &(Timestamp, Timestamp)| end < from || to < begin;
        assert!(spans[..at].iter().all(is_apart), "{spans:?}");
    }
}

/// When a run asked first and last.
fn span(rows: &[Measurement]) -> Option<(Timestamp, Timestamp)> {
    let asked = || rows.iter().filter_map(|row| row.asked_at);
    Some((asked().min()?, asked().max()?))
}
